"""All that is written about a class: tables, pages, zips and reports beside ``grades.csv``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from course_tools.grading.assignment import Assignment
from course_tools.grading.class_report import class_report
from course_tools.grading.class_tables import canvas_table, class_table, moodle_table
from course_tools.grading.feedback import feedback, zip_for_canvas, zip_for_moodle
from course_tools.grading.marks import Kept, Mark, marks_of_table, merge
from course_tools.grading.open_answers import (
    OpenAnswer,
    Typed,
    code_of,
    open_page,
    open_rows,
    read_open,
)
from course_tools.grading.policy import LatePolicy, Scale
from course_tools.grading.results import Grade, see_to_shared_ids
from course_tools.grading.roster import Matched, Roster, Student
from course_tools.grading.submissions import Submission, page_name
from course_tools.grading.tables import write, write_table
from genre_lib.files import written_whole

NOT_HANDED_IN = "nothing was handed in"


@dataclass
class Classbook:
    """Where one assignment's grades of a class are written, and by which rules."""

    out: Path
    assignment: Assignment
    roster: Roster | None = None
    policy: LatePolicy | None = None
    scale: Scale | None = None
    names: bool = False
    """Whether the report on the class names students."""
    _kept: Kept = field(default_factory=Kept, init=False)
    """What a person gave for open questions, once `read_marks` has read it."""

    def beside(self, end: str) -> Path:
        """A path beside the table: for ``grades.csv`` and ``-feedback``, ``grades-feedback``."""
        return self.out.with_name(f"{self.out.stem}{end}")

    @property
    def cache(self) -> Path:
        """The folder of what later runs need and nobody reads."""
        return self.beside("-cache")

    def read_marks(self, submissions: Sequence[Submission]) -> None:
        """Read what was typed into the tables of earlier runs.

        Raises:
            ValueError: a table can't be read, or two of them contradict each other.
        """
        parts, path = self.assignment.parts, self.beside("-open.csv")
        kept = self._kept = Kept.load(self.cache / "marks.json")
        kept.students |= {f"{one.student}\n{one.lms_id}" for one in submissions}
        kept.students |= {one.key for one in self.missing(submissions)}
        by_code = {self._code(key): key for key in kept.students}
        typed = read_open(path, self._most_open(), by_code) if path.exists() else {}
        in_open = {
            (by_code[code], part): Mark(*mark)
            for code, some in typed.items()
            for part, mark in some.items()
        }
        in_table = marks_of_table(self.out, parts, kept.marks, kept.students)
        kept.marks = merge(kept, in_table, in_open)
        kept.table, kept.open_table = in_table, in_open
        # At once: the tables are written over while the grader works, and it may be stopped.
        self._store()

    def _store(self) -> None:
        self.cache.mkdir(exist_ok=True)
        self._kept.store(self.cache / "marks.json")

    def _most_open(self) -> dict[str, float]:
        return {name: self.assignment.parts[name]["points"] for name in self.assignment.manual}

    def _code(self, key: str) -> str:
        return code_of(*key.split("\n"), self.assignment.name)

    def complete(self, submissions: Sequence[Submission], grades: Sequence[Grade]) -> list[Grade]:
        """Copies of `grades` with all that depends on the class, its roster and its rules."""
        by_file = {one.file: one for one in submissions}
        made = [replace(one, remarks=list(one.remarks), open={}) for one in grades]
        for one in made:
            one.handed_in = by_file[one.file].handed_in
            for name in self.assignment.manual:
                if (one.key, name) in self._kept.marks:
                    one.open[name] = self._kept.marks[one.key, name]
        see_to_shared_ids(made)
        matched = self.roster.match(submissions) if self.roster else None
        for one in made:
            student = self._see_to_roster(one, by_file[one.file], matched)
            self._see_to_lateness(one, student)
        return made

    def missing(self, submissions: Sequence[Submission]) -> list[Grade]:
        """A row for everybody on the roster who handed in nothing."""
        if self.roster is None:
            return []
        nothing = dict.fromkeys(self.assignment.automatic, 0.0)
        return [
            Grade(one.name, one.lms_id, False, NOT_HANDED_IN, points=dict(nothing))
            for one in self.roster.match(submissions).missing
        ]

    def _see_to_roster(
        self, one: Grade, submission: Submission, matched: Matched | None
    ) -> Student | None:
        if self.roster is None or matched is None:
            return None
        student = matched.students.get(submission)
        if doubt := matched.doubts.get(submission):
            one.remarks.append(doubt)
        elif student is None:
            one.remarks.append("not on the roster")
        if fault := self.roster.typed_by(student, one.student_id):
            one.remarks.append(fault)
        return student

    def _see_to_lateness(self, one: Grade, student: Student | None) -> None:
        if self.policy is None:
            return
        extension = student.extension if student else None
        handed_in = (student.handed_in if student else None) or _time(one.handed_in)
        if doubt := self.policy.doubt(one.late, handed_in, extension):
            one.remarks.append(doubt)
        if handed_in is not None:
            one.handed_in = handed_in.isoformat(timespec="minutes")
            one.days_late, one.after_late = self.policy.after(one.total, handed_in, extension)
            one.late = one.days_late > 0

    def write_table(self, submissions: Sequence[Submission], grades: Sequence[Grade]) -> None:
        """Write grades.csv as far as it has come."""
        rows = self.complete(submissions, grades)
        if self.roster and len(grades) == len(submissions):
            rows = sorted([*rows, *self.missing(submissions)], key=_order)
        self._write_class_table(rows)

    def _write_class_table(self, rows: Sequence[Grade]) -> None:
        late = self.policy is not None
        write_table(self.out, class_table(rows, self.assignment.parts, late, self.scale))
        self._kept.table |= {
            (r.key, p): r.open.get(p, Mark()) for r in rows for p in self._most_open()
        }
        self._store()  # after the table: what it says is then never taken for a change

    def write_all(self, submissions: Sequence[Submission], grades: Sequence[Grade]) -> list[Grade]:
        """Write everything; return the rows, those of students who handed in nothing included."""
        handed_in = self.complete(submissions, grades)
        rows = sorted([*handed_in, *self.missing(submissions)], key=_order)
        self._write_class_table(rows)
        write_table(self.beside("-canvas.csv"), canvas_table(rows, self.assignment.name))
        write_table(self.beside("-moodle.csv"), moodle_table(rows))
        self._write_pages(handed_in)
        self._write_open(handed_in)
        title = f"{self.assignment.name}: the class"
        report = class_report(title, rows, self.assignment.parts, self.names)
        write(self.beside("-report.html"), report)
        return rows

    def _write_open(self, grades: list[Grade]) -> None:
        """The answers to open questions side by side, and the table that goes with them."""
        answers = [
            OpenAnswer(self._code(one.key), part, text)
            for one in grades
            for part, text in one.answers.items()
        ]
        typed: Typed = {}
        for (
            key,
            part,
        ), mark in self._kept.marks.items():  # also of students who are not there this time
            typed.setdefault(self._code(key), {})[part] = mark
        rows = open_rows(answers, self._most_open(), typed)
        write_table(self.beside("-open.csv"), rows)
        self._kept.open_table = dict(self._kept.marks)
        self._store()
        title = f"{self.assignment.name}: answers to the open question"
        write(self.beside("-open.html"), open_page(title, self.assignment.rubric, answers))

    def _write_pages(self, grades: list[Grade]) -> None:
        folder = self.beside("-feedback")
        folder.mkdir(exist_ok=True)
        taken: set[str] = set()
        pages = {}
        for one in grades:
            page = feedback(one, self.assignment.name, self.assignment.parts)
            write(folder / f"{page_name(one.student, one.lms_id, taken)}.html", page)
            pages[one.file] = page
        for lms, packed in [
            ("canvas", zip_for_canvas(pages, grades)),
            ("moodle", zip_for_moodle(pages, grades)),
        ]:
            with written_whole(self.beside(f"-feedback-{lms}.zip")) as new:
                new.write_bytes(packed)


def _order(grade: Grade) -> tuple[str, str]:
    return grade.student.lower(), grade.lms_id


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
