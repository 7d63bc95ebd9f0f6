"""The command line, as a newcomer and as a script would use it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pandas as pd
import pytest
import torch

import genre_lib
from genre_lib.cli.main import main
from genre_lib.data.schema import GENRES
from genre_lib.training import loop


@pytest.fixture(scope="module")
def data(session_songs, tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "songs.csv"
    session_songs.to_csv(path)
    return str(path)


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("runs") / "lyrics")
    assert main(["train", "lyrics", "--data", data, "--device", "cpu", "--out", folder]) == 0
    return folder


def test_songs_describes_its_source(capsys, data):
    assert main(["songs", "--source", data, "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["songs"] == 1500 and set(summary["genres"]) == set(GENRES)
    assert main(["songs", "--source", "synthetic"]) == 0
    assert "4,000 synthetic songs" in capsys.readouterr().out


@pytest.mark.parametrize("network", ["lyrics", "features", "combined"])
def test_train_reports_validation_and_test(capsys, data, tmp_path, network):
    options = ["--split", "artist", "--seed", "1", "--device", "cpu", "--json"]
    assert main(["train", network, "--data", data, "--out", str(tmp_path / "r"), *options]) == 0
    result = json.loads(capsys.readouterr().out)
    for part in ("validation", "test"):
        assert {"songs", "accuracy", "macro_f1", "base_rate"} <= set(result[part])
        assert 0 < result[part]["accuracy"] < 1 and 0 < result[part]["base_rate"] < 1
    assert (result["split"], result["seed"]) == ("artist", 1)


def test_train_all_scores_no_test_songs(capsys, data, tmp_path):
    folder = str(tmp_path / "run")
    options = ["--device", "cpu", "--all", "--json"]
    assert main(["train", "features", "--data", data, "--out", folder, *options]) == 0
    result = json.loads(capsys.readouterr().out)
    assert "test" not in result and result["validation"]["songs"] == 150
    assert main(["evaluate", folder, "--data", data, "--json"]) == 0
    score = json.loads(capsys.readouterr().out)
    assert {"songs", "accuracy", "macro_f1", "base_rate"} <= set(score) and score["songs"] == 1500


def test_predict_answers_typed_lyrics(capsys, run):
    assert main(["predict", run, "--lyrics", "dance all night"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7 and sum(float(x.split()[-1].strip("%")) for x in lines) > 99


def test_predict_writes_a_table(capsys, run, data, tmp_path):
    out = tmp_path / "guesses.csv"
    assert main(["predict", run, "--data", data, "--out", str(out)]) == 0
    table = pd.read_csv(out)
    assert len(table) == 1500 and {"predicted", "track_name", *GENRES} <= set(table.columns)
    assert main(["predict", run, "--data", data]) == 0
    assert len(capsys.readouterr().out.splitlines()) > 1500


def test_predict_leaves_names_as_they_are(run, session_songs, tmp_path):
    names = ["007", "1e5", "NA", "None", "True", " lead", "1/2", "0.10"]
    few = session_songs.head(len(names)).assign(artist_name=names, track_name=names[::-1])
    few.to_csv(tmp_path / "songs.csv", index=False)
    out = tmp_path / "guesses.csv"
    assert main(["predict", run, "--data", str(tmp_path / "songs.csv"), "--out", str(out)]) == 0
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    assert [row["artist_name"] for row in rows] == names
    assert [row["track_name"] for row in rows] == names[::-1]


@pytest.mark.parametrize(
    "arguments",
    [
        ["songs", "--source", "nowhere.csv"],
        ["train", "lyrics", "--data", "nowhere.csv", "--out", "r"],
        ["train", "lyrics", "--data", "synthetic", "--device", "warp", "--out", "r"],
        ["evaluate", "nowhere", "--data", "nowhere.csv"],
        ["predict", "nowhere", "--lyrics", "la"],
        ["train", "lyrics", "--data", "synthetic", "--out", "."],
        ["study", "--data", "synthetic", "--out", "study.csv"],
        ["study", "--data", "synthetic", "--out", "nowhere/study.json"],
        ["study", "--data", "synthetic", "--device", "warp", "--out", "study.json"],
    ],
)
def test_a_fault_is_one_sentence_and_exit_2(arguments, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.startswith("genre-lib: ")
    assert len(captured.err.splitlines()) == 1 and "Traceback" not in captured.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["trian"],
        ["train", "lyrics", "--out", "r", "--seed", "-1"],
        ["study", "--out", "study.json", "--seeds", "0"],
        ["predict", "r"],
    ],
)
def test_a_misspelt_command_is_one_sentence_too(arguments, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_words_that_the_network_does_not_know_are_no_reason(capsys, run):
    for lyrics, noted in (("我爱你", True), ("", True), ("love", False)):
        assert main(["predict", run, "--lyrics", lyrics]) == 0
        assert ("knows none of these words" in capsys.readouterr().err) == noted


@pytest.mark.parametrize(
    "out", ["songs.csv", "~/songs.csv", "link.csv", "run/run.json", "run", "."]
)
@pytest.mark.parametrize("named", ["songs.csv", "~/songs.csv", "auto"])
def test_predictions_replace_neither_songs_nor_run_nor_folder(
    capsys, run, data, tmp_path, monkeypatch, out, named
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GENRE_SONGS", "~/songs.csv")
    shutil.copytree(run, "run")
    shutil.copy(data, "songs.csv")
    Path("link.csv").symlink_to("songs.csv")
    before = {path: path.read_bytes() for path in Path().rglob("*.*")}
    assert main(["predict", "run", "--data", named, "--out", out]) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert {path: path.read_bytes() for path in Path().rglob("*.*")} == before


@pytest.mark.parametrize(
    "arguments",
    [
        ["train", "lyrics", "--data", "synthetic", "--out", "x" * 300],
        ["predict", "x" * 300, "--lyrics", "love"],
        ["study", "--data", "synthetic", "--out", "x" * 300 + ".json"],
        ["train", "lyrics", "--data", "synthetic", "--out", "/"],
        ["train", "lyrics", "--data", "~nobody-of-this-name/songs.csv", "--out", "r"],
        ["predict", "~nobody-of-this-name/r", "--lyrics", "love"],
        ["study", "--data", "synthetic", "--out", "~nobody-of-this-name/r.json"],
        ["synth", "--songs", "100", "--out", "/dev/null"],
    ],
)
def test_a_path_that_can_not_be_is_one_sentence(arguments, capsys):
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_a_checkout_that_is_not_installed_answers(capsys, monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    for where in ("arguments.version", "doctor.requires"):
        monkeypatch.setattr(f"genre_lib.cli.{where}", missing)
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert "(not installed)" in capsys.readouterr().out
    assert main(["doctor"]) == 1
    assert "genre-lib     not installed" in capsys.readouterr().out


def test_a_file_that_may_not_be_read_is_named_not_called_damaged(capsys, run, monkeypatch):
    read = Path.read_text

    def refused(path, *arguments, **settings):
        if path.name == "encoder.json":
            raise PermissionError(13, "Permission denied", str(path))
        return read(path, *arguments, **settings)

    monkeypatch.setattr(Path, "read_text", refused)
    assert main(["predict", run, "--lyrics", "love"]) == 2
    said = capsys.readouterr().err
    assert "encoder.json can't be used (Permission denied)" in said and "damaged" not in said


def test_an_interrupt_says_so_and_saves_nothing_that_was_not_trained(
    capsys, run, data, tmp_path, monkeypatch
):
    def interrupted(after):
        epochs = iter(range(after))

        def one_epoch(*_, **__):
            if next(epochs, None) is None:
                raise KeyboardInterrupt
            return torch.tensor(1.0), torch.tensor(0.5)

        return one_epoch

    out = str(tmp_path / "stopped")
    arguments = ["train", "features", "--data", data, "--out", out]
    monkeypatch.setattr(loop, "train_one_epoch", interrupted(0))
    assert main(arguments) == 130 and not Path(out).exists()
    monkeypatch.setattr(loop, "train_one_epoch", interrupted(2))
    assert main(arguments) == 0
    assert "Interrupted after 2 epochs" in capsys.readouterr().out


@pytest.mark.parametrize("network", ["lyrics", "features", "combined"])
@pytest.mark.parametrize("recipe", ["original", "first", "course"])
def test_a_checkpoint_of_other_songs_is_refused_and_kept(
    recipe, network, session_songs, capsys, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    songs = session_songs.groupby("genre").head(20).reset_index(drop=True)
    songs.to_csv("ours.csv")
    songs.to_csv("copy.csv")
    songs.iloc[::-1].to_csv("order.csv")
    words, energy = songs["lyrics"] + " banjo", 1 - songs["energy"]
    songs.assign(lyrics=words, energy=energy).to_csv("inputs.csv")
    genre = songs["genre"].replace({"pop": "rock", "rock": "pop"})
    songs.assign(genre=genre).to_csv("genres.csv")

    def one_epoch(*_, **__):
        if Path("run.checkpoint").exists():
            raise KeyboardInterrupt
        return torch.tensor(1.0), torch.tensor(0.5)

    monkeypatch.setattr(loop, "train_one_epoch", one_epoch)
    arguments = ["train", network, "--recipe", recipe, "--device", "cpu", "--out", "run", "--data"]
    assert main([*arguments, "ours.csv"]) == 0  # stopped in the second epoch
    kept = {path: path.read_bytes() for path in Path().rglob("run*/*")}
    kept[Path("run.checkpoint")] = Path("run.checkpoint").read_bytes()
    for other in ("order", "inputs", "genres"):
        capsys.readouterr()
        assert main([*arguments, f"{other}.csv"]) == 2
        said = capsys.readouterr().err
        assert (
            "run.checkpoint is the checkpoint of a training run that differs in training songs:"
            in said
        )
        assert "Resuming" not in said
    assert main([*arguments, "ours.csv", "--all"]) == 2
    assert {path: path.read_bytes() for path in kept} == kept
    assert main([*arguments, "copy.csv"]) == 0
    assert "Resuming from run.checkpoint after epoch 1." in capsys.readouterr().err


def test_the_module_is_the_command_and_its_help_helps():
    command = [sys.executable, "-m", "genre_lib"]
    shown = subprocess.run([*command, "--help"], capture_output=True, text=True, check=True).stdout
    for name in ("songs", "train", "evaluate", "predict"):
        assert name in shown
    wrong = subprocess.run([*command, "train", "melody"], capture_output=True, text=True)
    assert wrong.returncode == 2 and "Traceback" not in wrong.stderr


def ended(command, **how):
    """A `genre-lib` command in a shell: its exit status, and what it printed to standard error."""
    tree = str(Path(genre_lib.__file__).parents[1])
    environment = os.environ | {"PYTHONPATH": tree, "PYTHON": sys.executable} | how
    script = command.replace("genre-lib", '"$PYTHON" -m genre_lib')
    ran = subprocess.run(
        ["bash", "-c", script], env=environment, capture_output=True, text=True, errors="replace"
    )
    return ran.returncode, ran.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_output_that_is_full_closed_or_no_longer_read_is_one_line_at_most(unbuffered):
    how = {"PYTHONUNBUFFERED": unbuffered}
    full = "genre-lib: The output can't be written (No space left on device).\n"
    assert ended("genre-lib --help > /dev/full", **how) == (2, full)
    closed = "genre-lib: Standard output is closed: send it to a file.\n"
    assert ended("genre-lib --help >&-", **how) == (2, closed)
    unread = "(sleep 1; genre-lib --help) | true; exit ${PIPESTATUS[0]}"
    assert ended(unread, **how) == (1, "")
    assert ended("genre-lib --help 2>&-", **how) == (0, "")


def test_what_a_command_prints_to_a_full_disk_is_one_line_too():
    full = "genre-lib: The output can't be written (No space left on device).\n"
    assert ended("genre-lib songs --source synthetic > /dev/full") == (2, full)


@pytest.mark.parametrize(
    "how",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    ],
)
def test_a_terminal_without_the_letters_stops_no_command(how, songs, tmp_path):
    if "LC_ALL" in how and not sys.prefix.isascii():
        pytest.skip("torch can't be imported from such a folder in this locale")
    songs.to_csv(tmp_path / "müsik –.csv")
    command = f"genre-lib songs --source '{tmp_path}/müsik –.csv'"
    assert ended(command, **how) == (0, "")


@pytest.mark.parametrize("spelling", ["{}", " {}", "{} ", "\n{}\t"])
def test_the_environment_may_name_a_file_with_spaces(spelling, songs, tmp_path, monkeypatch):
    path = tmp_path / "my songs" / "all of them.csv"
    path.parent.mkdir()
    songs.to_csv(path)
    monkeypatch.setenv("GENRE_SONGS", spelling.format(path))
    assert main(["songs"]) == 0


def test_an_interrupt_while_torch_is_imported_is_one_line(tmp_path):
    (tmp_path / "torch.py").write_text(
        "print('importing', flush=True)\nimport time\ntime.sleep(60)"
    )
    tree = str(Path(genre_lib.__file__).parents[1])
    with subprocess.Popen(
        [sys.executable, "-m", "genre_lib", "doctor"],
        env=os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{tree}"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout.readline() == "importing\n"
        process.send_signal(signal.SIGINT)
        assert process.stderr.read() == "genre-lib: stopped.\n"
    assert process.returncode == 130


@pytest.mark.parametrize("left_over", ["RANK", "LOCAL_RANK", "WORLD_SIZE"])
def test_a_variable_that_another_launcher_left_does_not_make_a_process_wait(
    left_over, data, tmp_path
):
    command = [sys.executable, "-m", "genre_lib", "train", "features", "--data", data]
    command += ["--device", "cpu", "--recipe", "first", "--out", "run"]
    tree = str(Path(genre_lib.__file__).parents[1])
    environment = os.environ | {left_over: "1", "PYTHONPATH": tree}
    ran = subprocess.run(
        command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0 and "Saved in run" in ran.stdout
    assert (tmp_path / "run" / "run.json").exists()


def test_help_and_import_wait_for_nothing_heavy():
    code = "import sys, genre_lib, genre_lib.cli.arguments as a; a.parser(); print(*sys.modules)"
    command = [sys.executable, "-c", code]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert not {"torch", "pandas", "numpy", "plotly", "sklearn"} & set(loaded)


def test_every_name_that_the_library_offers_can_be_had():
    for name in genre_lib.__all__:
        assert getattr(genre_lib, name) is not None and name in dir(genre_lib)
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = genre_lib.nonsense


def test_a_table_of_one_s_own_is_described(songs):
    songs.attrs.clear()
    assert "songs: 1,500 songs from a table of your own" in genre_lib.describe_environment(songs)
