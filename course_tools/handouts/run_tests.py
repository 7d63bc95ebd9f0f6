"""Run an assignment's tests: otter's exception-based files, each test by the names it asks for."""

from __future__ import annotations

import contextlib
import inspect
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from otter.test_files import test_case

from course_tools.notebooks.chapters import code_cells


@dataclass(frozen=True)
class Result:
    """What one test found."""

    name: str
    part: str
    points: float
    """Earned: all of the test's points, or none."""
    passed: bool
    hint: str
    """The test's failure message where it failed, else nothing."""
    error: Exception | None = None
    """What it raised where it failed."""


def load_tests(folder: Path) -> dict[str, list[test_case]]:
    """Tests by part, from ``q1.py`` … in `folder`, in order."""
    parts = {}
    for path in sorted(folder.glob("q*.py"), key=lambda path: int(path.stem[1:])):
        scope: dict[str, Any] = {}
        exec(compile(path.read_text("utf8"), path.name, "exec"), scope)  # our own file
        parts[path.stem] = [one for one in scope.values() if isinstance(one, test_case)]
    return parts


def arguments_of(test: test_case) -> list[str]:
    """The names that a test asks for."""
    return list(inspect.signature(test.test_func).parameters)


def run_test(test: test_case, part: str, names: Mapping[str, Any]) -> Result:
    """Run one test with those of `names` that it asks for; whatever it raises is a failure."""
    function = test.test_func
    asked = arguments_of(test)
    missing = [name for name in asked if name not in names]
    hint = test.failure_message or ""
    if missing:
        return Result(
            function.__name__, part, 0.0, False, f"There is no {missing[0]} in the notebook."
        )
    try:
        function(**{name: names[name] for name in asked})
    except Exception as error:
        return Result(function.__name__, part, 0.0, False, hint, error)
    return Result(function.__name__, part, float(test.points or 0), True, "")


def run_tests(tests: Mapping[str, list[test_case]], names: Mapping[str, Any]) -> list[Result]:
    """Run every test, in order."""
    return [run_test(test, part, names) for part, some in tests.items() for test in some]


def names_of(notebook: NotebookNode, student_id: str = "") -> dict[str, Any]:
    """Run a built notebook's cells in this process, but its checks; return the names they leave.

    As in a notebook, a cell that raises does not stop the next one.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in code_cells(notebook):
        if cell.id == "setup" or cell.source.startswith("grader."):
            continue
        source = cell.source.replace('student_id = ""', f"student_id = {student_id!r}", 1)
        with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, "<cell>", "exec"), names)
    return names
