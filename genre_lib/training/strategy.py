"""How one training is shared by several processes: by default not at all."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from torch import Tensor, nn

from genre_lib.data.tensors import Batches, Songs


class Strategy(Protocol):
    """What `fit` asks about other processes; chapter *Scaling* has a strategy for several."""

    def shared(
        self, network: nn.Module, songs: Songs
    ) -> AbstractContextManager[tuple[nn.Module, Batches]]:
        """Return network and songs as the loop is to see them, for as long as it trains."""

    def mean(self, loss: Tensor, accuracy: Tensor) -> tuple[float, float]:
        """Return what an epoch came to, as a mean over the songs of all processes."""


class Alone:
    """A single process, which sees the network and all songs as they are."""

    def shared(
        self, network: nn.Module, songs: Songs
    ) -> AbstractContextManager[tuple[nn.Module, Batches]]:
        """Return both as they are."""
        return nullcontext((network, songs))

    def mean(self, loss: Tensor, accuracy: Tensor) -> tuple[float, float]:
        """Return both as numbers."""
        return loss.item(), accuracy.item()


ALONE = Alone()
