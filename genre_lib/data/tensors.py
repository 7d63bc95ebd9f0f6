"""Songs as tensors, whole or in batches. Explained in chapter 2, *From lyrics to tensors*."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset

PAD_ID, UNKNOWN_ID = 0, 1

Batch = tuple[Tensor, Tensor, Tensor]
"""Lyrics, features and genre of some songs, as `SongTensors` holds them."""


@dataclass(frozen=True)
class SongTensors(Dataset[Batch]):
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
    """The position in `GENRES`, shape (n,), int64; -1 where the genre is not known."""

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
        """Return every k-th song, with the smallest k that gives at most `most` songs."""
        return SongTensors(*self[:: max(1, math.ceil(len(self) / most))])

    def to(self, device: str | torch.device) -> SongTensors:
        """Return the same songs on `device`."""
        return SongTensors(*(t.to(device) for t in (self.lyrics, self.features, self.genre)))


class Batches(Protocol):
    """What one epoch learns from: songs that are handed out in batches."""

    def __len__(self) -> int: ...

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, in a new random order by torch's global seed."""
        ...


class Songs(Batches, Protocol):
    """What networks learn from and are scored on: `SongTensors`, or something that acts like it."""

    @property
    def genre(self) -> Tensor:
        """The position in `GENRES`, shape (n,), int64."""
        ...

    def to(self, device: torch.device) -> Songs:
        """Return the same songs, to be handed out on `device`."""
        ...

    def sample(self, most: int) -> SongTensors:
        """Return every k-th song, with the smallest k that gives at most `most` songs."""
        ...

    def in_order(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, as they lie."""
        ...
