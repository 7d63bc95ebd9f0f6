"""From a table of songs to tensors. Explained in chapter 3, *From lyrics to tensors*."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from numbers import Integral
from typing import Any

import numpy as np
import pandas as pd
import torch
from tokenizers.normalizers import Lowercase
from tokenizers.pre_tokenizers import Whitespace

from genre_lib.data.checks import genre_numbers, valid_scores
from genre_lib.data.schema import FEATURES, GENRES, genres_of
from genre_lib.data.songs import strip_footer
from genre_lib.data.tensors import PAD_ID, UNKNOWN_ID, SongTensors
from genre_lib.errors import GenreLibError, SongsError, did_you_mean

SPECIAL_TOKENS = ("<pad>", "<unk>")
"""The first two entries of a vocabulary, so that their positions are `PAD_ID` and `UNKNOWN_ID`."""

_lowercase, _split = Lowercase(), Whitespace()


def tokens(text: str) -> list[str]:
    """Return the words and the punctuation of a text in order, in lower case.

    Examples
    --------
    >>> tokens("Don't stop")
    ['don', "'", 't', 'stop']
    """
    if text.isascii() and text.replace(" ", "").isalpha():
        return text.lower().split()  # gives the same, and is faster
    return [token for token, _ in _split.pre_tokenize_str(_lowercase.normalize_str(text))]


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
        When `min_frequency` or `max_tokens` is not a whole number of at least 1.

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
            if not isinstance(value, Integral) or value < 1:
                raise GenreLibError(
                    f"The setting {name!r} is {value}: it must be a whole number of at least 1."
                )
        self.settings: dict[str, Any] = {
            "min_frequency": min_frequency,
            "max_tokens": max_tokens,
            "scale": scale,
            "footer": footer,
            "features": list(features),
        }
        self.genres: tuple[str, ...] = GENRES
        """The genres of the training songs' table, in the order of their numbers."""
        self.words: list[str] = []
        """The vocabulary, in which `words[i]` has id `i`; after the two special tokens, frequent
        words first. Empty if no lyrics were learned from."""
        self.mean: np.ndarray | None = None
        """What is subtracted from each score, shape (scores,); zeros without `scale`; `None` if no
        scores were learned from."""
        self.deviation: np.ndarray | None = None
        """What each score is then divided by, shape (scores,); ones without `scale`."""

    def fit(self, songs: pd.DataFrame) -> SongEncoder:
        """Learn from the lyrics, the scores, or both.

        Raises
        ------
        SongsError
            When there are no songs, the table has only some of the scores, or a song lacks one or
            its lyrics.
        """
        return self.fit_tables([songs])

    def fit_tables(self, tables: Iterable[pd.DataFrame]) -> SongEncoder:
        """Do the same as `fit` on all tables joined, but with one of them in memory at a time."""
        counts: Counter[str] | None = None
        moments = []  # of each table: its number of songs, and the scores' means and variances
        total = 0
        for songs in tables:
            total += len(songs)
            self.genres = genres_of(songs)
            lyrics, scores = self._lyrics(songs), self._scores(songs)
            if lyrics is not None:
                counts = Counter() if counts is None else counts
                counts.update(token for text in lyrics for token in tokens(text))
            if scores is not None and len(scores):
                moments.append((len(scores), scores.mean(axis=0), scores.var(axis=0)))
        if not total:
            raise SongsError("There are no songs here to learn from: give a table that has some.")
        self.words = [] if counts is None else self._frequent_words(counts)
        self.mean, self.deviation = self._mean_and_deviation(moments) if moments else (None, None)
        return self

    def _frequent_words(self, counts: Counter[str]) -> list[str]:
        frequent = [word for word in counts if counts[word] >= self.settings["min_frequency"]]
        frequent.sort(key=lambda word: (-counts[word], word))
        return [*SPECIAL_TOKENS, *frequent]

    def _mean_and_deviation(
        self, moments: list[tuple[int, np.ndarray, np.ndarray]]
    ) -> tuple[np.ndarray, np.ndarray]:
        counts, means, variances = map(np.array, zip(*moments, strict=True))
        if not self.settings["scale"]:
            return np.zeros_like(means[0]), np.ones_like(means[0])
        share = counts / counts.sum()
        mean = share @ means
        # The variance within the tables plus that of their means.
        deviation = np.sqrt(share @ (variances + (means - mean) ** 2))
        return mean, np.where(deviation > 0, deviation, 1.0)

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
        if not self.words and self.mean is None:
            raise GenreLibError("This encoder has learned nothing yet: call fit(...) first.")
        n = len(songs)
        ids, features, genre = np.empty((n, 0), np.int32), np.empty((n, 0)), np.full(n, -1)
        lyrics, scores = self._lyrics(songs), self._scores(songs)
        if lyrics is not None and self.words:
            ids = self._padded_ids(lyrics)
        if scores is not None and self.mean is not None:
            features = (scores - self.mean) / self.deviation
        if "genre" in songs:
            genre = genre_numbers(songs["genre"], self.genres)
        return SongTensors(
            torch.from_numpy(ids),
            torch.tensor(features, dtype=torch.float32),
            torch.tensor(genre, dtype=torch.int64),
            self.genres,
        )

    def fit_encode(self, songs: pd.DataFrame) -> SongTensors:
        """Do `fit`, then `encode`, with the same songs."""
        return self.fit(songs).encode(songs)

    def _padded_ids(self, lyrics: list[str]) -> np.ndarray:
        """Return the ids of each text's tokens, shape (n, max_tokens), int32."""
        id_of = {word: i for i, word in enumerate(self.words)}
        length = self.settings["max_tokens"]
        padded = np.full((len(lyrics), length), PAD_ID, dtype=np.int32)
        for row, text in zip(padded, lyrics, strict=True):
            ids = [id_of.get(token, UNKNOWN_ID) for token in tokens(text)[:length]]
            row[: len(ids)] = ids
        return padded

    def _lyrics(self, songs: pd.DataFrame) -> list[str] | None:
        """Return the lyrics that are to be encoded, or `None` if the table has none."""
        if "lyrics" not in songs:
            return None
        lyrics = songs["lyrics"]
        for row, text in enumerate(lyrics):
            if not isinstance(text, str):
                raise SongsError(
                    f"Song {row + 1} of this table has {text} for 'lyrics': fill in its text."
                )
        return list(lyrics if self.settings["footer"] else strip_footer(lyrics))

    def _scores(self, songs: pd.DataFrame) -> np.ndarray | None:
        """Return the scores, shape (n, scores), or `None` if the table has none of them."""
        names = self.settings["features"]
        missing = [name for name in names if name not in songs]
        if not missing:
            return valid_scores(songs[names])
        if not any(name in songs for name in (*names, *FEATURES)):
            return None
        remedy = "add it, or leave it out of the encoder's scores, SongEncoder(features=[...])."
        hint = did_you_mean(missing[0], songs.columns, remedy)
        raise SongsError(f"These songs have scores, but not {missing[0]!r}: {hint}")

    def to_json(self) -> str:
        """Return settings, genres, vocabulary and scaling as JSON."""
        learned = {
            name: None if numbers is None else numbers.tolist()
            for name, numbers in (("mean", self.mean), ("deviation", self.deviation))
        }
        known = {"genres": self.genres, "words": self.words}
        return json.dumps({"settings": self.settings, **learned, **known})

    @classmethod
    def from_json(cls, text: str) -> SongEncoder:
        """Return the encoder that `to_json` stored."""
        content = json.loads(text)
        encoder = cls(**content["settings"])
        encoder.words = content["words"]
        encoder.genres = tuple(content.get("genres", GENRES))  # older files have none
        if content["mean"] is not None:
            encoder.mean = np.array(content["mean"])
            encoder.deviation = np.array(content["deviation"])
        return encoder
