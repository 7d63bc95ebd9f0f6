"""Encoder and network in one object, from a table of songs to a file on disk.

Explained in chapter 6, *The combined network*.
"""

from __future__ import annotations

import dataclasses
import json
import os
import tempfile
from difflib import get_close_matches
from pathlib import Path

import pandas as pd
import torch
from safetensors.torch import load_file, save

from genre_lib.device import choose_device
from genre_lib.encoding import SongEncoder
from genre_lib.environment import versions
from genre_lib.recipes import Recipe
from genre_lib.schema import GENRES, GenreLibError, SongsError
from genre_lib.scoring import Report, evaluate, predict
from genre_lib.shards import ShardPart
from genre_lib.state import History
from genre_lib.training import Songs, fit

FORMAT = 1
"""Raised when a run folder of an older library could not be read by a newer one."""

RUN, ENCODER, WEIGHTS = "run.json", "encoder.json", "network.safetensors"


class GenreClassifier:
    """What a recipe makes of training songs: `fit`, `evaluate`, `predict`, `save`, `load`."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.encoder = SongEncoder(**recipe.encoder)
        self.network: torch.nn.Module | None = None
        self.notes: dict = {}
        """What is worth keeping beside the weights: data source, seed, scores. JSON types only."""

    def fit(
        self,
        train: pd.DataFrame | ShardPart,
        validation: pd.DataFrame | ShardPart | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
        checkpoint: str | Path | None = None,
        progress: bool = True,
    ) -> History:
        """Learn vocabulary, scaling and weights; the encoder sees the training songs alone.

        Songs are tables, or parts of a folder of shards (`genre_lib.shards`). Further parameters
        and errors are those of `genre_lib.training.fit`.
        """
        if isinstance(train, ShardPart):
            self.encoder = train.fit(self.encoder, self.recipe.inputs, progress)
            train_songs = self._encoded(train, progress)
        else:
            train_songs = self.encoder.fit_encode(self._needed(train))
        torch.manual_seed(seed)
        self.network = self.recipe.build(len(self.encoder.words))
        return fit(
            self.network,
            train_songs,
            self._encoded(validation, progress) if validation is not None else None,
            **self.recipe.training,
            seed=seed,
            device=device,
            checkpoint=checkpoint,
            progress=progress,
        )

    def evaluate(self, songs: pd.DataFrame | ShardPart) -> Report:
        """Score the network on songs whose genre is known."""
        return evaluate(self._trained(), self._encoded(songs))

    def predict(self, songs: pd.DataFrame) -> pd.DataFrame:
        """Return a row a song: the `predicted` genre, then the probability of each of the seven.

        The songs need only the columns that the network looks at (`recipe.inputs`).
        """
        probabilities = predict(self._trained(), self._encoded(songs))
        table = pd.DataFrame(probabilities, index=songs.index, columns=list(GENRES))
        table.insert(0, "predicted", table.idxmax(axis=1))
        return table

    def predict_lyrics(self, text: str) -> pd.Series:
        """Return the probability of each genre for typed lyrics, the most probable first.

        Raises
        ------
        SongsError
            When the network needs the 22 scores too, which a typed line does not have.
        """
        if self.recipe.inputs != ("lyrics",):
            raise SongsError(
                f"The {self.recipe.task} network needs the 22 scores of a song, which typed lyrics "
                "do not have: use a lyrics network, or give a table of songs."
            )
        table = self.predict(pd.DataFrame({"lyrics": [text]}))
        return table.loc[0, list(GENRES)].astype(float).sort_values(ascending=False)

    def _trained(self) -> torch.nn.Module:
        if self.network is None:
            raise GenreLibError("This classifier has not been trained: call fit(...) first.")
        return self.network

    def _encoded(self, songs: pd.DataFrame | ShardPart, progress: bool = False) -> Songs:
        if isinstance(songs, ShardPart):
            return songs.encode(self.encoder, self.recipe.inputs, progress)
        return self.encoder.encode(self._needed(songs))

    def _needed(self, songs: pd.DataFrame) -> pd.DataFrame:
        """The columns that the network looks at, and the genre: no time is spent on others."""
        missing = [name for name in self.recipe.inputs if name not in songs]
        if missing:
            raise SongsError(
                f"The {self.recipe.task} network needs the column {missing[0]!r}, which this "
                "table of songs does not have."
            )
        return songs[[name for name in ("genre", *self.recipe.inputs) if name in songs]]

    def save(self, folder: str | Path) -> None:
        """Write the run folder: weights (safetensors), encoder and settings (JSON).

        An older run in `folder` is replaced, but only by a whole new one.

        Raises
        ------
        GenreLibError
            When `folder` holds something that is not a run, or can't be written.
        """
        folder = check_run_target(folder)
        network = self._trained()
        run = {
            "format": FORMAT,
            "recipe": dataclasses.asdict(self.recipe),
            "vocabulary": len(self.encoder.words),
            "genres": GENRES,
            "versions": versions(),
            "notes": self.notes,
        }
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".run-") as temporary:
                new = Path(temporary) / "run"
                new.mkdir()
                weights = {k: v.cpu().contiguous() for k, v in network.state_dict().items()}
                (new / WEIGHTS).write_bytes(save(weights))  # save_file has errors of its own
                (new / ENCODER).write_text(self.encoder.to_json(), encoding="utf-8")
                (new / RUN).write_text(json.dumps(run, indent=1), encoding="utf-8")
                if folder.exists():
                    folder.replace(Path(temporary) / "old")
                new.replace(folder)
        except OSError as error:
            raise GenreLibError(
                f"The run could not be written to {folder} ({error.strerror or error}): choose "
                "another folder."
            ) from error

    @classmethod
    def load(cls, folder: str | Path, device: str = "auto") -> GenreClassifier:
        """Read a run folder and put its network on `device`.

        Raises
        ------
        GenreLibError
            When the folder is not a run, lacks a file, is damaged, or is of another format.
        """
        folder = Path(folder)
        run = _read_run(folder)
        name = RUN
        try:
            classifier = cls(Recipe(**run["recipe"]))
            classifier.notes = run["notes"]
            network = classifier.recipe.build(run["vocabulary"])
            name = ENCODER
            encoder = SongEncoder.from_json((folder / ENCODER).read_text(encoding="utf-8"))
            if encoder.settings != classifier.encoder.settings:
                raise ValueError("it belongs to another recipe")
            if len(encoder.words) != run["vocabulary"]:
                raise ValueError("it belongs to another run")
            classifier.encoder = encoder
            name = WEIGHTS
            network.load_state_dict(load_file(folder / WEIGHTS))
            if not all(weight.isfinite().all() for weight in network.state_dict().values()):
                raise ValueError("it holds values that are not numbers")
        # The JSON library, safetensors, tokenizers and torch each have errors of their own, and
        # tokenizers raises plain exceptions.
        except Exception as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
            raise GenreLibError(
                f"The run folder {folder} is damaged ({name}: {reason}): train again, or copy it "
                "anew."
            ) from error
        classifier.network = network.to(choose_device(device)).eval()
        return classifier


def check_run_target(folder: str | Path) -> Path:
    """Return `folder` as a path if a run may be written there, so that nothing else is lost.

    Raises
    ------
    GenreLibError
        When it is a file, the folder you are in, or one that can't be written or that holds
        something other than an earlier run.
    """
    folder = Path(folder).expanduser().resolve()
    if folder == Path.cwd():
        raise GenreLibError("The run can't replace the folder that you are in: name another.")
    existing = next(parent for parent in folder.parents if parent.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise GenreLibError(f"Nothing can be written in {existing}: choose another folder.")
    if folder.exists() and not folder.is_dir():
        raise GenreLibError(f"{folder} is a file: give a folder for the run.")
    if folder.is_dir() and {p.name for p in folder.iterdir()} - {RUN, ENCODER, WEIGHTS}:
        raise GenreLibError(f"{folder} holds other files: give a new or empty folder for the run.")
    return folder


def _read_run(folder: Path) -> dict:
    if folder.is_file():
        raise GenreLibError(f"{folder} is a file: give the folder of a run.")
    if not folder.is_dir():
        siblings = [p.name for p in folder.parent.glob("*/")] if folder.parent.is_dir() else []
        near = get_close_matches(folder.name, siblings, n=1)
        hint = f"did you mean {near[0]}?" if near else "train first, or check the path."
        raise GenreLibError(f"There is no run folder {folder}: {hint}")
    if not any((folder / name).exists() for name in (RUN, ENCODER, WEIGHTS)):
        raise GenreLibError(f"{folder} is not the folder of a run: train first, or check the path.")
    for name in (RUN, ENCODER, WEIGHTS):
        if not (folder / name).is_file():
            raise GenreLibError(
                f"The run folder {folder} is incomplete, {name} is missing: train again, or copy "
                "the whole folder."
            )
    try:
        run = json.loads((folder / RUN).read_text(encoding="utf-8"))
        found, genres = run["format"], tuple(run["genres"])
    except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise GenreLibError(f"{folder / RUN} does not describe a run: train again.") from error
    if found != FORMAT or genres != GENRES:
        raise GenreLibError(
            f"The run folder {folder} was written by another version of genre-lib (format "
            f"{found!r}, this one reads {FORMAT!r}): train again with this version."
        )
    return run
