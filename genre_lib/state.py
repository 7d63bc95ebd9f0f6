"""How far a training run has come, in memory and on disk. Explained in chapter *Scaling*."""

from __future__ import annotations

import copy
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LRScheduler

from genre_lib.processes import from_first, is_first
from genre_lib.schema import GenreLibError


@dataclass
class History:
    """What happened in training: a row an epoch, and which epoch's weights were kept."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    """The epoch whose weights the network has now, counted from 1."""
    interrupted: bool = False

    def table(self) -> pd.DataFrame:
        """One row an epoch: loss and accuracy of both sets, and seconds.

        The training figures are means over the epoch's batches, so dropout is on in them and the
        weights still move, and their loss is that of smoothed labels; the validation figures are
        taken after the epoch, in evaluation mode, with the labels as they are.
        """
        return pd.DataFrame(self.rows, index=pd.RangeIndex(1, len(self.rows) + 1, name="epoch"))


class TrainingState:
    """All that changes from epoch to epoch: weights, optimiser, schedule, history, best weights.

    It can be kept in a file, a checkpoint, and taken up again from there: training then goes on to
    the same weights that it would have had without a stop.
    """

    def __init__(
        self, network: nn.Module, optimiser: torch.optim.Optimizer, schedule: LRScheduler | None
    ):
        self.network, self.optimiser, self.schedule = network, optimiser, schedule
        self.device = next(network.parameters()).device
        self.history = History()
        self.lowest = float("inf")
        """The lowest validation loss so far."""
        self.best_weights: dict[str, Tensor] | None = None

    @property
    def epochs(self) -> int:
        """How many epochs are done."""
        return len(self.history.rows)

    def has_run_out(self, patience: int | None) -> bool:
        """Whether the validation loss has not fallen for `patience` epochs."""
        if patience is None or self.best_weights is None:
            return False
        return self.epochs - self.history.best_epoch >= patience

    def keep_if_best(self, loss: float) -> None:
        """Remember the weights if the validation loss is the lowest so far."""
        if loss < self.lowest:
            self.lowest, self.history.best_epoch = loss, self.epochs
            self.best_weights = copy.deepcopy(self.network.state_dict())

    def go_back_to_best(self) -> None:
        """Give the network the weights that were remembered, if any were."""
        if self.best_weights is not None:
            self.network.load_state_dict(self.best_weights)
        else:
            self.history.best_epoch = self.epochs

    def write(self, path: Path, settings: dict[str, Any]) -> None:
        """Keep all of it in a file, whole or not at all; of several processes the first does.

        Raises
        ------
        GenreLibError
            When it can't be written; an older file is then as it was.
        """
        if not is_first():
            return
        random = {"cpu": torch.get_rng_state()}
        if self.device.type != "cpu":
            random[self.device.type] = torch.get_device_module(self.device).get_rng_state()
        content = {
            "settings": settings,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "schedule": self.schedule.state_dict() if self.schedule is not None else None,
            "rows": self.history.rows,
            "best_epoch": self.history.best_epoch,
            "lowest": self.lowest,
            "best_weights": self.best_weights,
            "random": random,
        }
        _write(path, content)

    def resume(self, path: Path, settings: dict[str, Any]) -> None:
        """Take up what a file keeps; no file is a run that has not begun.

        Raises
        ------
        GenreLibError
            When the file is damaged, or is of a training with other `settings`.
        """
        kept = from_first(lambda: _read(path, settings))
        if kept is None:
            return
        self.network.load_state_dict(kept["network"])
        self.optimiser.load_state_dict(kept["optimiser"])
        if self.schedule is not None:
            self.schedule.load_state_dict(kept["schedule"])
        self.history.rows, self.history.best_epoch = kept["rows"], kept["best_epoch"]
        self.lowest, self.best_weights = kept["lowest"], kept["best_weights"]
        torch.set_rng_state(kept["random"].pop("cpu"))
        for device, numbers in kept["random"].items():
            torch.get_device_module(device).set_rng_state(numbers)


def _write(path: Path, content: dict[str, Any]) -> None:
    part = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(handle, "wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())  # a name must not outlive a power cut that its content did not
        os.replace(part, path)
    except (OSError, RuntimeError) as error:  # torch has an error of its own for a full disk
        reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
        raise GenreLibError(
            f"The checkpoint {path} could not be written ({reason}): make room, or name another "
            "folder; training then goes on after the last epoch that was kept."
        ) from error
    finally:
        if part and os.path.exists(part):
            os.unlink(part)


def _read(path: Path, settings: dict[str, Any]) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        found = state["settings"]
    except Exception as error:  # zip, pickle and torch each have errors of their own
        raise GenreLibError(
            f"{path} is not a whole checkpoint: delete it to train from the start."
        ) from error
    for name in [*settings, *found]:
        if settings.get(name) != found.get(name):
            raise GenreLibError(
                f"{path} is the checkpoint of another training ({name} is {found.get(name)}, not "
                f"{settings.get(name)}): delete it to train from the start."
            )
    return state
