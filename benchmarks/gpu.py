"""What a GPU changes: seconds and accuracy of the networks, beside two CPU cores of the same host.

    python benchmarks/gpu.py

Needs a GPU that torch can use. Tensors are on the device before an epoch begins. The `course`
networks are trained on five splits on each device, and their accuracies compared, the network with
attention on one. Seconds an epoch are the median over all epochs but each training's first, in
which the device warms up. The kernels' share is the time in which the GPU computes, by torch's
profiler, in an epoch that takes the median. Writes `benchmarks/results/gpu.json`, anew after each
network: about five minutes. `throughput.py --device cuda` measures songs a second by batch and by
set size. Chapters *Scaling*, *Speed* and *Attention* show the result.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

from genre_lib import SongEncoder, SongTensors, evaluate, fit, load_songs, split_songs
from genre_lib.classifier.recipes import RECIPES, Recipe
from genre_lib.evaluation.intervals import interval_over_splits
from genre_lib.study.results import write_result

DEVICES = ("cuda", "cpu")
SEEDS = {"course": range(5), "attention": range(1)}
CPU_THREADS = 2

Data = tuple[SongTensors, SongTensors, int]
"""Training and test songs, and the size of the vocabulary."""


def encode(recipe: Recipe, songs: pd.DataFrame, seed: int) -> Data:
    """Encode the songs of one split."""
    split = split_songs(songs, seed=seed)
    encoder = SongEncoder(**recipe.encoder)
    train = encoder.fit_encode(pd.concat([split.train, split.validation]))
    return train, encoder.encode(split.test), len(encoder.words)


def settings(recipe: Recipe) -> dict[str, Any]:
    """Return the arguments of `fit` without patience, which needs validation songs."""
    return {name: value for name, value in recipe.training.items() if name != "patience"}


def run(recipe: Recipe, data: Data, seed: int, device: str) -> dict[str, Any]:
    """Train once; return the seconds of each epoch and of all, and the test accuracy."""
    train, test, words = data
    train = train.to(device)
    torch.manual_seed(seed)
    network = recipe.build(words)
    start = time.perf_counter()
    history = fit(network, train, **settings(recipe), seed=seed, device=device, progress=False)
    seconds = time.perf_counter() - start
    epochs = [row["seconds"] for row in history.rows]
    return {"seconds": seconds, "epochs": epochs, "accuracy": evaluate(network, test).accuracy}


def kernel_seconds(recipe: Recipe, data: Data) -> float:
    """Return the seconds of an epoch in which the GPU computes."""
    with profile(activities=[ProfilerActivity.CPU, ProfilerActivity.CUDA]) as recorded:
        train, _, words = data
        once = settings(recipe) | {"epochs": 1}
        fit(recipe.build(words), train.to("cuda"), **once, device="cuda", progress=False)
        torch.cuda.synchronize()
    # A kernel's time is counted for the kernel, and once more for the operation that started it.
    kernels = (e for e in recorded.key_averages() if e.device_type == DeviceType.CUDA)
    return sum(event.self_device_time_total for event in kernels) / 1e6


def measure(recipe: Recipe, songs: pd.DataFrame, seeds: Iterable[int]) -> dict[str, Any]:
    """Train on both devices; return seconds, accuracies and their difference."""
    splits = {seed: encode(recipe, songs, seed) for seed in seeds}
    found: dict[str, Any] = {"batch_size": recipe.training["batch_size"]}
    for device in DEVICES:
        runs = [run(recipe, data, seed, device) for seed, data in splits.items()]
        epochs = [seconds for one in runs for seconds in one["epochs"][1:]]
        found[device] = {
            "seconds_an_epoch": statistics.median(epochs),
            "seconds": statistics.median(one["seconds"] for one in runs),
            "accuracy": [one["accuracy"] for one in runs],
        }
    share = kernel_seconds(recipe, splits[0]) / found["cuda"]["seconds_an_epoch"]
    found["kernel_share"] = share
    if len(splits) > 1:
        both = zip(*(found[device]["accuracy"] for device in DEVICES), strict=True)
        mean, half = interval_over_splits([a - b for a, b in both])
        found["difference"] = {"mean": mean, "half_width": half}
    return found


def main() -> None:
    """Measure, print, store."""
    if not torch.cuda.is_available():
        sys.exit("There is no GPU here that torch can use: run this where there is one.")
    torch.set_num_threads(CPU_THREADS)
    songs = load_songs()
    recipes = {}
    for name, seeds in SEEDS.items():
        for recipe in (one for one in RECIPES.values() if one.name == name):
            label = f"{name} {recipe.task}"
            recipes[label] = measure(recipe, songs, seeds)
            print(label, recipes[label], flush=True)
            write_result(
                Path(__file__).parent / "results/gpu.json",
                "python benchmarks/gpu.py",
                songs.attrs["source"],
                len(songs),
                cpu_threads=CPU_THREADS,
                recipes=recipes,
            )


if __name__ == "__main__":
    main()
