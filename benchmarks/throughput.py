"""Songs a second of the course's lyrics network: by batch size, by set size, by processes.

    python benchmarks/throughput.py            # on this machine's CPU
    python benchmarks/throughput.py --device cuda --out benchmarks/results/throughput_cuda.json

Synthetic songs, drawn again and again from 28,000 of them until a set is as large as asked for;
the whole set is on the device, and an epoch of `genre_lib.fit` is timed, its shuffling included.
Encoding is left out. Sets grow until the device's memory would not hold the set and its shuffled
copy; on a CPU they end at 3 million, which take minutes and show the same as larger ones would.
There the same batches are timed once more in one and in two processes of one thread each. About
five minutes on two cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil
import torch

from genre_lib import SongEncoder, SongTensors, fit, get_recipe, make_songs
from genre_lib.scaling.processes import ONE_PROCESS, OneProcess, find_processes
from genre_lib.study.results import write_result

BATCHES = [8, 32, 128, 512, 1024, 2048, 8192, 32768]
SETS = [28_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000]
RECIPE = get_recipe("course", "lyrics")
ROUNDS = 3


def encoded(n: int = 28_000) -> tuple[SongTensors, int]:
    """Return n synthetic songs as tensors, and the size of the vocabulary."""
    encoder = SongEncoder(**RECIPE.encoder)
    return encoder.fit_encode(make_songs(n)), len(encoder.words)


def grown(songs: SongTensors, n: int) -> SongTensors:
    """Return n songs drawn from these, with repetitions."""
    if n <= len(songs):
        return SongTensors(*songs[:n])
    rows = torch.randint(len(songs), (n,), generator=torch.Generator().manual_seed(n))
    return SongTensors(*songs[rows])


def songs_a_second(
    songs: SongTensors,
    words: int,
    batch_size: int,
    device: str,
    processes: OneProcess = ONE_PROCESS,
) -> float:
    """Time one epoch of training, after a few steps that warm everything up."""
    torch.manual_seed(0)
    network = RECIPE.build(words)
    settings = RECIPE.training | {"epochs": 1, "batch_size": batch_size, "strategy": processes}
    few = SongTensors(*songs[: min(len(songs), 20 * batch_size)])
    fit(network, few, **settings, device=device, progress=False)
    start = time.perf_counter()  # `fit` reads its losses at the end, so the device is done then
    fit(network, songs, **settings, device=device, progress=False)
    return len(songs) / (time.perf_counter() - start)


def by_batch_size(songs: SongTensors, words: int, device: str) -> list[dict]:
    """Medians of a few epochs for each batch size, of at most 100 steps where batches are small."""
    rows = []
    for size in BATCHES:
        part = grown(songs, min(len(songs), 100 * size))
        speeds = [songs_a_second(part, words, size, device) for _ in range(ROUNDS)]
        rows.append({"batch_size": size, "songs_a_second": statistics.median(speeds)})
    return rows


def free_memory(device: str) -> int:
    """Bytes that a set may take on the device."""
    if torch.device(device).type == "cuda":
        return torch.cuda.mem_get_info()[0]
    return psutil.virtual_memory().available


def by_set_size(songs: SongTensors, words: int, device: str) -> tuple[list[dict], dict]:
    """One epoch for each set that fits, and what limits its size."""
    a_song = sum(tensor[0].nbytes for tensor in songs[:])
    limit = free_memory(device) // (2 * a_song)
    rows = []
    for n in SETS:
        if n < limit and (n <= 3_000_000 or torch.device(device).type != "cpu"):
            speed = songs_a_second(grown(songs, n), words, RECIPE.training["batch_size"], device)
            rows.append({"songs": n, "songs_a_second": speed})
            print(rows[-1], flush=True)
    return rows, {"bytes_a_song": a_song, "most_songs": limit}


def by_processes() -> list[dict]:
    """The same batches in one and in two processes of one thread each."""
    rows = []
    for processes in (1, 2):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
        command += [f"--nproc_per_node={processes}", __file__, "--as-process"]
        ran = subprocess.run(
            command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, check=True
        )
        speeds = json.loads(ran.stdout.splitlines()[-1])
        rows += [{"processes": processes} | row for row in speeds]
    return rows


def main() -> None:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/throughput.json"))
    parser.add_argument("--as-process", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    songs, words = encoded()
    if options.as_process:
        processes = find_processes("cpu")
        speeds = {
            size: songs_a_second(songs, words, size, "cpu", processes)
            for size in BATCHES
            if size >= 128
        }
        processes.shut_down()
        rows = [{"batch_size": size, "songs_a_second": speed} for size, speed in speeds.items()]
        return print(json.dumps(rows)) if processes.is_first else None
    batches = by_batch_size(songs, words, options.device)
    for row in batches:
        print(row, flush=True)
    sets, memory = by_set_size(songs, words, options.device)
    command = "python benchmarks/throughput.py"
    if options.device != "cpu":
        command += f" --device {options.device} --out {options.out.as_posix()}"
    write_result(
        options.out,
        command,
        "synthetic songs",
        len(songs),
        network="course lyrics",
        threads=torch.get_num_threads(),
        by_batch_size=batches,
        by_set_size=sets,
        memory=memory,
        by_processes=by_processes() if options.device == "cpu" else [],
    )


if __name__ == "__main__":
    main()
