"""Train the post's three networks exactly as the post did, and store how well they do.

    python benchmarks/original.py

All epochs, three seeds, on the songs that `GENRE_SONGS` names (`load_songs("auto")`). Each seed
names a random 80/20 split and the first weights. Every network is scored after its last epoch,
twice: in evaluation mode, as it should be, and with dropout left on, as the post did it. About
ten minutes on two cores; writes `benchmarks/results/original.json`.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import pandas as pd
import torch

from genre_lib import GenreClassifier, get_recipe, load_songs, split_songs
from genre_lib.data.encoding import SongTensors
from genre_lib.study.results import write_result

SEEDS = (0, 1, 2)

PUBLISHED = {
    "lyrics": {"train": 0.762, "test": 0.263},
    "features": {"train": 0.396, "test": 0.374},
    "combined": {"train": 0.655, "test": 0.349},
}
"""The post's accuracies after the last epoch."""


@torch.no_grad()
def accuracy_with_dropout(network: torch.nn.Module, songs: SongTensors, seed: int) -> float:
    """Score as the post did: in training mode, so that the answer depends on chance."""
    torch.manual_seed(seed)
    device = next(network.parameters()).device
    songs = songs.to(device)
    network.train()
    correct = sum(
        (network(lyrics, features).argmax(dim=1) == genre).sum().item()
        for lyrics, features, genre in map(songs.__getitem__, torch.arange(len(songs)).split(4096))
    )
    network.eval()
    return correct / len(songs)


def main() -> None:
    """Train, print a line a run, store."""
    songs = load_songs()
    print(songs.attrs["source"])
    runs = []
    for seed in SEEDS:
        split = split_songs(songs, seed=seed)
        train = pd.concat([split.train, split.validation])
        for task, published in PUBLISHED.items():
            classifier = GenreClassifier(get_recipe("original", task))
            start = time.perf_counter()
            history = classifier.fit(train, seed=seed, progress=sys.stderr.isatty())
            seconds = time.perf_counter() - start
            test = classifier.encoder.encode(split.test)
            report = classifier.evaluate(split.test)
            runs.append(
                {
                    "task": task,
                    "seed": seed,
                    "epochs": len(history.rows),
                    "seconds": round(seconds, 1),
                    "train": history.rows[-1]["train_accuracy"],
                    "test": report.accuracy,
                    "test_dropout_on": accuracy_with_dropout(classifier.network, test, seed),
                    "macro_f1": report.macro_f1,
                    "base_rate": report.base_rate,
                    "vocabulary": len(classifier.encoder.words),
                }
            )
            print(
                f"seed {seed} {task:9} train {runs[-1]['train']:.1%} test {report.accuracy:.1%} "
                f"(dropout on {runs[-1]['test_dropout_on']:.1%}; published "
                f"{published['train']:.1%} → {published['test']:.1%}) {seconds:.0f} s",
                flush=True,
            )
    write_result(
        Path(__file__).parent / "results" / "original.json",
        "python benchmarks/original.py",
        songs.attrs["source"],
        len(songs),
        published=PUBLISHED,
        runs=runs,
    )


if __name__ == "__main__":
    main()
