"""A full disk, or one that may not be written to: one sentence, and what was there stays whole."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys

import pandas as pd
import pytest

from genre_lib import GenreClassifier, get_recipe
from genre_lib.cli.main import main
from genre_lib.errors import GenreLibError
from genre_lib.files import write_text
from genre_lib.study.plan import Cell
from genre_lib.study.run import check_study_target, run_study


@contextlib.contextmanager
def room_for(size):
    """No file may get longer: a full disk, for users who may not mount one."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    # Python would keep the first part of a module's bytecode, which nobody could import any more
    # (CPython issue 126606).
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        sys.dont_write_bytecode = bytecode


def content(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def classifier(session_songs):
    trained = GenreClassifier(get_recipe("course", "features"))
    trained.fit(session_songs, device="cpu", progress=False)
    return trained


def test_a_study_that_has_no_room_keeps_its_file_and_goes_on(songs, tmp_path):
    path = tmp_path / "study.json"
    cells = [Cell("majority", "song", seed) for seed in range(3)]
    run_study(songs, cells[:1], path, "command", progress=False)
    before = content(tmp_path)
    with (
        room_for(path.stat().st_size),
        pytest.raises(GenreLibError, match=r"study\.json .*free some disk space"),
    ):
        run_study(songs, cells, path, "command", progress=False)
    assert content(tmp_path) == before
    assert len(run_study(songs, cells, path, "command", progress=False)) == 3


def test_the_table_of_a_study_has_no_room(songs, tmp_path, monkeypatch, capsys):
    path = tmp_path / "study.json"
    cells = [Cell("majority", "song", seed) for seed in range(2)]
    run_study(songs, cells, path, "command", progress=False)
    path.with_suffix(".md").write_text("the older table")
    monkeypatch.setattr("genre_lib.cli.commands.load_songs", lambda source: songs)
    monkeypatch.setattr("genre_lib.study.plan.plan", lambda *_, **__: cells)
    with room_for(100):
        assert main(["study", "--data", "synthetic", "--out", str(path)]) == 2
    assert "Could not write" in capsys.readouterr().err.splitlines()[-1]
    assert path.with_suffix(".md").read_text() == "the older table"


def test_predictions_that_have_no_room_leave_the_older_ones(songs, classifier, tmp_path, capsys):
    run, data, out = tmp_path / "run", tmp_path / "songs.csv", tmp_path / "out" / "predictions.csv"
    classifier.save(run)
    songs.head(50).to_csv(data)
    out.parent.mkdir()
    out.write_text("older predictions")
    arguments = ["predict", str(run), "--data", str(data), "--device", "cpu", "--out", str(out)]
    with room_for(1000):
        assert main(arguments) == 2
    captured = capsys.readouterr()
    assert "Could not write" in captured.err and len(captured.err.splitlines()) == 1
    assert content(out.parent) == {"predictions.csv": b"older predictions"}
    assert main(arguments) == 0 and len(pd.read_csv(out)) == 50


def test_a_run_that_has_no_room_leaves_the_older_one(classifier, tmp_path):
    folder = tmp_path / "run"
    classifier.save(folder)
    before = content(folder)
    for size in (10, 1000, 20_000):  # no room for the settings, the encoder, the weights
        with room_for(size), pytest.raises(GenreLibError, match="could not be written"):
            classifier.save(folder)
        assert content(folder) == before and list(tmp_path.iterdir()) == [folder]
    GenreClassifier.load(folder, "cpu")


def test_a_full_disk_is_named(disk):
    with pytest.raises(GenreLibError, match="No space left"):
        write_text(disk / "file.json", "x" * 2**20)
    assert list(disk.iterdir()) == []


def test_a_run_on_a_full_disk_is_named(classifier, disk):
    with pytest.raises(GenreLibError, match=r"could not be written .*No space left"):
        classifier.save(disk / "run")
    assert list(disk.iterdir()) == []


def test_a_disk_that_may_not_be_written_to_is_named(songs, classifier, disk):
    cells = [Cell("majority", "song", 0)]
    run_study(songs, cells, disk / "study.json", "command", progress=False)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(GenreLibError, match="Read-only"):
        write_text(disk / "file.json", "text")
    with pytest.raises(GenreLibError, match="Nothing can be written"):
        classifier.save(disk / "run")
    with pytest.raises(GenreLibError, match="Nothing can be written"):
        check_study_target(disk / "study.json")


def test_a_folder_is_never_replaced_by_a_file(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(GenreLibError, match="it is a folder.: choose another file"):
        write_text(tmp_path, "text")
    assert content(tmp_path) == {"thesis.txt": b"precious"}


def test_a_device_or_a_link_stays_what_it_is(tmp_path):
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    write_text(link, "text")
    assert link.is_symlink() and target.read_text() == "text"
    write_text("/dev/null", "text")
    with pytest.raises(GenreLibError, match="No space left"):
        write_text("/dev/full", "text")
