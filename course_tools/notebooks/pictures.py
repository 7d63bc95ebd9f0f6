"""Put a picture beside every plotly figure of the notebooks: ``make pictures``.

GitHub draws no plotly figure, and a page without scripts draws none either: both show the picture.
It is what the built page shows in light colours, taken by ``browser/pictures.mjs``, and is stored
in the figure's own output, so that executing a chapter anew takes it away again.
"""

from __future__ import annotations

import base64
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from course_tools.notebooks.chapters import ROOT, Chapter, find_chapters
from course_tools.notebooks.checks import PICTURE, PLOTLY

FOLDER = ROOT / "_build/pictures"


def figures(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """The outputs that hold a plotly figure, in order."""
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if PLOTLY in output.get("data", {}):
                yield output


def lacks_pictures(chapter: Chapter) -> bool:
    """Whether some figure of the committed notebook has no picture."""
    return any(PICTURE not in output.data for output in figures(chapter.notebook()))


def add_pictures(chapter: Chapter, folder: Path = FOLDER) -> int:
    """Store ``NAME-0.png`` … of `folder` in the outputs of the chapter's notebook.

    Returns:
        How many there are.

    Raises:
        FileNotFoundError: a figure's picture was not taken; the notebook then stays as it was.
    """
    notebook = chapter.notebook()
    count = 0
    for output in figures(notebook):
        taken = (folder / f"{chapter.name}-{count}.png").read_bytes()
        output.data[PICTURE] = base64.b64encode(taken).decode()
        count += 1
    nbformat.write(notebook, chapter.ipynb)
    return count


def main() -> int:
    """Command line: takes the pictures that are missing."""
    chapters = [chapter for chapter in find_chapters() if lacks_pictures(chapter)]
    if not chapters:
        print("Every figure has its picture.")
        return 0
    names = [chapter.name for chapter in chapters]
    taken = subprocess.run(["node", ROOT / "browser/pictures.mjs", FOLDER, *names], cwd=ROOT)
    if taken.returncode:
        return taken.returncode
    for chapter in chapters:
        print(f"{chapter.name}: {add_pictures(chapter)} pictures")
    return 0


if __name__ == "__main__":
    sys.exit(main())
