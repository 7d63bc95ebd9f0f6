"""Which notebooks share unusual code.

``python -m course_tools.grading.similarity SUBMISSIONS --assignment 02 --out similarity.html``

The page ranks pairs beside the class's own distribution. It is no verdict: it says where to read
both notebooks, and only a person who has read them, and has talked to the students, can judge.
No code is run. ``course_tools.grading.fingerprints`` says how notebooks are compared.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path

import nbformat
import numpy as np

from course_tools.grading import results
from course_tools.grading.assignment import DIST, find_assignment
from course_tools.grading.fingerprints import (
    WINDOW,
    Handout,
    K,
    Notebook,
    Pair,
    likenesses,
    pairs_of,
    weights_of,
)
from course_tools.grading.page import bar, code, count, page, table
from course_tools.grading.submissions import read_cells, read_submissions
from course_tools.handouts.source import SOURCES, read_mistakes
from course_tools.notebooks.chapters import code_cells, tags

TOP = 10
MATCHES = 4
BINS = 20
CAUTION = """\
<p>This page ranks pairs of notebooks by the unusual code that they share. It proves nothing. Two
students who worked side by side, asked the same tutor or found the same example look like a copy,
and a copy that was rewritten by hand looks like honest work. It says nothing of who wrote first.
Read both notebooks, and talk to both students, before you conclude anything.</p>"""


def report(
    title: str, notebooks: Sequence[Notebook], common: frozenset[int], top: int = TOP
) -> str:
    """The page about a class.

    Args:
        title: the assignment.
        notebooks: the students' own code.
        common: hashes of code that anybody may have.
        top: how many pairs are shown side by side.
    """
    if len(notebooks) < 3:
        return page(title, ["<p>With fewer than three notebooks there is no class to compare a "
                            "pair with.</p>"])  # fmt: skip
    weights = weights_of(notebooks, common)
    likeness = likenesses(notebooks, weights)
    every = np.sort(likeness[np.triu_indices(len(notebooks), 1)])
    pairs = pairs_of(notebooks, likeness, weights, top)
    shown = [pair for pair in pairs if pair.likeness > 0]
    return page(
        title, [CAUTION, _method(), _distribution(every), *_ranked(shown, every)], wide=True
    )


def _method() -> str:
    return (
        "<details><summary>How notebooks are compared</summary><p>Code that was handed out is left "
        "out. What remains is read without names, comments, layout and the order of statements, "
        f"functions and cells. A run of {K + WINDOW - 1} tokens (words and signs) that two "
        f"functions share is always found, one of fewer than {K} never. What many in the class "
        "share counts little, and what the reference solution and the typical mistakes have counts "
        "nothing. Likeness goes from 0 (nothing unusual is shared) to 1 (everything is).</p>"
        "</details>"
    )


def _distribution(every: np.ndarray) -> str:
    bins = max(1, math.ceil(round(BINS * float(every[-1]), 6)))
    numbers, edges = np.histogram(every, bins=bins, range=(0, bins / BINS))
    # From the top: the interesting end first, and no row behind it.
    rows = [
        [f"{low:.2f} to {high:.2f}", str(number), bar(number / numbers.max())]
        for number, low, high in zip(numbers[::-1], edges[-2::-1], edges[:0:-1], strict=True)
    ]
    quantiles = [("the median pair", 50), ("9 pairs of 10", 90), ("99 of 100", 99)]
    said = "; ".join(
        f"{name} {'is' if q == 50 else 'are'} at {'' if q == 50 else 'most '}"
        f"{np.percentile(every, q):.2f}"
        for name, q in quantiles
    )
    return (
        f"<section><h2>The class's own distribution</h2><p>Of {count(len(every), 'pair')}, {said}; "
        f"the highest is at {every[-1]:.2f}. A pair far from all others deserves a look; one at "
        "the end of an unbroken tail usually does not.</p>"
        + table("Pairs by likeness", ["likeness", "pairs", ""], rows, "tnb")
        + "</section>"
    )


def _ranked(pairs: Sequence[Pair], every: np.ndarray) -> list[str]:
    if not pairs:
        return ["<p>No two notebooks share anything unusual.</p>"]
    rows = []
    for i, pair in enumerate(pairs, 1):
        names = f"{escape(pair.left.student)} and {escape(pair.right.student)}"
        rows.append([f'<a href="#p{i}">{names}</a>', f"{pair.likeness:.2f}", bar(pair.likeness)])
    made = [
        "<section><h2>The pairs most alike</h2>",
        table(f"The first {len(pairs)} of {len(every)}", ["pair", "likeness", ""], rows, "tnb"),
        "</section>",
    ]
    return made + [_pair(i, pair, every) for i, pair in enumerate(pairs, 1)]


def _pair(rank: int, pair: Pair, every: np.ndarray) -> str:
    left, right = escape(pair.left.student), escape(pair.right.student)
    following = every[-rank - 1] if rank < len(every) else 0.0
    said = (
        f"Likeness {pair.likeness:.2f}: {_ordinal(rank)} of {len(every)} pairs. The next pair is "
        f"at {following:.2f}, the median pair at {np.median(every):.2f}."
    )
    whole = sum(match.weight for match in pair.matches)
    matches = []
    for match in pair.matches[:MATCHES]:
        share = match.weight / whole
        matches.append(
            f"<h3>{escape(match.left.name)}"
            + ("" if match.left.name == match.right.name else f" and {escape(match.right.name)}")
            + f': {share:.0%} of what they share</h3><div class="pair">'
            f'<div><p class="soft small">{left}</p>{code(match.left.source)}</div>'
            f'<div><p class="soft small">{right}</p>{code(match.right.source)}</div></div>'
        )
    more = len(pair.matches) - MATCHES
    matches += [f"<p>{count(more, 'more match', 'more matches')} with less.</p>"] * (more > 0)
    return (
        f'<section id="p{rank}"><h2>{rank}. {left} and {right}</h2><p>{said}</p>'
        f"{''.join(matches)}</section>"
    )


def _ordinal(number: int) -> str:
    ends = {1: "st", 2: "nd", 3: "rd"}
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ends.get(number % 10, 'th')}"


def read_handout(name: str, dist: Path = DIST) -> list[str]:
    """The code cells of the notebook as students got it.

    Raises:
        ValueError: the assignment has not been built.
    """
    path = dist / "student" / f"{name}.ipynb"
    if not path.exists():
        raise ValueError(f"There is no {path}: run `make assignments` first.")
    return [cell.source for cell in code_cells(nbformat.read(path, as_version=4))]


def read_known(name: str, dist: Path = DIST) -> list[str]:
    """Code that anybody may have: the reference solution and the typical mistakes."""
    solved = nbformat.read(dist / f"instructor/{name}/{name}.ipynb", as_version=4)
    cells = [cell.source for cell in code_cells(solved) if "given" not in tags(cell)]
    return cells + [one["code"] for one in read_mistakes(SOURCES / f"{name}.md")]


def main(arguments: list[str] | None = None) -> int:
    """Command line; the exit code is 0 when the page is written."""
    parser = argparse.ArgumentParser(
        prog="python -m course_tools.grading.similarity",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("submissions", type=Path)
    parser.add_argument("--assignment", required=True, metavar="NN")
    parser.add_argument("--out", required=True, type=Path, metavar="similarity.html")
    parser.add_argument("--top", type=int, default=TOP, help=f"pairs to show (default: {TOP})")
    options = parser.parse_args(arguments)
    try:
        if options.out.suffix != ".html" or not options.out.absolute().parent.is_dir():
            raise ValueError(f"--out {options.out}: give a name that ends in .html in a folder.")
        name = find_assignment(options.assignment).name
        handout = Handout(read_handout(name))
        notebooks, unread = [], []
        for one in read_submissions(options.submissions, name):
            try:
                cells = read_cells(one, name)
            except ValueError as error:
                unread.append(f"{one.student}: {error}")
                continue
            notebooks.append(Notebook(one.student, handout.own_units(cells)))
        common = handout.hashes(read_known(name))
        made = report(f"{name}: shared code", notebooks, common, max(1, options.top))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    results.write(options.out, made)
    print(f"{count(len(notebooks), 'notebook')} compared: {options.out}")
    for line in unread:
        print(f"not compared: {line}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
