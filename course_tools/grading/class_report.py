"""How an assignment went for the whole class, as one page for the instructor."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from statistics import mean, median

from course_tools.grading.page import bar, count, facts, page, table
from course_tools.grading.results import Grade

MOST_MISTAKES = 15
MOST_BINS = 10


def class_report(
    title: str, grades: Sequence[Grade], parts: dict[str, dict], names: bool = False
) -> str:
    """The page about a class; without `names` it says nothing of single students.

    Args:
        title: what was graded.
        grades: all grades of the class; one without any points by part handed in nothing.
        parts: by name: title, points and whether a person reads it ("manual").
        names: also list the students, their totals and mistakes.
    """
    read = [one for one in grades if handed_in(one)]
    sections = [_how_many(grades, read, parts)]
    if read:
        sections += [_totals(read, parts), _by_part(read, parts), _mistakes(read, parts)]
    if names:
        sections += [_students(grades, parts)]
    return page(title, sections)


def handed_in(grade: Grade) -> bool:
    """Whether there was a notebook that could be run: whatever ran took some time."""
    return bool(grade.seconds) or any(grade.points.values()) or bool(grade.hints)


def points_of(grade: Grade, part: str, manual: bool) -> float | None:
    """The points of a part; None for an open question that nobody has read yet."""
    if manual:
        return grade.open[part].points if part in grade.open else None
    return grade.points.get(part, 0.0)


def _counted(read: Sequence[Grade], parts: dict[str, dict]) -> dict[str, dict]:
    """The parts that make up totals: an open question counts once all of its answers are read."""
    return {
        name: part
        for name, part in parts.items()
        if all(points_of(one, name, part["manual"]) is not None for one in read)
    }


def _total(grade: Grade, counted: dict[str, dict]) -> float:
    return sum(points_of(grade, name, part["manual"]) or 0 for name, part in counted.items())


def _section(heading: str, *content: str) -> str:
    return f"<section><h2>{escape(heading)}</h2>{''.join(content)}</section>"


def _how_many(grades: Sequence[Grade], read: Sequence[Grade], parts: dict[str, dict]) -> str:
    seconds = [one.seconds for one in read if one.seconds]
    tiles: list[tuple[str, object]] = [
        ("on the list", len(grades)),
        ("notebooks that ran", len(read)),
        ("nothing that could be run", len(grades) - len(read)),
        ("with a remark", sum(bool(one.remark) for one in grades)),
        ("late", sum(one.late for one in grades)),
    ]
    if seconds:
        tiles += [("median time", _time(median(seconds))), ("longest", _time(max(seconds)))]
    for name, part in parts.items():
        if part["manual"]:
            waiting = sum(points_of(one, name, True) is None for one in read)
            tiles.append((f"{name}: answers to read", waiting))
    return facts(tiles)


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.1f} min"


def _totals(read: Sequence[Grade], parts: dict[str, dict]) -> str:
    counted = _counted(read, parts)
    most = sum(part["points"] for part in counted.values())
    totals = [_total(one, counted) for one in read]
    bins = _bins(totals, most)
    highest = max(number for _, number in bins)
    rows = [[label, str(number), bar(number / highest)] for label, number in bins]
    unread = [part["title"] for name, part in parts.items() if name not in counted]
    said = f"Out of {most:g} points: median {median(totals):g}, mean {mean(totals):.1f}, "
    said += f"from {min(totals):g} to {max(totals):g}."
    if unread:
        said += f" Without {', '.join(unread)}, which still has to be read."
    caption = f"Totals of the {count(len(read), 'notebook')} that ran"
    return _section(
        "Totals",
        f"<p>{escape(said)}</p>",
        table(caption, ["points", "students", ""], rows, "tnb"),
    )


def _bins(totals: Sequence[float], most: float) -> list[tuple[str, int]]:
    """Totals in at most ten bins of whole points; the last one includes the highest total."""
    width = max(1, -(-int(most) // MOST_BINS))
    bins = []
    start = 0
    while start <= most:
        # Totals may have halves, so a bin ends just before the next one begins.
        number = sum(start <= total < start + width for total in totals)
        end = min(start + width - 1, int(most))
        bins.append((f"{start}" if start == end else f"{start} to {end}", number))
        start += width
    return bins


def _by_part(read: Sequence[Grade], parts: dict[str, dict]) -> str:
    counted = _counted(read, parts)
    rows, nobody, everybody = [], [], []
    for name, part in counted.items():
        got = [points_of(one, name, part["manual"]) or 0 for one in read]
        lost = 1 - mean(got) / part["points"] if part["points"] else 0.0
        if not any(got):
            nobody.append(part["title"])
        if all(points >= part["points"] for points in got):
            everybody.append(part["title"])
        full = sum(points >= part["points"] for points in got)
        rows.append(
            [escape(part["title"]), f"{part['points']:g}", f"{full}", f"{lost:.0%}", bar(lost)]
        )
    said = [
        f"<p>Nobody got a point for: {escape('; '.join(nobody))}.</p>" if nobody else "",
        f"<p>Everybody got every point for: {escape('; '.join(everybody))}.</p>"
        if everybody
        else "",
    ]
    head = ["part", "points", "got them all", "lost on average", ""]
    caption = f"Mean share of a part's points that the {count(len(read), 'notebook')} lost"
    return _section("Points lost by part", *said, table(caption, head, rows, "tnnnb"))


def _mistakes_of(read: Sequence[Grade]) -> dict[tuple[str, str], list[str]]:
    """By part and hint: who has the mistake, each student once."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in read:
        for part, hints in one.hints.items():
            for hint in dict.fromkeys(hints):
                found.setdefault((part, hint), []).append(one.student)
    return dict(sorted(found.items(), key=lambda pair: (-len(pair[1]), pair[0])))


def _mistakes(read: Sequence[Grade], parts: dict[str, dict]) -> str:
    found = _mistakes_of(read)
    if not found:
        return _section("Commonest mistakes", "<p>No test failed in any notebook.</p>")
    rows = []
    for (part, hint), who in list(found.items())[:MOST_MISTAKES]:
        share = len(who) / len(read)
        title = escape(parts.get(part, {}).get("title", part))
        text = f'{escape(hint)}<br><span class="soft small">{title}</span>'
        rows.append([text, f"{len(who)} ({share:.0%})", bar(share)])
    more = len(found) - len(rows)
    caption = "The hint that each failed test gave, and how many students got it"
    caption += f"; {count(more, 'rarer one')} left out" if more > 0 else ""
    return _section("Commonest mistakes", table(caption, ["mistake", "students", ""], rows, "tnb"))


def _students(grades: Sequence[Grade], parts: dict[str, dict]) -> str:
    ran = [one for one in grades if handed_in(one)]
    counted = _counted(ran, parts)
    rows = []
    for one in sorted(grades, key=lambda one: (one.student.lower(), one.lms_id)):
        total = f"{_total(one, counted):g}" if handed_in(one) else "–"
        hints = sum(len(dict.fromkeys(some)) for some in one.hints.values())
        remark = "; ".join(["late"] * one.late + [one.remark] * bool(one.remark))
        rows.append([escape(one.student), total, str(hints), escape(remark)])
    head = ["student", "total", "mistakes", "remark"]
    made = [table(f"All {count(len(grades), 'student')}, by name", head, rows, "tnnt")]
    who = [
        [f"{escape(hint)}<br><span class='soft small'>{escape(_title(part, parts))}</span>",
         escape(", ".join(students))]
        for (part, hint), students in _mistakes_of(ran).items()
    ]  # fmt: skip
    if who:
        made += ["<h3>Who has which mistake</h3>"]
        made += [table("Students by mistake", ["mistake", "students"], who)]
    return _section("Students", *made)


def _title(part: str, parts: dict[str, dict]) -> str:
    return parts.get(part, {}).get("title", part)
