"""Points and comments that a person gives for open questions; they survive every later run.

They may be typed into two tables: ``grades.csv``, a row for each student, and ``grades-open.csv``,
which goes with the page that shows all answers side by side. What the last run knew is kept beside,
so that the next one sees which of the two was changed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from course_tools.grading.tables import read_points, read_table


class Mark(NamedTuple):
    """What a person gave for one answer."""

    points: float | None = None
    comment: str = ""


Marks = dict[tuple[str, str], Mark]
"""By student, as `Grade.key` says it, and part."""


def marks_of_table(path: Path, parts: dict[str, dict]) -> Marks:
    """The marks in a ``grades.csv``; none where there is no such file.

    Raises:
        ValueError: it can't be read, or holds points that are no points; it must not be written
            over then.
    """
    manual = [name for name, part in parts.items() if part["manual"]]
    if not path.exists():
        return {}
    try:
        table = read_table(path, ["student", "id", *manual], ["comment"])
        found: Marks = {}
        for line, row in table.rows:
            for name in manual:
                try:
                    points = read_points(row[name], parts[name]["points"])
                except ValueError as error:
                    table.fault(line, f"column {name}: {error}")
                    continue
                # One column of comments, which goes with the first open question.
                comment = row.get("comment", "") if name == manual[0] else ""
                found[f"{row['student']}\n{row['id']}", name] = Mark(points, comment)
        table.check()
    except ValueError as error:
        raise ValueError(
            f"{error}\nThis file would be written over, and what was typed into it lost: correct "
            "it, move it away, or give --out another name."
        ) from None
    return found


def merge(known: Marks, table: Marks, open_table: Marks) -> Marks:
    """What holds now: for each answer whichever table was changed since `known`.

    Raises:
        ValueError: both were, and they differ.
    """
    merged = dict(known)
    for key in {*table, *open_table}:
        before = known.get(key, Mark())
        changed = {
            marks[key] for marks in (table, open_table) if key in marks and marks[key] != before
        }
        if len(changed) > 1:
            student = key[0].partition("\n")[0]
            raise ValueError(
                f"The two tables were both changed for {student}, part {key[1]}: make them agree. "
                f"They say {' and '.join(sorted(map(_said, changed)))}."
            )
        if changed:
            merged[key] = changed.pop()
    return {key: mark for key, mark in merged.items() if mark != Mark()}


def _said(mark: Mark) -> str:
    points = "no points" if mark.points is None else f"{mark.points:g}"
    return f"{points} ({mark.comment})" if mark.comment else points


def load_marks(path: Path) -> Marks:
    """The marks that the last run knew."""
    if not path.exists():
        return {}
    return {
        (student, part): Mark(points, comment)
        for student, part, points, comment in json.loads(path.read_text("utf8"))
    }


def dump_marks(marks: Marks) -> str:
    """Marks as `load_marks` reads them."""
    rows = [[*key, mark.points, mark.comment] for key, mark in sorted(marks.items())]
    return json.dumps(rows, indent=1)
