"""Run an assignment's tests on one notebook, in a process of its own that can be ended.

What a student's functions answer may take long to read or to compare without breaking any limit of
the sandbox. It must not hold up the grader, or anybody else's notebook, so a process of our own
reads it and runs the tests. It reports each finding on a line, and what it has reported counts even
when it has to be ended.

`Examiner` is the grader's side of it. The process is kept for the next notebook, because it takes
seconds to start: ``python -m course_tools.grading.examiner``.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import re
import resource
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from course_tools.grading.assignment import Assignment
from course_tools.grading.limits import Limits
from course_tools.grading.sandbox import Ended, Names, Raised, Sandbox, Unsendable
from course_tools.grading.walls import Place, Unsandboxed

MOST_SAID = 600  # characters of a cell's error
GRACE = 20
"""Seconds to read answers and compare them, beyond the time that a notebook has."""
MOST_MEMORY = 4 * 2**30  # bytes of data that this process may hold
TOO_SLOW = "gave answers that take too long to read"
UNREADABLE = "gave an answer that can't be read"
NO_STUDENT_ID = "student_id is empty: type yours into the first cell; your songs come from it"
NO_TEXT = "student_id is not text: put it between quotes"
RAISED = "In this example your code raises an error; the check in the notebook shows it."
NO_DATA = "In this example your code returns something that is not plain data."
NOTHING_FOUND = "nothing that the parts ask for is in the notebook"
Say = Callable[..., None]


@dataclass
class Task:
    """A notebook to be examined."""

    assignment: Assignment
    code: list[str]
    numbers: list[int]
    """For each code cell its number in the notebook."""
    stand_in: str
    """What seeds hidden inputs where no student id was typed."""
    limits: Limits
    wall: type[Unsandboxed]
    place: Place
    calls: list[str] | None = None
    """Code to run in place of the tests, for what its functions do to be observed."""
    errors: dict[int, str] = field(default_factory=dict)
    """By cell: what it raised; filled when the cells have run."""


def examine(task: Task, say: Say) -> None:
    """Run the notebook's cells and the assignment's tests; `say` each finding."""
    try:
        with Sandbox(task.limits, task.wall, task.place) as sandbox:
            run = _run if task.calls is None else _observe
            run(task, sandbox, say)
            # A student's process that is gone earns what it had earned, and not a point more.
            if sandbox.reason:
                say(reason=f"the notebook {sandbox.reason}")
    except Ended as error:
        say(reason=f"the notebook {error}")
    except Raised:  # the worker itself, which a notebook can change
        say(reason=f"the notebook {UNREADABLE}")


def _run(task: Task, sandbox: Sandbox, say: Say) -> None:
    from course_tools.handouts.run_tests import arguments_of, run_test

    tests = [(part, test) for part, some in task.assignment.tests.items() for test in some]
    asked = {name for _, test in tests for name in arguments_of(test)}
    for at, error in _failed_cells(sandbox.ask("run", task.code), len(task.code)):
        task.errors[at] = error
        say(cell=task.numbers[at], error=error)
    sandbox.ask("run", task.assignment.given)
    names = Names(sandbox, sorted(asked | {"student_id"}))
    if not asked & set(names) - {"student_id"}:
        say(reason=NOTHING_FOUND)
    _see_to_student_id(task, names, say)
    for part, test in tests:
        missing = [name for name in arguments_of(test) if name not in names]
        if missing:
            say(part=part, points=0.0, hint=_why_missing(missing[0], task))
            continue
        result = run_test(test, part, names)
        if isinstance(result.error, Ended):
            return  # the reason says why; what is left earns nothing
        hint = "" if result.passed else result.hint
        if isinstance(result.error, Unsendable) and not test.hidden:
            hint = f"{hint} {NO_DATA}".strip()
        elif isinstance(result.error, Raised) and not test.hidden:
            # Not the error itself: its text may hold the input of an earlier hidden test.
            hint = f"{hint} {RAISED}".strip()
        say(part=part, points=result.points, hint=hint)


def _observe(task: Task, sandbox: Sandbox, say: Say) -> None:
    """Say what the notebook's functions did; `questions.py` asks about it."""
    try:
        say(seen=sandbox.ask("observe", task.code, task.calls))
    except (Raised, TypeError, ValueError):
        say(reason=f"the notebook {UNREADABLE}")


def _failed_cells(answer: Any, count: int) -> Iterator[tuple[int, str]]:
    """What the worker said of cells that raised, as far as it can be believed."""
    seen: set[int] = set()
    for one in answer if isinstance(answer, list) else []:
        if isinstance(one, tuple) and list(map(type, one)) == [int, str]:
            at, error = one
            if 0 <= at < count and at not in seen:
                seen.add(at)
                yield at, error[:MOST_SAID]


def _see_to_student_id(task: Task, names: Names, say: Say) -> None:
    """Note whose songs they are; without an id, hidden inputs are drawn from another name."""
    try:
        typed = names["student_id"]
    except (Raised, KeyError):
        typed = ""
    if isinstance(typed, str) and typed.strip():
        say(student_id=typed.strip().lower()[:100])
        names.know("student_id", typed)  # for all tests the same
        return
    say(reason=NO_STUDENT_ID if isinstance(typed, str) else NO_TEXT)
    names.know("student_id", task.stand_in)


def _why_missing(name: str, task: Task) -> str:
    """Why a name is not there: the cell that should make it raised, or there is none."""
    makes = re.compile(rf"^\s*(def|class)\s+{name}\b|^\s*{name}\s*(,|=|:)", re.MULTILINE)
    for at, error in task.errors.items():
        if makes.search(task.code[at]):
            return f"Cell {task.numbers[at]}, which should make {name}, raised {error}."
    return f"There is no {name} in the notebook."


class Examiner:
    """A process that examines notebooks, one after another; one for each thread that grades."""

    _own = threading.local()

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "course_tools.grading.examiner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    @classmethod
    def here(cls) -> Examiner:
        """This thread's examiner, a new one where the last had to be ended."""
        own = getattr(cls._own, "examiner", None)
        if own is None or own._process.poll() is not None:
            own = cls._own.examiner = cls()
        return own

    def __del__(self) -> None:
        """Let the process end when its thread has: a pool's threads come and go."""
        for stream in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                stream.close()

    def findings(self, task: Task) -> Iterator[dict]:
        """What is said about a notebook; the last is the reason why the process had to be ended."""
        reason = UNREADABLE

        def end() -> None:
            nonlocal reason
            reason = TOO_SLOW
            self._process.kill()

        late = threading.Timer(task.limits.seconds + GRACE, end)
        late.start()
        done = False
        try:
            self._process.stdin.write(pickle.dumps(task))
            self._process.stdin.flush()
            for line in self._process.stdout:
                found = json.loads(line)
                if done := "done" in found:
                    break
                yield found
        except (OSError, ValueError):
            pass  # it is gone, in the middle of a line perhaps
        finally:
            late.cancel()
            if not done:
                self._process.kill()
                self._process.wait()
        if not done:
            yield {"reason": f"the notebook {reason}"}


def main() -> None:
    """Examine what comes through standard input, until it ends."""
    _, hardest = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (MOST_MEMORY, hardest))
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w", encoding="utf8")
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)

    def say(**found: Any) -> None:
        print(json.dumps(found), file=answers, flush=True)

    with contextlib.suppress(EOFError):
        while True:
            task = pickle.load(requests)  # from the grader itself
            examine(task, say)
            say(done=True)


if __name__ == "__main__":
    main()
