"""What a submission got: as a row, as a page for the student, as tables for an LMS."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from html import escape
from pathlib import Path

STYLE = (
    ":root{color-scheme:light dark}body{font:1rem/1.6 system-ui,sans-serif;max-width:44rem;"
    "margin:2rem auto;padding:0 1rem;overflow-wrap:break-word}table{border-collapse:collapse}"
    "td,th{padding:.3rem .8rem;text-align:left;border-bottom:1px solid #8888}"
)


@dataclass
class Grade:
    """One student's row, and the hints that go with it."""

    student: str
    lms_id: str
    late: bool
    reason: str = ""
    """What was wrong with the submission as a whole, or nothing."""
    student_id: str = ""
    """What was typed into the notebook's first cell."""
    seconds: float = 0.0
    points: dict[str, float] = field(default_factory=dict)
    hints: dict[str, list[str]] = field(default_factory=dict)
    """By part: the failure messages of tests that failed."""


def store(grade: Grade, path: Path, key: str) -> None:
    """Keep a grade; `key` stands for the notebook and the assignment that it is of."""
    write(path, json.dumps({"key": key, "grade": asdict(grade)}, indent=1))


def recall(path: Path, key: str) -> Grade | None:
    """The grade that was kept for `key`, if there is one."""
    try:
        kept = json.loads(path.read_text("utf8"))
        return Grade(**kept["grade"]) if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # none yet, or a broken one: grade again


def write(path: Path, text: str) -> None:
    """Write a file as a whole, or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, "utf8", errors="replace")
    os.replace(part, path)


def feedback(grade: Grade, assignment: str, parts: dict[str, dict]) -> str:
    """A page for the student: points by part, and a hint for each test that failed."""
    rows, hints = [], []
    for name, part in parts.items():
        got = "read by a person" if part["manual"] else f"{grade.points.get(name, 0):g}"
        rows.append(
            f"<tr><td>{escape(part['title'])}</td><td>{got}</td><td>{part['points']}</td></tr>"
        )
        hints += [
            f"<li>{escape(part['title'])}: {escape(hint)}</li>"
            for hint in grade.hints.get(name, [])
        ]
    title = f"{assignment}: {grade.student}"
    most = sum(part["points"] for part in parts.values() if not part["manual"])
    return "\n".join(
        [
            f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
            '</title><meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>",
            f"<p>{escape(grade.reason)}</p>" if grade.reason else "",
            "<table><tr><th>part</th><th>points</th><th>of</th></tr>",
            *rows,
            "</table>",
            f"<p>Together: {sum(grade.points.values()):g} of {most:g}, without what a person "
            "reads.</p>",
            f"<h2>Hints</h2><ul>{''.join(hints)}</ul>" if hints else "",
            "</main></body></html>\n",
        ]
    )


def table(grades: Sequence[Grade], parts: dict[str, dict]) -> list[list[str]]:
    """The rows of grades.csv, with a heading; open questions have an empty column."""
    automatic = [name for name, part in parts.items() if not part["manual"]]
    manual = [name for name, part in parts.items() if part["manual"]]
    most = sum(parts[name]["points"] for name in automatic)
    ends = ["total", "of", "late", "seconds", "student_id", "reason"]
    rows = [["student", "id", *automatic, *manual, *ends]]
    typed = Counter(one.student_id for one in grades)
    for one in grades:
        points = [f"{one.points.get(name, 0):g}" for name in automatic]
        total = sum(one.points.get(name, 0) for name in automatic)
        ends = [f"{total:g}", f"{most:g}", "late" if one.late else "", f"{one.seconds:.0f}"]
        again = f"{typed[one.student_id]} notebooks have this student_id"
        shared = one.student_id and typed[one.student_id] > 1
        reason = "; ".join([one.reason] * bool(one.reason) + [again] * bool(shared))
        ends += [one.student_id, reason]
        rows.append([one.student, one.lms_id, *points, *("" for _ in manual), *ends])
    return rows


def canvas(grades: Iterable[Grade], assignment: str) -> list[list[str]]:
    """What Canvas imports: its columns, and one for the assignment."""
    rows = [["Student", "ID", "SIS User ID", "SIS Login ID", "Section", assignment]]
    return rows + [
        [one.student, one.lms_id, "", "", "", f"{sum(one.points.values()):g}"] for one in grades
    ]


def moodle(grades: Iterable[Grade]) -> list[list[str]]:
    """What Moodle imports as an offline grading worksheet: without the date it refuses the file."""
    rows = [["Identifier", "Full name", "Grade", "Last modified (grade)", "Feedback comments"]]
    for one in grades:
        hints = " ".join(hint for some in one.hints.values() for hint in some)
        identifier = f"Participant {one.lms_id}" if one.lms_id else ""
        total = f"{sum(one.points.values()):g}"
        rows.append([identifier, one.student, total, "", f"{one.reason} {hints}".strip()])
    return rows


def write_csv(path: Path, rows: list[list[str]]) -> None:
    """Write rows; a cell that a spreadsheet would take for a formula gets an apostrophe."""
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", errors="replace", newline="") as file:
        for row in rows:
            safe = [f"'{cell}" if cell.lstrip()[:1] in tuple("=+-@") else cell for cell in row]
            csv.writer(file).writerow(safe)
    os.replace(part, path)
