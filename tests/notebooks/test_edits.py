"""Text that was written into a notebook: found, never undone, taken over into the .md."""

import nbformat
import pytest
from invented_chapter import SOUND, python_cells, write_pair

from course_tools.notebooks.checks import CHECKS, pair_is_equal, problems
from course_tools.notebooks.edits import edited_cells, take_over
from course_tools.notebooks.make import fresh_notebook, refresh, take_edits


def edited(folder, change, md=SOUND):
    """A pair whose notebook somebody opened, changed and saved."""
    chapter = write_pair(folder, md=md)
    notebook = chapter.notebook()
    change(notebook)
    nbformat.write(notebook, chapter.ipynb)
    return chapter


def write_prose(notebook):
    notebook.cells[0].source += " An afternoon's work."


def write_code(notebook):
    python_cells(notebook)["2 + 1"].source = "2 + 2"


def add_cells(notebook):
    at = next(i for i, cell in enumerate(notebook.cells) if cell.source == "import plotly")
    new = nbformat.v4.new_code_cell("3 + 3", metadata={"tags": ["solution"]})
    notebook.cells[at:at] = [new, nbformat.v4.new_markdown_cell("Why?\n\n- so")]


EDITS = [(write_prose, "# 3 · Training"), (write_code, "2 + 2"), (add_cells, "3 + 3")]


@pytest.mark.parametrize(("change", "cell"), EDITS)
@pytest.mark.parametrize("force", [False, True])
def test_make_notebooks_refuses_to_undo_an_edit_and_names_it(tmp_path, change, cell, force):
    chapter = edited(tmp_path, change)
    before = chapter.ipynb.read_bytes()
    with pytest.raises(ValueError, match="Nothing was made") as refused:
        refresh([chapter], force)
    said = str(refused.value)
    assert chapter.ipynb.read_bytes() == before
    assert f"(`{cell}" in said and "was edited in the .ipynb" in said
    assert 'make edits CHAPTERS="03_training"' in said


def test_the_check_does_not_advise_what_would_undo_the_edit(tmp_path):
    found = problems(edited(tmp_path, write_prose), CHECKS)
    assert len(found) == 1 and "`make edits" in found[0] and "run `make notebooks`" not in found[0]


@pytest.mark.parametrize(("change", "cell"), EDITS)
def test_edits_are_taken_over_into_the_md(tmp_path, change, cell, capsys):
    chapter = edited(tmp_path, change)
    ours = chapter.notebook().cells
    take_edits([chapter])
    assert f"03_training.md: took over cell {edited_at(ours, cell)} " in capsys.readouterr().out
    assert [c.source for c in chapter.source().cells] == [c.source for c in ours]
    assert not edited_cells(chapter) and not problems(chapter, [pair_is_equal])
    take_edits([chapter])
    assert "nothing to take over" in capsys.readouterr().out


def edited_at(cells, text):
    return next(i for i, cell in enumerate(cells, 1) if cell.source.startswith(text))


def test_the_md_keeps_what_was_edited_there_meanwhile(tmp_path):
    chapter = edited(tmp_path, write_code)
    chapter.md.write_text(chapter.md.read_text("utf8").replace("Inline", "Further on"), "utf8")
    take_over(chapter)
    sources = [cell.source for cell in chapter.source().cells]
    assert "2 + 2" in sources and "Further on $x_i$" in sources[0]


def test_a_cell_that_was_edited_in_both_files_is_left_to_people(tmp_path):
    chapter = edited(tmp_path, write_prose)
    md = chapter.md.read_text("utf8").replace("Inline", "Further on")
    chapter.md.write_text(md, "utf8")
    with pytest.raises(ValueError, match=r"cell \d+ was edited in both 03_training\.md and 03_"):
        take_over(chapter)
    assert chapter.md.read_text("utf8") == md


def test_a_change_of_the_md_alone_is_no_edit(tmp_path):
    chapter = write_pair(tmp_path, md=SOUND + "```python\n1 + 1\n```\n\n" * 2)
    chapter.md.write_text(SOUND.replace("Inline", "Further on").replace("2 + 1", "2 + 3"), "utf8")
    assert not edited_cells(chapter)
    assert "run `make notebooks`" in problems(chapter, [pair_is_equal])[0]


def test_folds_of_a_cell_in_words_are_taken_over(tmp_path):
    fence = '```python tags=["hide-input"] jupyter={"source_hidden": true} cellView="form"\n'
    chapter = edited(
        tmp_path,
        lambda notebook: python_cells(notebook)["5"].update(source="6"),
        md=SOUND + fence + "5\n```\n",
    )
    take_over(chapter)
    assert chapter.md.read_text("utf8").rstrip() == (SOUND + fence + "6\n```").rstrip()
    assert fresh_notebook(chapter).cells[-1].metadata["cellView"] == "form"
