"""One training run in several processes, started by `torchrun`. Explained in chapter *Scaling*.

Each process has the whole network and all songs, and computes its part of every batch; torch's
DistributedDataParallel sums the gradients. So the number of processes changes how long a run
takes, not what it learns.
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

TORCHRUN_VARIABLE = "TORCHELASTIC_RUN_ID"
"""An environment variable that `torchrun` sets."""


class OneProcess(Alone):
    """The strategy of a single process, with what the command line and checkpoints need too."""

    is_first = True
    is_first_on_host = True

    def device(self, name: str) -> str:
        """Return the name of the device to compute on."""
        return name

    def from_first(self, read: Callable[[], Any]) -> Any:
        """Return the result of `read`."""
        return read()

    def shut_down(self) -> None:
        """Do nothing: there are no other processes."""


ONE_PROCESS = OneProcess()


class Processes(OneProcess):
    """The strategy of one of n processes: each gets every n-th song of a batch.

    Raises
    ------
    GenreLibError
        When the other processes don't answer.
    """

    def __init__(self, device: str = "auto"):
        local = int(os.environ["LOCAL_RANK"])
        chosen = choose_device(device)
        # Each process on a host uses a different GPU.
        self._device = f"cuda:{local}" if chosen.type == "cuda" else str(chosen)
        try:
            dist.init_process_group("nccl" if chosen.type == "cuda" else "gloo")
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise GenreLibError(
                f"The other processes of this training run can't be reached ({reason}): check that "
                "all hosts have the same --master-addr, --master-port and --nnodes."
            ) from error
        # If a process dies, torchrun terminates the others: an error lets them remove temporary
        # files and print a message.
        signal.signal(signal.SIGTERM, _raise_other_process_ended)
        self.rank, self.count = dist.get_rank(), dist.get_world_size()
        self.is_first, self.is_first_on_host = self.rank == 0, local == 0

    def device(self, name: str) -> str:
        """Return the name of this process's own device."""
        return self._device

    @contextmanager
    def shared(self, network: nn.Module, songs: Songs) -> Iterator[tuple[nn.Module, Batches]]:
        """Yield a network that sums gradients over all processes, and this process's songs.

        Raises
        ------
        GenreLibError
            When another process has ended, or training was stopped.
        """
        part = self._part = PartOfSongs(songs, self.rank, self.count)
        # Static: every step uses the same weights, so there is no need to search for unused ones.
        parallel = nn.parallel.DistributedDataParallel(network, static_graph=True)
        parallel.register_comm_hook(part, _sum_gradients)
        try:
            with explain_lost_processes(), _dropout_for_whole_batches(network, part):
                yield parallel, part
        except KeyboardInterrupt:  # the processes may have stopped at different steps
            raise GenreLibError(
                "Training was stopped: repeat the command to resume it after the last finished "
                "epoch."
            ) from None

    def mean(self, loss: Tensor, accuracy: Tensor) -> tuple[float, float]:
        """Return the means over the songs of all processes."""
        sums = torch.stack([loss, accuracy.to(loss), torch.ones_like(loss)]) * len(self._part)
        with explain_lost_processes():
            dist.all_reduce(sums)
        loss, accuracy, songs = sums.tolist()
        return loss / songs, accuracy / songs

    def from_first(self, read: Callable[[], Any]) -> Any:
        """Return the result of `read` in the first process, whose files others may not have."""
        found = [read() if self.is_first else None]
        with explain_lost_processes():
            dist.broadcast_object_list(found)
        return found[0]

    def shut_down(self) -> None:
        """Wait for the other processes to get here, then close the connection to them."""
        with explain_lost_processes():
            dist.barrier()
        dist.destroy_process_group()


def find_processes(device: str = "auto") -> OneProcess:
    """Return this process's strategy: `Processes` if `torchrun` has started it."""
    return Processes(device) if TORCHRUN_VARIABLE in os.environ else ONE_PROCESS


class PartOfSongs:
    """One process's part of some songs: of each batch every `count`-th song, from `rank` on."""

    def __init__(self, songs: Batches, rank: int, count: int):
        self.songs, self.rank, self.count = songs, rank, count
        self.is_whole = False
        """Whether all processes get the whole current batch."""
        self.batch = self.own = 0
        """The number of songs in the current batch, and in this process's part of it."""
        self._songs_yielded = 0

    def __len__(self) -> int:
        """Return how many songs the last pass over all songs has yielded in this process."""
        return self._songs_yielded

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield this process's songs of each batch.

        If a batch has fewer songs than there are processes, all of them get the whole batch, as
        each must compute gradients. Its songs then count several times in the epoch's mean loss
        and accuracy.
        """
        self._songs_yielded = 0
        for batch in self.songs.batches(size):
            self.batch = len(batch[0])
            self.is_whole = self.batch < self.count
            lyrics, features, genre = batch if self.is_whole else map(self.rows, batch)
            self.own = len(genre)
            self._songs_yielded += self.own
            yield lyrics, features, genre

    def rows(self, whole: Tensor) -> Tensor:
        """Return this process's rows of a tensor with one row per song of the batch."""
        return whole if self.is_whole else whole[self.rank :: self.count]

    @property
    def weight(self) -> float:
        """The weight of this part's mean gradient in that of the whole batch."""
        return 1 / self.count if self.is_whole else self.own / self.batch


def _sum_gradients(part: PartOfSongs, bucket):  # type: ignore[no-untyped-def]  # torch reads annotations
    """Sum the processes' gradients, weighted by their songs; DDP's default is the plain mean."""
    gradients = bucket.buffer().mul_(part.weight)
    summed = dist.all_reduce(gradients, async_op=True).get_future()
    return summed.then(lambda future: future.value()[0])


@contextmanager
def _dropout_for_whole_batches(network: nn.Module, part: PartOfSongs) -> Iterator[None]:
    """Make dropout draw random numbers for whole batches, of which each process uses its rows.

    So a song gets the same numbers, whatever the number of processes.
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


class OtherProcessEnded(GenreLibError):
    """Another process of this training run has ended; the message says how to resume."""

    def __init__(self) -> None:
        super().__init__(
            "Another process of this training run has ended, so this one ends too: repeat the "
            "command to resume training after the last finished epoch."
        )


def _raise_other_process_ended(*_: object) -> None:
    raise OtherProcessEnded


@contextmanager
def explain_lost_processes() -> Iterator[None]:
    """Raise `OtherProcessEnded` if the connection to another process breaks in this block.

    This happens if another process dies and `torchrun` has not yet terminated this one. It
    replaces the error with which gloo or NCCL reports the broken connection.
    """
    try:
        yield
    except RuntimeError as error:  # gloo has no error class; its messages have file names
        if isinstance(error, dist.DistError) or "gloo" in str(error):
            raise OtherProcessEnded from error
        raise
