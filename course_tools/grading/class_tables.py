"""The tables of a class, for people and for an LMS."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from course_tools.grading.policy import Scale

if TYPE_CHECKING:
    from course_tools.grading.results import Grade


def class_table(
    grades: Sequence[Grade],
    parts: dict[str, dict],
    late_policy: bool = False,
    scale: Scale | None = None,
) -> list[list[str]]:
    """The rows of grades.csv, with a heading.

    Open questions have a column to type points into; with a late policy there are the days and the
    points after it, with a scale percent and grade.
    """
    automatic = [name for name, part in parts.items() if not part["manual"]]
    manual = [name for name, part in parts.items() if part["manual"]]
    more = ["days_late", "after_late"] * late_policy + ["percent", "grade"] * (scale is not None)
    ends = ["late", "handed_in", "seconds", "student_id", "remark"]
    rows = [["student", "id", *automatic, *manual, "comment", "total", "of", *more, *ends]]
    for one in grades:
        most = one.most(parts)
        marks = [one.open.get(name) for name in manual]
        typed = ["" if m is None or m.points is None else f"{m.points:g}" for m in marks]
        comment = next((mark.comment for mark in marks if mark), "")
        counted = one.total if one.after_late is None else one.after_late
        after = [str(one.days_late), f"{counted:g}"] * late_policy
        if scale is not None:
            after += [f"{scale.percent(counted, most):f}", scale.grade(counted, most)]
        rows.append(
            [
                *(one.student, one.lms_id, *(f"{one.points.get(p, 0):g}" for p in automatic)),
                *(*typed, comment, f"{one.total:g}", f"{most:g}", *after),
                *("late" if one.late else "", one.handed_in, f"{one.seconds:.0f}"),
                *(one.student_id, one.remark),
            ]
        )
    return rows


def canvas_table(grades: Iterable[Grade], assignment: str) -> list[list[str]]:
    """What Canvas imports: its columns, and one for the assignment."""
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment]]
    return rows + [[one.student, one.lms_id, "", "", "", _counted(one)] for one in grades]


def moodle_table(grades: Iterable[Grade]) -> list[list[str]]:
    """What Moodle imports as an offline grading worksheet: without the date it refuses the file."""
    rows = [["Identifier", "Full name", "Grade", "Last modified (grade)", "Feedback comments"]]
    for one in grades:
        said = [hint for some in one.hints.values() for hint in some]
        said += [mark.comment for mark in one.open.values()]
        identifier = f"Participant {one.lms_id}" if one.lms_id else ""
        comments = " ".join(filter(None, [one.reason, *said]))
        rows.append([identifier, one.student, _counted(one), "", comments])
    return rows


def _counted(grade: Grade) -> str:
    return f"{grade.total if grade.after_late is None else grade.after_late:g}"
