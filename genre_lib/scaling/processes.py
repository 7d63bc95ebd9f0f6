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
from functools import partial
from typing import Any

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor, nn

from genre_lib.data.tensors import Batch, Batches, Songs
from genre_lib.errors import GenreLibError
from genre_lib.training.device import choose_device
from genre_lib.training.strategy import Alone

STARTED_BY_TORCHRUN = "TORCHELASTIC_RUN_ID"


class OneProcess(Alone):
    """What the command line asks of processes, answered for a single one."""

    is_first = True
    is_first_on_host = True

    def device(self, name: str) -> str:
        """Return the name of the device to compute on."""
        return name

    def from_first(self, read: Callable[[], Any]) -> Any:
        """Return what `read` returns."""
        return read()

    def leave(self) -> None:
        """Do nothing: there is nobody to part from."""


ONE_PROCESS = OneProcess()


class Processes(OneProcess):
    """The strategy of one of several processes: each takes every n-th song of a batch.

    Raises
    ------
    GenreLibError
        When the other processes don't answer.
    """

    def __init__(self, device: str = "auto"):
        local = int(os.environ["LOCAL_RANK"])
        chosen = choose_device(device)
        # Of several processes on a machine, each has a GPU of its own.
        self._device = f"cuda:{local}" if chosen.type == "cuda" else str(chosen)
        try:
            dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise GenreLibError(
                f"The other processes of this training can't be reached ({reason}): check that "
                "each host got the same --master-addr, --master-port and --nnodes."
            ) from error
        # torchrun ends the other processes when one dies; they say why, and leave no half-made
        # files.
        signal.signal(signal.SIGTERM, _raise_others_ended)
        self.rank, self.count = dist.get_rank(), dist.get_world_size()
        self.is_first, self.is_first_on_host = self.rank == 0, local == 0

    def device(self, name: str) -> str:
        """Return the name of this process's own device."""
        return self._device

    @contextmanager
    def shared(self, network: nn.Module, songs: Songs) -> Iterator[tuple[nn.Module, Batches]]:
        """Give a network that adds up gradients over all processes, and this process's songs.

        Raises
        ------
        GenreLibError
            When another process has ended, or the training was stopped.
        """
        part = self._part = PartOfSongs(songs, self.rank, self.count)
        # Static: every step uses the same weights, so those that none uses need not be looked for.
        parallel = nn.parallel.DistributedDataParallel(network, static_graph=True)
        parallel.register_comm_hook(part, _add_up)
        try:
            with others_may_end(), _dropout_of_whole_batches(network, part):
                yield parallel, part
        except KeyboardInterrupt:  # the processes may have stopped at different steps
            raise GenreLibError(
                "The training was stopped: give the same command again, and it goes on after the "
                "last whole epoch."
            ) from None

    def mean(self, loss: Tensor, accuracy: Tensor) -> tuple[float, float]:
        """Return the means over the songs of all processes."""
        sums = torch.stack([loss, accuracy.to(loss), torch.ones_like(loss)]) * len(self._part)
        with others_may_end():
            dist.all_reduce(sums)
        loss, accuracy, songs = sums.tolist()
        return loss / songs, accuracy / songs

    def from_first(self, read: Callable[[], Any]) -> Any:
        """Return in every process what `read` returns in the first, whose disk others may lack."""
        found = [read() if self.is_first else None]
        with others_may_end():
            dist.broadcast_object_list(found)
        return found[0]

    def leave(self) -> None:
        """Part from the other processes, after all have come this far."""
        with others_may_end():
            dist.barrier()
        dist.destroy_process_group()


def find_processes(device: str = "auto") -> OneProcess:
    """Return the strategy of this process: one of several where `torchrun` has started it."""
    return Processes(device) if STARTED_BY_TORCHRUN in os.environ else ONE_PROCESS


class PartOfSongs:
    """Songs of which each batch is handed out in part: every `count`-th song, from `rank` on."""

    def __init__(self, songs: Batches, rank: int, count: int):
        self.songs, self.rank, self.count = songs, rank, count
        self.is_whole = False
        self.batch = self.own = 0
        """How many songs the last whole batch had, and how many of them were handed out here."""
        self._handed_out = 0

    def __len__(self) -> int:
        """How many songs the last pass over all songs has handed out here."""
        return self._handed_out

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield this process's songs of each batch.

        A batch with fewer songs than there are processes goes to all of them whole: no process may
        stand aside. In an epoch's mean loss and accuracy its songs then count several times.
        """
        self._handed_out = 0
        for batch in self.songs.batches(size):
            self.batch = len(batch[0])
            self.is_whole = self.batch < self.count
            lyrics, features, genre = batch if self.is_whole else map(self.rows, batch)
            self.own = len(genre)
            self._handed_out += self.own
            yield lyrics, features, genre

    def rows(self, whole: Tensor) -> Tensor:
        """Return this process's rows of a tensor with one row per song of the batch."""
        return whole if self.is_whole else whole[self.rank :: self.count]

    @property
    def weight(self) -> float:
        """What the mean gradient of the songs here counts in that of the whole batch."""
        return 1 / self.count if self.is_whole else self.own / self.batch


def _add_up(part: PartOfSongs, bucket):  # type: ignore[no-untyped-def]  # torch reads annotations
    """Sum the processes' gradients, each by its number of songs: DDP would take the plain mean."""
    gradients = bucket.buffer().mul_(part.weight)
    summed = dist.all_reduce(gradients, async_op=True).get_future()
    return summed.then(lambda future: future.value()[0])


@contextmanager
def _dropout_of_whole_batches(network: nn.Module, part: PartOfSongs) -> Iterator[None]:
    """Let dropout draw its random numbers for whole batches, and each process take its rows.

    So a song gets the same numbers however many processes there are.
    """

    def drop(layer: nn.Dropout, inputs: Tensor) -> Tensor:
        if not layer.training:
            return inputs
        whole = inputs.new_ones(part.batch, *inputs.shape[1:])
        return inputs * part.rows(F.dropout(whole, layer.p))

    layers = [layer for layer in network.modules() if isinstance(layer, nn.Dropout)]
    for layer in layers:
        layer.forward = partial(drop, layer)  # type: ignore[method-assign]
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward


class OthersEnded(GenreLibError):
    """Another process of this training is gone; the message says how to go on."""

    def __init__(self) -> None:
        super().__init__(
            "Another process of this training has ended, so this one ends too: give the same "
            "command again, and training goes on after the last whole epoch."
        )


def _raise_others_ended(*_: object) -> None:
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
