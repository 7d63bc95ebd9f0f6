"""Search settings for the network with attention, and see whether it uses the order of words.

    python benchmarks/attention.py

Settings are drawn at random from the first of `SPACES`, then from the second, `DRAWS` times each. A
network is trained with each on the training songs of one split by song and evaluated on its
validation songs after each epoch. (The split has seed 50, which the study does not use; its test
songs are not looked at.) The best settings, by validation loss, are those of the recipe `attention
lyrics`. With them a network is trained `SEEDS` times more, and evaluated on the validation songs as
they are and with the words that it reads in a random order; the mean of word vectors, the recipe
`first lyrics`, is trained as often on the same songs. Chapter *Attention* shows the result,
`benchmarks/results/attention.json`. An hour on two cores.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from genre_lib import GenreClassifier, get_recipe, load_songs, split_songs
from genre_lib.classifier.recipes import Recipe
from genre_lib.data.songs import strip_footer
from genre_lib.data.splits import Split
from genre_lib.models import AttentionNetwork
from genre_lib.study.results import write_result

DRAWS, SEEDS, EPOCHS, TOKENS = (12, 8), 3, 6, 100

Space = dict[str, list[Any]]
FIRST: Space = {
    # a learning rate is drawn between the two; the others from the list
    "learning_rate": [3e-4, 3e-3],
    "weight_decay": [0.0, 0.01, 0.1],
    "batch_size": [128, 256],
    "width": [32, 64],
    "heads": [1, 2, 4],
    "dropout": [0.3, 0.5, 0.7],
    "positions": [True, False],
    "min_frequency": [3, 5, 20],
    "patience": [1],
}
# In the first the best network had the least dropout, and networks that learned slowly were stopped
# too soon.
SECOND = FIRST | {
    "learning_rate": [1e-3, 1e-2],
    "weight_decay": [0.0, 1e-4, 1e-3],
    "dropout": [0.0, 0.1, 0.2, 0.3],
    "patience": [2],
}
SPACES = (FIRST, SECOND)
LAYERS = ("width", "heads", "dropout", "positions")
TRAINING = ("learning_rate", "weight_decay", "batch_size", "patience")


def draw(space: Space, rng: np.random.Generator) -> dict[str, Any]:
    """Return random settings."""
    settings = {name: values[rng.integers(len(values))] for name, values in space.items()}
    rate = float(f"{np.exp(rng.uniform(*np.log(space['learning_rate']))):.2g}")
    return settings | {"learning_rate": rate}


def shuffled(songs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the songs' first words, those that the networks read, in a random order."""
    lyrics = [
        " ".join(rng.permutation(text.split()[:TOKENS])) for text in strip_footer(songs["lyrics"])
    ]
    return songs.assign(lyrics=lyrics)


def recipe_of(settings: dict[str, Any]) -> Recipe:
    """Return the recipe with these settings."""
    return Recipe(
        "attention",
        "lyrics",
        AttentionNetwork,
        encoder={"min_frequency": settings["min_frequency"], "max_tokens": TOKENS},
        layers={name: settings[name] for name in LAYERS},
        training={"epochs": EPOCHS} | {name: settings[name] for name in TRAINING},
    )


def trained(recipe: Recipe, split: Split, seed: int, shuffle: bool = False) -> dict[str, Any]:
    """Train a recipe; return what the best epoch gave, also for shuffled songs if asked."""
    start = time.perf_counter()
    classifier = GenreClassifier(recipe)
    fitted = classifier.fit(split.train, split.validation, seed=seed, device="cpu", progress=False)
    seconds = time.perf_counter() - start
    found = classifier.evaluate(split.validation)
    row = {"seed": seed, "loss": found.loss, "accuracy": found.accuracy}
    if shuffle:
        other = classifier.evaluate(shuffled(split.validation, np.random.default_rng(seed)))
        row |= {"shuffled_loss": other.loss, "shuffled_accuracy": other.accuracy}
    return row | {"epochs": len(fitted.rows), "seconds": seconds}


def main() -> None:
    """Search, then train with the best settings on more seeds; print and store."""
    songs = load_songs()
    split, rng = split_songs(songs, by="song", seed=50), np.random.default_rng(0)
    draws: list[dict[str, Any]] = []
    for space, number in zip(SPACES, DRAWS, strict=True):
        for _ in range(number):
            settings = draw(space, rng)
            draws.append(settings | trained(recipe_of(settings), split, seed=len(draws)))
            print(draws[-1], flush=True)
    best = min(draws, key=lambda row: row["loss"])
    bag = dataclasses.replace(get_recipe("first", "lyrics"), encoder={"max_tokens": TOKENS})
    again = []
    for name, recipe in (("block", recipe_of(best)), ("mean", bag)):
        for seed in range(100, 100 + SEEDS):  # the draws have the seeds below
            again.append({"network": name} | trained(recipe, split, seed, shuffle=True))
            print(again[-1], flush=True)
    write_result(
        Path(__file__).parent / "results" / "attention.json",
        "python benchmarks/attention.py",
        songs.attrs["source"],
        len(songs),
        draws=draws,
        best={name: best[name] for name in FIRST},
        again=again,
    )


if __name__ == "__main__":
    main()
