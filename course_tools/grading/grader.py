"""Grade one notebook, and all of a class."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, as_completed
from functools import cache
from pathlib import Path

from tqdm import tqdm

from course_tools.grading.assignment import Assignment
from course_tools.grading.examiner import Examiner, Task
from course_tools.grading.limits import Limits
from course_tools.grading.results import Grade, recall, store
from course_tools.grading.submissions import Submission, read_notebook
from course_tools.grading.walls import NoSandbox, find_wall, new_place
from course_tools.notebooks.chapters import ROOT

LONGEST_ANSWER = 20_000  # characters
CODE = ("genre_lib", "course_tools/grading")
"""What a grade depends on beside the notebook, the assignment and the limits."""


def grade(submission: Submission, assignment: Assignment, limits: Limits, unsafe: bool) -> Grade:
    """Grade one submission; whatever is wrong with it is said in its reason.

    Raises:
        NoSandbox: there is none on this machine, and `unsafe` was not asked for.
    """
    wall = find_wall(unsafe)
    made = _nothing_yet(submission, assignment)
    start = time.monotonic()
    try:
        notebook = read_notebook(submission, assignment.name)
    except ValueError as error:
        made.reason = str(error)
        return made
    for name in assignment.manual:
        cell = assignment.parts[name].get("answer", "")
        answer = notebook.markdown.get(cell, "")
        if len(answer) > LONGEST_ANSWER:
            remark = f"the answer to {name} was cut off after {LONGEST_ANSWER:,} characters"
            made.remarks.append(remark)
        made.answers[name] = answer[:LONGEST_ANSWER]
    stand_in = submission.lms_id or submission.student
    with new_place(limits) as place:
        task = Task(assignment, notebook.code, notebook.numbers, stand_in, limits, wall, place)
        for found in Examiner.here().findings(task):
            _take_down(made, found, limits)
    made.seconds = round(time.monotonic() - start, 1)
    return made


def _nothing_yet(submission: Submission, assignment: Assignment) -> Grade:
    made = Grade(submission.student, submission.lms_id, submission.late)
    made.file, made.handed_in = submission.file, submission.handed_in
    made.remarks = [submission.remark] * bool(submission.remark)
    made.points = dict.fromkeys(assignment.automatic, 0.0)
    return made


def _take_down(made: Grade, found: dict, limits: Limits) -> None:
    """Add what an examiner found."""
    if reason := found.get("reason"):
        made.note(reason)
        made.finished = made.finished and limits.too_long not in reason
    made.student_id = found.get("student_id", made.student_id)
    if "cell" in found:
        made.errors.append(f"Cell {found['cell']} raised {found['error']}.")
    if part := found.get("part"):
        made.points[part] = made.points.get(part, 0.0) + found["points"]
        if found["hint"]:
            made.hint(part, found["hint"])


def grade_all(
    submissions: list[Submission],
    assignment: Assignment,
    folder: Path,
    limits: Limits,
    pool: Executor,
    unsafe: bool = False,
    again: Callable[[Submission, Grade], bool] = lambda *_: False,
    tell: Callable[[list[Grade]], None] = lambda _: None,
) -> list[Grade]:
    """Grade all, each once: what `folder` holds from before is not done again.

    Args:
        submissions: what to grade.
        assignment: what it is graded by.
        folder: where grades are kept between runs.
        limits: what each notebook may take.
        pool: what grades several at a time.
        unsafe: grade without a sandbox.
        again: whether a grade that was kept should be made again.
        tell: is called with the grades so far, whenever there is a new one.

    Raises:
        NoSandbox: as `grade`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[Submission, Grade] = {}
    left = {}
    for one in submissions:
        kept = recall(*_kept(one, assignment, folder, limits))
        if kept and kept.finished and not again(one, kept):
            made[one] = kept
        else:
            left[pool.submit(grade, one, assignment, limits, unsafe)] = one
    for future in tqdm(as_completed(left), total=len(left), unit="notebook", disable=None):
        one = left[future]
        try:
            made[one] = future.result()
            store(made[one], *_kept(one, assignment, folder, limits))
        except NoSandbox:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        except Exception as error:  # not kept: the next run tries again
            made[one] = _nothing_yet(one, assignment)
            made[one].reason = f"could not be graded ({type(error).__name__}): grade again"
        tell([made[one] for one in submissions if one in made])
    return [made[one] for one in submissions]


def _kept(
    submission: Submission, assignment: Assignment, folder: Path, limits: Limits
) -> tuple[Path, str]:
    """The file that keeps a grade, and all that the grade depends on."""
    name = hashlib.sha256(submission.file.encode("utf8", "surrogatepass")).hexdigest()[:16]
    depends = repr((submission, assignment.digest, limits, _digest_of_code()))
    digest = hashlib.sha256(depends.encode("utf8", "surrogatepass")).hexdigest()
    return folder / f"{name}.json", digest


@cache
def _digest_of_code() -> str:
    digest = hashlib.sha256()
    for path in _code_files():
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _code_files() -> Iterable[Path]:
    return sorted(path for folder in CODE for path in (ROOT / folder).rglob("*.py"))
