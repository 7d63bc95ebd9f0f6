"""A training that can be stopped at any moment and goes on. Explained in chapter *Scaling*."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genre_lib.data.tensors import Songs
from genre_lib.errors import GenreLibError
from genre_lib.files import written_whole
from genre_lib.scaling.processes import ONE_PROCESS, OneProcess
from genre_lib.training.history import TrainingState


class Checkpoint:
    """A hook of `fit` that keeps all that changes from epoch to epoch in a file.

    When the file is there at the start, training goes on after the last epoch in it, to the same
    weights that it would have had without a stop.

    Parameters
    ----------
    path
        The file, which is written after every epoch.
    processes
        The strategy of the training, where it is one of several processes: the first writes.
    """

    def __init__(self, path: str | Path, processes: OneProcess = ONE_PROCESS):
        self.path, self.processes = Path(path), processes
        self.identity: dict[str, Any] = {}

    def before_training(
        self,
        state: TrainingState,
        train: Songs,
        validation: Songs | None,
        settings: dict[str, Any],
    ) -> None:
        """Take up what the file keeps; no file is a training that has not begun.

        Raises
        ------
        GenreLibError
            When the file is damaged, or is of another training.
        """
        kept = self.processes.from_first(lambda: self._read(state, train, validation, settings))
        if kept is None:
            return
        state.network.load_state_dict(kept["network"])
        state.optimiser.load_state_dict(kept["optimiser"])
        if state.schedule is not None:
            state.schedule.load_state_dict(kept["schedule"])
        state.history.rows, state.history.best_epoch = kept["rows"], kept["best_epoch"]
        state.lowest, state.best_weights = kept["lowest"], kept["best_weights"]
        torch.set_rng_state(kept["random"].pop("cpu"))
        for device, numbers in kept["random"].items():
            torch.get_device_module(device).set_rng_state(numbers)

    def after_epoch(self, state: TrainingState) -> None:
        """Write the file, whole or not at all.

        Raises
        ------
        GenreLibError
            When it can't be written; an older file is then as it was.
        """
        if not self.processes.is_first:
            return
        random = {"cpu": torch.get_rng_state()}
        device = next(state.network.parameters()).device.type
        if device != "cpu":
            random[device] = torch.get_device_module(device).get_rng_state()
        content = {
            "training": self.identity,
            "network": state.network.state_dict(),
            "optimiser": state.optimiser.state_dict(),
            "schedule": state.schedule.state_dict() if state.schedule is not None else None,
            "rows": state.history.rows,
            "best_epoch": state.history.best_epoch,
            "lowest": state.lowest,
            "best_weights": state.best_weights,
            "random": random,
        }
        try:
            with written_whole(self.path) as new:
                torch.save(content, new)
        except (OSError, RuntimeError) as error:  # torch has an error of its own for a full disk
            reason = getattr(error, "strerror", None) or str(error).splitlines()[0]
            raise GenreLibError(
                f"The checkpoint {self.path} could not be written ({reason}): make room, or name "
                "another folder; training then goes on after the last epoch that was kept."
            ) from error

    def _read(
        self,
        state: TrainingState,
        train: Songs,
        validation: Songs | None,
        settings: dict[str, Any],
    ) -> dict[str, Any] | None:
        self.identity = training_identity(state, train, validation, settings)
        if not self.path.exists():
            return None
        try:
            kept: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
            found = kept["training"]
            _ = found.items()
        except Exception as error:  # zip, pickle and torch each have errors of their own
            raise GenreLibError(
                f"{self.path} is not a whole checkpoint: delete it to train from the start."
            ) from error
        for name in [*self.identity, *found]:
            if self.identity.get(name) != found.get(name):
                raise GenreLibError(
                    f"{self.path} is the checkpoint of another training, with another {name}: "
                    "delete it to train from the start."
                )
        return kept


def training_identity(
    state: TrainingState, train: Songs, validation: Songs | None, settings: dict[str, Any]
) -> dict[str, Any]:
    """Return all that a training's outcome depends on, by name; songs and weights as a hash."""
    schedule = state.schedule.state_dict() if state.schedule is not None else {}
    return {
        **settings,
        # The optimiser's defaults are what was asked for; a schedule changes what is in use.
        "optimiser": repr(sorted(state.optimiser.defaults.items())),
        "schedule": repr(sorted((k, v) for k, v in schedule.items() if isinstance(v, int | float))),
        "network": repr(state.network),
        "first weights": _hash(state.network.state_dict().values()),
        "training songs": hash_songs(train),
        "validation songs": None if validation is None else hash_songs(validation),
    }


def hash_songs(songs: Songs) -> str:
    """Return a short text that differs for other lyrics, scores, genres, or another order."""
    return _hash(tensor for batch in songs.in_order(2**16) for tensor in batch)


def _hash(tensors: Any) -> str:
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(repr((tensor.dtype, tuple(tensor.shape))).encode())
        found.update(_bytes(tensor))
    return found.hexdigest()[:16]


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.detach().cpu().contiguous().numpy().data
