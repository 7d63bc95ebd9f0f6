"""Encoded songs in files that needn't fit in memory. Explained in chapter *Scaling*."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genre_lib.data.schema import GENRES
from genre_lib.data.tensors import Batch, SongTensors

DTYPES = {"lyrics": np.int32, "features": np.float32, "genre": np.int64}
"""The files in a folder of mapped songs (`lyrics.npy` and so on) and their data types."""

BLOCK = 1024
"""The number of adjacent songs that are read at once."""

POOL = 2**17
"""The number of songs that are in memory and shuffled together."""


@dataclass(frozen=True)
class MappedSongs:
    """n songs as three files of NumPy arrays, which `fit` and `evaluate` use like `SongTensors`.

    A file is mapped into memory only while a part of it is read, so the memory in use doesn't
    grow with n: it is that of about `POOL` songs.
    """

    folder: Path
    device: torch.device = torch.device("cpu")
    """The device of the batches."""
    genres: tuple[str, ...] = GENRES
    """The names of the genres."""

    @staticmethod
    def create(folder: Path, songs: int, tokens: int, features: int) -> MappedSongs:
        """Create files for a number of songs, to be filled by `write`."""
        folder.mkdir(parents=True)
        shapes = {"lyrics": (songs, tokens), "features": (songs, features), "genre": (songs,)}
        for name, dtype in DTYPES.items():
            np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, shapes[name])
        return MappedSongs(folder)

    def write(self, start: int, songs: SongTensors) -> None:
        """Write songs to the files, from position `start` on.

        Raises
        ------
        OSError
            When the disk is full. (Writing through a map would crash the process instead.)
        """
        for name in DTYPES:
            values = getattr(songs, name).numpy()
            mapped = self._map(name)
            position = mapped.offset + start * values[:1].nbytes
            with open(self.folder / f"{name}.npy", "r+b") as file:
                file.seek(position)
                file.write(values.tobytes())

    def __len__(self) -> int:
        return len(self._map("genre"))

    @property
    def genre(self) -> Tensor:
        """The position in `genres`, shape (n,), int64: eight bytes per song."""
        return torch.from_numpy(np.array(self._map("genre"))).to(self.device)

    def to(self, device: str | torch.device) -> MappedSongs:
        """Return the same songs, with batches on `device`."""
        return dataclasses.replace(self, device=torch.device(device))

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, in a new random order from torch's global seed.

        Random blocks are read into memory, `POOL` songs in all, and their songs are shuffled. The
        remainder starts the next batch, so all batches but the last have `size` songs.
        """
        # Use one number of the global generator per epoch: dropout uses it between batches.
        random = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
        starts = torch.randperm(math.ceil(len(self) / BLOCK), generator=random) * BLOCK
        remainder = self._read(slice(0, 0))
        for group in starts.split(POOL // BLOCK):
            blocks = [self._read(slice(start, start + BLOCK)) for start in group.tolist()]
            pool = _concatenate([remainder, *blocks])
            del blocks
            shuffled = SongTensors(*pool[torch.randperm(len(pool), generator=random)])
            del pool  # to free its memory during the batches
            whole = len(shuffled) - len(shuffled) % size
            lyrics, features, genre = (t.clone() for t in shuffled[whole:])
            remainder = SongTensors(lyrics, features, genre)
            if whole:
                yield from SongTensors(*shuffled[:whole]).to(self.device).in_order(size)
            del shuffled
        if len(remainder):
            yield remainder.to(self.device)[:]

    def in_order(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, in their stored order."""
        for start in range(0, len(self), size):
            yield self._read(slice(start, start + size)).to(self.device)[:]

    def sample(self, limit: int) -> SongTensors:
        """Return every k-th song, with the smallest k that gives at most `limit` songs."""
        step = max(1, math.ceil(len(self) / limit))
        length = step * math.ceil(BLOCK / step)
        starts = range(0, len(self), length)
        blocks = [self._read(slice(start, start + length, step)) for start in starts]
        return _concatenate(blocks).to(self.device)

    def _map(self, name: str) -> np.memmap:
        return np.load(self.folder / f"{name}.npy", mmap_mode="r")

    def _read(self, rows: slice) -> SongTensors:
        """Copy some songs into memory, so that the maps can be closed."""
        lyrics, features, genre = (torch.from_numpy(np.array(self._map(n)[rows])) for n in DTYPES)
        return SongTensors(lyrics, features, genre, self.genres)


def _concatenate(blocks: Sequence[SongTensors]) -> SongTensors:
    joined = zip(*(block[:] for block in blocks), strict=True)
    lyrics, features, genre = (torch.cat(parts) for parts in joined)
    return SongTensors(lyrics, features, genre, blocks[0].genres)
