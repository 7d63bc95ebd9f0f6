"""What a submission got, and how it is kept between runs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from course_tools.grading.marks import Mark
from course_tools.grading.tables import write


@dataclass
class Grade:
    """One student's grade, and all that goes with it."""

    student: str
    lms_id: str
    late: bool
    reason: str = ""
    """What was wrong with the submission as a whole, or nothing."""
    student_id: str = ""
    """What was typed into the notebook's first cell."""
    seconds: float = 0.0
    points: dict[str, float] = field(default_factory=dict)
    """By part: what its tests gave."""
    hints: dict[str, list[str]] = field(default_factory=dict)
    """By part: the failure messages of tests that failed, each once."""
    errors: list[str] = field(default_factory=list)
    """Cells that raised, each with its number and its error."""
    file: str = ""
    """The name of the file that was graded."""
    handed_in: str = ""
    """When, as ISO local time, where it is known."""
    answers: dict[str, str] = field(default_factory=dict)
    """By part: the text of open questions' answers."""
    finished: bool = True
    """Whether another run would find the same; a notebook that ran out of time might not."""
    remarks: list[str] = field(default_factory=list)
    """What the class's table says about this row, for the instructor alone."""
    open: dict[str, Mark] = field(default_factory=dict)
    """By part: what a person gave for open questions."""
    days_late: int = 0
    after_late: float | None = None
    """All points after the late policy, where there is one."""

    @property
    def key(self) -> str:
        """Who it is, for tables."""
        return f"{self.student}\n{self.lms_id}"

    @property
    def tested(self) -> float:
        """Points by tests."""
        return sum(self.points.values())

    @property
    def total(self) -> float:
        """Points by tests, and by a person as far as they have been given."""
        return self.tested + sum(mark.points or 0.0 for mark in self.open.values())

    @property
    def remark(self) -> str:
        """All that is to be said about this row."""
        return "; ".join([self.reason] * bool(self.reason) + self.remarks)

    def note(self, reason: str) -> None:
        """Add to what was wrong."""
        if reason not in self.reason:
            self.reason = "; ".join([self.reason] * bool(self.reason) + [reason])

    def hint(self, part: str, hint: str) -> None:
        """Add a hint, unless it is there."""
        given = self.hints.setdefault(part, [])
        if hint not in given:
            given.append(hint)

    def most(self, parts: dict[str, dict]) -> float:
        """The points that `total` could be: those of open questions count once they were read."""
        return sum(
            part["points"]
            for name, part in parts.items()
            if not part["manual"] or (name in self.open and self.open[name].points is not None)
        )


def see_to_shared_ids(grades: Iterable[Grade]) -> None:
    """Remark where several notebooks have one student id."""
    grades = list(grades)
    typed = Counter(one.student_id for one in grades)
    for one in grades:
        if one.student_id and typed[one.student_id] > 1:
            one.remarks.append(f"{typed[one.student_id]} notebooks have this student_id")


def store(grade: Grade, path: Path, key: str) -> None:
    """Keep a grade; `key` stands for all that it depends on."""
    write(path, json.dumps({"key": key, "grade": asdict(grade)}, indent=1))


def recall(path: Path, key: str) -> Grade | None:
    """The grade that was kept for `key`, if there is one."""
    try:
        kept = json.loads(path.read_text("utf8"))
        return Grade(**kept["grade"]) if kept["key"] == key else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # none yet, or a broken one: grade again
