"""Studies on a Dask cluster: the same table, though workers die; and what may be wrong with one."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
from functools import partial

import pandas as pd
import pytest

from genre_lib.cli.main import main
from genre_lib.environment import versions
from genre_lib.errors import GenreLibError
from genre_lib.scaling import LOCAL, cluster
from genre_lib.study import run as study
from genre_lib.study.plan import Cell
from genre_lib.study.run import run_study

distributed = pytest.importorskip("distributed")
MODELS = ("majority", "TF-IDF + logistic regression", "course features")
CELLS = [Cell(model, "song", seed) for seed in (0, 1) for model in MODELS]


def on(address):
    return partial(cluster.run_on_cluster, address=address)


@pytest.fixture(autouse=True)
def _no_long_waits(monkeypatch):
    monkeypatch.setattr(cluster, "TIMEOUT", 2)


def after_row(monkeypatch, number, act):
    """Do something when so many rows have been written."""
    real = study.write_result

    def write(path, *arguments, cells, **content):
        real(path, *arguments, cells=cells, **content)
        if len(cells) == number:
            act()

    monkeypatch.setattr(study, "write_result", write)


def test_the_table_is_the_same_though_a_worker_is_killed(songs, tmp_path, monkeypatch):
    here, there = tmp_path / "here.json", tmp_path / "there.json"
    expected = run_study(songs, CELLS, here, "command", progress=False)
    killed = []

    def kill():
        killed.append(multiprocessing.active_children()[0].pid)
        os.kill(killed[0], signal.SIGKILL)

    after_row(monkeypatch, 2, kill)
    found = run_study(songs, CELLS, there, "command", run_cells=on(LOCAL), progress=False)
    assert killed
    pd.testing.assert_frame_equal(
        found.drop(columns="seconds"), expected.drop(columns="seconds"), check_exact=True
    )
    stored = [json.loads(path.read_text()) for path in (here, there)]
    for result in stored:
        for row in result["cells"]:
            row.pop("seconds")
    assert stored[0] == stored[1]


def test_a_scheduler_that_goes_away_ends_the_study_in_a_sentence(songs, tmp_path, monkeypatch):
    path = tmp_path / "study.json"
    settings = {"n_workers": 1, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(threads_per_worker=1, **settings) as there:
        after_row(monkeypatch, 1, there.close)
        with pytest.raises(GenreLibError, match="has stopped: start it again"):
            run_study(
                songs, CELLS, path, "c", run_cells=on(there.scheduler_address), progress=False
            )
    assert len(json.loads(path.read_text())["cells"]) == 1


def test_a_cluster_without_workers_is_named(songs, tmp_path):
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as there:
        address = there.scheduler_address
        with pytest.raises(GenreLibError, match="has no workers: start some with `dask worker"):
            run_study(songs, CELLS, tmp_path / "s.json", "c", run_cells=on(address), progress=False)


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "tcp://127.0.0.1:99999", "nonsense", ""])
def test_a_wrong_address_is_one_sentence(address, tmp_path, capfd):
    arguments = ["--data", "synthetic", "--out", str(tmp_path / "s.json")]
    assert main(["study", "--scheduler", address, *arguments]) == 2
    assert f"No Dask scheduler answers at {address!r}" in (err := capfd.readouterr().err)
    assert "Traceback" not in err and not list(tmp_path.iterdir())


def test_a_missing_package_is_one_sentence(songs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(GenreLibError, match=r"genre-lib\[scale\]"):
        run_study(songs, CELLS, tmp_path / "s.json", "c", run_cells=on(LOCAL), progress=False)


def test_workers_with_other_versions_are_refused():
    class Client:
        def run(self, function):
            return {"tcp://10.0.0.5:1": function(), "tcp://10.0.0.6:1": versions() | {"torch": "1"}}

    with pytest.raises(GenreLibError, match=r"10\.0\.0\.6:1 has torch 1, but this machine"):
        cluster._check_versions(Client())
