"""What lateness costs, and which grade points are worth; the raw points stay as they are.

All times are naive local times, as a wall clock at the instructor's place shows them. A day late
is 24 hours on that clock: work due at 12:00 and handed in at 12:00 on the next day is one day late,
also when the clocks changed in between. In the hour that occurs twice, both times read the same.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from pathlib import Path

from course_tools.grading.tables import read_table

DAY = timedelta(days=1)
CENT = Decimal("0.01")


def local_time(text: str) -> datetime:
    """A time in ISO's form such as 2026-03-05T23:59; one with a zone becomes local.

    Raises:
        ValueError: it is none; a day alone doesn't say whether its start or its end is meant.
    """
    said = f"{text[:40]!r} is not a time such as 2026-03-05T23:59"
    try:
        time = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
        time = time.astimezone().replace(tzinfo=None) if time.tzinfo else time
    except (ValueError, OverflowError, OSError):
        raise ValueError(said) from None
    if ":" not in text:
        raise ValueError(said)
    return time


@dataclass(frozen=True)
class LatePolicy:
    """What each day late costs, in percent of the points earned.

    Up to `grace` after the due time nothing is lost; after that, days count from the due time and
    each day begun counts as one. No more than `most` percent are ever lost.
    """

    due: datetime
    grace: timedelta = timedelta()
    percent_a_day: float = 10.0
    most: float = 100.0

    def __post_init__(self) -> None:
        if self.due.tzinfo is not None:
            raise ValueError("The due time must be a local time without a zone.")
        if self.grace < timedelta():
            raise ValueError(f"The grace period is negative ({self.grace}): give 0 or more.")
        for name in ("percent_a_day", "most"):
            if not 0 <= getattr(self, name) <= 100:  # not for NaN either
                raise ValueError(f"{name} is {getattr(self, name)}: give a percentage, 0 to 100.")

    def due_for(self, extension: timedelta | datetime | None = None) -> datetime:
        """When it is due with an extension: days more, or another time."""
        if isinstance(extension, datetime):
            return extension
        return self.due + (extension or timedelta())

    def after(
        self,
        points: float,
        handed_in: datetime | None,
        extension: timedelta | datetime | None = None,
    ) -> tuple[int, float]:
        """Days late, and the points that are left, rounded half up to hundredths.

        Raises:
            ValueError: it isn't known when it was handed in.
        """
        if handed_in is None:
            raise ValueError("The time it was handed in is unknown: give it in the roster.")
        late = handed_in - self.due_for(extension)
        days = math.ceil(late / DAY) if late > self.grace else 0
        lost = min(Decimal(str(self.percent_a_day)) * days, Decimal(str(self.most)))
        left = _decimal(points) * (100 - lost) / 100
        return days, float(left.quantize(CENT, ROUND_HALF_UP))

    def doubt(
        self,
        late: bool,
        handed_in: datetime | None,
        extension: timedelta | datetime | None = None,
    ) -> str:
        """What an instructor must look at: the LMS's mark without a time, or against it."""
        if handed_in is None:
            mark = "the LMS marks it as late" if late else "it has no late mark"
            return f"{mark}, but when it was handed in is unknown: give handed_in in the roster"
        if late and extension is None and handed_in <= self.due:
            return "the LMS marks it as late, but its time is before the due time: check it"
        return ""


@dataclass(frozen=True)
class Scale:
    """Grades by the percentage from which on each is given, the highest first."""

    bounds: tuple[tuple[Decimal, str], ...]

    def percent(self, points: float, most: float) -> Decimal:
        """Percent of the points, rounded half up to hundredths: 89.995 is 90.00, 89.99 is not.

        Raises:
            ValueError: there are no points to be earned.
        """
        if most <= 0:
            raise ValueError("There are no points to be earned, so there is no percentage.")
        return (_decimal(points) * 100 / _decimal(most)).quantize(CENT, ROUND_HALF_UP)

    def grade(self, points: float, most: float) -> str:
        """The grade for points, by their rounded percentage.

        Raises:
            ValueError: as `percent`.
        """
        percent = self.percent(points, most)
        return next((name for low, name in self.bounds if percent >= low), self.bounds[-1][1])


def read_scale(path: Path) -> Scale:
    """A scale from a CSV file with the columns percent and grade, in any order of rows.

    Raises:
        ValueError: it can't be read; each fault is named with its line.
    """
    table = read_table(path, ["percent", "grade"])
    bounds: dict[Decimal, str] = {}
    for line, row in table.rows:
        try:
            percent = Decimal(row["percent"].removesuffix("%").strip().replace(",", "."))
        except InvalidOperation:
            percent = Decimal("NaN")
        if not percent.is_finite() or not 0 <= percent <= 100:
            table.fault(line, f"percent is {row['percent'][:20]!r}: give a number from 0 to 100")
        elif not row["grade"]:
            table.fault(line, f"there is no grade for {percent} percent")
        elif percent in bounds:
            table.fault(line, f"{percent} percent stands in two lines: remove one")
        else:
            bounds[percent] = row["grade"]
    if not table.faults and 0 not in bounds:
        last = table.rows[-1][0] if table.rows else 1
        table.fault(last, "no grade begins at 0 percent: add a line for it")
    table.check()
    return Scale(tuple(sorted(bounds.items(), reverse=True)))


def _decimal(number: float) -> Decimal:
    """The decimal number that is meant: a sum of tenths has errors in its last digits."""
    return Decimal(str(round(number, 9)))
