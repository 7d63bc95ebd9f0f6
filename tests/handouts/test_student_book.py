"""Chapters for students: every solution gone, everything else as it was."""

import nbformat
import pytest

from course_tools.handouts.leaks import WHOLE_EXPLANATION
from course_tools.handouts.student_book import build, solutions_in, without_solutions
from course_tools.notebooks.chapters import EXPLANATION, find_chapters, tags
from course_tools.notebooks.checks import link_targets


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("student") / "book"
    assert build(folder) == len(find_chapters())
    return folder


@pytest.mark.parametrize("chapter", find_chapters(), ids=lambda chapter: chapter.name)
def test_chapter_keeps_all_but_its_solutions(chapter, folder):
    ours, theirs = chapter.notebook(), nbformat.read(folder / chapter.ipynb.name, as_version=4)
    assert len(ours.cells) == len(theirs.cells)
    explanations = 0
    for before, after in zip(ours.cells, theirs.cells, strict=True):
        if "solution" in tags(before):
            assert after.source.startswith("# Exercise") and not after.outputs
        else:
            before.source, count = WHOLE_EXPLANATION.subn("", before.source)
            explanations += count
            assert after == before
    assert explanations == chapter.md.read_text("utf8").count(EXPLANATION)
    assert EXPLANATION not in "".join(cell.source for cell in theirs.cells)
    assert len(solutions_in(ours)) == sum("exercise" in tags(cell) for cell in theirs.cells)
    for cell in theirs.cells:
        if cell.cell_type == "markdown":
            for target in link_targets(cell.source):
                page = target.partition("#")[0]
                assert target.startswith("http") or not page or (folder / page).is_file()


def test_stub_names_its_exercise():
    cells = [
        nbformat.v4.new_markdown_cell("> **Exercise 3.2** Do it."),
        nbformat.v4.new_code_cell("secret()", metadata={"tags": ["solution"]}),
        nbformat.v4.new_markdown_cell(f"{EXPLANATION}\n\nBecause.\n\n</details>\n\nGo on."),
    ]
    made = without_solutions(nbformat.v4.new_notebook(cells=cells))
    assert made.cells[1].source.startswith("# Exercise 3.2:")
    assert made.cells[2].source == "Go on."
    alone = nbformat.v4.new_code_cell("secret()", metadata={"tags": ["solution"]})
    with pytest.raises(ValueError, match="no exercise above"):
        without_solutions(nbformat.v4.new_notebook(cells=[alone]))
