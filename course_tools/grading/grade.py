"""Grade students' notebooks, each in a sandbox, into a table of points.

``python -m course_tools.grading.grade SUBMISSIONS --assignment 01 --out grades.csv``

SUBMISSIONS is a folder or the zip that Canvas or Moodle exports. Each notebook runs alone in a
sandbox; the tests run out here, on what the notebook's functions answer. Beside grades.csv come a
page of feedback for each student, tables and zips that Canvas and Moodle import, a report on the
class, and the answers to the open question side by side. A run that was stopped goes on where it
was; points and comments typed for the open question stay. The assignment must have been built
(``make assignments``).

With ``--scheduler ADDRESS`` the notebooks run on the workers of a Dask cluster; each machine of it
needs this project, at the same commit, and a sandbox.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from course_tools.grading.assignment import find_assignment
from course_tools.grading.classbook import NOT_HANDED_IN, Classbook
from course_tools.grading.grader import grade_all
from course_tools.grading.limits import Limits
from course_tools.grading.policy import LatePolicy, local_time, read_scale
from course_tools.grading.results import Grade
from course_tools.grading.roster import read_roster
from course_tools.grading.submissions import Submission, read_submissions
from course_tools.grading.walls import NoSandbox, find_wall

FAILURES = "failures"


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


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(
        prog="python -m course_tools.grading.grade",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submissions", type=Path)
    parser.add_argument("--assignment", required=True, metavar="NN")
    parser.add_argument("--out", required=True, type=Path, metavar="grades.csv")
    parser.add_argument(
        "--again",
        nargs="+",
        default=[],
        metavar="NAME",
        help=f"grade these students anew, or all with a remark: {FAILURES}",
    )
    course = parser.add_argument_group("the course")
    course.add_argument("--roster", type=Path, metavar="roster.csv", help="students and their ids")
    course.add_argument("--due", metavar="TIME", help="such as 2026-03-05T23:59, local time")
    course.add_argument("--grace", type=float, default=0, metavar="MINUTES")
    course.add_argument(
        "--percent-a-day", type=float, default=10, metavar="P", help="lost for each day late"
    )
    course.add_argument(
        "--scale", type=Path, metavar="scale.csv", help="columns percent and grade: 90,A"
    )
    course.add_argument("--names", action="store_true", help="name students in the class report")
    machine = parser.add_argument_group("the machine")
    machine.add_argument("--jobs", type=int, default=2, help="notebooks at a time (default: 2)")
    machine.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a Dask cluster, such as tcp://10.0.0.5:8786"
    )
    machine.add_argument(
        "--seconds", type=float, default=240, help="for one notebook and its tests (default: 240)"
    )
    machine.add_argument(
        "--unsafe", action="store_true", help="without a sandbox: strangers' code may do anything"
    )
    return parser.parse_args(arguments)


def open_classbook(options: argparse.Namespace) -> Classbook:
    """What the command line says of the course.

    Raises:
        ValueError: something in it is wrong.
    """
    if options.out.suffix != ".csv" or not options.out.absolute().parent.is_dir():
        raise ValueError(f"--out {options.out}: give a name that ends in .csv in a folder.")
    policy = None
    if options.due:
        grace = timedelta(minutes=options.grace)
        policy = LatePolicy(local_time(options.due), grace, options.percent_a_day)
    return Classbook(
        options.out,
        find_assignment(options.assignment),
        read_roster(options.roster) if options.roster else None,
        policy,
        read_scale(options.scale) if options.scale else None,
        options.names,
    )


def wants_again(names: list[str], submissions: Sequence[Submission]) -> set[Submission]:
    """The submissions that ``--again`` names.

    Raises:
        ValueError: a name is nobody's.
    """
    wanted = set()
    for name in names:
        found = [one for one in submissions if name.lower() in (one.student.lower(), one.lms_id)]
        if not found and name != FAILURES:
            raise ValueError(f"--again {name}: no submission is from a student of that name or id.")
        wanted.update(found)
    return wanted


def main(arguments: list[str] | None = None) -> int:
    """Command line; the exit code is 0 when every submission has a row."""
    options = parse(arguments)
    try:
        book = open_classbook(options)
        if options.scheduler is None:
            find_wall(options.unsafe)  # before anything is read or written
        submissions = read_submissions(options.submissions, book.assignment.name)
        book.read_marks(submissions)
        wanted = wants_again(options.again, submissions)

        def again(one: Submission, kept: Grade) -> bool:
            return one in wanted or (FAILURES in options.again and bool(kept.reason))

        with pool_of(options.scheduler, max(1, options.jobs)) as pool:
            graded = grade_all(
                submissions,
                book.assignment,
                book.cache,
                Limits(seconds=options.seconds),
                pool,
                options.unsafe,
                again,
                lambda some: book.write_table(submissions, some),
            )
        rows = book.write_all(submissions, graded)
    except (ValueError, NoSandbox) as error:
        print(error, file=sys.stderr)
        return 1
    said = sum(bool(one.remark) for one in rows)
    missing = sum(one.reason == NOT_HANDED_IN for one in rows)
    nothing = f", {missing} handed in nothing" if book.roster else ""
    print(
        f"{len(graded)} graded{nothing}, {said} with a remark: {options.out}; "
        f"feedback in {book.beside('-feedback')}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
