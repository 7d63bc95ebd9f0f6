"""The history and the current state of a training run. Explained in chapter 4."""

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
    """The losses and accuracies of a training run, and the epoch whose weights were kept."""

    rows: list[dict[str, float]] = field(default_factory=list)
    """One per epoch: loss and accuracy of both sets, and seconds."""
    best_epoch: int = 0
    """The epoch whose weights the network has after training, counted from 1. (After Ctrl-C
    within an epoch, unless stored weights are restored, they are a few steps further on.)"""
    interrupted: bool = False
    """Whether the user stopped training before its end."""

    def table(self) -> pd.DataFrame:
        """Return one row per epoch: loss and accuracy of both sets, and seconds.

        Training figures are means over the epoch's batches: dropout is on, the weights still
        change, labels are smoothed if asked for, and with several members (word branches included),
        the loss is the mean of theirs and the accuracy that of their joint answer. Validation
        figures are computed after the epoch, in evaluation mode, with the original labels and the
        members' mean probabilities.
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
        """The number of finished epochs."""
        return len(self.history.rows)

    @property
    def patience_is_over(self) -> bool:
        """Whether the validation loss has reached no new lowest value for `patience` epochs."""
        if self.patience is None or self.best_weights is None:
            return False
        return self.epochs - self.history.best_epoch >= self.patience

    def finish_epoch(self, row: dict[str, float]) -> None:
        """Add an epoch's row; with patience, store the weights if its validation loss is lowest.

        Raises
        ------
        GenreLibError
            When a loss is not a finite number: the network can't learn any further.
        """
        for name, value in row.items():
            if not math.isfinite(value):
                raise GenreLibError(
                    f"The {name.replace('_', ' ')} is {value} in epoch {self.epochs + 1}: lower "
                    "the learning rate, and check that all scores of the songs are finite numbers."
                )
        self.history.rows.append(row)
        if self.patience is not None and row["validation_loss"] < self.lowest:
            self.lowest, self.history.best_epoch = row["validation_loss"], self.epochs
            self.best_weights = copy.deepcopy(self.network.state_dict())

    def finish(self) -> None:
        """Restore the best epoch's weights if patience stored any; else the last is the best."""
        if self.best_weights is not None:
            self.network.load_state_dict(self.best_weights)
        else:
            self.history.best_epoch = self.epochs


class EpochHook(Protocol):
    """What `fit` calls before the first epoch and after each, such as a checkpoint."""

    def before_training(
        self, state: TrainingState, train: Songs, validation: Songs | None, settings: dict[str, Any]
    ) -> None:
        """Receive what `fit` is about to train, and its settings; may change `state`."""

    def after_epoch(self, state: TrainingState) -> None:
        """Receive the state after an epoch; its row is the last one of `state.history`."""
