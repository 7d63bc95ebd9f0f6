"""Hostile and broken notebooks: each gets a reason and what it earned, and takes nothing along."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
import pytest
from tiny_assignment import (
    GOOD,
    HALF,
    ID,
    LIMITS,
    TESTS,
    grade_here,
    make_assignment,
    needs_sandbox,
    notebook,
)

from course_tools.grading import groups, walls
from course_tools.grading.examiner import Examiner
from course_tools.grading.groups import Group, new_group
from course_tools.grading.limits import Limits
from course_tools.grading.submissions import Submission, read_submissions
from course_tools.grading.walls import Bubblewrap, Docker, NoSandbox, find_wall, new_place

# How a notebook gets at the worker that runs it.
INSIDE = (
    "import gc\nheld = [one for one in gc.get_objects() if type(one) is dict]\n"
    "inside = next(one for one in held if 'run_cells' in one and 'serve' in one)\n"
    "old = inside['encode']\nHEAD = old.__globals__['HEAD']\n"
)
# Each time round there are twice as many processes: no more than two thousand, so that a limit that
# is broken fails a test and not the machine. For the same reason nothing here takes many GB.
DOUBLE = "for _ in range(11):\n"
# What is handed in, the points of q1 and q2 that it earns, and what the row's reason must say.
CASES = {
    "good": (notebook([*ID, *GOOD]), (2, 2), ""),
    "half": (notebook([*ID, *HALF]), (2, 0), ""),
    "no_id": (notebook(['student_id = ""', *GOOD]), (2, 2), "student_id is empty"),
    "id_without_quotes": (notebook(["student_id = 12345", *GOOD]), (2, 2), "between quotes"),
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
                "import threading, time\nfor _ in range(2000):\n"
                "    threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
            ]
        ),
        (0, 0),
        "processes and threads",
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
        notebook([*ID, *GOOD, f"import os, time\n{DOUBLE}    os.fork()\ntime.sleep(60)"]),
        (0, 0),
        "processes and threads",
    ),
    "memory_bomb": (
        notebook([*ID, *GOOD, "import numpy as np\nx = [np.ones(20_000_000) for _ in range(20)]"]),
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
    "remounts_as_root": (
        notebook(
            [
                *ID,
                "import ctypes, os, subprocess, genre_lib\n"
                "libc = ctypes.CDLL(None)\ndone = []\n"
                "for place in (b'/', b'/usr', os.path.dirname(genre_lib.__file__).encode()):\n"
                "    done.append(libc.mount(b'none', place, b'', 32 | 4096, None) == 0)\n"
                "    done.append(libc.umount2(place, 2) == 0)\n"
                "done += [libc.unshare(flag) == 0 for flag in (0x10000000, 0x20000, 0x40000000)]\n"
                "done += [libc.setuid(0) == 0 and os.getuid() == 0]\n"
                "try:\n    open(genre_lib.__file__, 'a').close()\n    done.append(True)\n"
                "except OSError: pass\n"
                "rights = [line for line in open('/proc/self/status') if line.startswith('Cap')]\n"
                "done += [int(line.split()[1], 16) > 0 for line in rights]\n"
                "def double(x):\n    return 2 * x if any(done) else 'held'",
                GOOD[1],
            ]
        ),
        (0, 2),
        "",
    ),
    "memory_without_a_process": (
        notebook(
            [
                *ID,
                "import os\ntaken = 0\nkeep = []\n"
                "try:\n    for i in range(40):\n"
                "        keep.append(os.memfd_create(str(i)))\n"
                "        for _ in range(9):\n"
                "            taken += os.write(keep[-1], bytes(10_000_000))\n"
                "except OSError: pass\n"
                "def double(x):\n    return 2 * x if taken > 1_300_000_000 else 'held'",
            ]
        ),
        (0, 0),
        "of memory",
    ),
    "many_small_files": (
        notebook(
            [
                *ID,
                "made = 0\ntry:\n    for i in range(100_000):\n"
                "        open(f'/tmp/{i}', 'w').close()\n        made += 1\n"
                "except OSError: pass\n"
                "def double(x):\n    return 2 * x if made > 20_000 else 'held'",
                GOOD[1],
            ]
        ),
        (0, 2),
        "",
    ),
    "fork_bomb_that_hides": (
        notebook(
            [
                *ID,
                *GOOD,
                f"import os, time\n{DOUBLE}    try:\n        if os.fork() == 0:\n"
                "            os.setsid()\n            if os.fork(): os._exit(0)\n"
                "    except OSError: pass\ntime.sleep(60)",
            ]
        ),
        (0, 0),
        "processes and threads",
    ),
    "first_to_go": (
        notebook(
            [
                *ID,
                "first = int(open('/proc/self/oom_score_adj').read())\n"
                "try: open('/proc/self/oom_score_adj', 'w').write('-500')\n"
                "except OSError: pass\n"
                "last = int(open('/proc/self/oom_score_adj').read())\n"
                "def double(x):\n    return 2 * x if first == 1000 and last >= 0 else 'no'",
                GOOD[1],
            ]
        ),
        (2, 2),
        "",
    ),
    "reads_the_graders_environment": (
        notebook(
            [
                *ID,
                "import glob\nfound = []\nfor path in glob.glob('/proc/*/environ'):\n"
                "    try: found.append(b'tok-8341' in open(path, 'rb').read())\n"
                "    except OSError: pass\n"
                "def double(x):\n    return 2 * x if any(found) else 'not there'",
                GOOD[1],
            ]
        ),
        (0, 2),
        "",
    ),
    "has_the_room_that_is_promised": (
        notebook(
            [
                *ID,
                "import resource\nroom = resource.getrlimit(resource.RLIMIT_DATA)[0]\n"
                "def double(x):\n    return 2 * x if room > 5_000_000_000 else room",
                GOOD[1],
            ]
        ),
        (2, 2),
        "",
    ),
    "error_without_a_message": (
        notebook(
            [
                *ID,
                *GOOD,
                "class E(Exception):\n    def __str__(self): return self.message\nraise E('x')",
            ]
        ),
        (2, 2),
        "",
    ),
    "errors_that_raise_when_they_are_shown": (
        notebook(
            [
                *ID,
                "class E(BaseException):\n    def __str__(self): raise KeyboardInterrupt\n"
                "raise E()",
                "class M(type):\n    @property\n    def __name__(cls): raise ValueError\n"
                "class E(Exception, metaclass=M): pass\nraise E()",
                *GOOD,
                "def halve(x):\n    raise E()",
            ]
        ),
        (2, 0),
        "",
    ),
    "magics_of_a_notebook": (
        notebook([*ID, f"%matplotlib inline\n{GOOD[0]}", f"%autosave 60\n{GOOD[1]}"]),
        (2, 2),
        "",
    ),
    "endless_errors": (
        notebook(
            [
                *ID,
                *GOOD,
                f"{INSIDE}inside['run_cells'] = lambda *_: [(0, 'x' * 10_000)] * 1_000",
                "1 / 0",
            ]
        ),
        (2, 2),
        "",
    ),
    "errors_that_are_none": (
        notebook(
            [
                *ID,
                *GOOD,
                f"{INSIDE}import numpy as np\n"
                "inside['run_cells'] = lambda *_: [(np.ones(3), 'x'), (True, 'x'), ('a', 1, 2)]",
                "1 / 0",
            ]
        ),
        (2, 2),
        "",
    ),
    "names_as_arrays": (
        notebook(
            [
                *ID,
                *GOOD,
                f"{INSIDE}import numpy as np\n"
                "inside['encode'] = lambda *_: old(('fine', [np.ones(3)]), None)",
            ]
        ),
        (0, 0),
        "nothing that the parts ask for",
    ),
    "names_that_are_none": (
        notebook(
            [
                *ID,
                *GOOD,
                f"{INSIDE}inside['encode'] = lambda *_: old(('fine', [[[]], {{}}, 7]), None)",
            ]
        ),
        (0, 0),
        "nothing that the parts ask for",
    ),
    "two_answers_at_once": (
        notebook(
            [
                *ID,
                *GOOD,
                f"{INSIDE}inside['encode'] = lambda *a: 2 * old(('fine', 4), a[1])",
            ]
        ),
        (0, 0),
        "nothing that the parts ask for",
    ),
    "many_arrays": (
        notebook(
            [
                *ID,
                GOOD[0],
                f"{INSIDE}import json\ndef halve(x):\n"
                "    text = json.dumps({'arrays': [['<f8', [0]]] * 400_000, 'value': 1}).encode()\n"
                "    inside['encode'] = lambda *_: HEAD.pack(len(text), 0) + text\n",
            ]
        ),
        (2, 0),
        "gave an answer that can't be read",
    ),
    "tells_a_hidden_input_by_a_length": (
        notebook(
            [
                *ID,
                GOOD[0],
                f"{INSIDE}def halve(x):\n"
                "    inside['encode'] = lambda *_: HEAD.pack(0, 10**12 + int(1000 * x))\n",
            ]
        ),
        (2, 0),
        "gave an answer that is too long",
    ),
    "tells_a_hidden_input_by_an_error": (
        notebook(
            [
                *ID,
                "def double(x):\n    raise ValueError(f'the hidden input is {x}')\n"
                "def halve(x):\n    raise type(f'Input{x}', (Exception,), {})()",
            ]
        ),
        (0, 0),
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


@pytest.fixture(scope="module")
def assignment(tmp_path_factory):
    return make_assignment(tmp_path_factory.mktemp("instructor") / "01_tiny")


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory):
    folder = tmp_path_factory.mktemp("submissions")
    for name, (content, *_) in CASES.items():
        (folder / f"{name}.ipynb").write_bytes(content)
    return folder


@pytest.fixture(scope="module")
def graded(handed_in, assignment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    endless = [], []
    for one in read_submissions(handed_in):
        endless[one.student.startswith("endless")].append(one)
    short = dataclasses.replace(LIMITS, seconds=20)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SECRET_TOKEN", "tok-8341")
        grades = grade_here(endless[0], assignment, folder)
    grades += grade_here(endless[1], assignment, folder, short)
    return {one.student: one for one in grades}


@needs_sandbox
@pytest.mark.parametrize("name", CASES)
def test_submission_gets_what_it_earned_and_a_reason(name, graded):
    _, earned, reason = CASES[name]
    one = graded[name]
    assert (one.points["q1"], one.points["q2"]) == earned, (one.reason, one.hints)
    assert reason in one.reason and bool(reason) == bool(one.reason), one.reason


@needs_sandbox
@pytest.mark.parametrize("name", CASES)
def test_nothing_that_depends_on_a_hidden_input_is_said(name, graded):
    said = f"{graded[name].reason} {graded[name].hints}"
    assert not re.search("hidden input|Input|5.5|10000", said)


@needs_sandbox
def test_nothing_is_left_of_them(graded):
    mine = f"{walls.IMAGE}-{os.getpid()}-"
    assert not list(Path(tempfile.gettempdir()).glob(f"{mine}*"))
    place = groups.find_groups()
    if place:
        with new_group(Limits()) as group:
            beside = {f.parent for f in group.folders.values()}
            others = [f for one in beside for f in one.glob(f"{mine}*")]
            assert {f.name for f in others} <= {group.name}


@needs_sandbox
def test_no_examiner_outlives_its_thread(assignment, tmp_path):
    one = Submission("half", "", False, "half", CASES["half"][0])
    before = _examiners()
    grade_here([one], assignment, tmp_path)
    until = time.monotonic() + 30
    while _examiners() - before and time.monotonic() < until:
        time.sleep(0.1)
    assert not _examiners() - before


def _examiners() -> set[int]:
    """The processes that examine for this one."""
    found = set()
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.Error):
            if "course_tools.grading.examiner" in process.cmdline():
                found.add(process.pid)
    return found


@needs_sandbox
def test_what_a_killed_grader_left_is_removed():
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = [Path(tempfile.gettempdir(), f"{walls.IMAGE}-{gone.pid}-x")]
    with new_place(Limits()) as place:
        folders = set(place.group.folders.values()) if place.group else set()
        left += [folder.with_name(f"{groups.NAME}-{gone.pid}-0") for folder in folders]
        for folder in left:
            folder.mkdir()
        walls.remove_left_over()
        assert not [folder for folder in left if folder.exists()]
        assert Path(place.folder).exists() and all(folder.exists() for folder in folders)


BOMBS = {
    "processes": (
        f"import os, time\n{DOUBLE}    try: os.fork()\n    except OSError: pass\ntime.sleep(60)"
    ),
    "threads": (
        "import threading, time\nfor _ in range(2000):\n    try:\n"
        "        threading.Thread(target=time.sleep, args=(99,), daemon=True).start()\n"
        "    except RuntimeError: pass\ntime.sleep(60)"
    ),
}


@needs_sandbox
@pytest.mark.parametrize("bomb", BOMBS)
@pytest.mark.parametrize("grouped", [True, False])
def test_the_kernel_holds_a_bomb_that_nobody_watches(bomb, grouped, monkeypatch):
    """No watch runs here: what holds is held by the kernel, however busy the machine is."""
    if not issubclass(find_wall(), Bubblewrap):
        pytest.skip("bubblewrap is not here")
    if not grouped:
        monkeypatch.setattr(groups, "find_groups", lambda: None)
    elif groups.find_groups() is None:
        pytest.skip("no control groups can be had here")
    limits = Limits(seconds=60, tasks=40)
    with new_place(limits) as place:
        group, wall = place.group, Bubblewrap(limits, place)
        process = subprocess.Popen(wall.wrapped([sys.executable, "-c", BOMBS[bomb]]))
        most = 0
        for _ in range(40):
            time.sleep(0.05)
            most = max(most, _tasks(process.pid))
        assert group is None or group.exceeded(limits) == limits.too_many
        wall.end(process)
        process.wait()
    assert 20 < most <= limits.tasks + 2 * walls.OWN_TASKS  # those of bubblewrap count here, too
    assert _tasks(process.pid) == 0


def _tasks(pid: int) -> int:
    count = 0
    try:
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            try:
                count += one.num_threads()
            except psutil.Error:
                continue
    except psutil.Error:
        return 0
    return count


@needs_sandbox
def test_the_kernel_ends_what_nobody_watches():
    if not issubclass(find_wall(), Bubblewrap):
        pytest.skip("bubblewrap is not here")
    limits = Limits(seconds=2 - walls.SLACK)
    with new_place(limits) as place:
        command = Bubblewrap(limits, place).wrapped([sys.executable, "-c", "while True: pass"])
        assert subprocess.Popen(command).wait(60) != 0


@needs_sandbox
def test_without_control_groups_limits_hold_too(assignment, tmp_path, monkeypatch):
    """What is left then: limits of each process, small folders, and the watch."""
    monkeypatch.setattr("course_tools.grading.groups.find_groups", lambda: None)
    names = ("good", "fork_bomb", "memory_bomb", "memory_without_a_process", "many_small_files")
    submissions = [Submission(name, "", False, name, CASES[name][0]) for name in names]
    for one in grade_here(submissions, assignment, tmp_path):
        _, earned, reason = CASES[one.student]
        assert (one.points["q1"], one.points["q2"]) == earned, (one.student, one.reason)
        either = reason in one.reason or (one.student == "fork_bomb" and "memory" in one.reason)
        assert either and bool(reason) == bool(one.reason), one.reason


READER = TESTS.replace("== [6, 11, -2]", "== 1 or len(set(double(0)))").replace(
    "double(2) == 4", "1"
)
COLLIDING = "def double(x):\n    return [i * (2**61 - 1) for i in range(75_000)]"


@needs_sandbox
def test_an_answer_that_takes_long_to_read_holds_nobody_up(tmp_path, monkeypatch):
    monkeypatch.setattr("course_tools.grading.examiner.GRACE", 2)
    assignment = make_assignment(tmp_path / "01_tiny", q2=READER.replace("q1", "q2"))
    hostile = notebook([*ID, COLLIDING])
    many = [Submission(f"hostile{i}", "", False, f"h{i}", hostile) for i in range(2)]
    honest = Submission("honest", "", False, "honest", notebook([*ID, *GOOD]))
    short = dataclasses.replace(LIMITS, seconds=25)
    start = time.monotonic()
    *grades, good = grade_here([*many, honest], assignment, tmp_path / "cache", short)
    assert good.points["q1"] == 2 and not good.reason
    for one in grades:
        assert one.points == {"q1": 0, "q2": 0} and "too long to read" in one.reason
    assert time.monotonic() - start < 60
    assert Examiner.here()._process.poll() is None  # a new one


@needs_sandbox
def test_sets_that_collide_are_sent_as_lists(assignment, tmp_path):
    cell = COLLIDING.replace("[i", "{i").replace("75_000)]", "20_000)}")
    one = Submission("set", "", False, "set", notebook([*ID, cell, GOOD[1]]))
    (made,) = grade_here([one], assignment, tmp_path)
    assert made.points == {"q1": 0, "q2": 2} and not made.reason


@needs_sandbox
def test_a_missing_name_has_one_hint_the_right_one(assignment, tmp_path):
    cells = [*ID, "def double(x):\n    return (2 * x", "halve = 1 / 0"]
    one = Submission("ada", "", False, "ada", notebook(cells))
    (made,) = grade_here([one], assignment, tmp_path)
    (double,), (halve,) = made.hints["q1"], made.hints["q2"]
    assert double.startswith("Cell 3, which should make double, raised SyntaxError")
    assert "never closed" in double and "(line 2)" in double
    assert halve == (
        "Cell 4, which should make halve, raised ZeroDivisionError: division by zero (line 1)."
    )
    assert made.errors[1].startswith("Cell 4 raised ZeroDivisionError")


@needs_sandbox
def test_what_an_example_does_wrong_is_said(assignment, graded, tmp_path):
    cells = [*ID, "def double(x):\n    raise ValueError", "def halve(x):\n    return 10**5000"]
    one = Submission("ada", "", False, "ada", notebook(cells))
    (made,) = grade_here([one], assignment, tmp_path)
    assert "your code raises an error" in made.hints["q1"][0]
    assert "returns something that is not plain data" in made.hints["q2"][0]
    assert len(str(graded["endless_errors"].errors)) < 1000


# What a machine says, and what must be said of it.
FORBIDDEN = {
    "Ubuntu": (
        {"kernel/apparmor_restrict_unprivileged_userns": "1"},
        "bwrap: setting up uid map: Permission denied",
        ["bubblewrap is installed", "AppArmor", "24.04", "sudo sysctl kernel.apparmor"],
    ),
    "none at all": (
        {"user/max_user_namespaces": "0"},
        "bwrap: Creating new namespace failed: No space left on device",
        ["user namespaces are forbidden", "sudo sysctl user.max_user_namespaces=10000"],
    ),
    "older Debian": (
        {"kernel/unprivileged_userns_clone": "0"},
        "bwrap: No permissions to creating new namespace",
        ["sudo sysctl kernel.unprivileged_userns_clone=1"],
    ),
    "a container": (
        {},
        "bwrap: No permissions to create new namespace, likely because the kernel does not allow",
        ["may not make namespaces here", "containers"],
    ),
    "something else": ({}, "bwrap: Can't find /lost", ["does not work here", "Can't find /lost"]),
}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_without_user_namespaces_the_cause_is_named(name, monkeypatch, tmp_path):
    settings, said, sentences = FORBIDDEN[name]
    fake = tmp_path / "bwrap"
    fake.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo bubblewrap 0.9.0 && exit\n'
        f'echo "{said}" >&2\nexit 1\n'
    )
    fake.chmod(0o755)
    tmp_path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(walls, "_setting", lambda key: settings.get(key, ""))
    # Where no mount can be made either, the launcher fails before bubblewrap does.
    monkeypatch.setattr(walls.Bubblewrap, "launched", lambda self, command, **plan: command)
    with pytest.raises(NoSandbox) as error:
        find_wall()
    for sentence in sentences:
        assert sentence in str(error.value)
    assert "apt install bubblewrap" not in str(error.value)


def test_an_old_bubblewrap_is_named(monkeypatch, tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho bubblewrap 0.6.1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoSandbox, match=r"0\.6\.1 is too old: version 0\.8 or newer"):
        find_wall()


def test_groups_of_version_2_have_their_limits(monkeypatch, tmp_path):
    """On a tree of files, for there may be no such groups where this runs."""
    (tmp_path / "cgroup.subtree_control").write_text("cpu memory pids\n")
    monkeypatch.setattr(groups, "_own_folders", lambda: {"": tmp_path})
    limits = Limits(memory=1000, tasks=7)
    group = groups._version_2(limits)
    folder = tmp_path / group.name
    assert (folder / "pids.max").read_text() == "7"
    assert (folder / "memory.max").read_text() == "1000"
    assert (folder / "memory.swap.max").read_text() == "0"
    assert group.joined == [f"{folder}/cgroup.procs"]
    assert group.exceeded(limits) == ""
    (folder / "memory.events").write_text("low 0\nmax 9\noom 1\noom_kill 1\n")
    assert group.exceeded(limits) == limits.too_much
    (folder / "pids.events").write_text("max 3\n")
    assert group.exceeded(limits) == limits.too_many


def test_systemd_makes_a_scope_with_the_limits(monkeypatch, tmp_path):
    """With a stand-in for systemd-run."""
    fake = tmp_path / "systemd-run"
    fake.write_text('#!/bin/sh\nwhile [ "$1" != -- ]; do shift; done\nshift\nexec "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(groups, "WAYS", {"systemd": groups._systemd})
    groups.find_groups.cache_clear()
    try:
        assert groups.find_groups() == "systemd"
    finally:
        groups.find_groups.cache_clear()
    group: Group = groups._systemd(Limits(memory=1000, tasks=7))
    assert {"TasksMax=7", "MemoryMax=1000", "MemorySwapMax=0"} <= set(group.prefix)
    assert group.joined == []


DOCKER = """import os, subprocess, sys
given = sys.argv[1:]
if given[0] == "run":
    for must in (
        "--network none", "--read-only", "--cap-drop ALL", "--user 65534:65534", "--pids-limit 100",
        "--memory 1200000000 --memory-swap 1200000000", "nr_inodes=10000", "--ulimit cpu=315",
    ):
        assert must in " ".join(given), must
    worker = given[given.index("deep-music-grader") + 1 :]
    assert worker[:2] == ["timeout", "--signal=KILL"] and worker[3] == "python"
    os.execv(sys.executable, [sys.executable, *worker[4:]])
"""


def test_where_there_is_docker_alone_it_is_asked(assignment, tmp_path, monkeypatch):
    script, fake = tmp_path / "docker.py", tmp_path / "docker"
    script.write_text(DOCKER)
    # No `#!` for Python itself: its folder may have a space in its name.
    fake.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{script}" "$@"\n')
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_wall() is Docker
    one = Submission("half", "", False, "half", CASES["half"][0])
    (made,) = grade_here([one], assignment, tmp_path / "cache")
    assert (made.points, made.reason) == ({"q1": 2, "q2": 0}, "")
