"""A chapter that passes every check, which tests of several rooms break or build."""

import nbformat

from course_tools.notebooks.chapters import Chapter
from course_tools.notebooks.checks import PICTURE, PLOTLY
from course_tools.notebooks.fingerprint import chapter_fingerprints
from course_tools.notebooks.make import fresh_notebook

EXACT = "```python\n# NBVAL_CHECK_OUTPUT\n1 + {}\n```\n\n"
EXERCISE = (
    '> **Exercise 3.{}** A title\n>\n> Do it.\n\n```python tags=["solution"]\n{} + 1\n```\n\n'
)
SOUND = (
    "# 3 · Training\n\n> **Note** Mind\n> this.\n\n"
    "Inline $x_i$, and [a link](03_training.ipynb).\n\n"
    + "".join(EXACT.format(i) for i in range(4))
    + "```python\nimport plotly\n```\n\n```python\nwhere\n```\n\n"
    + "".join(EXERCISE.format(i, i) for i in (1, 2, 3))
)


def figure(alt='Bars "rise" & fall'):
    layout = {"height": 300, "meta": {"alt": alt} if alt else {}}
    return {"data": [{"type": "bar", "y": [1, 2]}], "layout": layout}


def display(data):
    return nbformat.v4.new_output("display_data", data=data)


def songs_line(songs):
    return display({"text/plain": f"'python 3.11 · device cpu · songs: {songs} (from somewhere)'"})


def write_pair(folder, change_notebook=lambda notebook: None, md=SOUND):
    """A pair as `make notebooks` leaves it, but for ``change_notebook``; no kernel is started."""
    chapter = Chapter("03_training", folder)
    chapter.md.write_text(md, "utf8")
    notebook = fresh_notebook(chapter)
    for count, cell in enumerate((c for c in notebook.cells if c.cell_type == "code"), 1):
        cell.execution_count = count
        result = {"data": {"text/plain": "1"}, "execution_count": count}
        cell.outputs = [nbformat.v4.new_output("execute_result", **result)]
    python_cells(notebook)["import plotly"].outputs = [display({PLOTLY: figure(), PICTURE: "iVBO"})]
    python_cells(notebook)["where"].outputs = [songs_line("28,372 real songs")]
    notebook.metadata["genre_lib"] = chapter_fingerprints(notebook)
    change_notebook(notebook)
    nbformat.write(notebook, chapter.ipynb)
    return chapter


def python_cells(notebook):
    return {cell.source: cell for cell in notebook.cells if cell.cell_type == "code"}


def no_alternative(notebook):
    data = {PLOTLY: figure(alt=""), PICTURE: "iVBO"}
    python_cells(notebook)["import plotly"].outputs = [display(data)]
