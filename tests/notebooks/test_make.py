"""Making a chapter's notebook from its Markdown, and running it."""

import pytest
from invented_chapter import SOUND

from course_tools.notebooks.chapters import Chapter, code_cells, find_chapters
from course_tools.notebooks.make import ChapterFailed, execute, fresh_notebook, refresh


def test_chapters_by_the_beginning_of_their_names(tmp_path):
    (tmp_path / "_toc.yml").write_text(
        "root: book/index.ipynb\nparts:\n- chapters:\n  - file: book/01_a.ipynb\n"
        "  - file: book/02_b.ipynb\n  - file: book/glossary.md\n"
    )
    assert [c.name for c in find_chapters(tmp_path)] == ["index", "01_a", "02_b"]
    assert [c.name for c in find_chapters(tmp_path, ["02", "index"])] == ["index", "02_b"]
    with pytest.raises(ValueError, match="no chapter begins with '7'; there are index, 01_a"):
        find_chapters(tmp_path, ["7"])


def test_making_a_notebook_again_gives_the_same_one(tmp_path):
    chapter = Chapter("03_training", tmp_path)
    chapter.md.write_text(SOUND + "```python\n1 + 1\n```\n" * 2, "utf8")
    first, second = fresh_notebook(chapter), fresh_notebook(chapter)
    assert first == second
    ids = [cell.id for cell in first.cells]
    assert len(set(ids)) == len(ids)
    chapter.md.write_text("A new cell.\n\n\n" + chapter.md.read_text("utf8"), "utf8")
    assert [cell.id for cell in fresh_notebook(chapter).cells][1:] == ids


def test_failing_cell_stops_its_chapter_by_name(tmp_path):
    chapter = Chapter("03_training", tmp_path)
    chapter.md.write_text("Text.\n\n```python\n1 + 1\n```\n\n```python\nunknown\n```\n")
    with pytest.raises(
        ChapterFailed, match=r"03_training, cell 3 \(`unknown`\):\n(.*\n)*NameError"
    ):
        execute(chapter, fresh_notebook(chapter))


def test_a_chapter_that_has_no_notebook_yet_gets_one(tmp_path):
    chapter = Chapter("03_training", tmp_path)
    chapter.md.write_text("Text.\n\n```python\nprint(1 + 1)\n```\n")
    refresh([chapter])
    (cell,) = code_cells(chapter.notebook())
    assert cell.outputs[0].text == "2\n"
