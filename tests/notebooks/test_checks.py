"""The checks of a pair, on chapters broken on purpose: each fault must be named."""

import nbformat
import pytest
from invented_chapter import (
    SOUND,
    display,
    figure,
    no_alternative,
    python_cells,
    songs_line,
    write_pair,
)

from course_tools.notebooks.checks import CHECKS, PLOTLY, link_problem, problems
from course_tools.notebooks.fingerprint import chapter_fingerprints


def test_sound_chapter_passes_every_check(tmp_path):
    assert problems(write_pair(tmp_path), CHECKS) == []


def changed_source(notebook):
    python_cells(notebook)["import plotly"].source = "import  plotly"
    notebook.metadata["genre_lib"] = chapter_fingerprints(notebook)


def changed_tags(notebook):
    python_cells(notebook)["2 + 1"].metadata["tags"] = []


def dropped_cell(notebook):
    notebook.cells.pop()


def not_executed(notebook):
    python_cells(notebook)["2 + 1"].execution_count = None


def out_of_order(notebook):
    python_cells(notebook)["2 + 1"].execution_count = 12


def failed(notebook):
    error = {"ename": "NameError", "evalue": "name 'x' is not defined", "traceback": []}
    python_cells(notebook)["2 + 1"].outputs = [nbformat.v4.new_output("error", **error)]


def never_refreshed(notebook):
    del notebook.metadata["genre_lib"]


def older_than_library(notebook):
    notebook.metadata["genre_lib"]["library"] = "0" * 16


def older_than_chapter(notebook):
    notebook.metadata["genre_lib"]["chapter"] = "0" * 16


def machine_path(notebook):
    text = "saved to /home/someone/run"
    python_cells(notebook)["2 + 1"].outputs = [display({"text/plain": text})]


def outside_script(notebook):
    html = '<script src="https://example.org/x.js"></script>'
    python_cells(notebook)["2 + 1"].outputs = [display({"text/html": html})]


def no_songs_line(notebook):
    python_cells(notebook)["where"].outputs = []


def synthetic_songs(notebook):
    python_cells(notebook)["where"].outputs = [songs_line("4,000 synthetic songs")]


def no_picture(notebook):
    python_cells(notebook)["import plotly"].outputs = [display({PLOTLY: figure()})]


def silent_exact_cell(notebook):
    next(c for c in notebook.cells if "NBVAL_CHECK_OUTPUT" in c.source).outputs = []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (changed_source, "(`import  plotly`): was edited in the .ipynb"),
        (changed_tags, "(`2 + 1`): tags in the .md differs"),
        (no_picture, "(`import plotly`): figure without a picture: run `make pictures`"),
        (dropped_cell, "cells and the .ipynb has"),
        (not_executed, "(`2 + 1`): not executed"),
        (out_of_order, "(`2 + 1`): executed as number 12 where 8 was due"),
        (failed, "(`2 + 1`): stored output is NameError: name 'x' is not defined"),
        (never_refreshed, "does not say which code made its outputs"),
        (older_than_library, "stored outputs are older than genre_lib: run `make notebooks`"),
        (older_than_chapter, "stored outputs are older than the chapter's code cells"),
        (machine_path, "(`2 + 1`): output holds the path /home/someone"),
        (outside_script, "(`2 + 1`): output loads from elsewhere"),
        (no_songs_line, "no cell prints versions, device and songs"),
        (synthetic_songs, "made from 4,000 synthetic songs: run `make notebooks GENRE_SONGS="),
        (no_alternative, '(`import plotly`): figure without layout.meta["alt"]'),
        (silent_exact_cell, "on a cell that prints nothing"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_broken_notebook_is_named(tmp_path, change, sentence):
    found = problems(write_pair(tmp_path, change), CHECKS)
    assert len(found) == 1, found
    assert found[0].startswith("03_training: ")
    assert sentence in found[0]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("Inline", ":::{note}\nInline", "`:::{note}` is not plain Markdown"),
        ("Inline", "{ref}`x` inline", "`{ref}` is not plain Markdown"),
        ("Inline", "```{note}\nx\n```\n\nInline", "```{note}"),
        ("Inline", "(label)=\nInline", "`(label)=` is not plain Markdown"),
        ("Inline", "[text][nowhere]", "`][nowhere]` is not plain Markdown"),
        ("Inline", "[text](a page.md)", "`](a page.md)` is not plain Markdown"),
        ("Inline", "Said elsewhere.[^1]\n\nInline", "`[^1]` is not plain Markdown"),
        ("Inline", "[text](#x){.class}\n\nInline", "`{.class}` is not plain Markdown"),
        ("Inline", "{{ version }} inline", "`{{ version }}` is not plain Markdown"),
        ("03_training.ipynb", "03_training.md", "should be written 03_training.ipynb"),
        ("03_training.ipynb", "04_gone.ipynb", "link to 04_gone.ipynb leads nowhere"),
        ("03_training.ipynb", "../README.md", "leads out of book/"),
        ("# NBVAL_CHECK_OUTPUT\n1 + 2", "1 + 2", "3 cells carry `# NBVAL_CHECK_OUTPUT`"),
        ("Exercise 3.3", "Exercise 3.5", "numbered 3.1, 3.2, 3.5 and not 3.1, 3.2, 3.3"),
        (' tags=["solution"]\n2', "\n2", "3 exercises and 2 cells tagged `solution`"),
    ],
)
def test_broken_source_is_named(tmp_path, old, new, sentence):
    assert old in SOUND
    found = problems(write_pair(tmp_path, md=SOUND.replace(old, new, 1)), CHECKS)
    assert len(found) == 1, found
    assert found[0].startswith("03_training: ")
    assert sentence in found[0]


def test_missing_half_is_named(tmp_path):
    chapter = write_pair(tmp_path)
    chapter.ipynb.unlink()
    assert problems(chapter, CHECKS) == [
        "03_training: 03_training.ipynb is missing: run `make notebooks`"
    ]


def test_picture_that_exists_is_a_good_link(tmp_path):
    (tmp_path / "a.svg").write_text("<svg/>")
    assert link_problem("a.svg", tmp_path) == ""
    assert link_problem("b.svg", tmp_path) == "leads nowhere"
