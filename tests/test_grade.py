"""The grader: honest notebooks get their points; hostile and broken ones get a reason, no more."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor

import nbformat
import numpy as np
import pandas as pd
import pytest
import torch

from course_tools import grade as command
from course_tools.grade import Assignment, grade_all
from course_tools.grading import results
from course_tools.grading.submissions import Submission, read_submissions
from course_tools.grading.walls import Docker, Limits, NoSandbox, find_wall
from course_tools.grading.wire import HEAD, WireError, decode, encode

try:
    find_wall()
    SANDBOX = ""
except NoSandbox as reason:
    SANDBOX = str(reason)
needs_sandbox = pytest.mark.skipif(bool(SANDBOX), reason=SANDBOX)

TESTS = """
from otter.test_files import test_case
OK_FORMAT = False
name = "q1"
points = 2

@test_case(points=0, hidden=False, failure_message="double(2) is 4.")
def test_q1_example(double):
    assert double(2) == 4

@test_case(points=2, hidden=True, failure_message="double must double any number.")
def test_q1_secret_marker_8341(double):
    assert [double(x) for x in (3, 5.5, -1)] == [6, 11, -2]
"""
SECOND = (
    TESTS.replace("q1", "q2").replace("double", "halve").replace("[6, 11, -2]", "[1.5, 2.75, -0.5]")
)
SECOND = SECOND.replace("halve(2) == 4", "halve(2) == 1")
SECOND = SECOND.replace("8341(halve)", "8341(halve, student_id)")
GOOD = ["def double(x):\n    return 2 * x", "def halve(x):\n    return x / 2"]
HALF = ["def double(x):\n    return 2 * x"]
ID = ['student_id = "ada"', "base = 1"]


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    folder = tmp_path_factory.mktemp("instructor") / "01_tiny"
    (folder / "tests").mkdir(parents=True)
    (folder / "tests/q1.py").write_text(TESTS)
    (folder / "tests/q2.py").write_text(SECOND)
    part = {"title": "Twice", "points": 2, "manual": False}
    parts = {"q1": part, "q2": part, "q3": part | {"title": "Why", "manual": True}}
    points = {"assignment": "01_tiny", "parts": parts, "given": ID}
    (folder / "points.json").write_text(json.dumps(points))
    return Assignment(folder)


def notebook(cells, **metadata):
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    made.metadata.update(metadata)
    return nbformat.writes(made).encode()


# What is handed in, the points of q1 and q2 that it earns, and what the row's reason must say.
CASES = {
    "good": (notebook([*ID, *GOOD]), (2, 2), ""),
    "half": (notebook([*ID, *HALF]), (2, 0), ""),
    "no_id": (notebook(['student_id = ""', *GOOD]), (2, 0), "student_id is empty"),
    "id_without_quotes": (notebook(["student_id = 12345", *GOOD]), (2, 0), "between quotes"),
    "hostile_id": (
        notebook([*ID, *GOOD, "student_id = '<script>\\ud800'"]),
        (2, 2),
        "",
    ),
    "missing_cells": (notebook([*ID]), (0, 0), "nothing that the parts ask for"),
    "renamed": (notebook([*ID, GOOD[0].replace("double", "twice"), GOOD[1]]), (0, 2), ""),
    "cell_raises": (notebook([*ID, GOOD[0], "1 / 0", GOOD[1]]), (2, 2), ""),
    "needs_what_is_not_there": (
        notebook(
            [
                *ID,
                *GOOD,
                "%pip install nonsense",
                "input('?')",
                "exit()",
                "import plotly.express as px\npx.line(y=[1, 2]).show()",
            ]
        ),
        (2, 2),
        "",
    ),
    "hostile_objects": (
        notebook(
            [
                *ID,
                "class Any(list):\n"
                "    __eq__ = __contains__ = lambda *a: True\n"
                "    __len__ = __hash__ = lambda *a: 3\n"
                "    __float__ = __index__ = __iter__ = __repr__ = __reduce__ = lambda *a: 1 / 0\n"
                "def double(x):\n    return Any()\n"
                "def halve(x):\n    return float('nan')",
            ]
        ),
        (0, 0),
        "",
    ),
    "kills_all": (notebook([*ID, *GOOD, "!kill -9 -1"]), (0, 0), "ended its own process"),
    "thread_bomb": (
        notebook(
            [
                *ID,
                *GOOD,
                "import threading, time\nwhile True:\n"
                "    threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
            ]
        ),
        (0, 0),
        "threads",
    ),
    "forks_share_memory": (
        notebook(
            [
                *ID,
                *GOOD,
                "import os, time, numpy as np\nkeep = []\nfor i in range(9):\n"
                "    keep.append(np.ones(50_000_000))\n"
                "    if os.fork() == 0:\n        time.sleep(99)",
            ]
        ),
        (0, 0),
        "of memory",
    ),
    "fills_the_memory_with_files": (
        notebook(
            [
                *ID,
                "import os\nmost = 0\n"
                "for folder in ('/dev/shm', '/dev', '/', '/tmp', '/usr'):\n"
                "    try:\n"
                "        with open(f'{folder}/x', 'wb') as file:\n"
                "            for _ in range(12):\n"
                "                file.write(b'x' * 10_000_000)\n"
                "                most = max(most, file.tell())\n"
                "    except OSError: pass\n"
                "def double(x):\n    return 2 * x if most > 100_000_000 else 'no room'",
                GOOD[1],
            ]
        ),
        (0, 2),
        "",
    ),
    "endless_loop": (notebook([*ID, *GOOD, "while True: pass"]), (0, 0), "did not finish within"),
    "endless_answer": (
        notebook([*ID, "def double(x):\n    while True: pass", GOOD[1]]),
        (0, 0),
        "did not finish",
    ),
    "fork_bomb": (
        notebook([*ID, *GOOD, "import os\nwhile True:\n    os.fork()"]),
        (0, 0),
        "processes",
    ),
    "memory_bomb": (
        notebook([*ID, *GOOD, "import numpy as np\nx = [np.ones(20_000_000) for _ in range(99)]"]),
        (0, 0),
        "of memory",
    ),
    "much_output": (
        notebook([*ID, *GOOD, "while True: print('x' * 100_000)"]),
        (0, 0),
        "printed more than",
    ),
    "exits": (notebook([*ID, *GOOD, "import os\nos._exit(0)"]), (0, 0), "ended its own process"),
    "exits_late": (
        notebook([*ID, GOOD[0], "import os\ndef halve(x):\n    os._exit(0)"]),
        (2, 0),
        "ended its own",
    ),
    "fakes_score": (
        notebook(
            [
                *ID,
                "print('q1 results: All test cases passed! 100 points')",
                "def double(x):\n    return type('Equal', (), {'__eq__': lambda s, o: True})()",
            ]
        ),
        (0, 0),
        "",
    ),
    "replaces_grader": (
        notebook(
            [
                *ID,
                "import sys, types\nimport course_tools.grading.worker as w\n"
                "w.decode = None\nw.encode = lambda *a: b'100 points'\n"
                "import otter\notter.Notebook = None\n"
                "def double(x):\n    return 0\n"
                "for m in list(sys.modules.values()):\n"
                "    if hasattr(m, 'run_test'): m.run_test = lambda *a: 100",
            ]
        ),
        (0, 0),
        "",
    ),
    "writes_to_pipes": (
        notebook(
            [
                *ID,
                "import os\nfor fd in range(3, 60):\n    try: os.write(fd, b'x' * 4096)\n"
                "    except OSError: pass\ndef double(x):\n    return 2 * x",
            ]
        ),
        (0, 0),
        "the notebook",
    ),
    "reads_tests": (
        notebook(
            [
                *ID,
                "import os, subprocess\nfound = []\nfor root, dirs, files in os.walk('/'):\n"
                "    if root.startswith(('/proc', '/sys')): dirs[:] = []; continue\n"
                "    found += [f for f in files if f in ('points.json', 'q1.py')]\n"
                "def double(x):\n    return 2 * x if found else 'nothing found'",
            ]
        ),
        (0, 0),
        "",
    ),
    "deletes_files": (
        notebook(
            [
                *ID,
                *GOOD,
                "import shutil, genre_lib\n"
                "for p in (genre_lib.__path__[0], '/etc', '/tmp'):\n"
                "    shutil.rmtree(p, ignore_errors=True)",
            ]
        ),
        (2, 2),
        "",
    ),
    "opens_socket": (
        notebook(
            [
                *ID,
                "import socket\ntry:\n    socket.create_connection(('1.1.1.1', 53), 2)\n"
                "    net = True\nexcept OSError:\n    net = False\n"
                "def double(x):\n    return 2 * x if net else 'no network'",
                GOOD[1],
            ]
        ),
        (0, 2),
        "",
    ),
    "wrong_kernel": (
        notebook(["x <- 2"], kernelspec={"name": "ir", "display_name": "R", "language": "R"}),
        (0, 0),
        "speaks R, not Python",
    ),
    "other_assignment": (
        notebook([*ID, *GOOD], course={"assignment": "02_other"}),
        (0, 0),
        "another assignment",
    ),
    "truncated": (notebook([*ID, *GOOD])[:200], (0, 0), "cut off or is no notebook"),
    "not_utf8": (b'{"cells": "\xff\xfe"}', (0, 0), "not UTF-8"),
    "no_notebook": (b'{"a": 1}', (0, 0), "JSON, but no notebook"),
    "deep_json": (b"[" * 200_000, (0, 0), "no JSON"),
}
LIMITS = Limits(seconds=90, memory=1_200_000_000, processes=25, output=300_000)


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("submissions")
    for name, (content, *_) in CASES.items():
        (folder / f"{name}.ipynb").write_bytes(content)
    with (folder / "huge.ipynb").open("wb") as file:
        file.truncate(200_000_000)
    (folder / "link.ipynb").symlink_to("/etc/passwd")
    (folder / "notes.txt").write_text("not a notebook")
    return folder


@pytest.fixture(scope="module")
def graded(handed_in, assignment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("feedback")
    endless = [], []
    for one in read_submissions(handed_in):
        endless[one.student.startswith("endless")].append(one)
    short = dataclasses.replace(LIMITS, seconds=10)
    grades = grade_here(endless[0], assignment, folder)
    grades += grade_here(endless[1], assignment, folder, short)
    return {one.student: one for one in grades}, folder


def grade_here(submissions, assignment, folder, limits=LIMITS):
    with ThreadPoolExecutor(2) as pool:
        return grade_all(submissions, assignment, folder, limits, pool)


@needs_sandbox
@pytest.mark.parametrize("name", CASES)
def test_submission_gets_what_it_earned_and_a_reason(name, graded):
    _, earned, reason = CASES[name]
    one = graded[0][name]
    assert (one.points["q1"], one.points["q2"]) == earned, (one.reason, one.hints)
    assert reason in one.reason and bool(reason) == bool(one.reason), one.reason


@needs_sandbox
def test_files_that_are_too_large_or_no_files_get_a_row(graded):
    assert "200 MB" in graded[0]["huge"].reason
    assert "link" in graded[0]["link"].reason
    assert "notes" not in graded[0]
    assert sum(graded[0]["huge"].points.values()) == 0


@needs_sandbox
def test_feedback_names_mistakes_and_shows_no_test(graded):
    assert "There is no halve in the notebook." in (graded[1] / "half_.html").read_text("utf8")
    page = (graded[1] / "fakes_score_.html").read_text("utf8")
    assert "double must double any number." in page and "read by a person" in page
    assert "8341" not in page and "assert" not in page


@needs_sandbox
def test_a_stopped_run_goes_on_and_gives_the_same_table(handed_in, assignment, graded, tmp_path):
    submissions = [one for one in read_submissions(handed_in) if one.student in ("good", "half")]
    first = grade_here(submissions[:1], assignment, tmp_path)
    whole = grade_here(submissions, assignment, tmp_path)
    assert whole[0] == first[0]  # seconds, too: it was not run again
    assert [one.points for one in whole] == [graded[0][n].points for n in ("good", "half")]
    (kept,) = [p for p in tmp_path.glob("*.json") if '"good"' in p.read_text("utf8")]
    kept.write_text("{broken")
    assert grade_here(submissions, assignment, tmp_path)[0].points == first[0].points


@needs_sandbox
def test_command_writes_tables_for_people_and_for_an_lms(assignment, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "find_assignment", lambda number: assignment)
    archive = tmp_path / "canvas.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("lovelaceada_LATE_77_5_01_tiny.ipynb", CASES["good"][0])
        file.writestr("Bo =1_88_assignsubmission_file_/01_tiny.ipynb", CASES["truncated"][0])
        file.writestr("__MACOSX/._lovelaceada_77_5_01_tiny.ipynb", b"")
    out = tmp_path / "grades.csv"
    assert command.main([str(archive), "--assignment", "01", "--out", str(out)]) == 0
    rows = list(csv.reader(out.open(encoding="utf-8")))
    assert rows[0][:6] == ["student", "id", "q1", "q2", "q3", "total"]
    assert rows[0][6:] == ["of", "late", "seconds", "student_id", "reason"]
    assert rows[1][:5] == ["Bo =1", "88", "0", "0", ""]
    assert rows[2][:8] == ["lovelaceada", "77", "2", "2", "", "4", "4", "late"]
    canvas = list(csv.reader((tmp_path / "grades-canvas.csv").open(encoding="utf-8")))
    assert canvas[2] == ["lovelaceada", "77", "", "", "", "4"]
    moodle = list(csv.DictReader((tmp_path / "grades-moodle.csv").open(encoding="utf-8")))
    assert (moodle[0]["Identifier"], moodle[0]["Grade"]) == ("Participant 88", "0")
    assert "Last modified (grade)" in moodle[0]  # else Moodle refuses the file
    assert "2 graded, 1 with a remark" in capsys.readouterr().out


def test_without_a_sandbox_it_refuses(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    arguments = [str(tmp_path), "--assignment", "01", "--out", str(tmp_path / "g.csv")]
    assert command.main(arguments) == 1
    said = capsys.readouterr().err
    assert "there is none here" in said and "apt install bubblewrap" in said


def through(value):
    return decode(io.BytesIO(encode(value, lambda held: None)), lambda number: number)


def test_plain_data_goes_over_unchanged():
    value = [None, True, 3, 0.5, "ü", (1, 2), {"a": [1], 2: "b"}, {1, 2}]
    assert through(value) == value
    assert through(np.float32(0.5)) == 0.5
    np.testing.assert_array_equal(through(np.eye(3)), np.eye(3))
    assert through(torch.tensor([[1, 2]])).tolist() == [[1, 2]]
    table = pd.DataFrame({"genre": ["pop", "jazz"], "x": [0.25, 1.0]}, index=[5, 9])
    pd.testing.assert_frame_equal(through(table), table)
    pd.testing.assert_series_equal(through(table["x"]), table["x"])
    counts = pd.Series([2, 1], index=["a b", "c"], name="count")
    pd.testing.assert_series_equal(through(counts), counts)


def test_what_is_no_data_is_refused():
    for value in (object(), np, lambda: 0):
        with pytest.raises(WireError, match="can't be sent"):
            through(value)
    rubbish = [b"\0" * 16 + b"rubbish", (2**40).to_bytes(8, "big") * 2, b"x" * 40]
    rubbish += [sent({"$": "series", "v": [1, 2, 3]}), sent({"$": "frame", "v": 1}), sent({"$": 1})]
    rubbish += [sent({"$": "array", "v": 0}, shape=(10**16,)), sent({"$": "array", "v": 0}, (-1,))]
    rubbish += [HEAD.pack(25_000_000, 0) + b"[" * 25_000_000]  # a list of a hundred bytes a letter
    for raw in rubbish:
        with pytest.raises((WireError, EOFError)):
            decode(io.BytesIO(raw), lambda number: number)


def sent(tree, shape=(1,)):
    header, packed = io.BytesIO(), io.BytesIO()
    about = {"descr": "<f8", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(header, about)
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("arr_0.npy", header.getvalue())  # and no numbers
    text = json.dumps(tree).encode()
    return HEAD.pack(len(text), packed.tell()) + text + packed.getvalue()


def test_cells_that_a_spreadsheet_would_run_are_defused(tmp_path):
    results.write_csv(tmp_path / "t.csv", [["=1+1", "-2", " @x", "Ada\ud800"]])
    assert (tmp_path / "t.csv").read_text().startswith("'=1+1,'-2,' @x,Ada?")


def test_pages_of_feedback_are_each_students_own(assignment, tmp_path):
    for name in ("Ann-B", "Ann B", "ann_b", "<img src=x onerror=alert(1)>"):
        (tmp_path / f"{name}.ipynb").write_bytes(b"{}")
    grade_here(read_submissions(tmp_path), assignment, tmp_path / "feedback")
    pages = [page.read_text("utf8") for page in (tmp_path / "feedback").glob("*.html")]
    assert len(pages) == 4 and any(": Ann B<" in page for page in pages)
    assert not any("<img" in page for page in pages)


def test_same_student_id_in_two_notebooks_is_said_to_the_instructor_alone(assignment):
    points = {"q1": 2.0, "q2": 2.0}
    ada, bo, eve = (
        results.Grade(n, "", False, student_id=n[:1], points=points) for n in ["a", "ab", "e"]
    )
    rows = results.table([ada, bo, eve], assignment.parts)
    assert [row[-1] for row in rows[1:]] == ["2 notebooks have this student_id"] * 2 + [""]
    assert "student_id" not in results.feedback(ada, "01_tiny", assignment.parts)


@needs_sandbox
def test_a_cluster_gives_the_same_grades(assignment, graded, handed_in, tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed")
    for name in ("good", "half", "truncated"):
        (tmp_path / f"{name}.ipynb").write_bytes(CASES[name][0])
    monkeypatch.setattr(command, "find_assignment", lambda number: assignment)
    out = tmp_path / "grades.csv"
    with distributed.LocalCluster(1, threads_per_worker=2, dashboard_address=None) as cluster:
        arguments = [str(tmp_path), "--assignment", "01", "--out", str(out)]
        assert command.main([*arguments, "--scheduler", cluster.scheduler_address]) == 0
    rows = list(csv.DictReader(out.open(encoding="utf-8")))
    for row in rows:
        here = graded[0][row["student"]]
        earned = {part: float(row[part]) for part in here.points}
        assert (earned, row["late"]) == (here.points, "") and here.reason in row["reason"]
    assert len(rows) == 3


def test_no_cluster_is_said(capsys, tmp_path, assignment, monkeypatch):
    monkeypatch.setattr(command, "find_assignment", lambda number: assignment)
    (tmp_path / "a.ipynb").write_bytes(b"{}")
    arguments = [str(tmp_path), "--assignment", "01", "--out", str(tmp_path / "g.csv")]
    assert command.main([*arguments, "--scheduler", "nonsense://here"]) == 1
    assert "No Dask scheduler answers at nonsense://here" in capsys.readouterr().err


DOCKER = """#!{python}
import os, subprocess, sys
given = sys.argv[1:]
if given[0] == "top":
    print("PID\\n1")
if given[0] == "run":
    for must in ("--network none", "--read-only", "--cap-drop ALL", "--user 65534:65534"):
        assert must in " ".join(given), must
    worker = given[given.index("deep-music-grader") + 1 :]
    assert worker[:2] == ["timeout", "--signal=KILL"] and worker[3] == "python"
    os.execv(sys.executable, [sys.executable, *worker[4:]])
"""


def test_where_there_is_docker_alone_it_is_asked(assignment, tmp_path, monkeypatch):
    fake = tmp_path / "docker"
    fake.write_text(DOCKER.format(python=sys.executable))
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_wall() is Docker
    content = CASES["half"][0]
    one = command.grade(Submission("half", "", False, "half", content), assignment, LIMITS, False)
    assert (one.points, one.reason) == ({"q1": 2, "q2": 0}, "")
