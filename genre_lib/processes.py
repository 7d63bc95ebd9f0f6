"""One training run in several processes, started by `torchrun`. Explained in chapter *Scaling*.

Each process holds the whole network and all songs, and computes its part of every batch; torch's
DistributedDataParallel adds the gradients up. So the number of processes changes the time that a
run takes, and not what it learns.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from genre_lib.schema import GenreLibError

STARTED_BY_TORCHRUN = "TORCHELASTIC_RUN_ID"


@dataclass
class Share:
    """This process's part of every batch: each `of`-th song, the first being number `rank`."""

    rank: int = 0
    of: int = 1
    songs: int = 0
    """How many songs the whole batch has that is being computed."""

    def part(self, batch: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Return this process's songs of a whole batch."""
        self.songs = len(batch[0])
        return tuple(self.own(tensor) for tensor in batch)

    def own(self, whole: Tensor) -> Tensor:
        """Return this process's rows of a tensor that has a row for each song of the batch.

        Where a batch has fewer songs than there are processes, the last ones get its first song,
        which then counts nothing (`counted`): no process may stand aside.
        """
        return whole if self.of == 1 else whole[self.rank :: self.of] if self.counted else whole[:1]

    @property
    def counted(self) -> int:
        """How many songs of the batch are this process's."""
        return len(range(self.rank, self.songs, self.of))

    def whole(self, own: Tensor) -> Tensor:
        """Return a tensor like `own`, but with a row for each song of the whole batch; of ones.

        Whoever draws random numbers draws them for the whole batch and takes its `own` rows, so
        that a song gets the same numbers however many processes there are.
        """
        return own if self.of == 1 else own.new_ones(self.songs, *own.shape[1:])

    def sum(self, *values: Tensor) -> list[Tensor]:
        """Return each value summed over all processes."""
        if self.of > 1:
            for value in values:
                dist.all_reduce(value)
        return list(values)


share = Share()
"""What `join` found: the whole batch, unless `torchrun` started several processes."""


def join(device: torch.device) -> Share:
    """Meet the other processes of this run, if there are any, and return what this one's part is.

    Raises
    ------
    GenreLibError
        When they don't answer.
    """
    if STARTED_BY_TORCHRUN not in os.environ or dist.is_initialized():
        return share
    backend = "nccl" if device.type == "cuda" else "gloo"
    try:
        dist.init_process_group(backend)
    except (RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise GenreLibError(
            f"The other processes of this training can't be reached ({reason}): check that each "
            "host got the same --master-addr, --master-port and --nnodes."
        ) from error
    # torchrun ends the other processes when one dies; they say why, and leave no half-made files.
    signal.signal(signal.SIGTERM, lambda *_: _ended_by_torchrun())
    share.rank, share.of = dist.get_rank(), dist.get_world_size()
    return share


def leave() -> None:
    """Part from the other processes, after all have come this far."""
    if dist.is_initialized():
        with others_may_end():
            dist.barrier()
        dist.destroy_process_group()
    share.rank, share.of = 0, 1


def is_first() -> bool:
    """Whether this process is the one that prints and writes."""
    return int(os.environ.get("RANK", 0)) == 0


def from_first(read: Callable[[], Any]) -> Any:
    """Return in every process what `read` returns in the first, whose disk the others may lack."""
    if share.of == 1:
        return read()
    found = [read() if share.rank == 0 else None]
    dist.broadcast_object_list(found)
    return found[0]


def parallel(network: nn.Module) -> nn.Module:
    """Return `network` as one that adds up gradients over all processes."""
    if share.of == 1:
        return network
    # Static: every step uses the same weights, so those that none uses need not be looked for.
    return nn.parallel.DistributedDataParallel(network, static_graph=True)


class OthersEnded(GenreLibError):
    """Another process of this training is gone; the message says how to go on."""

    def __init__(self) -> None:
        super().__init__(
            "Another process of this training has ended, so this one ends too: give the same "
            "command again, and training goes on after the last whole epoch."
        )


def _ended_by_torchrun() -> None:
    raise OthersEnded


@contextmanager
def others_may_end() -> Iterator[None]:
    """Say so where the connection to another process breaks off within this block.

    A process that dies is noticed by `torchrun`, which ends the others, or by the others, whose
    connection to it breaks off: whichever looks first.

    Raises
    ------
    OthersEnded
        In place of the error with which gloo or NCCL reports the broken connection.
    """
    try:
        yield
    except RuntimeError as error:  # gloo has no class of its own for it, only its files' names
        if isinstance(error, dist.DistError) or "gloo" in str(error):
            raise OthersEnded from error
        raise
