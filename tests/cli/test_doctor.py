"""`genre-lib doctor`: each fault is named, and nothing else is."""

from __future__ import annotations

import shutil

import pytest
import torch

from genre_lib.cli import doctor
from genre_lib.cli.main import main
from genre_lib.data import published


@pytest.fixture(autouse=True)
def healthy(monkeypatch, tmp_path):
    monkeypatch.setenv("GENRE_SONGS", "synthetic")
    monkeypatch.setattr(published.pooch, "os_cache", lambda name: tmp_path / name)
    monkeypatch.setattr(shutil, "which", lambda name: None)


def faults():
    return {finding.name: finding.problem for finding in doctor.diagnose() if finding.problem}


def test_healthy_installation_has_no_fault(capsys):
    assert faults() == {}
    assert main(["doctor"]) == 0
    printed = capsys.readouterr().out
    assert "4,000 synthetic songs" in printed and "Nothing is wrong." in printed
    assert all(name in printed for name in ("Python", "torch", "pandas", "device", "cache"))


def test_missing_and_old_packages_are_named(monkeypatch, capsys):
    monkeypatch.setattr(
        doctor, "requires", lambda name: ["no-such-package>=1", "numpy>=1000", "x; extra == 'dev'"]
    )
    assert faults() == {
        "no-such-package": "genre-lib needs no-such-package>=1: pip install 'no-such-package>=1'.",
        "numpy": "genre-lib needs numpy>=1000: pip install 'numpy>=1000'.",
    }
    assert main(["doctor"]) == 1
    assert "Problems: 2." in capsys.readouterr().out


def test_songs_that_can_not_be_read_are_named(monkeypatch):
    monkeypatch.setenv("GENRE_SONGS", "nowhere.csv")
    assert "There is no file nowhere.csv" in faults()["songs"]


def test_nothing_is_downloaded_for_a_diagnosis(monkeypatch, tmp_path):
    monkeypatch.setenv("GENRE_SONGS", "")
    monkeypatch.setattr(doctor, "load_songs", lambda: pytest.fail("asked for songs"))
    assert faults() == {}
    assert not list(tmp_path.iterdir())


def test_cache_without_permission_or_room_is_named(monkeypatch):
    monkeypatch.setattr(doctor.os, "access", lambda path, mode: False)
    assert "XDG_CACHE_HOME" in faults()["cache"]
    monkeypatch.undo()
    usage = shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: usage)
    assert "too full" in doctor._cache().problem


def test_gpu_that_torch_can_not_use_is_named(monkeypatch):
    if doctor.choose_device().type != "cpu":
        pytest.skip("torch can use the GPU here")
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert "torch with CUDA" in faults()["device"]


def test_a_gpu_without_memory_is_named(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "A GPU")
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (2**28, 2**34))
    assert "memory is full" in doctor._device().problem
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (2**33, 2**34))
    assert doctor._device() == ("device", "A GPU, 8.0 of 16.0 GiB free", "")

    def no_room():
        raise RuntimeError("CUDA error: out of memory")

    monkeypatch.setattr(torch.cuda, "mem_get_info", no_room)
    assert "memory is full" in doctor._device().problem
