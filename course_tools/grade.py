"""Grade notebooks: ``python -m course_tools.grade SUBMISSIONS --assignment 01 --out grades.csv``.

SUBMISSIONS is a folder or the zip that Canvas or Moodle exports. Each notebook runs alone in a
sandbox; the tests run out here, on what the notebook's functions answer. Beside grades.csv come a
page of feedback for each student and tables that Canvas and Moodle import. A run that was stopped
goes on where it was. The assignment must have been built (``make assignments``).

With ``--scheduler ADDRESS`` the notebooks run on the workers of a Dask cluster; each machine of it
needs this project, at the same commit, and a sandbox.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from course_tools.assignment_tests import load_tests, run_test
from course_tools.assignments import DIST
from course_tools.grading import results
from course_tools.grading.results import Grade
from course_tools.grading.sandbox import Ended, Names, Raised, Sandbox
from course_tools.grading.submissions import Submission, read_cells, read_submissions
from course_tools.grading.walls import Limits, NoSandbox, find_wall

NO_STUDENT_ID = "student_id is empty: the songs are nobody's own"
NO_TEXT = "student_id is no text: it stands between quotes"


class Assignment:
    """One built assignment: its parts, its tests, and the cells that students were given."""

    def __init__(self, folder: Path):
        self.folder, self.name = folder, folder.name
        points = json.loads((folder / "points.json").read_text("utf8"))
        self.parts: dict[str, dict] = points["parts"]
        self.given: list[str] = points["given"][1:]  # the first holds the student's id
        self.tests = load_tests(folder / "tests")
        paths = [folder / "points.json", *sorted((folder / "tests").glob("*.py"))]
        self._files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        self.digest = hashlib.sha256(b"".join(self._files.values())).hexdigest()

    def __reduce__(self) -> tuple:
        """How it travels to another machine: as its files."""
        return _unpacked, (self.name, self._files)


def _unpacked(name: str, files: dict[str, bytes]) -> Assignment:
    with tempfile.TemporaryDirectory() as folder:
        for file, content in files.items():
            path = Path(folder, name, file)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        return Assignment(Path(folder, name))


def find_assignment(number: str, dist: Path = DIST) -> Assignment:
    """The built assignment whose name begins with `number`.

    Raises:
        ValueError: there is none, or more than one.
    """
    found = sorted((dist / "instructor").glob(f"{number}*/points.json"))
    if len(found) != 1:
        raise ValueError(f"There is no built assignment {number!r}: run `make assignments` first.")
    return Assignment(found[0].parent)


def grade(submission: Submission, assignment: Assignment, limits: Limits, unsafe: bool) -> Grade:
    """Grade one submission; whatever is wrong with it is said in its reason.

    Raises:
        NoSandbox: there is none on this machine, and `unsafe` was not asked for.
    """
    wall = find_wall(unsafe)
    made = Grade(submission.student, submission.lms_id, submission.late, submission.remark)
    automatic = [name for name, part in assignment.parts.items() if not part["manual"]]
    made.points = dict.fromkeys(automatic, 0.0)
    start = time.monotonic()
    try:
        cells = read_cells(submission, assignment.name)
        with Sandbox(limits, wall) as sandbox:
            _run(made, sandbox, cells, assignment)
            # A student's process that is gone earns what it had earned, and not a point more.
            if sandbox.reason:
                made.reason = f"the notebook {sandbox.reason}"
    except ValueError as error:
        made.reason = str(error)
    except Ended as error:
        made.reason = f"the notebook {error}"
    made.seconds = round(time.monotonic() - start, 1)
    return made


def _run(made: Grade, sandbox: Sandbox, cells: list[str], assignment: Assignment) -> None:
    sandbox.ask("run", cells)
    sandbox.ask("run", assignment.given)
    asked = {
        name
        for tests in assignment.tests.values()
        for test in tests
        for name in test.test_func.__code__.co_varnames[: test.test_func.__code__.co_argcount]
    }
    names = Names(sandbox, sorted(asked | {"student_id"}))
    if not asked & set(names) - {"student_id"}:
        made.reason = "nothing that the parts ask for is in the notebook"
        return
    _see_to_student_id(made, names)
    for part, tests in assignment.tests.items():
        for test in tests:
            result = run_test(test, part, names)
            made.points[part] = made.points.get(part, 0.0) + result.points
            if not result.passed:
                made.hints.setdefault(part, []).append(result.hint)


def _see_to_student_id(made: Grade, names: Names) -> None:
    """Note whose songs they are; without an id, tests of numbers of one's own find none."""
    try:
        typed = names["student_id"]
    except Raised:
        typed = ""
    if isinstance(typed, str) and typed.strip():
        made.student_id = typed.strip().lower()[:100]
        names.known["student_id"] = typed  # for all tests the same
        return
    made.reason = NO_STUDENT_ID if isinstance(typed, str) else NO_TEXT
    names.discard("student_id")


def grade_all(
    submissions: list[Submission],
    assignment: Assignment,
    folder: Path,
    limits: Limits,
    pool: Executor,
    unsafe: bool = False,
) -> list[Grade]:
    """Grade all, each once: what `folder` holds from before is not done again.

    Raises:
        NoSandbox: as `grade`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    made: dict[Submission, Grade] = {}
    left = {}
    for one in submissions:
        if kept := results.recall(*_kept(one, assignment, folder)):
            made[one] = kept
        else:
            left[pool.submit(grade, one, assignment, limits, unsafe)] = one
    for future in tqdm(as_completed(left), total=len(left), unit="notebook", disable=None):
        one = left[future]
        try:
            made[one] = future.result()
            results.store(made[one], *_kept(one, assignment, folder))
        except NoSandbox:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
        except Exception as error:  # not kept: the next run tries again
            reason = f"could not be graded ({type(error).__name__}): grade again"
            nothing = dict.fromkeys(assignment.tests, 0.0)
            made[one] = Grade(one.student, one.lms_id, one.late, reason, points=nothing)
    pages: set[str] = set()
    for one in submissions:
        name = f"{made[one].student}_{made[one].lms_id}"
        name = "".join(c if c.isalnum() else "_" for c in name)[:60]
        while name.lower() in pages:  # Ann B and Ann-B
            name += "_"
        pages.add(name.lower())
        page = results.feedback(made[one], assignment.name, assignment.parts)
        results.write(folder / f"{name}.html", page)
    return [made[one] for one in submissions]


def _kept(submission: Submission, assignment: Assignment, folder: Path) -> tuple[Path, str]:
    """The file that keeps a grade, and what it is the grade of."""
    name = hashlib.sha256(submission.file.encode()).hexdigest()[:16]
    digest = hashlib.sha256(repr(submission).encode()).hexdigest()
    return folder / f"{name}.json", f"{assignment.digest}-{digest}"


@contextmanager
def pool_of(scheduler: str | None, jobs: int) -> Iterator[Executor]:
    """What notebooks are graded by: threads here, or the workers of a Dask cluster.

    Raises:
        ValueError: no scheduler answers at the address.
    """
    if scheduler is None:
        with ThreadPoolExecutor(jobs) as pool:
            yield pool
        return
    try:
        from distributed import Client
    except ImportError:
        raise ValueError("--scheduler needs Dask: `pip install distributed` gets it.") from None
    try:
        client = Client(scheduler, timeout=10)
    except (OSError, ValueError) as error:
        raise ValueError(f"No Dask scheduler answers at {scheduler} ({error}).") from None
    with client, client.get_executor(pure=False) as pool:
        yield pool


def main(arguments: list[str] | None = None) -> int:
    """Command line; the exit code is 0 when every submission has a row."""
    parser = argparse.ArgumentParser(
        prog="python -m course_tools.grade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submissions", type=Path)
    parser.add_argument("--assignment", required=True, metavar="NN")
    parser.add_argument("--out", required=True, type=Path, metavar="grades.csv")
    parser.add_argument("--jobs", type=int, default=2, help="notebooks at a time (default: 2)")
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster, such as tcp://10.0.0.5:8786"
    )
    parser.add_argument("--seconds", type=float, default=240, help="for one notebook and its tests")
    parser.add_argument(
        "--unsafe", action="store_true", help="without a sandbox: strangers' code may do anything"
    )
    options = parser.parse_args(arguments)
    try:
        if options.out.suffix != ".csv" or not options.out.absolute().parent.is_dir():
            raise ValueError(f"--out {options.out}: give a name that ends in .csv in a folder.")
        if options.scheduler is None:
            find_wall(options.unsafe)  # before anything is read or written
        assignment = find_assignment(options.assignment)
        submissions = read_submissions(options.submissions)
        folder = options.out.with_name(f"{options.out.stem}-feedback")
        limits = Limits(seconds=options.seconds)
        with pool_of(options.scheduler, max(1, options.jobs)) as pool:
            graded = grade_all(submissions, assignment, folder, limits, pool, options.unsafe)
    except (ValueError, NoSandbox) as error:
        print(error, file=sys.stderr)
        return 1
    results.write_csv(options.out, results.table(graded, assignment.parts))
    canvas = results.canvas(graded, assignment.name)
    results.write_csv(options.out.with_name(f"{options.out.stem}-canvas.csv"), canvas)
    results.write_csv(
        options.out.with_name(f"{options.out.stem}-moodle.csv"), results.moodle(graded)
    )
    flagged = sum(bool(one.reason) for one in graded)
    print(f"{len(graded)} graded, {flagged} with a remark: {options.out}; feedback in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
