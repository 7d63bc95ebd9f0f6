"""How long songs in shards take to make, encode and learn from, and what memory that takes.

    python benchmarks/scale_data.py --folder DIR                      1 and 10 million songs
    python benchmarks/scale_data.py --folder DIR --songs 1_000_000    or others

DIR needs room for 2 kB a song; what is made there is deleted. Writes
`benchmarks/results/scale_data.json`. Memory is resident memory, pages of mapped files included, of
the process and its children together, looked at ten times a second; CPU seconds are theirs too.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psutil
import torch

from genre_lib import SongEncoder, evaluate, fit, get_recipe
from genre_lib.scaling.make_shards import ENCODED_FOLDER, make_shards
from genre_lib.scaling.shards import SongShards
from genre_lib.study.results import write_result

SIZES = (1_000_000, 10_000_000)


class Watch:
    """Time and peak memory of steps."""

    def __init__(self) -> None:
        self.steps: dict[str, dict[str, Any]] = {}
        self.peak = 0
        threading.Thread(target=self._keep_looking, daemon=True).start()

    def _keep_looking(self) -> None:
        while True:
            self._look()
            time.sleep(0.1)

    def _look(self) -> None:
        this, total = psutil.Process(), 0
        for process in (this, *this.children(recursive=True)):
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        self.peak = max(self.peak, total)

    def step(self, name: str, songs: int, work: Callable[[], Any]) -> Any:
        """Do `work` on so many songs and note what it took."""
        self.peak, start, busy = 0, time.perf_counter(), sum(os.times()[:4])
        result = work()
        seconds, busy = time.perf_counter() - start, sum(os.times()[:4]) - busy
        self._look()
        self.steps[name] = {
            "songs": songs,
            "seconds": seconds,
            "songs_per_second": songs / seconds,
            "cpu_seconds": busy,
            "peak_memory_bytes": self.peak,
        }
        print(f"{songs:12,} songs  {name:9}{seconds:8.1f} s  {self.peak / 1e9:5.2f} GB", flush=True)
        return result


def bytes_of(folder: Path) -> int:
    """Bytes of all files in a folder, those in folders of it left out."""
    return sum(path.stat().st_size for path in folder.iterdir() if path.is_file())


def measure(songs: int, folder: Path) -> dict[str, Any]:
    """Make so many songs in `folder`, encode them, learn from them once, and score the test."""
    watch, recipe = Watch(), get_recipe("course", "lyrics")
    watch.step("make", songs, lambda: make_shards(folder, songs, progress=True))
    split = watch.step("divide", songs, lambda: SongShards(folder).split())
    encoder = SongEncoder(**recipe.encoder)
    encoder = watch.step(
        "learn", len(split.train), lambda: split.train.fit(encoder, recipe.inputs, progress=True)
    )
    train = watch.step(
        "encode", songs, lambda: split.train.encode(encoder, recipe.inputs, progress=True)
    )
    torch.manual_seed(0)
    network = recipe.build(len(encoder.words))
    training = recipe.training | {"epochs": 1}
    watch.step("epoch", len(train), lambda: fit(network, train, **training, progress=False))
    test = split.test.encode(encoder, recipe.inputs)
    report = watch.step("evaluate", len(test), lambda: evaluate(network, test))
    return {
        "songs": songs,
        "words": len(encoder.words),
        "shard_bytes": bytes_of(folder),
        "encoded_bytes": sum(bytes_of(part) for part in (folder / ENCODED_FOLDER).glob("*/*/")),
        "steps": watch.steps,
        "test": report.summary(),
    }


def main() -> None:
    """Measure each size and store what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=Path, help="where to make songs (default: a new one)")
    parser.add_argument("--songs", type=int, nargs="+", default=SIZES)
    parser.add_argument("--out", type=Path, default="benchmarks/results/scale_data.json")
    options = parser.parse_args()
    sizes = []
    for songs in options.songs:
        with (
            tempfile.TemporaryDirectory(dir=options.folder) as folder,
            ProcessPoolExecutor(1, get_context("spawn")) as own_process,  # begins with no memory
        ):
            sizes.append(own_process.submit(measure, songs, Path(folder)).result())
        write_result(
            options.out,
            " ".join(["python", "benchmarks/scale_data.py", *_typed(options)]),
            "synthetic songs (seed 0), recipe course lyrics, one epoch",
            songs,
            sizes=sizes,
        )


def _typed(options: argparse.Namespace) -> list[str]:
    """The options that change what is measured."""
    if tuple(options.songs) == SIZES:
        return []
    return ["--songs", *(f"{songs:_}" for songs in options.songs)]


if __name__ == "__main__":
    sys.exit(main())
