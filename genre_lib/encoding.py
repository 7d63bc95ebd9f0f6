"""From a table of songs to tensors. Explained in chapter 2, *From lyrics to tensors*."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import pandas as pd
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.trainers import WordLevelTrainer
from torch import Tensor
from torch.utils.data import Dataset

from genre_lib.schema import FEATURES, GENRES
from genre_lib.songs import strip_footer

PAD, UNKNOWN = "<pad>", "<unk>"
PAD_ID, UNKNOWN_ID = 0, 1

Batch = tuple[Tensor, Tensor, Tensor]
"""Lyrics, features and genre of some songs, as `SongTensors` holds them."""


@dataclass(frozen=True)
class SongTensors(Dataset):
    """The one dataset class of the course: n songs as three tensors of equal length.

    `songs[i]` is `(lyrics, features, genre)` of one song; an index tensor or a slice in place of
    `i` gives a whole batch at once. It is a `torch.utils.data.Dataset`, so a `DataLoader` works
    too, only slower.
    """

    lyrics: Tensor
    """Token ids, shape (n, tokens), int32; short songs are filled up with `PAD_ID`."""
    features: Tensor
    """The 22 scores, shape (n, 22), float32."""
    genre: Tensor
    """The position in `GENRES`, shape (n,), int64."""

    def __len__(self) -> int:
        return len(self.genre)

    def __getitem__(self, index: int | slice | Tensor) -> Batch:
        return self.lyrics[index], self.features[index], self.genre[index]

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, in a new random order by torch's global seed."""
        shuffled = self[torch.randperm(len(self)).to(self.genre.device)]
        return zip(*(t.split(size) for t in shuffled), strict=True)

    def in_order(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, as they lie."""
        return zip(*(t.split(size) for t in self[:]), strict=True)

    def sample(self, most: int) -> SongTensors:
        """Return every k-th song, `most` of them at the most."""
        return SongTensors(*self[:: max(1, math.ceil(len(self) / most))])

    def to(self, device: str | torch.device) -> SongTensors:
        """Return the same songs on `device`."""
        return SongTensors(*(t.to(device) for t in (self.lyrics, self.features, self.genre)))


class SongEncoder:
    """Learns a vocabulary and the scaling of the scores, from training songs only.

    Parameters
    ----------
    min_frequency
        A word must occur this often in the training lyrics to get an id of its own.
    max_tokens
        Lyrics are cut after this many tokens, and filled up to it. (The longest song has 199.)
    scale
        Whether to standardise each score to mean 0 and standard deviation 1.
    footer
        Whether to leave the scraped footer in the lyrics, as the post did.
    distinct
        Whether a song keeps each word once, where it first occurs: a chorus then counts once, and
        `min_frequency` counts songs.
    features
        The columns of scores to read; the 22 unless an experiment asks for fewer or others.
    """

    def __init__(
        self,
        min_frequency: int = 5,
        max_tokens: int = 200,
        scale: bool = True,
        footer: bool = False,
        distinct: bool = False,
        features: Sequence[str] = FEATURES,
    ):
        self.settings = {
            "min_frequency": min_frequency,
            "max_tokens": max_tokens,
            "scale": scale,
            "footer": footer,
            "distinct": distinct,
            "features": list(features),
        }
        self.tokenizer = Tokenizer(WordLevel(unk_token=UNKNOWN))
        self.tokenizer.normalizer = Lowercase()
        self.tokenizer.pre_tokenizer = Whitespace()
        self.mean = np.zeros(len(features))
        self.deviation = np.ones(len(features))

    def fit(self, songs: pd.DataFrame) -> SongEncoder:
        """Learn from training songs; a column that is not there is not learned from."""
        return self.fit_pieces([songs])

    def fit_pieces(self, tables: Iterable[pd.DataFrame]) -> SongEncoder:
        """Learn from training songs that come as several tables, of which it holds one at a time.

        It learns what `fit` learns from all of them as one table.
        """
        self._learn((songs, self._texts(songs)) for songs in tables)
        return self

    def encode(self, songs: pd.DataFrame) -> SongTensors:
        """Turn a table of n songs into tensors.

        A missing input gives a tensor of shape (n, 0), and a missing genre the number -1: a
        network that does not ask for them never notices.
        """
        return self._encode(songs, self._texts(songs))

    def fit_encode(self, songs: pd.DataFrame) -> SongTensors:
        """Learn from training songs and encode them: the same as both, and faster."""
        texts = self._texts(songs)
        self._learn([(songs, texts)])
        return self._encode(songs, texts)

    def _learn(self, pieces: Iterable[tuple[pd.DataFrame, list[str] | None]]) -> None:
        names, moments = self.settings["features"], []

        def texts() -> Iterator[list[str]]:
            for songs, lyrics in pieces:
                if self.settings["scale"] and set(names) <= set(songs):
                    scores = songs[names].to_numpy()
                    moments.append((len(scores), scores.mean(axis=0), scores.var(axis=0)))
                if lyrics is not None:
                    yield lyrics

        lyrics = texts()
        first = next(lyrics, None)
        if first is not None:
            trainer = WordLevelTrainer(
                vocab_size=2**31,
                min_frequency=self.settings["min_frequency"],
                special_tokens=[PAD, UNKNOWN],
                show_progress=False,
            )
            self.tokenizer.train_from_iterator(chain([first], lyrics), trainer)
        self.tokenizer.enable_truncation(self.settings["max_tokens"])
        if moments:
            songs, means, variances = map(np.array, zip(*moments, strict=True))
            share = songs / songs.sum()
            self.mean = share @ means
            # Within the pieces, and of their means around the common one.
            deviation = np.sqrt(share @ (variances + (means - self.mean) ** 2))
            self.deviation = np.where(deviation > 0, deviation, 1.0)

    def _encode(self, songs: pd.DataFrame, texts: list[str] | None) -> SongTensors:
        n, names = len(songs), self.settings["features"]
        lyrics, features, genre = np.empty((n, 0), np.int32), np.empty((n, 0)), np.full(n, -1)
        if texts is not None:
            lyrics = _pad(self._ids(texts), self.settings["max_tokens"])
        if set(names) <= set(songs):
            features = (songs[names].to_numpy() - self.mean) / self.deviation
        if "genre" in songs:
            genre = pd.Categorical(songs["genre"], categories=GENRES).codes
        return SongTensors(
            torch.from_numpy(lyrics),
            torch.tensor(features, dtype=torch.float32),
            torch.tensor(genre, dtype=torch.int64),
        )

    def _ids(self, texts: list[str]) -> list[list[int]]:
        """The tokenizer's ids, which plain words get faster by being looked up."""
        ids, most = self.tokenizer.get_vocab(), self.settings["max_tokens"]
        rows = [
            [ids.get(word, UNKNOWN_ID) for word in text.lower().split()[:most]]
            if text.isascii() and text.replace(" ", "").isalpha()
            else None
            for text in texts
        ]
        others = [place for place, row in enumerate(rows) if row is None]
        encodings = self.tokenizer.encode_batch_fast([texts[place] for place in others])
        for place, encoding in zip(others, encodings, strict=True):
            rows[place] = encoding.ids
        return rows

    def _texts(self, songs: pd.DataFrame) -> list[str] | None:
        """The lyrics as they go to the tokenizer."""
        if "lyrics" not in songs:
            return None
        lyrics = songs["lyrics"]
        texts = (lyrics if self.settings["footer"] else strip_footer(lyrics)).tolist()
        if self.settings["distinct"]:
            texts = [" ".join(dict.fromkeys(text.lower().split())) for text in texts]
        return texts

    @property
    def words(self) -> list[str]:
        """The vocabulary: `words[i]` has the id `i`; frequent words come first."""
        ids = self.tokenizer.get_vocab()
        return sorted(ids, key=ids.get)

    def to_json(self) -> str:
        """Return everything learned as a JSON text."""
        learned = {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}
        tokenizer = json.loads(self.tokenizer.to_str())
        return json.dumps({"settings": self.settings, **learned, "tokenizer": tokenizer})

    @classmethod
    def from_json(cls, text: str) -> SongEncoder:
        """Return the encoder that `to_json` described."""
        content = json.loads(text)
        encoder = cls(**content["settings"])
        size = (len(content["settings"]["features"]),)
        encoder.mean = np.array(content["mean"], float).reshape(size)
        encoder.deviation = np.array(content["deviation"], float).reshape(size)
        encoder.tokenizer = Tokenizer.from_str(json.dumps(content["tokenizer"]))
        return encoder


def _pad(rows: list[list[int]], length: int) -> np.ndarray:
    """Fill rows of ids up to one length, shape (n, length), int32."""
    lengths = np.array([len(row) for row in rows], dtype=int)
    padded = np.full((len(rows), length), PAD_ID, dtype=np.int32)
    padded[np.arange(length) < lengths[:, None]] = np.fromiter(chain.from_iterable(rows), np.int32)
    return padded
