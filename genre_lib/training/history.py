"""What happened in a training, and how far it has come. Explained in chapter 3."""

from __future__ import annotations

import copy
import math
from dataclasses import dataclass, field
from typing import Any, Protocol

import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from genre_lib.data.tensors import Songs
from genre_lib.errors import GenreLibError


@dataclass
class History:
    """What happened in training: one row per epoch, and which epoch's weights were kept."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    """The epoch whose weights the network has now, counted from 1."""
    interrupted: bool = False

    def table(self) -> pd.DataFrame:
        """Return one row per epoch: loss and accuracy of both sets, and seconds.

        The training figures are means over the epoch's batches, so dropout is on in them and the
        weights still move, and their loss is that of smoothed labels; the validation figures are
        taken after the epoch, in evaluation mode, with the labels as they are.
        """
        return pd.DataFrame(self.rows, index=pd.RangeIndex(1, len(self.rows) + 1, name="epoch"))


class TrainingState:
    """All that changes from epoch to epoch: weights, optimiser, schedule, history, best weights."""

    def __init__(
        self,
        network: nn.Module,
        optimiser: torch.optim.Optimizer,
        schedule: LRScheduler | None = None,
        patience: int | None = None,
    ):
        self.network, self.optimiser, self.schedule = network, optimiser, schedule
        self.patience = patience
        self.history = History()
        self.lowest = float("inf")
        """The lowest validation loss so far."""
        self.best_weights: dict[str, Tensor] | None = None

    @property
    def epochs(self) -> int:
        """How many epochs are done."""
        return len(self.history.rows)

    @property
    def has_run_out(self) -> bool:
        """Whether the validation loss has not fallen for `patience` epochs."""
        if self.patience is None or self.best_weights is None:
            return False
        return self.epochs - self.history.best_epoch >= self.patience

    def finish_epoch(self, row: dict[str, float]) -> None:
        """Add an epoch's row; with patience, remember the weights if its validation loss is lowest.

        Raises
        ------
        GenreLibError
            When the loss is no longer a number: from there on nothing is learned.
        """
        for name, value in row.items():
            if not math.isfinite(value):
                raise GenreLibError(
                    f"The {name.replace('_', ' ')} is {value} in epoch {self.epochs + 1}: lower "
                    "the learning rate, and see that every score of the songs is a finite number."
                )
        self.history.rows.append(row)
        if self.patience is not None and row["validation_loss"] < self.lowest:
            self.lowest, self.history.best_epoch = row["validation_loss"], self.epochs
            self.best_weights = copy.deepcopy(self.network.state_dict())

    def go_back_to_best(self) -> None:
        """Give the network the weights that were remembered, if any were."""
        if self.best_weights is not None:
            self.network.load_state_dict(self.best_weights)
        else:
            self.history.best_epoch = self.epochs


class EpochHook(Protocol):
    """Something that `fit` calls before the first epoch and after each, such as a checkpoint."""

    def before_training(
        self, state: TrainingState, train: Songs, validation: Songs | None, settings: dict[str, Any]
    ) -> None:
        """Look at what will be trained, by which settings of `fit`; `state` may be changed."""

    def after_epoch(self, state: TrainingState) -> None:
        """Look at what an epoch has changed; the last row of `state.history` is its."""
