"""Who takes the course: whose a submission is, and who handed in nothing."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from course_tools.grading.policy import local_time
from course_tools.grading.submissions import Submission
from course_tools.grading.tables import Table, read_table

NEEDED = ["student", "id"]
OPTIONAL = ["student_id", "extension", "handed_in"]
MOST_DAYS = 366


@dataclass(frozen=True)
class Student:
    """A line of the roster."""

    name: str
    lms_id: str
    student_id: str = ""
    """What the student types into the notebook."""
    extension: timedelta | datetime | None = None
    """Days after the due time, or the time that replaces it."""
    handed_in: datetime | None = None
    """When it was handed in, where the file's time is wrong or unknown."""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.name or self.lms_id} (line {self.line})"


@dataclass(frozen=True)
class Matched:
    """Submissions and students brought together."""

    students: dict[Submission, Student]
    missing: list[Student]
    """Those who handed in nothing, for all that is known."""
    unknown: list[Submission]
    """Those that are nobody's on the roster."""
    doubts: dict[Submission, str]
    """What must be decided by a person: a name of two students, two submissions of one."""


@dataclass(frozen=True)
class Roster:
    """The students of a course."""

    students: tuple[Student, ...]
    remark: str = ""
    """What is to be said of the file."""
    _by_id: dict[str, Student] = field(init=False, repr=False, compare=False)
    _by_name: dict[str, list[Student]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_id = {one.lms_id.casefold(): one for one in self.students if one.lms_id}
        by_name: dict[str, list[Student]] = {}
        for one in self.students:
            for typing in _typings(one.name):
                by_name.setdefault(typing, []).append(one)
        object.__setattr__(self, "_by_id", by_id)
        object.__setattr__(self, "_by_name", by_name)

    def find(self, submission: Submission) -> Student | None:
        """Whose it is, by the LMS's id or else by name; None where it is nobody's.

        Raises:
            ValueError: the name is that of more than one student.
        """
        if submission.lms_id and (one := self._by_id.get(submission.lms_id.casefold())):
            return one
        found = self._by_name.get("".join(_words(submission.student)), [])
        if len(found) > 1:
            some = " or ".join(map(str, found))
            raise ValueError(
                f"{submission.student} may be {some} of the roster: give the LMS's id for each"
            )
        return found[0] if found else None

    def match(self, submissions: Sequence[Submission]) -> Matched:
        """Bring submissions and students together; what is ambiguous is said, never guessed."""
        found: dict[Student, list[Submission]] = {}
        made = Matched({}, [], [], {})
        for submission in submissions:
            try:
                student = self.find(submission)
            except ValueError as error:
                made.doubts[submission] = str(error)
                continue
            if student is None:
                made.unknown.append(submission)
            else:
                found.setdefault(student, []).append(submission)
        for student, some in found.items():
            if len(some) == 1:
                made.students[some[0]] = student
                continue
            files = ", ".join(one.file[:80] for one in some)
            for one in some:
                made.doubts[one] = f"{len(some)} submissions are of {student}: {files}; keep one"
        # One whose name is in doubt may have handed in, so is not said to have handed in nothing.
        names = {"".join(_words(one.student)) for one in made.doubts}
        doubted = {one for name in names for one in self._by_name.get(name, [])}
        made.missing.extend(one for one in self.students if one not in found and one not in doubted)
        return made

    def typed_by(self, student: Student | None, typed: str) -> str:
        """What is wrong with the id in a student's notebook, or nothing."""
        typed = _id(typed)
        if not typed or not any(one.student_id for one in self.students):
            return ""
        owner = next((one for one in self.students if _id(one.student_id) == typed), None)
        if owner is None:
            if student is not None and not student.student_id:
                return ""  # the roster doesn't say what the student's is
            return "the student_id in the notebook is nobody's on the roster"
        if owner == student:
            return ""
        return f"the student_id in the notebook is that of {owner}"


def read_roster(path: Path) -> Roster:
    """The roster from a CSV file: student and id, and where given student_id, extension, handed_in.

    Raises:
        ValueError: it can't be read; each fault is named with its line.
    """
    table = read_table(path, NEEDED, OPTIONAL)
    students = [_student(table, line, row) for line, row in table.rows]
    _see_to_twins(table, ((one.line, one.lms_id.casefold(), "id") for one in students))
    _see_to_twins(table, ((one.line, _id(one.student_id), "student_id") for one in students))
    if not students:
        table.fault(1, "there is no student in it: add a line for each")
    table.check()
    return Roster(tuple(students), table.remark)


def _student(table: Table, line: int, row: dict[str, str]) -> Student:
    if not row["student"] and not row["id"]:
        table.fault(line, "there is neither a student's name nor an id")
    extension: timedelta | datetime | None = None
    handed_in = None
    if text := row.get("extension", ""):
        try:
            extension = _extension(text)
        except ValueError as error:
            table.fault(line, f"extension: {error}")
    if text := row.get("handed_in", ""):
        try:
            handed_in = local_time(text)
        except ValueError as error:
            table.fault(line, f"handed_in: {error}")
    name = " ".join(unicodedata.normalize("NFC", row["student"]).split())
    return Student(name, row["id"], row.get("student_id", ""), extension, handed_in, line)


def _extension(text: str) -> timedelta | datetime:
    try:
        days = float(text.replace(",", "."))
    except ValueError:
        try:
            return local_time(text)
        except ValueError as error:
            raise ValueError(f"{error}, nor a number of days") from None
    if not math.isfinite(days) or not 0 <= days <= MOST_DAYS:
        raise ValueError(f"{text[:20]!r} days are not between 0 and {MOST_DAYS}")
    return timedelta(days=days)


def _see_to_twins(table: Table, values: Iterable[tuple[int, str, str]]) -> None:
    lines: dict[str, int] = {}
    for line, value, column in values:
        if value and lines.setdefault(value, line) != line:
            table.fault(line, f"the {column} {value[:40]!r} is that of line {lines[value]}, too")


def _id(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def _words(name: str) -> list[str]:
    """The words of a name without case, accents and signs: Müller-Lüd, Ö. is muller, lud, o."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", name).casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c) and c not in "'’")
    return "".join(c if c.isalnum() else " " for c in plain).split()


def _typings(name: str) -> set[str]:
    """How an LMS may write a name, without spaces: the last name first or last."""
    words = _words(name)
    return {"".join(words[i:] + words[:i]) for i in range(len(words))}
