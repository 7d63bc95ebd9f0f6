"""Three questions for each student about their own code, for a short conversation.

``python -m course_tools.grading.conversation SUBMISSIONS --assignment 02 --out questions/`` writes
a page for each student, with questions and code, and instructor.html, which has the answers, too.
Hand out or show the students' pages; keep the other one. `course_tools.grading.questions` makes the
questions from the code itself and from what it did in a sandbox.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from course_tools.grading import results
from course_tools.grading.assignment import Assignment, find_assignment
from course_tools.grading.examiner import Examiner, Task
from course_tools.grading.fingerprints import Handout
from course_tools.grading.limits import Limits
from course_tools.grading.page import code, count, page
from course_tools.grading.questions import Question, questions_about
from course_tools.grading.similarity import read_handout
from course_tools.grading.submissions import (
    Submission,
    page_name,
    read_cells,
    read_submissions,
)
from course_tools.grading.walls import NoSandbox, find_wall, new_place

RunObserved = Callable[[list[str], list[str]], list[dict]]
"""Runs cells, then calls, in a sandbox; answers what `course_tools.grading.observe` saw."""
NOTHING = "This notebook holds no code of your own, so there is nothing to ask about."
STYLE = """\
.answer{border-left:3px solid var(--bar);padding-left:.8rem}
nav ul{columns:12rem;padding-left:1.2rem}
@media print{.student{break-before:page}}
"""


@dataclass(frozen=True)
class Conversation:
    """What one student is asked."""

    student: str
    questions: list[Question]
    remark: str = ""
    """Why there are no questions, or fewer than three."""


def prepare(
    submission: Submission,
    assignment: str,
    handout: Handout,
    calls: list[str],
    run_observed: RunObserved | None = None,
) -> Conversation:
    """The questions for one student; what is wrong with the notebook is said in the remark."""
    try:
        cells = read_cells(submission, assignment)
    except ValueError as error:
        return Conversation(submission.student, [], f"There are no questions: {error}.")
    seed = f"{assignment} {submission.student} {submission.lms_id}"
    try:
        seen = run_observed(cells, calls) if run_observed else []
        questions = questions_about(cells, seen, seed, handout)
    except Exception:  # a notebook that can't be run, or lies about what it did
        questions = questions_about(cells, [], seed, handout)
    return Conversation(submission.student, questions)


def sandboxed(assignment: Assignment, limits: Limits, unsafe: bool) -> RunObserved:
    """What runs a notebook in a sandbox and answers what its functions did.

    Raises:
        NoSandbox: there is none on this machine, and `unsafe` was not asked for.
    """
    wall = find_wall(unsafe)

    def run_observed(cells: list[str], calls: list[str]) -> list[dict]:
        seen: list[dict] = []
        with new_place(limits) as place:
            numbers = list(range(1, len(cells) + 1))
            task = Task(assignment, cells, numbers, "", limits, wall, place, calls)
            for found in Examiner.here().findings(task):
                seen = found.get("seen", seen)
        return seen

    return run_observed


def example_calls(tests: Path) -> list[str]:
    """The code of the public tests, which students know, without what they assert."""
    calls = []
    for path in sorted(tests.glob("*.py")):
        for node in ast.parse(path.read_text("utf8")).body:
            if isinstance(node, ast.FunctionDef) and _is_public(node):
                asked = node.args.args[0].arg if node.args.args else ""
                lines = [line for statement in node.body if (line := _run(statement, asked))]
                calls.append("\n".join(lines))
    return [call for call in calls if call]


def _is_public(test: ast.FunctionDef) -> bool:
    settings = {
        keyword.arg: getattr(keyword.value, "value", None)
        for decorator in test.decorator_list
        if isinstance(decorator, ast.Call)
        for keyword in decorator.keywords
    }
    return settings.get("hidden") is False


def _run(statement: ast.stmt, asked: str) -> str:
    """A statement of a test as code to run; of ``assert f(x) == y``, where f is asked, ``f(x)``."""
    if not isinstance(statement, ast.Assert):
        return ast.unparse(statement)
    test = statement.test
    sides = [test.left, *test.comparators] if isinstance(test, ast.Compare) else [test]
    for side in sides:
        calls = [node.func for node in ast.walk(side) if isinstance(node, ast.Call)]
        if any(getattr(function, "id", "") == asked for function in calls):
            return ast.unparse(side)
    return ""


def student_page(title: str, made: Conversation) -> str:
    """A student's own page: questions and code, no answers."""
    return page(f"{title}: {made.student}", [_asked(made, answers=False, heading=2)], STYLE)


def instructor_page(title: str, made: Sequence[Conversation]) -> str:
    """All students' questions, with the answers."""
    links = [f'<li><a href="#s{i}">{escape(one.student)}</a></li>' for i, one in enumerate(made)]
    sections = [
        f'<section class="student" id="s{i}"><h2>{escape(one.student)}</h2>'
        f"{_asked(one, answers=True, heading=3)}</section>"
        for i, one in enumerate(made)
    ]
    said = (
        "<p>Each question is about code that this student handed in. The answers say what the code "
        "shows; a student may well say more. Someone who wrote the code, or has understood it, "
        "answers with the page in hand and without hurry.</p>"
    )
    nav = f'<nav aria-label="Students"><ul>{"".join(links)}</ul></nav>'
    return page(f"{title}: questions and answers", [said, nav, *sections], STYLE)


def _asked(made: Conversation, answers: bool, heading: int) -> str:
    if not made.questions:
        return f"<p>{escape(made.remark or NOTHING)}</p>"
    parts = []
    for number, one in enumerate(made.questions, 1):
        place = f"<code>{escape(one.where)}</code>"
        parts.append(
            f"<h{heading}>Question {number}: {place}</h{heading}><p>{marked(one.text)}</p>"
        )
        if one.example:
            parts.append(f'<p class="soft small">The example:</p>{_plain(one.example)}')
            parts.append('<p class="soft small">The code:</p>')
        parts.append(code(one.code))
        if answers:
            parts.append(f'<p class="answer"><strong>Answer.</strong> {marked(one.answer)}</p>')
    return "".join(parts)


def _plain(source: str) -> str:
    return f'<pre tabindex="0"><code>{escape(source)}</code></pre>'


def marked(text: str) -> str:
    """A sentence with `code` as HTML."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


def main(arguments: list[str] | None = None, run_observed: RunObserved | None = None) -> int:
    """Command line; the exit code is 0 when every submission has a page."""
    parser = argparse.ArgumentParser(
        prog="python -m course_tools.grading.conversation",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submissions", type=Path)
    parser.add_argument("--assignment", required=True, metavar="NN")
    parser.add_argument("--out", required=True, type=Path, metavar="questions/")
    parser.add_argument("--seconds", type=float, default=240, help="for one notebook")
    parser.add_argument(
        "--unsafe", action="store_true", help="without a sandbox: strangers' code may do anything"
    )
    options = parser.parse_args(arguments)
    try:
        if options.out.exists() and not options.out.is_dir():
            raise ValueError(f"--out {options.out} is a file: give a folder.")
        assignment = find_assignment(options.assignment)
        handout = Handout([*read_handout(assignment.name), *assignment.given])
        calls = example_calls(assignment.folder / "tests")
        submissions = read_submissions(options.submissions, assignment.name)
        if run_observed is None:
            run_observed = sandboxed(assignment, Limits(seconds=options.seconds), options.unsafe)
    except (ValueError, NoSandbox) as error:
        print(error, file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    made: list[Conversation] = []
    taken = {"instructor"}
    for one in submissions:
        made.append(prepare(one, assignment.name, handout, calls, run_observed))
        name = page_name(one.student, one.lms_id, taken)
        results.write(options.out / f"{name}.html", student_page(assignment.name, made[-1]))
    results.write(options.out / "instructor.html", instructor_page(assignment.name, made))
    without = sum(not one.questions for one in made)
    said = f", {without} of them without questions" if without else ""
    print(f"{count(len(made), 'student')}{said}: {options.out / 'instructor.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
