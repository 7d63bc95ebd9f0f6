"""Search settings for the network with attention, and see whether it uses the order of words.

    python benchmarks/attention.py

Settings are drawn at random from `SPACE`, `DRAWS` times. A network is trained with each on the
training songs of one split by song and evaluated on its validation songs after each epoch, until
their loss rises. (The split has seed 50, which the study does not use; its test songs are not
looked at.) The best settings, by validation loss, are those of the recipe `attention lyrics`. With
them a network is trained `SEEDS` times more, and evaluated on the validation songs as they are and
with the words of each song in a random order. Chapter *Attention* shows the result,
`benchmarks/results/attention.json`. An hour on two cores.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from genre_lib import SongEncoder, evaluate, fit, load_songs, split_songs
from genre_lib.data.splits import Split
from genre_lib.models import AttentionNetwork
from genre_lib.study.results import write_result

DRAWS, SEEDS, EPOCHS, TOKENS = 12, 3, 6, 100

SPACE: dict[str, list[Any]] = {
    # a learning rate is drawn between the two; the others from the list
    "learning_rate": [3e-4, 3e-3],
    "weight_decay": [0.0, 0.01, 0.1],
    "batch_size": [128, 256],
    "width": [32, 64],
    "heads": [1, 2, 4],
    "dropout": [0.3, 0.5, 0.7],
    "positions": [True, False],
    "min_frequency": [3, 5, 20],
}
LAYERS = ("width", "heads", "dropout", "positions")
TRAINING = ("learning_rate", "weight_decay", "batch_size")


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Return random settings."""
    settings = {name: values[rng.integers(len(values))] for name, values in SPACE.items()}
    rate = float(f"{np.exp(rng.uniform(*np.log(SPACE['learning_rate']))):.2g}")
    return settings | {"learning_rate": rate}


def shuffled(songs: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return the songs with the words of each in a random order."""
    lyrics = [" ".join(rng.permutation(text.split())) for text in songs["lyrics"]]
    return songs.assign(lyrics=lyrics)


def tried(settings: dict[str, Any], split: Split, seed: int) -> dict[str, Any]:
    """Train once; return what the best epoch gave, and what it gives for shuffled songs."""
    start = time.perf_counter()
    encoder = SongEncoder(settings["min_frequency"], TOKENS)
    train, validation = encoder.fit_encode(split.train), encoder.encode(split.validation)
    torch.manual_seed(seed)
    network = AttentionNetwork(len(encoder.words), TOKENS, **{n: settings[n] for n in LAYERS})
    history = fit(
        network, train, validation, epochs=EPOCHS, patience=1, seed=seed, device="cpu",
        progress=False, **{n: settings[n] for n in TRAINING},
    )  # fmt: skip
    seconds = time.perf_counter() - start
    other = encoder.encode(shuffled(split.validation, np.random.default_rng(seed)))
    as_they_are, in_any_order = evaluate(network, validation), evaluate(network, other)
    return {
        "seed": seed,
        "loss": as_they_are.loss,
        "accuracy": as_they_are.accuracy,
        "shuffled_loss": in_any_order.loss,
        "shuffled_accuracy": in_any_order.accuracy,
        "epochs": len(history.rows),
        "seconds": seconds,
    }


def main() -> None:
    """Search, then train with the best settings on more seeds; print and store."""
    songs = load_songs()
    split, rng = split_songs(songs, by="song", seed=50), np.random.default_rng(0)
    draws: list[dict[str, Any]] = []
    for number in range(DRAWS):
        settings = draw(rng)
        draws.append(settings | tried(settings, split, seed=number))
        print(draws[-1], flush=True)
    best = min(draws, key=lambda row: row["loss"])
    again = []
    for seed in range(100, 100 + SEEDS):  # the draws have the seeds below
        again.append(tried(best, split, seed))
        print(again[-1], flush=True)
    write_result(
        Path(__file__).parent / "results" / "attention.json",
        "python benchmarks/attention.py",
        songs.attrs["source"],
        len(songs),
        draws=draws,
        best={name: best[name] for name in SPACE},
        again=again,
    )


if __name__ == "__main__":
    main()
