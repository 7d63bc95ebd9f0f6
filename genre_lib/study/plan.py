"""The models and splits that the course's study compares. Chapter *Evaluation*."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from genre_lib.classifier.recipes import RECIPES, Recipe, get_recipe
from genre_lib.data.schema import AUDIO_FEATURES, FEATURES, TOPIC_FEATURES
from genre_lib.study.baselines import BASELINES

STANDARD = "standard"
ALL_SONGS, WITHOUT_FOOTER = "all songs", "without footer"
COLLECTIONS = (ALL_SONGS, WITHOUT_FOOTER)
"""What models learn from and are tested on: all songs, or only those whose lyrics had no footer."""


@dataclass(frozen=True)
class Cell:
    """One model, trained and evaluated on one split."""

    model: str
    """A baseline's name, or a recipe and its task, as in "course lyrics"."""
    split: str
    """`song` or `artist`."""
    seed: int
    """The seed of the split and of the training run."""
    variant: str = STANDARD
    """The change for an ablation, one of `VARIANTS` or `PLAIN_MEAN`."""
    collection: str = ALL_SONGS
    """The songs that are learned from and tested on, one of `COLLECTIONS`."""

    def __str__(self) -> str:
        return f"{self.model}, {self.split} {self.seed}, {self.variant}, {self.collection}"


Changes = dict[str, Any]

VARIANTS: dict[str, tuple[tuple[str, ...], Changes, Changes, Changes]] = {
    # name: (tasks, changes to the encoder, changes to the layers, changes to the training)
    "6 audio scores": (("features",), {"features": AUDIO_FEATURES}, {"topics": 0}, {}),
    "16 topics": (("features",), {"features": TOPIC_FEATURES}, {}, {}),
    "without N": (("features", "combined"), {}, {"topics": 0}, {}),
    "with year": (("features", "combined"), {"features": (*FEATURES, "release_date")}, {}, {}),
    "footer kept": (("lyrics", "combined"), {"footer": True}, {}, {}),
    "without form": (("lyrics",), {}, {"bins": 0}, {}),
    "minimum frequency 1": (("lyrics",), {"min_frequency": 1}, {}, {}),
    "minimum frequency 20": (("lyrics",), {"min_frequency": 20}, {}, {}),
    "minimum frequency 50": (("lyrics",), {"min_frequency": 50}, {}, {}),
    "2 branches": (("lyrics", "combined"), {}, {"folds": 2}, {}),
    "no folds": (("lyrics", "combined"), {}, {"folds": 1}, {}),
    "one member": (("lyrics", "features", "combined"), {}, {"members": 1}, {}),
    "label smoothing": (("lyrics", "features", "combined"), {}, {}, {"smoothing": 0.2}),
}
"""Ablations of the `course` recipes."""

PLAIN_MEAN = "plain mean"
"""The variant of the combined model that averages the probabilities of the two other networks."""


def plan(
    splits: Sequence[str] = ("song", "artist"), seeds: int = 20, ablations: int = 5
) -> list[Cell]:
    """Return all cells of the course's study: baselines, recipes, ablations of `course`.

    All models of a split run one after the other, so that their seconds are comparable.

    Parameters
    ----------
    splits
        Kinds of split.
    seeds
        How many splits of each kind: seeds 0 to `seeds` - 1.
    ablations
        On how many of these splits to run the recipes `first` and `attention`, too, and, on the
        first kind of split only, the ablations.
    """
    course, others = (
        [(f"{name} {task}", STANDARD) for name, task in RECIPES if name in chosen]
        for chosen in (("course",), ("first", "attention"))
    )
    changed = [
        (f"course {task}", variant) for variant, (tasks, *_) in VARIANTS.items() for task in tasks
    ]
    changed.append(("course combined", PLAIN_MEAN))
    cells = []
    for seed in range(seeds):
        for split in splits:
            models = [*((name, STANDARD) for name in BASELINES), *course]
            if seed < ablations:
                models += others + (changed if split == splits[0] else [])
            cells += [
                Cell(model, split, seed, variant, collection)
                for collection in COLLECTIONS
                for model, variant in models
            ]
    return cells


def cell_recipes(cell: Cell) -> list[Recipe]:
    """Return the recipes of a cell's networks; if two, their probabilities are averaged."""
    name, task = cell.model.split()
    if cell.variant == PLAIN_MEAN:
        return [get_recipe(name, "lyrics"), get_recipe(name, "features")]
    recipe = get_recipe(name, task)
    if cell.variant == STANDARD:
        return [recipe]
    _, encoder, layers, training = VARIANTS[cell.variant]
    changed = dataclasses.replace(
        recipe,
        encoder=recipe.encoder | encoder,
        layers=recipe.layers | layers,
        training=recipe.training | training,
    )
    return [changed]
