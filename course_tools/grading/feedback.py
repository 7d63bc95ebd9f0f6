"""Pages of feedback for students, and zips of them that an LMS takes back in one go."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import PurePosixPath

from course_tools.grading.page import count, page, table
from course_tools.grading.results import Grade


def feedback(grade: Grade, assignment: str, parts: dict[str, dict]) -> str:
    """A page for the student: points by part, cells that raised, and a hint for each mistake."""
    rows, hints = [], []
    for name, part in parts.items():
        title = escape(part["title"])
        rows.append([title, _got(grade, name, part), f"{part['points']:g}"])
        hints += [f"<strong>{title}</strong> {escape(hint)}" for hint in grade.hints.get(name, [])]
        if name in grade.open and grade.open[name].comment:
            hints.append(f"<strong>{title}</strong> {escape(grade.open[name].comment)}")
    unread = any(p["manual"] and _unread(grade, name) for name, p in parts.items())
    total = f"Total: {grade.total:g} of {grade.most(parts):g}"
    return page(
        f"{assignment}: {grade.student}",
        [
            f"<p>{escape(grade.reason)}</p>" if grade.reason else "",
            f"<p>{_lateness(grade)}</p>" if grade.late else "",
            table("Points by part", ["part", "points", "of"], rows, " nn"),
            f"<p>{total}{', without what a person reads' if unread else ''}.</p>",
            _listed("Cells that raised an error", map(escape, grade.errors)),
            _listed("Hints", hints),
        ],
    )


def _listed(heading: str, items: Iterable[str]) -> str:
    made = "".join(f"<li>{item}</li>" for item in items)
    return f"<h2>{heading}</h2><ul>{made}</ul>" if made else ""


def _unread(grade: Grade, name: str) -> bool:
    return name not in grade.open or grade.open[name].points is None


def _got(grade: Grade, name: str, part: dict) -> str:
    if not part["manual"]:
        return f"{grade.points.get(name, 0):g}"
    return "read by a person" if _unread(grade, name) else f"{grade.open[name].points:g}"


def _lateness(grade: Grade) -> str:
    if grade.after_late is None:
        return "This was handed in late."
    days = count(grade.days_late, "day")
    return (
        f"This was handed in {days} late. After the deduction, the total is {grade.after_late:g}."
    )


def zip_for_canvas(pages: Mapping[str, str], grades: list[Grade]) -> bytes:
    """The pages, as Canvas takes them under *Upload submissions*.

    It finds the student by the two numbers in the name that it gave the notebook.
    """
    return _zipped(
        {f"{PurePosixPath(one.file).stem}.html": pages[one.file] for one in grades if one.lms_id}
    )


def zip_for_moodle(pages: Mapping[str, str], grades: list[Grade]) -> bytes:
    """The pages, as Moodle takes them under *Upload multiple feedback files in a zip*.

    It divides the name at underscores: full name, participant, kind and name of the plugin, file.
    """
    return _zipped(
        {
            f"{_plain(one.student)}_{one.lms_id}_assignfeedback_file_feedback.html": pages[one.file]
            for one in grades
            if one.lms_id
        }
    )


def _plain(name: str) -> str:
    return "".join(c if c.isalnum() or c in " -." else " " for c in name)[:60].strip()


def _zipped(files: dict[str, str]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), text.encode("utf8", "replace"))
    return packed.getvalue()
