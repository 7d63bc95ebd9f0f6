"""Songs as tensors, whole or in batches. Explained in chapter 3, *From lyrics to tensors*."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset

from genre_lib.data.schema import GENRES

PAD_ID, UNKNOWN_ID = 0, 1

Batch = tuple[Tensor, Tensor, Tensor]
"""Lyrics, features and genre of some songs, shaped as in `SongTensors`."""


@dataclass(frozen=True)
class SongTensors(Dataset[Batch]):
    """The course's one dataset class: n songs as three tensors of equal length.

    `songs[i]` is `(lyrics, features, genre)` of one song; an index tensor or a slice in place of
    `i` returns a whole batch. It is a `torch.utils.data.Dataset`, so a `DataLoader` works too,
    but more slowly.

    Examples
    --------
    >>> songs = SongTensors(torch.ones(5, 3).int(), torch.rand(5, 22), torch.arange(5))
    >>> [len(genre) for lyrics, features, genre in songs.batches(2)]
    [2, 2, 1]
    """

    lyrics: Tensor
    """Token ids, shape (n, tokens), int32; short songs are padded with `PAD_ID`."""
    features: Tensor
    """The scores, by default all 22: shape (n, 22), float32."""
    genre: Tensor
    """The position in `genres`, shape (n,), int64; -1 if the table had no genres."""
    genres: tuple[str, ...] = GENRES
    """The names of the genres."""

    def __len__(self) -> int:
        return len(self.genre)

    def __getitem__(self, index: int | slice | Tensor) -> Batch:
        return self.lyrics[index], self.features[index], self.genre[index]

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, in a new random order from torch's global seed."""
        shuffled = self[torch.randperm(len(self)).to(self.genre.device)]
        return zip(*(t.split(size) for t in shuffled), strict=True)

    def in_order(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, in their stored order."""
        return zip(*(t.split(size) for t in self[:]), strict=True)

    def sample(self, limit: int) -> SongTensors:
        """Return every k-th song, with the smallest k that gives at most `limit` songs."""
        step = max(1, math.ceil(len(self) / limit))
        return SongTensors(*self[::step], self.genres)

    def to(self, device: str | torch.device) -> SongTensors:
        """Return the same songs on `device`."""
        lyrics, features, genre = (t.to(device) for t in self[:])
        return SongTensors(lyrics, features, genre, self.genres)


class Batches(Protocol):
    """What `train_one_epoch` needs from songs."""

    def __len__(self) -> int: ...

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, in a new random order from torch's global seed."""
        ...


class Songs(Batches, Protocol):
    """What `fit` and `evaluate` need from songs: `SongTensors`, or a class that behaves like it."""

    @property
    def genre(self) -> Tensor:
        """The position in `genres`, shape (n,), int64."""
        ...

    @property
    def genres(self) -> tuple[str, ...]:
        """The names of the genres."""
        ...

    def to(self, device: torch.device) -> Songs:
        """Return the same songs, with batches on `device`."""
        ...

    def sample(self, limit: int) -> SongTensors:
        """Return every k-th song, with the smallest k that gives at most `limit` songs."""
        ...

    def in_order(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, in their stored order."""
        ...
