"""Run every cell of chapters twice in a row: ``python -m course_tools.notebooks.twice 04 05``.

Readers run a cell again, so it must say the same again. This takes twice as long as the chapter,
so it is done on demand; `checks.cells_can_run_again` looks for the usual causes in every test run.
"""

from __future__ import annotations

import copy
import json
import re
import sys
from collections.abc import Iterator

import nbformat
from nbformat import NotebookNode

from course_tools.notebooks.chapters import Chapter, code_cells, find_chapters
from course_tools.notebooks.checks import cell_name
from course_tools.notebooks.kernel import run_cells
from course_tools.notebooks.make import fresh_notebook

# What differs from one run to the next on the same machine, and may.
TIME = re.compile(
    r"\d[\d.,]* ?(?:[mµn]?s|seconds?|minutes?|milliseconds?|times|×|GB|MB|MiB|GiB)\b"
    r"|×\d[\d.,]*|0x[0-9a-f]+|\d+% (?:is|are) spent"
)


def differing_cells(chapter: Chapter) -> Iterator[tuple[int, NotebookNode, str, str]]:
    """Cells that say something else the second time: index, cell, and what it says each time.

    Times, amounts of memory and addresses are left out of the comparison.

    Raises:
        NotebookStopped: a cell raised, the first or the second time.
    """
    notebook = fresh_notebook(chapter)
    twice = nbformat.v4.new_notebook(metadata=notebook.metadata)
    for cell in notebook.cells:
        twice.cells.append(cell)
        if cell.cell_type == "code":
            again = copy.deepcopy(cell)
            again.id = f"{cell.id}-again"
            twice.cells.append(again)
    run_cells(twice, chapter.folder)
    ran = code_cells(twice)
    places = [i for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    for at, once, again in zip(places, ran[::2], ran[1::2], strict=True):
        first, second = said(once), said(again)
        if first != second:
            yield at, once, first, second


def said(cell: NotebookNode) -> str:
    """All that a cell shows, as text, without what may differ."""
    shown = [
        output.get("text") or json.dumps(output.get("data", output.get("evalue")), sort_keys=True)
        for output in cell.outputs
        if output.get("name") != "stderr"
    ]
    text = TIME.sub("…", "\n".join(shown))
    return re.sub(r"\d[\d.,]*", "…", text) if "second" in text else text  # a table with times


def main(names: list[str] | None = None) -> int:
    """Name the cells that differ; the exit code is 0 when there are none."""
    found = 0
    for chapter in find_chapters(names=names if names is not None else sys.argv[1:]):
        for at, cell, first, second in differing_cells(chapter):
            found += 1
            start = next(
                (i for i, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), 0
            )
            print(f"{chapter.name}, {cell_name(at, cell)} says something else the second time:")
            for text in (first, second):
                print(f"  {text[max(0, start - 60) : start + 100]!r}")
        print(f"{chapter.name}: done", flush=True)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
