"""Encoder and network in one object, from a table of songs to a file on disk.

Explained in chapter 6, *The combined network*.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from genre_lib.classifier.recipes import Recipe
from genre_lib.classifier.run_folder import Run, read_run, write_run
from genre_lib.data.encoding import SongEncoder
from genre_lib.data.schema import GENRES
from genre_lib.data.tensors import Songs, SongTensors
from genre_lib.errors import GenreLibError, SongsError
from genre_lib.evaluation.report import Report, evaluate, predict
from genre_lib.training.device import choose_device
from genre_lib.training.history import History
from genre_lib.training.loop import fit


class GenreClassifier:
    """What a recipe makes of training songs: `fit`, `evaluate`, `predict`, `save`, `load`."""

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.encoder = SongEncoder(**recipe.encoder)
        self.network: nn.Module | None = None
        self.notes: dict[str, Any] = {}
        """What is worth keeping beside the weights: data source, seed, scores. JSON types only."""

    def fit(
        self,
        train: pd.DataFrame,
        validation: pd.DataFrame | None = None,
        *,
        seed: int = 0,
        **settings: Any,
    ) -> History:
        """Learn vocabulary, scaling and weights; the encoder sees the training songs alone.

        Parameters
        ----------
        train, validation
            Tables of songs with the columns that the network looks at, and the genre.
        seed
            Fixes the first weights, the order of the songs and the dropout.
        settings
            Further arguments of `genre_lib.training.loop.fit`, such as `device`; they come before
            the recipe's. Errors are its, too.
        """
        learned = self.encoder.fit_encode(self._needed(train))
        watched = None if validation is None else self.encode(validation)
        return self.fit_encoded(learned, watched, seed=seed, **settings)

    def fit_encoded(
        self, train: Songs, validation: Songs | None = None, *, seed: int = 0, **settings: Any
    ) -> History:
        """Learn the weights alone, from songs that the classifier's fitted encoder has encoded."""
        torch.manual_seed(seed)
        self.network = self.recipe.build(len(self.encoder.words))
        return fit(self.network, train, validation, seed=seed, **self.recipe.training | settings)

    def encode(self, songs: pd.DataFrame) -> SongTensors:
        """Turn a table of n songs into the tensors that the network looks at.

        Raises
        ------
        SongsError
            When a column that the network looks at is missing.
        """
        return self.encoder.encode(self._needed(songs))

    def evaluate(self, songs: pd.DataFrame) -> Report:
        """Score the network on songs whose genre is known."""
        return evaluate(self.trained, self.encode(songs))

    def predict(self, songs: pd.DataFrame) -> pd.DataFrame:
        """Return one row per song: the `predicted` genre, then the probability of each genre.

        The songs need only the columns that the network looks at (`recipe.inputs`).
        """
        network = self.trained
        inputs = songs[[name for name in songs if name != "genre"]]  # it may be unknown
        probabilities = predict(network, self.encode(inputs))
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

    def save(self, folder: str | Path) -> None:
        """Write the run folder: weights (safetensors), encoder and settings (JSON).

        An older run in `folder` is replaced, but only by a whole new one.

        Raises
        ------
        GenreLibError
            When `folder` holds something that is not a run, or can't be written.
        """
        write_run(folder, Run(self.recipe, self.encoder, self.trained, self.notes))

    @classmethod
    def load(
        cls, folder: str | Path, device: str = "auto", network: type[nn.Module] | None = None
    ) -> GenreClassifier:
        """Read a run folder and put its network on `device`, ready to answer.

        Parameters
        ----------
        folder
            What `save` wrote.
        device
            Where it is to compute.
        network
            The network's class, where it is not one of the course's but your own.

        Raises
        ------
        GenreLibError
            When the folder is not a run, lacks a file, is damaged, or is of another format.
        """
        run = read_run(folder, network)
        classifier = cls(run.recipe)
        classifier.encoder, classifier.notes = run.encoder, run.notes
        classifier.network = run.network.to(choose_device(device)).eval()
        return classifier

    @property
    def trained(self) -> nn.Module:
        """The network; raises `GenreLibError` where there is none yet."""
        if self.network is None:
            raise GenreLibError("This classifier has not been trained: call fit(...) first.")
        return self.network

    def _needed(self, songs: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that the network looks at, and the genre: others cost only time."""
        missing = [name for name in self.recipe.inputs if name not in songs]
        if missing:
            raise SongsError(
                f"The {self.recipe.task} network needs the column {missing[0]!r}, which this "
                "table of songs does not have."
            )
        return songs[[name for name in ("genre", *self.recipe.inputs) if name in songs]]
