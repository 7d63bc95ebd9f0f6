"""The chapters without their solutions, into dist/student/book/: ``make student``.

A solution becomes a stub that names its exercise; everything else stays, outputs and links too.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_tools.handouts.leaks import WHOLE_EXPLANATION, chapter_secrets, find_leaks
from course_tools.notebooks.chapters import ROOT, find_chapters, tags, toc_entries
from course_tools.notebooks.checks import EXERCISE

DIST = ROOT / "dist/student/book"


def without_solutions(notebook: NotebookNode) -> NotebookNode:
    """The notebook with a stub in place of each solution, and without explanations.

    Raises:
        ValueError: a solution stands before the first exercise.
    """
    exercise = None
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = WHOLE_EXPLANATION.sub("", cell.source)
            found = EXERCISE.findall(cell.source)
            exercise = found[-1] if found else exercise
        elif "solution" in tags(cell):
            if exercise is None:
                raise ValueError("a solution has no exercise above it")
            cell.source = f"# Exercise {exercise}: write your answer here, then run the cell.\n"
            cell.outputs, cell.execution_count = [], None
            cell.metadata = nbformat.from_dict({"tags": ["exercise"]})
    return notebook


def solutions_in(notebook: NotebookNode) -> list[str]:
    """The code of every solution."""
    return [cell.source for cell in notebook.cells if "solution" in tags(cell)]


def build(folder: Path = DIST) -> int:
    """Write all chapters and the pages beside them; return how many chapters there are.

    Raises:
        ValueError: a solution is still to be found in what was made.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    chapters = find_chapters()
    for chapter in chapters:
        made = without_solutions(chapter.notebook())
        if leaks := find_leaks(chapter_secrets(chapter), made):
            raise ValueError(f"{chapter.name}: the student's notebook holds a secret in {leaks[0]}")
        nbformat.write(made, folder / chapter.ipynb.name)
    for entry in toc_entries():
        if entry.endswith(".md") and "instructors" not in entry:  # glossary and the like
            shutil.copy(ROOT / entry, folder)
    return len(chapters)


def main() -> int:
    """Command line."""
    try:
        print(f"{build()} chapters without solutions: {DIST.relative_to(ROOT)}")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
