"""Encoder and network in one object, from a table of songs to a file on disk.

Explained in chapter 6, *Lyrics and features together*.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from pathlib import Path

import pandas as pd
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from genre_lib.encoding import SongEncoder
from genre_lib.environment import versions
from genre_lib.recipes import Recipe
from genre_lib.schema import GENRES, GenreLibError, SongsError
from genre_lib.scoring import Report, evaluate, predict
from genre_lib.training import History, choose_device, fit

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
        train: pd.DataFrame,
        validation: pd.DataFrame | None = None,
        *,
        seed: int = 0,
        device: str = "auto",
        progress: bool = True,
    ) -> History:
        """Learn vocabulary, scaling and weights; the encoder sees the training songs alone."""
        train = self._needed(train)
        validation = self._needed(validation) if validation is not None else None
        train_songs = self.encoder.fit_encode(train)
        torch.manual_seed(seed)
        self.network = self.recipe.build(len(self.encoder.words))
        return fit(
            self.network,
            train_songs,
            self.encoder.encode(validation) if validation is not None else None,
            **self.recipe.training,
            seed=seed,
            device=device,
            progress=progress,
        )

    def evaluate(self, songs: pd.DataFrame) -> Report:
        """Score the network on songs whose genre is known."""
        return evaluate(self._trained(), self.encoder.encode(self._needed(songs)))

    def predict(self, songs: pd.DataFrame) -> pd.DataFrame:
        """Return a row a song: the `predicted` genre, then the probability of each of the seven.

        The songs need only the columns that the network looks at (`recipe.inputs`).
        """
        probabilities = predict(self._trained(), self.encoder.encode(self._needed(songs)))
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
                save_file(weights, new / WEIGHTS)
                (new / ENCODER).write_text(self.encoder.to_json(), encoding="utf-8")
                (new / RUN).write_text(json.dumps(run, indent=1), encoding="utf-8")
                shutil.rmtree(folder, ignore_errors=True)
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
        try:
            recipe = run["recipe"]
            classifier = cls(Recipe(**recipe))
            classifier.notes = run["notes"]
            text = (folder / ENCODER).read_text(encoding="utf-8")
            classifier.encoder = SongEncoder.from_json(text)
            network = classifier.recipe.build(run["vocabulary"])
            network.load_state_dict(load_file(folder / WEIGHTS))
        # The JSON library, safetensors, tokenizers and torch each have errors of their own.
        except (KeyError, TypeError, ValueError, AttributeError, SafetensorError, RuntimeError,
                OSError) as error:  # fmt: skip
            reason = str(error).splitlines()[0]
            raise GenreLibError(
                f"The run folder {folder} is damaged ({reason}): train again, or copy it anew."
            ) from error
        classifier.network = network.to(choose_device(device)).eval()
        return classifier


def check_run_target(folder: str | Path) -> Path:
    """Return `folder` as a path if a run may be written there, so that nothing else is lost.

    Raises
    ------
    GenreLibError
        When it is a file, or a folder that holds something other than an earlier run.
    """
    folder = Path(folder)
    if folder.is_file():
        raise GenreLibError(f"{folder} is a file: give a folder for the run.")
    if folder.is_dir() and {p.name for p in folder.iterdir()} - {RUN, ENCODER, WEIGHTS}:
        raise GenreLibError(f"{folder} holds other files: give a new or empty folder for the run.")
    return folder


def _read_run(folder: Path) -> dict:
    if not folder.is_dir():
        raise GenreLibError(f"There is no run folder {folder}: train first, or check the path.")
    for name in (RUN, ENCODER, WEIGHTS):
        if not (folder / name).is_file():
            raise GenreLibError(
                f"The run folder {folder} is incomplete, {name} is missing: train again, or copy "
                "the whole folder."
            )
    try:
        run = json.loads((folder / RUN).read_text(encoding="utf-8"))
        found, genres = run["format"], tuple(run["genres"])
    except (ValueError, KeyError, TypeError) as error:
        raise GenreLibError(f"{folder / RUN} does not describe a run: train again.") from error
    if found != FORMAT or genres != GENRES:
        raise GenreLibError(
            f"The run folder {folder} was written by another version of genre-lib (format {found}, "
            f"this one reads {FORMAT}): train again with this version."
        )
    return run
