"""The book's chapters: which there are, where their files lie, how their cells are read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parents[2]

MARKDOWN = {"extension": ".md", "format_name": "markdown"}
EXACT = "# NBVAL_CHECK_OUTPUT"
EXPLANATION = "<details><summary>Explanation</summary>"
"""Begins a fold of Markdown that explains the solution above it."""

INSTALL_ADDRESS = re.compile(r"git\+https://[\w.-]+/[\w.-]+/[\w.-]+")


@dataclass(frozen=True)
class Chapter:
    """One pair in ``book/``: ``NAME.md``, which people edit, and ``NAME.ipynb``, made from it."""

    name: str
    folder: Path

    @property
    def md(self) -> Path:
        """The file that people edit."""
        return self.folder / f"{self.name}.md"

    @property
    def ipynb(self) -> Path:
        """The executed notebook made from it."""
        return self.folder / f"{self.name}.ipynb"

    @property
    def number(self) -> int | None:
        """4 for ``04_training_loop``; None for a chapter without a number, such as ``index``."""
        match = re.match(r"(\d+)_", self.name)
        return int(match[1]) if match else None

    def source(self) -> NotebookNode:
        """The chapter as a notebook without outputs, read from its ``.md``."""
        return jupytext.reads(self.md.read_text("utf8"), fmt=MARKDOWN, as_version=4)

    def notebook(self) -> NotebookNode:
        """The committed notebook, with its outputs."""
        return nbformat.read(self.ipynb, as_version=4)


def find_chapters(root: Path = ROOT, names: list[str] | None = None) -> list[Chapter]:
    """Chapters in the order of ``_toc.yml``; a name may be its beginning alone, as in ``04``.

    Raises:
        ValueError: a name fits no chapter.
    """
    chapters = [
        Chapter(Path(entry).stem, root / Path(entry).parent)
        for entry in toc_entries(root)
        if entry.endswith(".ipynb")
    ]
    for name in names or []:
        if not any(chapter.name.startswith(name) for chapter in chapters):
            known = ", ".join(chapter.name for chapter in chapters)
            raise ValueError(f"no chapter begins with '{name}'; there are {known}")
    if not names:
        return chapters
    return [chapter for chapter in chapters if chapter.name.startswith(tuple(names))]


def toc_entries(root: Path = ROOT) -> list[str]:
    """Every file that ``_toc.yml`` lists, in reading order."""
    entries: list[str] = []

    def walk(node: object) -> None:
        if isinstance(node, list):
            for item in node:
                walk(item)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key in ("root", "file"):
                    entries.append(value)
                else:
                    walk(value)

    walk(yaml.safe_load((root / "_toc.yml").read_text("utf8")))
    return entries


def slug(heading: str) -> str:
    """The id that a heading gets on GitHub and in the book: ``2-from-lyrics`` of "2 · From lyrics".

    The rule is GitHub's own, as MyST-Parser follows it.
    """
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def tags(cell: NotebookNode) -> list[str]:
    """The cell's tags, sorted."""
    return sorted(cell.metadata.get("tags", []))


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    """The notebook's code cells, in order."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def without_address(source: str) -> str:
    """Source with the repository's address taken out, so that moving house changes nothing else."""
    return INSTALL_ADDRESS.sub("git+https://", source)
