"""Write book/status.md, on what each chapter's outputs were made: ``make notebooks``.

Everything on it is read from the committed notebooks and from ``pages.json`` and
``slow_phone.json`` in ``benchmarks/results/``.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

from course_tools.notebooks.chapters import ROOT, Chapter, code_cells, find_chapters

PAGE = ROOT / "book/status.md"
PAGES = ROOT / "benchmarks/results/pages.json"
SLOW_PHONE = ROOT / "benchmarks/results/slow_phone.json"
# What `genre_lib.describe_environment` prints.
LINE = re.compile(r"(python [^\n]*?) · device (\S+) · songs: ([^\n]+)")
IN_TABLE = ("chapter", "seconds", "device", "run on")
DEVICES = ("mobile", "desktop")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")

INTRODUCTION = """\
# Status

**You will find** here how the pages of this book were made: when and for how long each chapter \
ran, on which songs, device and versions; how the pages scored when they were tested; and how \
fast the classifier answers on a phone.
"""


def circumstances(chapter: Chapter) -> dict[str, str]:
    """What a chapter's committed outputs say they were made with; "?" where they don't."""
    notebook = chapter.notebook()
    printed = "".join(
        output.get("text", "") for cell in code_cells(notebook) for output in cell.outputs
    )
    found = LINE.search(printed)
    versions, device, songs = found.groups() if found else ("?", "?", "?")
    run = notebook.metadata.get("run", {})
    return {
        "chapter": link_to(chapter.name),
        "seconds": str(run.get("seconds", "?")),
        "songs": songs,
        "device": device,
        "run on": run.get("date", "?"),
        "versions": versions,
    }


def link_to(name: str) -> str:
    """A link to a page of the book, by its first heading."""
    page = ROOT / f"book/{name}.md"
    title = page.read_text("utf8").split("\n", 1)[0].removeprefix("# ")
    notebook = page.with_suffix(".ipynb")
    return f"[{title}]({notebook.name if notebook.exists() else page.name})"


def shared(rows: list[dict[str, str]], what: str) -> str:
    """What all chapters have in common, or each chapter's own."""
    values = dict.fromkeys(row[what] for row in rows)
    if len(values) == 1:
        return f"{rows[0][what]}, in every chapter"
    return "; ".join(
        f"{value} in {', '.join(row['chapter'] for row in rows if row[what] == value)}"
        for value in values
    )


def table(rows: list[dict[str, str]]) -> str:
    """Rows as a Markdown table."""
    lines = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def measured_pages(stored: dict, names: dict[str, str]) -> str:
    """The table of axe's violations and Lighthouse's scores, a row per chapter in reading order."""
    rows = []
    for stem, name in names.items():
        result = stored["pages"].get(f"book/{stem}.html", {})
        scores = {
            device: " · ".join(str(result[device][category]) for category in CATEGORIES)
            if device in result
            else "not measured"
            for device in DEVICES
        }
        rows.append({"page": name, **scores, "axe": str(result.get("axe", "not measured"))})
    return table(rows)


def slow_phone(stored: dict) -> str:
    """How fast the classifier answers in the page, as a paragraph and a table."""
    rows = [
        {
            "page": link_to(Path(run["page"]).stem),
            "first answers": " · ".join(f"{ms / 1000:.1f} s" for ms in run["first_ms"]),
            "bars change": "{median} ms ({p90} ms)".format(**run["changed_ms"]),
            "frame is drawn": "{median} ms ({p90} ms)".format(**run["drawn_ms"]),
        }
        for run in stored["runs"]
    ]
    versions = ", ".join(f"{name} {number}" for name, number in stored["versions"].items())
    return (
        "How long the classifier takes to answer on a slow phone: with the CPU slowed down by a "
        f"factor of {stored['slowdown']:g} and a connection of {stored['line']}. The first key is "
        f"pressed as soon as the page has loaded, then one every {stored['between_keys_ms']} ms. "
        f"First answers are those of {len(stored['runs'][0]['first_ms'])} visits. For the "
        f"{stored['runs'][0]['keys']} keys that follow, the table has the median and, in brackets, "
        "the time within which 90% were answered: until the bars change, and until the browser "
        f"has drawn the frame that shows it. Made with {versions} on {stored['device']} "
        f"(Lighthouse's benchmark index {stored['benchmark_index']:,}), by `{stored['command']}`, "
        f"{stored['date']}.\n\n" + table(rows)
    )


def status() -> str:
    """The page as Markdown."""
    chapters = find_chapters()
    rows = [circumstances(chapter) for chapter in chapters]
    parts = [
        INTRODUCTION,
        "## The chapters\n",
        "Seconds are those of a whole run on the machine that made the outputs.\n",
        table([{k: row[k] for k in IN_TABLE} for row in rows]) + "\n",
        *(f"- {what.capitalize()}: {shared(rows, what)}" for what in ("songs", "versions")),
    ]
    if PAGES.exists():
        stored = json.loads(PAGES.read_text("utf8"))
        versions = ", ".join(f"{name} {number}" for name, number in stored["versions"].items())
        names = {chapter.name: link_to(chapter.name) for chapter in chapters}
        parts += [
            "\n## The pages\n",
            "Lighthouse's scores for performance, accessibility, best practices and search "
            "engines, out of 100, median of three runs; and violations of axe-core's rules "
            f"over two widths, light and dark. Made with {versions}, by `{stored['command']}`, "
            f"{stored['date']}.\n",
            measured_pages(stored, names),
        ]
    if SLOW_PHONE.exists():
        parts += ["\n## The classifier on a slow phone\n"]
        parts += [slow_phone(json.loads(SLOW_PHONE.read_text("utf8")))]
    return "\n".join(parts) + "\n"


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(status(), "utf8")


if __name__ == "__main__":
    main()
