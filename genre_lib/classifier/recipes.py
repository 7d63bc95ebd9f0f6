"""Named settings for each network. Explained with the networks, in chapters 6 to 8 and 15."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from inspect import signature
from typing import Any

from torch import nn

from genre_lib import models
from genre_lib.data.encoding import SongEncoder
from genre_lib.data.schema import FEATURES, GENRES, TOPIC_FEATURES
from genre_lib.errors import GenreLibError, did_you_mean


@dataclass(frozen=True)
class Recipe:
    """All settings of a training run, except the songs, the seed and the device."""

    name: str
    """`original` (from the original post), `first` (a simple version), `course` (the best) or
    `attention` (one block of a transformer, lyrics only)."""
    task: str
    """`lyrics`, `features` or `combined`: only a label, too. (`sees` sets the inputs.)"""
    network: type[nn.Module]
    """The network's class: one of `genre_lib.models`, or your own. `genre_lib.models` says what its
    attribute `sees` and its `forward` must be. Of its constructor's arguments, these are filled in
    by `build` if they are there: the numbers of words (`vocabulary`),
    tokens per song (`tokens`), scores (`features`) and genres (`genres`). If there is an argument
    `topics` and it isn't 0, the first 16 scores must be the topics, unscaled."""
    encoder: dict[str, Any] = field(default_factory=dict)
    """Arguments of `SongEncoder`."""
    layers: dict[str, Any] = field(default_factory=dict)
    """Arguments of the network, except the sizes of its inputs."""
    training: dict[str, Any] = field(default_factory=dict)
    """Arguments of `genre_lib.fit`."""

    def __post_init__(self) -> None:
        if not self.sees or not set(self.sees) <= {"lyrics", "features"}:
            raise GenreLibError(
                f"The class {self.network.__name__} does not say what it looks at: give it the "
                'attribute sees = ("lyrics",), ("features",) or ("lyrics", "features").'
            )
        name = self.network.__name__
        if name in models.__all__ and getattr(models, name) is not self.network:
            raise GenreLibError(f"The course has a network {name}: give yours another name.")

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns of a table of songs that the network looks at."""
        lyrics = ("lyrics",) if "lyrics" in self.sees else ()
        return lyrics + (tuple(self.features) if "features" in self.sees else ())

    @property
    def sees(self) -> tuple[str, ...]:
        """What the network looks at: `lyrics`, `features` or both."""
        return getattr(self.network, "sees", ("",))

    @property
    def features(self) -> tuple[str, ...]:
        """The score columns that the encoder reads."""
        return tuple(self.encoder.get("features", FEATURES))

    def build(self, vocabulary: int, genres: int = len(GENRES)) -> nn.Module:
        """Return a new network; its initial weights depend on torch's global seed.

        Raises
        ------
        GenreLibError
            When the network computes N from the topics, but they are scaled or don't come first; or
        when it can't have this number of genres.
        """
        arguments = signature(self.network).parameters
        topics = arguments.get("topics")
        count = self.layers.get("topics", topics.default) if topics else 0
        first = self.features[: len(TOPIC_FEATURES)] == TOPIC_FEATURES
        if count and (not first or self.encoder.get("scale", True)):
            raise GenreLibError(
                f"{self.network.__name__} needs the 16 topics as its first scores, not scaled: set "
                "scale=False and features=(*TOPIC_FEATURES, …) in the encoder, or topics=0 in the "
                "layers."
            )
        tokens = SongEncoder(**self.encoder).settings["max_tokens"]
        if genres != len(GENRES) and "genres" not in arguments:
            raise GenreLibError(
                f"{self.network.__name__} is made for {len(GENRES)} genres, but these songs have "
                f"{genres}: give its constructor an argument `genres`, the number of its outputs."
            )
        sizes = {
            "vocabulary": vocabulary,
            "tokens": tokens,
            "features": len(self.features),
            "genres": genres,
        }
        given = {name: size for name, size in sizes.items() if name in arguments}
        return self.network(**given | self.layers)

    def to_json(self) -> dict[str, Any]:
        """Return the recipe in JSON types, with the name of the network's class."""
        return {f.name: getattr(self, f.name) for f in fields(self)} | {
            "network": self.network.__name__
        }

    @classmethod
    def from_json(cls, content: dict[str, Any], network: type[nn.Module] | None = None) -> Recipe:
        """Return the recipe that `to_json` stored.

        Raises
        ------
        GenreLibError
            When `network` is not the class of the run's network. It may be left out only if that
            is one of the course's.
        """
        name = content["network"]
        if network is None:
            network = getattr(models, name) if name in models.__all__ else None
        if network is None or network.__name__ != name:
            raise GenreLibError(
                f"The network of this run is a {name}: give that class, "
                f"GenreClassifier.load(folder, network={name})."
            )
        return cls(**content | {"network": network})


ORIGINAL_ENCODER = {"min_frequency": 1, "max_tokens": 100, "scale": False, "footer": True}

COURSE_ENCODER = {"min_frequency": 3, "scale": False}
ONE_CYCLE = {"learning_rate": 1e-2, "one_cycle": True}

RECIPES = {
    (recipe.name, recipe.task): recipe
    for recipe in (
        Recipe(
            "original",
            "lyrics",
            models.OriginalLyricsNetwork,
            encoder=ORIGINAL_ENCODER,
            training={"epochs": 30, "batch_size": 8},
        ),
        Recipe(
            "original",
            "features",
            models.OriginalFeaturesNetwork,
            encoder=ORIGINAL_ENCODER,
            training={"epochs": 50, "batch_size": 16},
        ),
        Recipe(
            "original",
            "combined",
            models.OriginalCombinedNetwork,
            encoder=ORIGINAL_ENCODER,
            training={"epochs": 40, "batch_size": 16},
        ),
        Recipe(
            "first",
            "lyrics",
            models.MeanLyricsNetwork,
            training={"epochs": 40, "batch_size": 256, "learning_rate": 3e-3, "patience": 3},
        ),
        Recipe(
            "first",
            "features",
            models.DenseFeaturesNetwork,
            training={"epochs": 60, "batch_size": 256, "patience": 6},
        ),
        Recipe(
            "first",
            "combined",
            models.LateCombinedNetwork,
            training={"epochs": 40, "batch_size": 256, "patience": 4},
        ),
        Recipe(
            "course",
            "lyrics",
            models.LyricsNetwork,
            encoder=COURSE_ENCODER,
            training={"epochs": 12, "batch_size": 512} | ONE_CYCLE,
        ),
        Recipe(
            "course",
            "features",
            models.FeaturesNetwork,
            encoder=COURSE_ENCODER,
            training={"epochs": 8, "batch_size": 512} | ONE_CYCLE,
        ),
        Recipe(
            "course",
            "combined",
            models.CombinedNetwork,
            encoder=COURSE_ENCODER,
            training={"epochs": 12, "batch_size": 512} | ONE_CYCLE,
        ),
        # The best of the random settings that benchmarks/attention.py tried.
        Recipe(
            "attention",
            "lyrics",
            models.AttentionNetwork,
            encoder={"min_frequency": 20, "max_tokens": 100},
            layers={"width": 64, "heads": 4, "dropout": 0.0},
            training={
                "epochs": 6,
                "batch_size": 256,
                "learning_rate": 9.6e-3,
                "weight_decay": 1e-3,
                "patience": 2,
            },
        ),
    )
}


def get_recipe(name: str, task: str) -> Recipe:
    """Return the recipe called `name` ("original", "first", "course", "attention") for a task.

    Raises
    ------
    GenreLibError
        When there is no such recipe.

    Examples
    --------
    >>> get_recipe("original", "lyrics").training
    {'epochs': 30, 'batch_size': 8}
    """
    try:
        return RECIPES[name, task]
    except KeyError:
        known = [f"{n} {t}" for n, t in RECIPES]
        hint = did_you_mean(f"{name} {task}", known, f"use one of {', '.join(known)}.")
        raise GenreLibError(f"There is no recipe '{name} {task}': {hint}") from None
