"""A pretrained sentence encoder. Explained in chapter 16, *Borrowed knowledge*.

It needs the packages of the extra `pretrained`: `pip install 'genre-lib[pretrained]'`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any
from urllib.request import Request, urlopen

import numpy as np
import torch
from torch import Tensor, nn

from genre_lib.data.schema import GENRES
from genre_lib.data.tensors import PAD_ID
from genre_lib.errors import GenreLibError
from genre_lib.training.device import choose_device

ENCODER = "sentence-transformers/all-MiniLM-L6-v2"
"""The encoder's name on huggingface.co: six layers, 384 numbers, 91 MB, licence Apache-2.0."""

REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
"""The commit of the encoder's files that results were measured with."""

MAX_PIECES = 256
"""Texts are truncated to this many word pieces, as in the encoder's own settings."""

TIMEOUT = 5
"""Seconds to wait for huggingface.co."""


def load_encoder(name: str = ENCODER) -> Any:
    """Return a `SentenceTransformer`, from the user's cache or downloaded.

    Parameters
    ----------
    name
        The name of `ENCODER`, or the path of a folder with its files.

    Raises
    ------
    GenreLibError
        When the package sentence-transformers is missing, or the encoder can't be downloaded.
    """
    try:
        from sentence_transformers import SentenceTransformer
        from transformers.utils.logging import disable_progress_bar, enable_progress_bar
    except ImportError as error:
        raise GenreLibError(
            "The pretrained encoder needs a package that is missing here: pip install "
            "'genre-lib[pretrained]'."
        ) from error

    def load(local_files_only: bool) -> Any:
        return SentenceTransformer(
            name,
            revision=REVISION,
            device=str(choose_device()),
            local_files_only=local_files_only,
        )

    disable_progress_bar()  # loading from the cache takes a second
    try:
        return load(local_files_only=True)
    except OSError:
        enable_progress_bar()
        try:
            _check_reachable("https://huggingface.co")
            return load(local_files_only=False)
        except OSError as error:
            raise GenreLibError(
                f"The pretrained encoder {name} is not on this machine and could not be downloaded "
                "from huggingface.co: connect to the internet once, or go on without it."
            ) from error
    finally:
        enable_progress_bar()


def _check_reachable(address: str) -> None:
    """Raise an `OSError` promptly; left to itself, the package would retry for a minute."""
    if os.environ.get("HF_HUB_OFFLINE", "0").upper() in ("1", "ON", "YES", "TRUE"):
        raise OSError("downloads are switched off by HF_HUB_OFFLINE")
    urlopen(Request(address, method="HEAD"), timeout=TIMEOUT).close()


def sentence_vectors(encoder: Any, texts: Sequence[str]) -> np.ndarray:
    """Return the whole encoder's vector for each text, shape (n, 384), each of length 1."""
    found: np.ndarray = encoder.encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
    return found.astype(np.float32)


def table_vectors(encoder: Any, texts: Sequence[str]) -> np.ndarray:
    """Return the mean of each text's word pieces in the encoder's first table, shape (n, 384).

    The table is the encoder's input embedding. It has one vector per word piece, whatever the words
    around it. A text without words gets zeros.
    """
    table = word_table(encoder)
    ids = word_pieces(encoder, texts, special=False)
    with torch.no_grad():
        means = [
            (table[row] * (row != PAD_ID).unsqueeze(-1)).sum(dim=1)
            / (row != PAD_ID).sum(dim=1, keepdim=True).clamp(min=1)
            for row in ids.long().split(256)
        ]
    return torch.cat(means).numpy() if means else np.zeros((0, table.shape[1]), np.float32)


def word_table(encoder: Any) -> Tensor:
    """Return the encoder's input embedding, one row per word piece, shape (30522, 384)."""
    return encoder[0].auto_model.get_input_embeddings().weight.detach().cpu()


def word_pieces(
    encoder: Any, texts: Sequence[str], most: int = MAX_PIECES, special: bool = True
) -> Tensor:
    """Return the ids of each text's word pieces, shape (n, longest), int32, padded with `PAD_ID`.

    Parameters
    ----------
    encoder, texts
        What `load_encoder` returns, and n texts.
    most
        Longer texts are truncated to this many pieces.
    special
        Whether to add the two pieces that the encoder expects at the beginning and the end.
    """
    rows = encoder.tokenizer(
        list(texts), truncation=True, max_length=most, add_special_tokens=special
    )["input_ids"]
    ids = torch.full((len(rows), max(map(len, rows), default=0)), PAD_ID, dtype=torch.int32)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row, dtype=torch.int32)
    return ids


class PretrainedNetwork(nn.Module):
    """A pretrained transformer with a linear head, to be fine-tuned by `fit`. Chapter 16.

    Its lyrics are ids of word pieces, as `word_pieces` returns them. The head's input is
    the mean of the transformer's outputs over the pieces.

    Parameters
    ----------
    transformer
        Called with `input_ids` and `attention_mask`, both of shape (batch, pieces); it returns an
        object whose `last_hidden_state` has shape (batch, pieces, `width`).
    width
        The numbers per piece.
    """

    sees = ("lyrics",)
    AT_ONCE = 256  # songs that go through the transformer together: more would fill a small GPU

    def __init__(self, transformer: nn.Module, width: int = 384):
        super().__init__()
        self.transformer = transformer
        self.head = nn.Linear(width, len(GENRES))

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        """Return logits, shape (batch, 7)."""
        means = [self._mean(part.long()) for part in lyrics.split(self.AT_ONCE)]
        return self.head(torch.cat(means))

    def _mean(self, ids: Tensor) -> Tensor:
        present = ids != PAD_ID
        states = self.transformer(input_ids=ids, attention_mask=present.long()).last_hidden_state
        total = (states * present.unsqueeze(-1)).sum(dim=1)
        return total / present.sum(dim=1, keepdim=True).clamp(min=1)
