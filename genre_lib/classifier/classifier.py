"""Encoder and network in one object. Explained in chapter 8, *The combined network*."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch import nn

from genre_lib.classifier.recipes import Recipe
from genre_lib.classifier.run_folder import Run, read_run, write_run
from genre_lib.data.encoding import SongEncoder
from genre_lib.data.tensors import Songs, SongTensors
from genre_lib.errors import GenreLibError, SongsError
from genre_lib.evaluation.report import Report, evaluate, predict
from genre_lib.training.device import choose_device
from genre_lib.training.history import History
from genre_lib.training.loop import fit


class GenreClassifier:
    """An encoder and a network, built and trained by a recipe.

    Examples
    --------
    >>> from genre_lib import get_recipe, make_songs
    >>> songs, classifier = make_songs(200), GenreClassifier(get_recipe("course", "lyrics"))
    >>> len(classifier.fit(songs, epochs=2, progress=False).rows)
    2
    >>> classifier.predict(songs).shape
    (200, 8)
    """

    def __init__(self, recipe: Recipe):
        self.recipe = recipe
        self.encoder = SongEncoder(**recipe.encoder)
        self.network: nn.Module | None = None
        self.notes: dict[str, Any] = {}
        """What to save with the weights, in JSON types, such as data source, seed and results."""

    def fit(
        self,
        train: pd.DataFrame,
        validation: pd.DataFrame | None = None,
        *,
        seed: int = 0,
        **settings: Any,
    ) -> History:
        """Learn vocabulary, scaling and weights; the encoder learns from the training songs only.

        Parameters
        ----------
        train, validation
            Tables of songs with the columns that the network looks at, and the genre.
        seed
            Fixes the initial weights, the order of the songs and the dropout.
        settings
            Further arguments of `genre_lib.fit`, such as `device`, which override the recipe's.

        Raises
        ------
        SongsError
            When a column that the network looks at is missing.
        GenreLibError
            As `genre_lib.fit` does.
        """
        self.network = None  # an older one would not fit the new vocabulary
        encoded = self.encoder.fit_encode(self._select_columns(train))
        encoded_validation = None if validation is None else self.encode(validation)
        return self.fit_encoded(encoded, encoded_validation, seed=seed, **settings)

    def fit_encoded(
        self, train: Songs, validation: Songs | None = None, *, seed: int = 0, **settings: Any
    ) -> History:
        """Learn only the weights, from songs that the classifier's fitted encoder has encoded."""
        torch.manual_seed(seed)
        self.network = None  # should training fail, nothing half-trained is left
        network = self.recipe.build(len(self.encoder.words), len(self.encoder.genres))
        history = fit(network, train, validation, seed=seed, **(self.recipe.training | settings))
        self.network = network
        return history

    def encode(self, songs: pd.DataFrame) -> SongTensors:
        """Convert a table of n songs to the tensors that the network looks at.

        Without a genre column, all genres are -1.

        Raises
        ------
        SongsError
            When a column that the network looks at is missing.
        """
        return self.encoder.encode(self._select_columns(songs))

    def evaluate(self, songs: pd.DataFrame) -> Report:
        """Evaluate the network on songs; errors are those of `encode` and `genre_lib.evaluate`."""
        return evaluate(self.trained, self.encode(songs))

    def predict(self, songs: pd.DataFrame) -> pd.DataFrame:
        """Return one row per song: the `predicted` genre, then the probability of each genre.

        The songs need only the columns that the network looks at (`recipe.inputs`).
        """
        network = self.trained
        inputs = songs[[name for name in songs if name != "genre"]]  # may be an unknown genre
        probabilities = predict(network, self.encode(inputs))
        table = pd.DataFrame(probabilities, index=songs.index, columns=list(self.encoder.genres))
        table.insert(0, "predicted", table.idxmax(axis=1))
        return table

    def predict_lyrics(self, text: str) -> pd.Series:
        """Return the probability of each genre for some lyrics, most probable first.

        Raises
        ------
        SongsError
            When the network needs scores, too.
        """
        if self.recipe.inputs != ("lyrics",):
            raise SongsError(
                f"The {self.recipe.task} network needs the scores of a song, which typed lyrics "
                "do not have: use a lyrics network, or give a table of songs."
            )
        table = self.predict(pd.DataFrame({"lyrics": [text]}))
        return table.loc[0, list(self.encoder.genres)].astype(float).sort_values(ascending=False)

    def save(self, folder: str | Path) -> None:
        """Save weights (safetensors), encoder, settings (JSON) and model card in a run folder.

        An older run in `folder` is replaced once the new one is complete.

        Raises
        ------
        GenreLibError
            When the classifier is not trained, or `folder` has other files or can't be written.
        """
        write_run(folder, Run(self.recipe, self.encoder, self.trained, self.notes))

    @classmethod
    def load(
        cls, folder: str | Path, device: str = "auto", network: type[nn.Module] | None = None
    ) -> GenreClassifier:
        """Load a classifier from a run folder, with its network on `device`.

        Parameters
        ----------
        folder
            A folder written by `save`.
        device
            See `genre_lib.training.device.choose_device`.
        network
            The network's class, if it is your own instead of one of the course's.

        Raises
        ------
        GenreLibError
            When the folder is not a run folder, is incomplete or damaged, or has another format.
        """
        run = read_run(folder, network)
        classifier = cls(run.recipe)
        classifier.encoder, classifier.notes = run.encoder, run.notes
        classifier.network = run.network.to(choose_device(device)).eval()
        return classifier

    @property
    def trained(self) -> nn.Module:
        """The trained network; `GenreLibError` if there is none yet."""
        if self.network is None:
            raise GenreLibError("This classifier has not been trained: call fit(...) first.")
        return self.network

    def _select_columns(self, songs: pd.DataFrame) -> pd.DataFrame:
        """Return only the columns that the network looks at, and the genre if it is there."""
        missing = [name for name in self.recipe.inputs if name not in songs]
        if missing:
            raise SongsError(
                f"The {self.recipe.task} network needs the column {missing[0]!r}, which this "
                "table of songs does not have: add it."
            )
        return songs[[name for name in ("genre", *self.recipe.inputs) if name in songs]]
