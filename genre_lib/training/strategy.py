"""How several processes share a training run: by default, there is only one."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from torch import Tensor, nn

from genre_lib.data.tensors import Batches, Songs


class Strategy(Protocol):
    """What `fit` needs to know about other processes; chapter *Scaling* uses several."""

    def shared(
        self, network: nn.Module, songs: Songs
    ) -> AbstractContextManager[tuple[nn.Module, Batches]]:
        """Return a context manager that yields the network and the songs to train with."""

    def mean(self, loss: Tensor, accuracy: Tensor) -> tuple[float, float]:
        """Return an epoch's loss and accuracy as means over the songs of all processes."""


class Alone:
    """A single process, which trains the network on all songs."""

    def shared(
        self, network: nn.Module, songs: Songs
    ) -> AbstractContextManager[tuple[nn.Module, Batches]]:
        """Return a context manager that yields both unchanged."""
        return nullcontext((network, songs))

    def mean(self, loss: Tensor, accuracy: Tensor) -> tuple[float, float]:
        """Return both as Python numbers."""
        return loss.item(), accuracy.item()


ALONE = Alone()
"""The default strategy of `fit`."""
