"""Kill training runs at random moments and give the same command again: are the weights the same?

Each training is `genre-lib train` as a process of its own, killed by SIGKILL at some time between
its first epoch and its end. Whenever one comes through, its network is compared with that of a
training that nobody stopped, bit for bit. Made by: python benchmarks/kill_and_resume.py
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
from safetensors.torch import load_file
from tqdm import tqdm

from genre_lib.study.results import write_result

RUNS = [("lyrics", "original"), ("features", "first"), ("combined", "course")]
DATA = "synthetic"


def start(task: str, recipe: str, run: Path) -> subprocess.Popen:
    """Begin, or go on with, a training that is saved in the folder `run`."""
    command = [sys.executable, "-m", "genre_lib", "train", task, "--recipe", recipe]
    return subprocess.Popen(
        [*command, "--data", DATA, "--out", str(run)], stdout=subprocess.DEVNULL
    )


def same_network(one: Path, other: Path) -> bool:
    """Whether two runs saved the same weights, bit for bit."""
    weights = [load_file(run / "network.safetensors") for run in (one, other)]
    return all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def kill_and_resume(task: str, recipe: str, kills: int, folder: Path, bar: tqdm) -> dict:
    """Kill this training so often, and let it finish; return what was seen."""
    whole, killed = folder / f"{task}-whole", folder / f"{task}-killed"
    began, first, process = time.monotonic(), None, start(task, recipe, whole)
    while process.poll() is None:
        if first is None and whole.with_name(f"{whole.name}.checkpoint").exists():
            first = time.monotonic() - began
        time.sleep(0.01)
    seconds = time.monotonic() - began
    seen = {"kills": 0, "mid_training": 0, "finished": 0, "same_weights": 0}
    while True:
        process = start(task, recipe, killed)
        wait = random.uniform(0.8 * first, seconds) if seen["kills"] < kills else None
        try:
            assert process.wait(wait) == 0, "a training that was killed did not go on"
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            seen["kills"] += 1
            seen["mid_training"] += killed.with_name(f"{killed.name}.checkpoint").exists()
            bar.update()
            continue
        seen["finished"] += 1
        seen["same_weights"] += same_network(killed, whole)
        if seen["kills"] >= kills:
            return {"recipe": f"{recipe} {task}", "seconds": seconds} | seen


def main() -> None:
    """Kill, go on, compare, store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=51, help="how many in all (default: 51)")
    parser.add_argument("--out", default="benchmarks/results/kill_and_resume.json")
    options = parser.parse_args()
    random.seed(0)
    each = -(-options.kills // len(RUNS))
    with tempfile.TemporaryDirectory() as folder, tqdm(total=each * len(RUNS)) as bar:
        rows = [kill_and_resume(*training, each, Path(folder), bar) for training in RUNS]
    write_result(
        options.out, "python benchmarks/kill_and_resume.py", "synthetic songs", 4000, trainings=rows
    )
    for row in rows:
        print(row)


if __name__ == "__main__":
    main()
