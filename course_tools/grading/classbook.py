"""All that is written about a class: tables, pages, zips and reports beside ``grades.csv``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from course_tools.grading.assignment import Assignment
from course_tools.grading.class_tables import canvas_table, class_table, moodle_table, write_csv
from course_tools.grading.feedback import feedback, zip_for_canvas, zip_for_moodle
from course_tools.grading.marks import Marks, dump_marks, load_marks, marks_of_table, merge
from course_tools.grading.policy import LatePolicy, Scale
from course_tools.grading.results import Grade, see_to_shared_ids, write
from course_tools.grading.roster import Matched, Roster, Student
from course_tools.grading.submissions import Submission, page_name

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

    def __post_init__(self) -> None:
        self.marks = self._read_marks()

    def beside(self, end: str) -> Path:
        """A path beside the table: for ``grades.csv`` and ``-feedback``, ``grades-feedback``."""
        return self.out.with_name(f"{self.out.stem}{end}")

    @property
    def cache(self) -> Path:
        """The folder of what later runs need and nobody reads."""
        return self.beside("-cache")

    def _read_marks(self) -> Marks:
        known = load_marks(self.cache / "marks.json")
        return merge(known, marks_of_table(self.out, self.assignment.parts), {})

    def complete(self, submissions: Sequence[Submission], grades: Sequence[Grade]) -> list[Grade]:
        """Copies of `grades` with all that depends on the class, its roster and its rules."""
        by_file = {one.file: one for one in submissions}
        made = [replace(one, remarks=list(one.remarks), open={}) for one in grades]
        for one in made:
            one.handed_in = by_file[one.file].handed_in
            for name in self.assignment.manual:
                if (one.key, name) in self.marks:
                    one.open[name] = self.marks[one.key, name]
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
        write_csv(self.out, class_table(rows, self.assignment.parts, late, self.scale))

    def write_all(self, submissions: Sequence[Submission], grades: Sequence[Grade]) -> list[Grade]:
        """Write everything; return the rows, those of students who handed in nothing included."""
        handed_in = self.complete(submissions, grades)
        rows = sorted([*handed_in, *self.missing(submissions)], key=_order)
        self._write_class_table(rows)
        self.cache.mkdir(exist_ok=True)
        write(self.cache / "marks.json", dump_marks(self.marks))
        write_csv(self.beside("-canvas.csv"), canvas_table(rows, self.assignment.name))
        write_csv(self.beside("-moodle.csv"), moodle_table(rows))
        self._write_pages(handed_in)
        return rows

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
            part = self.cache / "zip.part"
            part.write_bytes(packed)
            os.replace(part, self.beside(f"-feedback-{lms}.zip"))


def _order(grade: Grade) -> tuple[str, str]:
    return grade.student.lower(), grade.lms_id


def _time(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
