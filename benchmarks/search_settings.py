"""Draw settings at random, train, and note the validation loss: what our recipes compete with.

    python benchmarks/search_settings.py

For each task, 20 settings are drawn from `SPACE`. A network is trained with each on the training
songs of one split by song and evaluated on its validation songs. (The split has seed 100, which the
study does not use; its test songs are not looked at.) The `course` recipe is trained on the same
songs with three seeds. Chapter *Evaluation* shows the result, `benchmarks/results/search.json`.
Half an hour on two busy cores.
"""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np

from genre_lib import GenreClassifier, get_recipe, load_songs, split_songs
from genre_lib.classifier.recipes import Recipe
from genre_lib.data.splits import Split
from genre_lib.study.results import write_result

DRAWS, SEEDS = 20, 3

SPACE: dict[str, tuple[str, list[float]]] = {
    # name: (the part of the recipe, its values; a learning rate is drawn between the two)
    "learning_rate": ("training", [1e-3, 1e-1]),
    "epochs": ("training", [4, 6, 8, 12, 16]),
    "batch_size": ("training", [128, 256, 512, 1024]),
    "bins": ("layers", [2, 4, 8, 12, 16]),
    "width": ("layers", [32, 64, 128]),
    "members": ("layers", [1, 2, 4, 8, 16]),
    "folds": ("layers", [2, 3, 5, 10]),
    "min_frequency": ("encoder", [1, 3, 10, 20]),
}


def draw(rng: np.random.Generator, task: str) -> dict[str, float]:
    """Return random settings; those of words only for a network that sees lyrics."""
    settings: dict[str, float] = {}
    for name, (_, values) in SPACE.items():
        if name == "learning_rate":
            settings[name] = float(f"{np.exp(rng.uniform(*np.log(values))):.2g}")
        elif task != "features" or name not in ("folds", "min_frequency"):
            settings[name] = int(rng.choice(values))
    return settings


def changed(recipe: Recipe, settings: dict[str, float]) -> Recipe:
    """Return the recipe with these settings."""
    parts = {
        part: {n: value for n, value in settings.items() if SPACE[n][0] == part}
        for part in ("training", "layers", "encoder")
    }
    return dataclasses.replace(
        recipe, **{part: getattr(recipe, part) | values for part, values in parts.items()}
    )


def tried(recipe: Recipe, split: Split, seed: int) -> dict[str, Any]:
    """Train once; return loss and accuracy on the validation songs, and the seconds."""
    start = time.perf_counter()
    classifier = GenreClassifier(recipe)
    classifier.fit(split.train, seed=seed, device="cpu", progress=False)
    report = classifier.evaluate(split.validation)
    seconds = time.perf_counter() - start
    return {"loss": report.loss, "accuracy": report.accuracy, "seconds": seconds}


def main() -> None:
    """Try all draws and the recipes; print and store what each gave."""
    songs = load_songs()
    split = split_songs(songs, by="song", seed=100)
    draws, recipes = [], []
    for task in ("features", "lyrics", "combined"):
        recipe, rng = get_recipe("course", task), np.random.default_rng(0)
        for seed in range(SEEDS):
            recipes.append({"task": task, "seed": seed} | tried(recipe, split, seed))
            print(recipes[-1], flush=True)
        for number in range(DRAWS):
            settings = draw(rng, task)
            found = tried(changed(recipe, settings), split, seed=number)
            draws.append({"task": task} | settings | found)
            print(draws[-1], flush=True)
    write_result(
        Path(__file__).parent / "results" / "search.json",
        "python benchmarks/search_settings.py",
        songs.attrs["source"],
        len(songs),
        draws=draws,
        recipes=recipes,
    )


if __name__ == "__main__":
    main()
