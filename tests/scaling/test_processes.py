"""Several processes learn what one does; run as a script, this file is what they run."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
import torch
from safetensors.torch import load_file

import genre_lib
from genre_lib import SongEncoder, SongTensors, fit, get_recipe, make_songs
from genre_lib.classifier.recipes import RECIPES
from genre_lib.scaling.processes import ONE_PROCESS, OneProcess, find_processes

TORCHRUN = [sys.executable, "-m", "torch.distributed.run"]
UNDER_TEST = Path(genre_lib.__file__).parents[1]
ENVIRONMENT = os.environ | {
    "OMP_NUM_THREADS": "1",
    "GENRE_SONGS": "synthetic",
    "PYTHONPATH": str(UNDER_TEST),  # not the installed package, which may be of another tree
}


def train_every_recipe(processes: OneProcess = ONE_PROCESS) -> dict[str, dict]:
    """Two epochs of each recipe; the last batch has three songs.

    In double precision, because the rounding errors of single precision grow from step to step.
    """
    songs, weights = make_songs(131, seed=3), {}
    for name, task in RECIPES:
        recipe = get_recipe(name, task)
        encoder = SongEncoder(**recipe.encoder)
        tensors = encoder.fit_encode(songs)
        tensors = SongTensors(tensors.lyrics, tensors.features.double(), tensors.genre)
        torch.manual_seed(0)
        network = recipe.build(len(encoder.words)).double()
        settings = recipe.training | {"epochs": 2, "batch_size": 64}
        settings |= {"device": "cpu", "progress": False, "strategy": processes}
        history = fit(network, tensors, tensors, **settings)
        scores = torch.tensor([[*row.values()][:4] for row in history.rows])
        weights[f"{name} {task}"] = network.state_dict() | {"scores": scores}
    return weights


@pytest.fixture(scope="module")
def alone():
    return train_every_recipe()


def expect_the_same(alone, found):
    """Adam divides by gradients that may be almost 0, so 1e-16 may become 1e-8."""
    for recipe, weights in alone.items():
        for name, weight in weights.items():
            torch.testing.assert_close(
                found[recipe][name], weight, rtol=1e-6, atol=1e-6, msg=f"{recipe}: {name}"
            )


def without_training_scores(results):
    """Four processes all compute the last batch of three songs, so it counts four times there."""
    return {
        recipe: weights | {"scores": weights["scores"][:, 2:]}
        for recipe, weights in results.items()
    }


def test_the_children_of_torchrun_import_the_tree_under_test(tmp_path):
    (tmp_path / "child.py").write_text("import genre_lib; print(genre_lib.__file__)")
    command = [*TORCHRUN, "--standalone", "--nproc_per_node=1", "child.py"]
    child = subprocess.run(
        command, env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert child.stdout.strip() == genre_lib.__file__


@pytest.mark.parametrize("processes", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_several_processes_learn_what_one_does(alone, processes, tmp_path):
    out = tmp_path / "weights.pt"
    command = [*TORCHRUN, "--standalone", f"--nproc_per_node={processes}", __file__, str(out)]
    subprocess.run(command, env=ENVIRONMENT, check=True, timeout=120)
    found = torch.load(out)
    if processes > 3:
        alone, found = without_training_scores(alone), without_training_scores(found)
    expect_the_same(alone, found)


@pytest.mark.slow
@pytest.mark.skipif(
    not (shutil.which("ip") and hasattr(os, "geteuid") and os.geteuid() == 0),
    reason="needs root and iproute2, to make two hosts of one machine",
)
def test_two_hosts_learn_what_one_does(alone, tmp_path):
    hosts = [f"song-host-{os.getpid()}-{i}" for i in range(2)]
    wires = [f"sw{os.getpid() % 10**6}-{i}" for i in range(2)]

    def ip(*words: str) -> int:
        return subprocess.run(["ip", *words], capture_output=True).returncode

    try:
        if any(ip("netns", "add", host) for host in hosts):
            pytest.skip("this kernel lets nobody make a network namespace")
        ip("link", "add", wires[0], "type", "veth", "peer", "name", wires[1])
        for i, (host, wire) in enumerate(zip(hosts, wires, strict=True)):
            ip("link", "set", wire, "netns", host)
            ip("-n", host, "addr", "add", f"10.77.0.{i + 1}/24", "dev", wire)
            ip("-n", host, "link", "set", "lo", "up")
            ip("-n", host, "link", "set", wire, "up")
        running = [
            subprocess.Popen(
                ["ip", "netns", "exec", host, *TORCHRUN, "--nnodes=2", f"--node_rank={i}"]
                + ["--nproc_per_node=1", "--master_addr=10.77.0.1", "--master_port=29400"]
                + [__file__, str(tmp_path / "weights.pt")],
                env=ENVIRONMENT | {"GLOO_SOCKET_IFNAME": wires[i]},
            )
            for i, host in enumerate(hosts)
        ]
        assert [process.wait(timeout=120) for process in running] == [0, 0]
    finally:
        for host in hosts:
            ip("netns", "delete", host)
    expect_the_same(alone, torch.load(tmp_path / "weights.pt"))


TRAIN = [*TORCHRUN, "--standalone", "--nproc_per_node=2", "-m", "genre_lib", "train", "features"]
TRAIN += ["--recipe", "first", "--data", "synthetic", "--out"]


def expect_one_killed_to_end_all(folder: Path, *, torchrun_sleeps: bool = False) -> None:
    job = subprocess.Popen(
        [*TRAIN, "killed"], env=ENVIRONMENT, cwd=folder, stderr=subprocess.PIPE, text=True
    )
    wait_until((folder / "killed.checkpoint").exists)
    killed, *others = newest_first(job.pid)
    if torchrun_sleeps:
        os.kill(job.pid, signal.SIGSTOP)
    killed.kill()
    if torchrun_sleeps:
        wait_until(lambda: others[0].status() == psutil.STATUS_ZOMBIE)
        os.kill(job.pid, signal.SIGCONT)
    said = job.communicate(timeout=60)[1]
    assert job.returncode != 0
    assert "Another process of this training run has ended" in said and "repeat the command" in said
    assert not (folder / "killed").exists()


@pytest.mark.slow
def test_processes_that_notice_before_torchrun_that_one_was_killed_say_so(tmp_path):
    expect_one_killed_to_end_all(tmp_path, torchrun_sleeps=True)


@pytest.mark.slow
def test_a_killed_process_ends_the_job_and_the_next_run_goes_on(tmp_path):
    expect_one_killed_to_end_all(tmp_path)

    again = subprocess.run(
        [*TRAIN, "killed"], env=ENVIRONMENT, cwd=tmp_path, capture_output=True, text=True
    )
    assert "Resuming from killed.checkpoint" in again.stderr
    assert "Saved in killed" in again.stdout
    assert not (tmp_path / "killed.checkpoint").exists()
    subprocess.run([*TRAIN, "whole"], env=ENVIRONMENT, cwd=tmp_path, check=True)
    runs = (tmp_path / name / "network.safetensors" for name in ("killed", "whole"))
    killed, whole = (load_file(run) for run in runs)
    assert all(torch.equal(killed[name], whole[name]) for name in whole)


def wait_until(condition: Callable[[], bool], seconds: float = 60) -> None:
    for _ in range(int(seconds * 20)):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"it did not come to that within {seconds} s")


def newest_first(pid: int) -> list[psutil.Process]:
    children = psutil.Process(pid).children(recursive=True)
    return sorted(children, key=lambda child: child.create_time(), reverse=True)


if __name__ == "__main__":
    found = find_processes("cpu")
    trained = train_every_recipe(found)
    found.shut_down()
    if found.is_first:
        torch.save(trained, sys.argv[1])
