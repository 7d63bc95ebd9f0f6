"""What somebody edited in a chapter's notebook rather than in the .md that it is made from.

The id of a cell is made from its text, and editors keep ids. So a cell whose id does not fit its
text was edited in the notebook, and its id tells which cell of the .md it was.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable

import jupytext
import nbformat
from nbformat import NotebookNode

from course_tools.notebooks.chapters import MARKDOWN, Chapter, tags, without_address

FOLDED = ("jupyter", "cellView")
"""By these JupyterLab and Colab fold a cell; the book goes by its tags."""

OUR_ID = re.compile("[0-9a-f]{12}")


def made_ids(cells: Iterable[NotebookNode]) -> list[str]:
    """The ids that cells get in a notebook; of equal cells, each gets its own."""
    seen: dict[str, int] = {}
    ids = []
    for cell in cells:
        key = f"{cell.cell_type}:{without_address(cell.source)}"
        seen[key] = seen.get(key, 0) + 1
        ids.append(_made_id(key, seen[key]))
    return ids


def edited_cells(chapter: Chapter) -> list[tuple[int, NotebookNode]]:
    """Cells of the notebook, each with its index, whose text was never in the .md and is not now.

    Deleted and moved cells can't be told: no text is lost with them.
    """
    known = {(cell.cell_type, cell.source) for cell in chapter.source().cells}
    cells = chapter.notebook().cells
    return [
        (i, cell)
        for i, cell in enumerate(cells)
        if cell.source.strip()
        and (cell.cell_type, cell.source) not in known
        and not _is_as_made(cell, len(cells))
    ]


def take_over(chapter: Chapter) -> list[int]:
    """Write what was edited in the notebook into the .md, which keeps all else that it has.

    Returns:
        Indices of the notebook's cells that were taken over.

    Raises:
        ValueError: a cell was edited in both files.
    """
    source = chapter.source()
    ids = made_ids(source.cells)
    edited = dict(edited_cells(chapter))
    place = -1
    for i, cell in enumerate(chapter.notebook().cells):
        cell_id = cell.get("id", "")
        if cell_id in ids:
            place = ids.index(cell_id)
        if i not in edited:
            continue
        if cell_id in ids:
            source.cells[place] = _source_cell(cell)
        elif OUR_ID.fullmatch(cell_id):
            raise ValueError(
                f"{chapter.name}, cell {i + 1} was edited in both {chapter.md.name} and "
                f"{chapter.ipynb.name}: copy its text by hand"
            )
        else:
            place += 1
            source.cells.insert(place, _source_cell(cell))
            ids.insert(place, cell_id)
    text = jupytext.writes(source, fmt=MARKDOWN)
    again = jupytext.reads(text, fmt=MARKDOWN, as_version=4).cells
    if [c.source for c in again] != [c.source for c in source.cells]:
        raise ValueError(f"{chapter.name}: some cell can't be written as Markdown: copy it by hand")
    if edited:
        chapter.md.write_text(text, "utf8")
    return list(edited)


def _source_cell(cell: NotebookNode) -> NotebookNode:
    """A cell for the .md, with the metadata that it has there."""
    is_code = cell.cell_type == "code"
    make = nbformat.v4.new_code_cell if is_code else nbformat.v4.new_markdown_cell
    metadata = {"tags": tags(cell)} if tags(cell) else {}
    if "solution" not in tags(cell):  # `make notebooks` folds these by itself
        metadata |= {name: cell.metadata[name] for name in FOLDED if name in cell.metadata}
    return make(cell.source, metadata=metadata)


def _is_as_made(cell: NotebookNode, most: int) -> bool:
    key = f"{cell.cell_type}:{without_address(cell.source)}"
    return cell.get("id") in {_made_id(key, number) for number in range(1, most + 1)}


def _made_id(key: str, number: int) -> str:
    return hashlib.sha256(f"{key}:{number}".encode()).hexdigest()[:12]
