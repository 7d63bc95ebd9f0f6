"""Points and comments that a person gives for open questions; they survive every later run.

They may be typed into two tables: ``grades.csv``, a row for each student, and ``grades-open.csv``,
which goes with the page that shows all answers side by side. What the last run knew is kept beside,
so that the next one sees which of the two was changed.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from course_tools.grading.tables import read_points, read_table, write


class Mark(NamedTuple):
    """What a person gave for one answer."""

    points: float | None = None
    comment: str = ""


Marks = dict[tuple[str, str], Mark]
"""By student, as `Grade.key` says it, and part."""


def marks_of_table(
    path: Path, parts: dict[str, dict], known: Marks, students: Collection[str]
) -> Marks:
    """The marks in a ``grades.csv``; none where there is no such file.

    Args:
        path: the table.
        parts: the assignment's parts.
        known: what the last run knew; a table without comments says nothing about them.
        students: the keys of all students that there are, or were.

    Raises:
        ValueError: it can't be read, or holds points that are no points or nobody's; it must not
            be written over then.
    """
    manual = [name for name, part in parts.items() if part["manual"]]
    if not path.exists():
        return {}
    try:
        table = read_table(path, ["student", "id", *manual], ["comment"])
        found: Marks = {}
        for line, row in table.rows:
            for name in manual:
                key = f"{row['student']}\n{row['id']}", name
                # One column of comments, which goes with the first open question.
                comment = row.get("comment", known.get(key, Mark()).comment)
                try:
                    points = read_points(row[name], parts[name]["points"])
                except ValueError as error:
                    table.fault(line, f"column {name}: {error}")
                    continue
                mark = Mark(points, comment if name == manual[0] else "")
                if key in found:
                    table.fault(line, f"{row['student']} appears twice")
                elif key[0] in students:
                    found[key] = mark
                elif mark != Mark():
                    table.fault(
                        line,
                        f"no student is called {row['student']!r} with the id {row['id']!r}; the "
                        "program that saved the table may have changed them",
                    )
        table.check()
    except ValueError as error:
        raise ValueError(
            f"{error}\nThis file would be written over, and what was typed into it lost: correct "
            "it, move it away, or give --out another name."
        ) from None
    return found


def merge(kept: Kept, table: Marks, open_table: Marks) -> Marks:
    """What holds now: for each answer whichever table differs from what was last written into it.

    Raises:
        ValueError: both do, and they say different things.
    """
    merged = dict(kept.marks)
    for key in {*table, *open_table}:
        before = kept.marks.get(key, Mark())
        typed = {
            marks[key]
            for marks, written in ((table, kept.table), (open_table, kept.open_table))
            if key in marks and marks[key] not in (before, written.get(key, Mark()))
        }
        if len(typed) > 1:
            student = key[0].partition("\n")[0]
            raise ValueError(
                f"The two tables were both changed for {student}, part {key[1]}: make them agree. "
                f"They say {' and '.join(sorted(map(_said, typed)))}."
            )
        if typed:
            merged[key] = typed.pop()
    return {key: mark for key, mark in merged.items() if mark != Mark()}


def _said(mark: Mark) -> str:
    points = "no points" if mark.points is None else f"{mark.points:g}"
    return f"{points} ({mark.comment})" if mark.comment else points


@dataclass
class Kept:
    """What is known between runs."""

    marks: Marks = field(default_factory=dict)
    table: Marks = field(default_factory=dict)
    """What ``grades.csv`` held when it was last read or written."""
    open_table: Marks = field(default_factory=dict)
    """What ``grades-open.csv`` held then."""
    students: set[str] = field(default_factory=set)
    """The keys of all students that there are, or were in an earlier run."""

    @classmethod
    def load(cls, path: Path) -> Kept:
        """What `store` wrote, or nothing."""
        if not path.exists():
            return cls()
        kept = json.loads(path.read_text("utf8"))
        tables = [
            {(key, part): Mark(points, comment) for key, part, points, comment in kept[name]}
            for name in ("marks", "table", "open_table")
        ]
        return cls(*tables, set(kept["students"]))

    def store(self, path: Path) -> None:
        """Write it for the next run."""
        kept: dict[str, list] = {"students": sorted(self.students)}
        for name in ("marks", "table", "open_table"):
            some = getattr(self, name)
            kept[name] = [[*key, mark.points, mark.comment] for key, mark in sorted(some.items())]
        write(path, json.dumps(kept, indent=1))
