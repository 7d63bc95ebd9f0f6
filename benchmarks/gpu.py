"""What a GPU changes: seconds and accuracy of the networks, beside two CPU cores of the same host.

    python benchmarks/gpu.py

Needs a GPU that torch can use. For the three `original` and the three `course` recipes: seconds an
epoch and to finish, from tensors that are on the device, as medians of the epochs; the first epoch,
in which the device warms up, is left out of the median, and counted in the seconds to finish. The
`course` networks are trained on five splits on both devices, and their accuracies compared. The
kernels' share of one epoch comes from torch's profiler. Writes `benchmarks/results/gpu.json`.
`throughput.py --device cuda` measures songs a second by batch and by set size.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

import pandas as pd
import torch
from torch.profiler import ProfilerActivity, profile

from genre_lib import SongEncoder, SongTensors, evaluate, fit, load_songs, split_songs
from genre_lib.classifier.recipes import RECIPES, Recipe
from genre_lib.evaluation.intervals import interval_over_splits
from genre_lib.study.results import write_result

SEEDS = range(5)
CPU_THREADS = 2


def encode(recipe: Recipe, songs: pd.DataFrame, seed: int) -> tuple[SongTensors, SongTensors, int]:
    """Return training and test songs as tensors, and the size of the vocabulary."""
    split = split_songs(songs, seed=seed)
    encoder = SongEncoder(**recipe.encoder)
    train = encoder.fit_encode(pd.concat([split.train, split.validation]))
    return train, encoder.encode(split.test), len(encoder.words)


def run(recipe: Recipe, data: tuple, seed: int, device: str, **changes) -> dict:
    """Train once; return seconds and test accuracy."""
    train, test, words = data
    train = train.to(device)
    torch.manual_seed(seed)
    network = recipe.build(words)
    settings = {k: v for k, v in recipe.training.items() if k != "patience"} | changes
    start = time.perf_counter()
    history = fit(network, train, **settings, seed=seed, device=device, progress=False)
    seconds = time.perf_counter() - start
    epochs = [row["seconds"] for row in history.rows]
    return {
        "seconds": seconds,
        "seconds_an_epoch": statistics.median(epochs[1:] or epochs),
        "accuracy": evaluate(network, test).accuracy,
    }


def kernel_share(recipe: Recipe, data: tuple) -> float:
    """Return the share of an epoch's time in which the GPU computes."""
    run(recipe, data, 0, "cuda", epochs=1)
    torch.cuda.synchronize()
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as recorded:
        start = time.perf_counter()
        run(recipe, data, 0, "cuda", epochs=1)
        torch.cuda.synchronize()
        seconds = time.perf_counter() - start
    busy = sum(event.self_device_time_total for event in recorded.key_averages()) / 1e6
    return busy / seconds


def main() -> None:
    """Measure, print, store."""
    if not torch.cuda.is_available():
        sys.exit("There is no GPU here that torch can use: run this where there is one.")
    torch.set_num_threads(CPU_THREADS)
    songs = load_songs()
    results, agreement = {}, {}
    for (name, task), recipe in RECIPES.items():
        if name == "first":
            continue
        data = encode(recipe, songs, 0)
        label = f"{name} {task}"
        run(recipe, data, 0, "cuda", epochs=1)
        results[label] = {
            "cuda": run(recipe, data, 0, "cuda"),
            "cpu": run(recipe, data, 0, "cpu"),
            "kernel_share": kernel_share(recipe, data),
        }
        print(label, results[label], flush=True)
        if name == "course":
            splits = [encode(recipe, songs, seed) for seed in SEEDS]
            pairs = [
                [run(recipe, splits[seed], seed, device)["accuracy"] for seed in SEEDS]
                for device in ("cuda", "cpu")
            ]
            mean, half = interval_over_splits([a - b for a, b in zip(*pairs, strict=True)])
            agreement[label] = {"cuda": pairs[0], "cpu": pairs[1], "mean": mean, "half": half}
            print(label, agreement[label], flush=True)
    write_result(
        Path(__file__).parent / "results" / "gpu.json",
        "python benchmarks/gpu.py",
        songs.attrs["source"],
        len(songs),
        cpu_threads=CPU_THREADS,
        recipes=results,
        agreement=agreement,
    )


if __name__ == "__main__":
    main()
