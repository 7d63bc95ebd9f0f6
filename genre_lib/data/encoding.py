"""From a table of songs to tensors. Explained in chapter 2, *From lyrics to tensors*."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.trainers import WordLevelTrainer

from genre_lib.data.checks import finite_scores, genre_numbers
from genre_lib.data.schema import FEATURES
from genre_lib.data.songs import strip_footer
from genre_lib.data.tensors import PAD_ID, UNKNOWN_ID, SongTensors
from genre_lib.errors import GenreLibError, SongsError, did_you_mean

# The tokenizer numbers special tokens in this order, so their ids are PAD_ID and UNKNOWN_ID.
PAD, UNKNOWN = "<pad>", "<unk>"


class SongEncoder:
    """Vocabulary and scaling of the scores, learned from training songs only.

    Parameters
    ----------
    min_frequency
        How often a word must occur in the training lyrics to get an id of its own.
    max_tokens
        Lyrics are truncated or padded to this many tokens. (The longest song has 199.)
    scale
        Whether to standardise each score to mean 0 and standard deviation 1.
    footer
        Whether to leave the scraped footer in the lyrics, as the original post did.
    features
        The score columns to read: by default all 22.

    Raises
    ------
    GenreLibError
        When `min_frequency` or `max_tokens` is below 1.

    Examples
    --------
    >>> from genre_lib import make_songs
    >>> tuple(SongEncoder(max_tokens=50).fit_encode(make_songs(200)).lyrics.shape)
    (200, 50)
    """

    def __init__(
        self,
        min_frequency: int = 5,
        max_tokens: int = 200,
        scale: bool = True,
        footer: bool = False,
        features: Sequence[str] = FEATURES,
    ):
        for name, value in (("min_frequency", min_frequency), ("max_tokens", max_tokens)):
            if value < 1:
                raise GenreLibError(f"The setting {name!r} is {value}: it must be at least 1.")
        self.settings: dict[str, Any] = {
            "min_frequency": min_frequency,
            "max_tokens": max_tokens,
            "scale": scale,
            "footer": footer,
            "features": list(features),
        }
        self.tokenizer = _empty_tokenizer()
        self.mean: np.ndarray | None = None
        """What is subtracted from each score, shape (scores,); zeros without `scale`; `None` if no
        scores were learned."""
        self.deviation: np.ndarray | None = None
        """What each score is then divided by, shape (scores,); ones without `scale`."""

    def fit(self, songs: pd.DataFrame) -> SongEncoder:
        """Learn from the lyrics, the scores, or both; with only some scores, raise `SongsError`."""
        return self.fit_tables([songs])

    def fit_tables(self, tables: Iterable[pd.DataFrame]) -> SongEncoder:
        """Do the same as `fit` on all tables joined, but with one of them in memory at a time."""
        self._learn((songs, self._texts(songs)) for songs in tables)
        return self

    def encode(self, songs: pd.DataFrame) -> SongTensors:
        """Convert a table of n songs to tensors.

        If the table or the training songs lack the lyrics or the scores, their tensor has shape
        (n, 0); without a genre column, all genres are -1.

        Raises
        ------
        GenreLibError
            When the encoder is not fitted.
        SongsError
            When the table has only some of the scores, a song lacks one or its lyrics, or a genre
            is unknown.
        """
        return self._encode(songs, self._texts(songs))

    def fit_encode(self, songs: pd.DataFrame) -> SongTensors:
        """Do `fit` and `encode` in one faster step."""
        texts = self._texts(songs)
        self._learn([(songs, texts)])
        return self._encode(songs, texts)

    def _learn(self, pieces: Iterable[tuple[pd.DataFrame, list[str] | None]]) -> None:
        self.mean = self.deviation = None
        self.tokenizer = _empty_tokenizer()
        names, moments = self.settings["features"], []

        # The tokenizer pulls lyrics from this generator, which on the way notes how many songs each
        # table has, and their means and variances: tables are read only once. If none has lyrics,
        # `next` below runs it to the end.
        def lyrics_and_moments() -> Iterator[list[str]]:
            for songs, lyrics in pieces:
                if self._has_scores(songs):
                    scores = finite_scores(songs[names])
                    moments.append((len(songs), scores.mean(axis=0), scores.var(axis=0)))
                if lyrics is not None:
                    yield lyrics

        lyrics = lyrics_and_moments()
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
            self.mean, self.deviation = np.zeros(len(names)), np.ones(len(names))
        if moments and self.settings["scale"]:
            counts, means, variances = map(np.array, zip(*moments, strict=True))
            share = counts / counts.sum()
            self.mean = share @ means
            # The variance within the tables plus that of their means.
            deviation = np.sqrt(share @ (variances + (means - self.mean) ** 2))
            self.deviation = np.where(deviation > 0, deviation, 1.0)

    def _encode(self, songs: pd.DataFrame, texts: list[str] | None) -> SongTensors:
        knows_words = self.tokenizer.get_vocab_size() > 0
        if not knows_words and self.mean is None:
            raise GenreLibError("This encoder has learned nothing yet: call fit(...) first.")
        n = len(songs)
        lyrics, features, genre = np.empty((n, 0), np.int32), np.empty((n, 0)), np.full(n, -1)
        if texts is not None and knows_words:
            lyrics = _pad(self._ids(texts), self.settings["max_tokens"])
        if self._has_scores(songs) and self.mean is not None:
            scores = finite_scores(songs[self.settings["features"]])
            features = (scores - self.mean) / self.deviation
        if "genre" in songs:
            genre = genre_numbers(songs["genre"])
        return SongTensors(
            torch.from_numpy(lyrics),
            torch.tensor(features, dtype=torch.float32),
            torch.tensor(genre, dtype=torch.int64),
        )

    def _has_scores(self, songs: pd.DataFrame) -> bool:
        names = self.settings["features"]
        missing = [name for name in names if name not in songs]
        if missing and any(name in songs for name in (*names, *FEATURES)):
            remedy = "add it, or leave it out of the encoder's scores, SongEncoder(features=[...])."
            hint = did_you_mean(missing[0], songs.columns, remedy)
            raise SongsError(f"These songs have scores, but not {missing[0]!r}: {hint}")
        return not missing

    def _ids(self, texts: list[str]) -> list[list[int]]:
        """Return the tokenizer's ids, for plain texts by a dictionary lookup, which is faster."""
        ids, limit = self.tokenizer.get_vocab(), self.settings["max_tokens"]
        rows = [
            [ids.get(word, UNKNOWN_ID) for word in text.lower().split()[:limit]]
            if _is_plain(text)
            else []
            for text in texts
        ]
        others = [row for row, text in enumerate(texts) if not _is_plain(text)]
        encodings = self.tokenizer.encode_batch_fast([texts[row] for row in others])
        for row, encoding in zip(others, encodings, strict=True):
            rows[row] = encoding.ids
        return rows

    def _texts(self, songs: pd.DataFrame) -> list[str] | None:
        """Return the lyrics as the tokenizer gets them, or `None` if there are none."""
        if "lyrics" not in songs:
            return None
        lyrics = songs["lyrics"]
        if lyrics.isna().any():
            raise SongsError(f"Song {lyrics.isna().argmax() + 1} of this table has no lyrics.")
        return (lyrics if self.settings["footer"] else strip_footer(lyrics)).tolist()

    @property
    def words(self) -> list[str]:
        """The vocabulary: `words[i]` has id `i`; after two special tokens, frequent words first."""
        ids = self.tokenizer.get_vocab()
        return sorted(ids, key=ids.__getitem__)

    def to_json(self) -> str:
        """Return settings, vocabulary and scaling as JSON."""
        learned = {
            name: None if numbers is None else numbers.tolist()
            for name, numbers in (("mean", self.mean), ("deviation", self.deviation))
        }
        tokenizer = json.loads(self.tokenizer.to_str())
        return json.dumps({"settings": self.settings, **learned, "tokenizer": tokenizer})

    @classmethod
    def from_json(cls, text: str) -> SongEncoder:
        """Return the encoder that `to_json` has stored."""
        content = json.loads(text)
        encoder = cls(**content["settings"])
        if content["mean"] is not None:
            encoder.mean = np.array(content["mean"])
            encoder.deviation = np.array(content["deviation"])
        encoder.tokenizer = Tokenizer.from_str(json.dumps(content["tokenizer"]))
        return encoder


def _empty_tokenizer() -> Tokenizer:
    tokenizer = Tokenizer(WordLevel(unk_token=UNKNOWN))
    tokenizer.normalizer = Lowercase()
    tokenizer.pre_tokenizer = Whitespace()
    return tokenizer


def _is_plain(text: str) -> bool:
    """Return whether a text has only ASCII letters and spaces, so that its words are its tokens."""
    return text.isascii() and text.replace(" ", "").isalpha()


def _pad(rows: list[list[int]], length: int) -> np.ndarray:
    """Pad rows of ids to one length, shape (n, length), int32."""
    lengths = np.array([len(row) for row in rows], dtype=int)
    padded = np.full((len(rows), length), PAD_ID, dtype=np.int32)
    padded[np.arange(length) < lengths[:, None]] = np.fromiter(chain.from_iterable(rows), np.int32)
    return padded
