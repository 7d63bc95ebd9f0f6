"""What must hold for every chapter; each check returns sentences that name chapter and cell."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from nbformat import NotebookNode

from course_tools.notebooks.chapters import EXACT, ROOT, Chapter, code_cells, slug, tags
from course_tools.notebooks.edits import edited_cells
from course_tools.notebooks.fingerprint import chapter_fingerprints
from course_tools.notebooks.rerun import rerun_problems

PLOTLY = "application/vnd.plotly.v1+json"
PICTURE = "image/png"
NEW = "run `make notebooks`"
FRONT_PAGE = "index"  # has neither exercises nor exact cells
LEAST_EXACT_CELLS = 4
LEAST_SOLUTIONS = 3
MACHINE_PATH = re.compile(
    r"(?<![\w.~…/])/(?:home|root|Users|tmp|work|mnt|opt)/[\w.-]+|[A-Z]:\\Users"
)
OTHER_HOST = re.compile(r"""<script|<iframe|<link|src=["'](?:https?:)?//""", re.IGNORECASE)
SONGS_LINE = re.compile(r"· songs: ([\w ,]+)")
# What CommonMark leaves standing: fences and labels of MyST, links without a target or with a space
# in it, footnotes, attributes, substitutions.
LEFTOVER = re.compile(
    r"^:::+.*|^\([\w-]+\)=$|\]\[[\w -]*\]|\]\([^)]*\)|\[\^\w+\]|\{[#.][\w-]+\}|\{\{.*?\}\}"
)
EXERCISE = re.compile(r"^> \*\*Exercise ([\w.]+)\*\*", re.MULTILINE)


def cell_name(index: int, cell: NotebookNode) -> str:
    """``cell 7 (`first line of its source`)``, counted from 1 over all cells."""
    lines = [line for line in cell.source.splitlines() if line.strip() and line != EXACT]
    first = lines[0].strip() if lines else "empty"
    return f"cell {index + 1} (`{first[:50]}{'…' if len(first) > 50 else ''}`)"


def edits_are_taken(chapter: Chapter) -> Iterator[str]:
    """Text was written into the .md, not into the .ipynb that is made from it."""
    for i, cell in edited_cells(chapter):
        yield (
            f"{cell_name(i, cell)}: was edited in the .ipynb, and `make notebooks` would undo it: "
            f'`make edits CHAPTERS="{chapter.name}"` takes it over into the .md'
        )


def pair_is_equal(chapter: Chapter) -> Iterator[str]:
    """``.md`` and ``.ipynb`` hold the same cells: kind, source and tags."""
    if edited_cells(chapter):  # `edits_are_taken` names these
        return
    ours, theirs = chapter.source().cells, chapter.notebook().cells
    for i, (in_md, in_ipynb) in enumerate(zip(ours, theirs, strict=False)):
        for what, a, b in [
            ("kind of cell", in_md.cell_type, in_ipynb.cell_type),
            ("source", in_md.source, in_ipynb.source),
            ("tags", tags(in_md), tags(in_ipynb)),
        ]:
            if a != b:
                yield f"{cell_name(i, in_md)}: {what} in the .md differs from the .ipynb: {NEW}"
                return
    if len(ours) != len(theirs):
        yield f"the .md has {len(ours)} cells and the .ipynb has {len(theirs)}: {NEW}"


def every_cell_ran(chapter: Chapter) -> Iterator[str]:
    """Code cells were executed in order, from a fresh kernel, without an error."""
    expected = 0
    for i, cell in enumerate(chapter.notebook().cells):
        if cell.cell_type != "code":
            continue
        expected += 1
        if cell.execution_count is None:
            yield f"{cell_name(i, cell)}: not executed: {NEW}"
        elif cell.execution_count != expected:
            yield (
                f"{cell_name(i, cell)}: executed as number {cell.execution_count} "
                f"where {expected} was due: {NEW}"
            )
        for output in cell.outputs:
            if output.output_type == "error" and "raises-exception" not in tags(cell):
                yield f"{cell_name(i, cell)}: stored output is {output.ename}: {output.evalue}"


def outputs_are_current(chapter: Chapter, root: Path = ROOT) -> Iterator[str]:
    """Outputs were made by the code as it stands: the chapter's, the library's, stored results."""
    notebook = chapter.notebook()
    stored = notebook.metadata.get("genre_lib", {})
    if not stored:
        yield f"does not say which code made its outputs: {NEW}"
        return
    names = {
        "chapter": "the chapter's code cells",
        "library": "genre_lib",
        "results": "benchmarks/results",
    }
    for part, fingerprint in chapter_fingerprints(notebook, root).items():
        if stored.get(part) != fingerprint:
            yield f"stored outputs are older than {names[part]}: {NEW}"


def outputs_are_clean(chapter: Chapter) -> Iterator[str]:
    """No path of one machine, no script or file from another host in any output."""
    for i, cell in enumerate(chapter.notebook().cells):
        for output in cell.get("outputs", []):
            text = json.dumps(output, ensure_ascii=False)
            if found := MACHINE_PATH.search(text):
                yield f"{cell_name(i, cell)}: output holds the path {found[0]} of one machine"
            html = "".join(output.get("data", {}).get("text/html", ""))
            if found := OTHER_HOST.search(html):
                yield f"{cell_name(i, cell)}: output loads from elsewhere: {found[0]}"


def songs_are_real(chapter: Chapter) -> Iterator[str]:
    """A chapter prints where its songs come from, and what is committed is from real ones.

    ``genre_lib.describe_environment`` prints that line; chapters also use synthetic songs on
    purpose, so only this line counts.
    """
    outputs = [output for cell in code_cells(chapter.notebook()) for output in cell.outputs]
    found = SONGS_LINE.search(json.dumps(outputs, ensure_ascii=False))
    if found is None:
        yield "no cell prints versions, device and songs (`describe_environment`)"
    elif "synthetic" in found[1]:
        made = f"outputs were made from {found[1].strip()}"
        yield f"{made}: run `make notebooks GENRE_SONGS=published`"


def figures_have_alternatives(chapter: Chapter) -> Iterator[str]:
    """Every plotly figure says in ``layout.meta["alt"]`` what is to be seen."""
    for i, cell in enumerate(chapter.notebook().cells):
        for output in cell.get("outputs", []):
            figure = output.get("data", {}).get(PLOTLY)
            if figure is not None and not text_alternative(figure):
                yield f'{cell_name(i, cell)}: figure without layout.meta["alt"]'


def figures_have_pictures(chapter: Chapter) -> Iterator[str]:
    """Every plotly figure has a picture beside it, for GitHub and for pages without scripts."""
    for i, cell in enumerate(chapter.notebook().cells):
        for output in cell.get("outputs", []):
            if PLOTLY in output.get("data", {}) and PICTURE not in output.data:
                yield f"{cell_name(i, cell)}: figure without a picture: run `make pictures`"


def text_alternative(figure: dict) -> str:
    """A figure's text alternative, or an empty string.

    Args:
        figure: plotly JSON, ``{"data": [...], "layout": {...}}``.
    """
    meta = figure.get("layout", {}).get("meta")
    alt = meta.get("alt") if isinstance(meta, dict) else None
    return alt.strip() if isinstance(alt, str) else ""


def markdown_is_plain(chapter: Chapter) -> Iterator[str]:
    """Nothing in Markdown cells that GitHub, Colab or VS Code would show as raw text."""
    for i, cell in enumerate(chapter.source().cells):
        if cell.cell_type == "markdown":
            for leftover in leftovers(cell.source):
                yield f"{cell_name(i, cell)}: `{leftover}` is not plain Markdown"


def leftovers(markdown: str) -> Iterator[str]:
    """Directives, roles and broken links that CommonMark leaves standing as text."""
    for token in MarkdownIt("commonmark").parse(markdown):
        if token.type == "fence" and token.info.startswith("{"):
            yield f"```{token.info}"
        if token.type == "html_block" and (found := OTHER_HOST.search(token.content)):
            yield found[0]
        children = token.children or []
        for i, child in enumerate(children):
            if child.type != "text":
                continue
            role = re.search(r"\{[\w:+-]+\}$", child.content)
            if role and i + 1 < len(children) and children[i + 1].type == "code_inline":
                yield role[0]
            if found := LEFTOVER.search(child.content):
                yield found[0]


def links_resolve(chapter: Chapter) -> Iterator[str]:
    """Relative links and pictures point at files in ``book/``; other chapters by ``.ipynb``."""
    for i, cell in enumerate(chapter.source().cells):
        if cell.cell_type != "markdown":
            continue
        for target in link_targets(cell.source):
            if problem := link_problem(target, chapter.folder):
                yield f"{cell_name(i, cell)}: link to {target} {problem}"


def link_targets(markdown: str) -> Iterator[str]:
    """Addresses of all links and pictures."""
    for token in MarkdownIt("commonmark").parse(markdown):
        for child in token.children or []:
            if child.type in ("link_open", "image"):
                yield str(child.attrs.get("href") or child.attrs.get("src") or "")


def link_problem(target: str, folder: Path) -> str:
    """What is wrong with a link's address, or an empty string."""
    if re.match(r"(https?://|mailto:|#)", target):
        return ""
    path = (folder / target.partition("#")[0]).resolve()
    if folder.resolve() not in path.parents:
        return "leads out of book/, where the rendered book cannot follow"
    if path.with_suffix(".ipynb").exists() and path.suffix != ".ipynb":
        return f"should be written {path.with_suffix('.ipynb').name}"
    if not path.is_file():
        return "leads nowhere"
    anchor = unquote(target.partition("#")[2])
    if anchor and anchor not in anchors(path.with_suffix(".md").read_text("utf8")):
        return f"leads to no heading or exercise of {path.name}"
    return ""


def anchors(markdown: str) -> set[str]:
    """Ids that can be linked to: of headings, and of exercises."""
    headings = re.findall(r"^#+ (.+)$", markdown, re.MULTILINE)
    exercises = [f"exercise-{n.replace('.', '-')}" for n in EXERCISE.findall(markdown)]
    return {slug(heading) for heading in headings} | set(exercises)


def enough_is_compared(chapter: Chapter) -> Iterator[str]:
    """Chapters hold cells that nbval compares exactly, each with something to compare."""
    if chapter.name == FRONT_PAGE:
        return
    exact = 0
    for i, cell in enumerate(chapter.notebook().cells):
        if cell.cell_type == "code" and EXACT in cell.source:
            exact += 1
            if not cell.outputs:
                yield f"{cell_name(i, cell)}: {EXACT} on a cell that prints nothing"
    if exact < LEAST_EXACT_CELLS:
        yield f"{exact} cells carry `{EXACT}` where {LEAST_EXACT_CELLS} are due"


def exercises_are_complete(chapter: Chapter) -> Iterator[str]:
    """Chapters hold solved exercises: 4.1, 4.2 … in chapter 4."""
    if chapter.name == FRONT_PAGE:
        return
    cells = chapter.source().cells
    found = [n for c in cells if c.cell_type == "markdown" for n in EXERCISE.findall(c.source)]
    expected = [f"{chapter.number}.{i + 1}" for i in range(len(found))]
    if found != expected:
        yield f"exercises are numbered {', '.join(found)} and not {', '.join(expected)}"
    solutions = sum("solution" in tags(cell) for cell in code_cells(chapter.source()))
    if min(len(found), solutions) < LEAST_SOLUTIONS:
        yield (
            f"{len(found)} exercises and {solutions} cells tagged `solution` "
            f"where {LEAST_SOLUTIONS} are due"
        )


def cells_can_run_again(chapter: Chapter) -> Iterator[str]:
    """Nothing in a cell that would make it say something else the second time."""
    for i, cell in enumerate(chapter.source().cells):
        if cell.cell_type == "code":
            for sentence in rerun_problems(cell.source):
                yield f"{cell_name(i, cell)}: {sentence}, so that it says the same when run again"


Check = Callable[[Chapter], Iterator[str]]
STALE_CHECKS: list[Check] = [edits_are_taken, pair_is_equal, every_cell_ran, outputs_are_current]
CHECKS: list[Check] = [
    *STALE_CHECKS,
    outputs_are_clean,
    songs_are_real,
    figures_have_alternatives,
    figures_have_pictures,
    markdown_is_plain,
    links_resolve,
    enough_is_compared,
    exercises_are_complete,
    cells_can_run_again,
]


def problems(chapter: Chapter, checks: list[Check]) -> list[str]:
    """All that the checks find, each sentence beginning with the chapter's name."""
    if not chapter.md.exists():
        return [f"{chapter.name}: {chapter.md.name} is missing"]
    if not chapter.ipynb.exists():
        return [f"{chapter.name}: {chapter.ipynb.name} is missing: {NEW}"]
    return [f"{chapter.name}: {sentence}" for check in checks for sentence in check(chapter)]
