"""Pages of feedback for students, and zips of them that an LMS takes back in one go."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from html import escape
from pathlib import PurePosixPath

from course_tools.grading.results import Grade

STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:44rem;"
    "margin:2rem auto;padding:0 1rem;overflow-wrap:break-word}table{border-collapse:collapse}"
    "td,th{padding:.3rem .8rem;text-align:left;border-bottom:1px solid #8888}"
)


def feedback(grade: Grade, assignment: str, parts: dict[str, dict]) -> str:
    """A page for the student: points by part, cells that raised, and a hint for each mistake."""
    rows, hints = [], []
    for name, part in parts.items():
        title = escape(part["title"])
        rows.append(
            f'<tr><th scope="row">{title}</th><td>{_got(grade, name, part)}</td>'
            f"<td>{part['points']}</td></tr>"
        )
        hints += [f"<li>{title}: {escape(hint)}</li>" for hint in grade.hints.get(name, [])]
        if name in grade.open and grade.open[name].comment:
            hints.append(f"<li>{title}: {escape(grade.open[name].comment)}</li>")
    errors = [f"<li>{escape(error)}</li>" for error in grade.errors]
    title = escape(f"{assignment}: {grade.student}")
    unread = any(p["manual"] and _unread(grade, name) for name, p in parts.items())
    return "\n".join(
        [
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}'
            '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<style>{STYLE}</style></head><body><main><h1>{title}</h1>",
            f"<p>{escape(grade.reason)}</p>" if grade.reason else "",
            f"<p>{_lateness(grade)}</p>" if grade.late else "",
            '<table><tr><th scope="col">part</th><th scope="col">points</th>'
            '<th scope="col">of</th></tr>',
            *rows,
            "</table>",
            f"<p>Together: {grade.total:g} of {grade.most(parts):g}"
            f"{', without what a person reads' if unread else ''}.</p>",
            f"<h2>Cells that raised an error</h2><ul>{''.join(errors)}</ul>" if errors else "",
            f"<h2>Hints</h2><ul>{''.join(hints)}</ul>" if hints else "",
            "</main></body></html>\n",
        ]
    )


def _unread(grade: Grade, name: str) -> bool:
    return name not in grade.open or grade.open[name].points is None


def _got(grade: Grade, name: str, part: dict) -> str:
    if not part["manual"]:
        return f"{grade.points.get(name, 0):g}"
    return "read by a person" if _unread(grade, name) else f"{grade.open[name].points:g}"


def _lateness(grade: Grade) -> str:
    if grade.after_late is None:
        return "This was handed in late."
    days = f"{grade.days_late} day{'' if grade.days_late == 1 else 's'}"
    return f"This was handed in {days} late; {grade.after_late:g} points count."


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
