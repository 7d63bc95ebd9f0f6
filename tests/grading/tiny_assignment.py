"""An assignment of three parts and notebooks for it, which tests of the grader share."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest

from course_tools.grading.assignment import Assignment
from course_tools.grading.grader import grade_all
from course_tools.grading.limits import Limits
from course_tools.grading.walls import NoSandbox, find_wall

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
HALF = GOOD[:1]
ID = ['student_id = "ada"', "base = 1"]
# Long enough for an honest notebook on a machine that is busy with other things.
LIMITS = Limits(seconds=300, memory=1_200_000_000, output=300_000)


def make_assignment(folder: Path, **tests: str) -> Assignment:
    """Build it in `folder`; `tests` replaces the tests of a part."""
    (folder / "tests").mkdir(parents=True)
    for name, text in {"q1": TESTS, "q2": SECOND, **tests}.items():
        (folder / f"tests/{name}.py").write_text(text)
    part = {"title": "Twice", "points": 2, "manual": False}
    why = part | {"title": "Why", "manual": True, "answer": "answer-q3"}
    parts = {"q1": part, "q2": part | {"title": "Half"}, "q3": why}
    points = {"assignment": folder.name, "parts": parts, "given": ID}
    (folder / "points.json").write_text(json.dumps(points))
    (folder / "rubric.md").write_text("# 01_tiny\n\n## Why\n\n2 points\n\nOne for each reason.\n")
    return Assignment(folder)


def notebook(cells: list[str], answer: str = "", **metadata: object) -> bytes:
    """A notebook of code cells, with an answer to the open question."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    if answer:
        made.cells.append(nbformat.v4.new_markdown_cell(answer, id="answer-q3"))
    made.metadata.update(metadata)
    return nbformat.writes(made).encode()


def grade_here(submissions, assignment, folder, limits=LIMITS, **more):
    """Grade with two threads of this process."""
    with ThreadPoolExecutor(2) as pool:
        return grade_all(submissions, assignment, folder, limits, pool, **more)
