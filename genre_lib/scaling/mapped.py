"""Encoded songs in files on disk, of which memory holds a few. Explained in chapter *Scaling*."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genre_lib.data.tensors import Batch, SongTensors

TENSORS = {"lyrics": np.int32, "features": np.float32, "genre": np.int64}
"""The files of a folder of mapped songs, `lyrics.npy` and so on, and the type of their numbers."""

BLOCK = 1024
"""Songs that lie side by side and are read at once."""

MIXED = 2**17
"""Songs in memory at a time, among which the order is random."""


@dataclass(frozen=True)
class MappedSongs:
    """n songs as three files of NumPy arrays, which `fit` and `evaluate` take like `SongTensors`.

    A file is mapped into memory only while some of it is read, so the memory in use does not
    grow with n: it is that of about `MIXED` songs.
    """

    folder: Path
    device: torch.device = torch.device("cpu")
    """Where songs are handed out."""

    @staticmethod
    def create(folder: Path, songs: int, tokens: int, features: int) -> MappedSongs:
        """Make the files for so many songs, to be filled by `write`."""
        folder.mkdir(parents=True)
        shapes = {"lyrics": (songs, tokens), "features": (songs, features), "genre": (songs,)}
        for name, kind in TENSORS.items():
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, shapes[name])
        return MappedSongs(folder)

    def write(self, start: int, songs: SongTensors) -> None:
        """Put songs in the files, from number `start` on.

        Raises
        ------
        OSError
            When the disk is full. (Through a map it would end the process instead.)
        """
        for name in TENSORS:
            values = getattr(songs, name).numpy()
            whole = self._map(name)
            place = whole.offset + start * values[:1].nbytes
            with open(self.folder / f"{name}.npy", "r+b") as file:
                file.seek(place)
                file.write(values.tobytes())

    def __len__(self) -> int:
        return len(self._map("genre"))

    @property
    def genre(self) -> Tensor:
        """The position in `GENRES`, shape (n,), int64: eight bytes a song."""
        return torch.from_numpy(np.array(self._map("genre"))).to(self.device)

    def to(self, device: str | torch.device) -> MappedSongs:
        """Return the same songs, to be handed out on `device`."""
        return dataclasses.replace(self, device=torch.device(device))

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, in a new random order by torch's global seed.

        Blocks are drawn at random, as many as memory is to hold, and their songs shuffled. What
        is left over of them begins the next batch, so all but the last have `size` songs.
        """
        # One number of the global generator per epoch: dropout draws from it between batches.
        random = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
        starts = torch.randperm(math.ceil(len(self) / BLOCK), generator=random) * BLOCK
        left = self._read(slice(0, 0))
        for group in starts.split(MIXED // BLOCK):
            pooled = _joined([left, *(self._read(slice(at, at + BLOCK)) for at in group.tolist())])
            mixed = SongTensors(*pooled[torch.randperm(len(pooled), generator=random)])
            del pooled  # or it would be held while the batches are learned from
            whole = len(mixed) - len(mixed) % size
            left = SongTensors(*(t.clone() for t in mixed[whole:]))
            if whole:
                yield from SongTensors(*mixed[:whole]).to(self.device).in_order(size)
            del mixed
        if len(left):
            yield left.to(self.device)[:]

    def in_order(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, as they lie."""
        for start in range(0, len(self), size):
            yield self._read(slice(start, start + size)).to(self.device)[:]

    def sample(self, most: int) -> SongTensors:
        """Return every k-th song, with the smallest k that gives at most `most` songs."""
        step = max(1, math.ceil(len(self) / most))
        length = step * math.ceil(BLOCK / step)
        starts = range(0, len(self), length)
        blocks = [self._read(slice(start, start + length, step)) for start in starts]
        return _joined(blocks).to(self.device)

    def _map(self, name: str) -> np.memmap:
        return np.load(self.folder / f"{name}.npy", mmap_mode="r")

    def _read(self, rows: slice) -> SongTensors:
        """Copy some songs into memory; the maps are let go of."""
        return SongTensors(*(torch.from_numpy(np.array(self._map(n)[rows])) for n in TENSORS))


def _joined(blocks: Sequence[SongTensors]) -> SongTensors:
    return SongTensors(*map(torch.cat, zip(*(block[:] for block in blocks), strict=True)))
