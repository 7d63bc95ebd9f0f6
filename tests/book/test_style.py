"""How the course speaks, and how wide its code is."""

from __future__ import annotations

import re

import pytest

from course_tools.notebooks.chapters import ROOT, find_chapters

WIDEST = 76
"""Characters of a line of code that a page shows at 1280 pixels."""

INSTEAD = {
    r"\bwhoever\b": "if you …",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bbends?\b": "activation, non-linearity",
    r"\bby heart\b": "memorise",
    r"(?<!\")\btrainings\b(?!\"|=)": "training runs",
    r"\bthe way back\b": "backward pass",
    r"\b(of|change|their|its) places\b": "positions",
    r"\binterval holds\b": "the interval contains",
    r"\b(a row|one|a line) an? (song|epoch|genre|word)\b": "one per …, a row per …",
    r"\bat the most\b": "at most",
    r"\bstands? on\b(?! (a|its|the) page)": "is based on; builds on",
    r"\bthe truth probability\b": "the true genre",
    r"\bthat part company\b": "when the curves part",
    r"\bhands? out batches\b": "yields batches",
    r"\bwhat (became|has become) of\b": "what happened to",
    r"\b(can|could) be had\b": "is available; the best achievable",
    r"\bworth mentioning\b": "too quick to time reliably",
    r"\bnothing to wonder\b": "no surprise",
    r"\bgone on\b": "resumed",
    r"\bhow good anything\b": "how good any model",
    r"\bthat memory does not hold\b": "that don't fit in memory",
    r"\bprobable the network holds\b": "considers",
    r"\bguessing is poor\b": "don't guess; profile",
    r"\bkeep the doubt\b": "hold that thought",
    r"\bmade anew\b": "made again",
    r"\bstraight edges\b": "rectangular",
}

PAGES = [
    *(ROOT / "book").glob("*.md"),
    *(ROOT / "assignments").glob("*.md"),
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md")),
    *(ROOT / "genre_lib").rglob("*.py"),
    *(ROOT / "course_tools").rglob("*.py"),
    *(ROOT / "benchmarks").glob("*.py"),
    *(ROOT / "live").glob("*.js"),
]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_phrase_that_readers_stumbled_over(path):
    text = " ".join(path.read_text(encoding="utf-8").split())
    found = {
        text[max(0, hit.start() - 40) : hit.end() + 20]: instead
        for phrase, instead in INSTEAD.items()
        for hit in re.finditer(phrase, text, re.IGNORECASE)
    }
    assert not found


@pytest.mark.parametrize("chapter", find_chapters(), ids=lambda chapter: chapter.name)
def test_code_needs_no_sideways_scrolling_on_a_laptop(chapter):
    lines = [
        line
        for cell in chapter.notebook().cells
        if cell.cell_type == "code"
        for line in cell.source.splitlines()
    ]
    assert not [line for line in lines if len(line) > WIDEST]
