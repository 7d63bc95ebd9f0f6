"""Training runs that can be stopped at any moment and resumed. Explained in chapter *Scaling*."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genre_lib.data.tensors import Songs
from genre_lib.errors import GenreLibError
from genre_lib.files import reason, written_whole
from genre_lib.scaling.processes import ONE_PROCESS, OneProcess
from genre_lib.training.history import TrainingState


class Checkpoint:
    """A hook of `fit` that saves the training state to a file after every epoch.

    If the file exists at the start, training resumes after its last epoch, and ends with the same
    weights as if it had not stopped.

    Parameters
    ----------
    path
        The file.
    processes
        The strategy of the training run, if it has several processes: the first one writes.
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
        """Restore the state from the file, if it exists.

        Raises
        ------
        GenreLibError
            When the file is damaged, or belongs to another training run.
        """
        saved = self.processes.from_first(lambda: self._read(state, train, validation, settings))
        if saved is None:
            return
        state.network.load_state_dict(saved["network"])
        state.optimiser.load_state_dict(saved["optimiser"])
        if state.schedule is not None:
            state.schedule.load_state_dict(saved["schedule"])
        state.history.rows, state.history.best_epoch = saved["rows"], saved["best_epoch"]
        state.lowest, state.best_weights = saved["lowest"], saved["best_weights"]
        torch.set_rng_state(saved["random"].pop("cpu"))
        for device, numbers in saved["random"].items():
            torch.get_device_module(device).set_rng_state(numbers)

    def after_epoch(self, state: TrainingState) -> None:
        """Write the file, completely or not at all.

        Raises
        ------
        GenreLibError
            When the file can't be written; an existing file then stays unchanged.
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
        written = io.BytesIO()
        torch.save(content, written)  # to a file, it would not raise OSError
        try:
            with written_whole(self.path) as new:
                new.write_bytes(written.getbuffer())
        except OSError as error:
            raise GenreLibError(
                f"The checkpoint {self.path} could not be written {reason(error, 'folder')}; "
                "training then resumes after the last saved epoch."
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
            saved: dict[str, Any] = torch.load(self.path, map_location="cpu", weights_only=True)
            found = saved["training"]
            _ = found.items()
        except Exception as error:  # zip, pickle and torch raise different errors
            raise GenreLibError(
                f"{self.path} is not a complete checkpoint: delete it to train from the start."
            ) from error
        for name in [*self.identity, *found]:
            if self.identity.get(name) != found.get(name):
                raise GenreLibError(
                    f"{self.path} is the checkpoint of a training run that differs in {name}: "
                    "delete it to train from the start."
                )
        return saved


def training_identity(
    state: TrainingState, train: Songs, validation: Songs | None, settings: dict[str, Any]
) -> dict[str, Any]:
    """Return all that a training run's result depends on, by name; songs and weights as hashes."""
    schedule = state.schedule.state_dict() if state.schedule is not None else {}
    # The first that differs is named in the message; other songs also give other initial weights.
    return {
        **settings,
        "training songs": hash_songs(train),
        "validation songs": None if validation is None else hash_songs(validation),
        # The optimiser's initial settings: a schedule changes the current ones.
        "optimiser": repr(sorted(state.optimiser.defaults.items())),
        "schedule": repr(sorted((k, v) for k, v in schedule.items() if isinstance(v, int | float))),
        "network": repr(state.network),
        "first weights": _hash(state.network.state_dict().values()),
    }


def hash_songs(songs: Songs) -> str:
    """Return a hash of the songs' lyrics, scores, genres and order."""
    return _hash(tensor for batch in songs.in_order(2**16) for tensor in batch)


def _hash(tensors: Any) -> str:
    found = hashlib.sha256()
    for tensor in tensors:
        found.update(repr((tensor.dtype, tuple(tensor.shape))).encode())
        found.update(_bytes(tensor))
    return found.hexdigest()[:16]


def _bytes(tensor: Tensor) -> memoryview:
    return tensor.detach().cpu().contiguous().numpy().data
