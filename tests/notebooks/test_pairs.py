"""Every chapter's pair, check by check: ``course_tools/notebooks/checks.py`` says what they ask."""

import nbformat
import pytest

from course_tools.notebooks.chapters import ROOT, code_cells, find_chapters, toc_entries
from course_tools.notebooks.checks import CHECKS, leftovers, link_problem, link_targets, problems


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("chapter", find_chapters(), ids=lambda chapter: chapter.name)
def test_chapter(chapter, check):
    found = problems(chapter, [check])
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_every_chapter_installs_the_library_by_the_same_cell():
    """So that ``make test-colab`` may try it in one of them."""
    notebooks = [nbformat.read(chapter.ipynb, as_version=4) for chapter in find_chapters()]
    cells = [cell.source for notebook in notebooks for cell in code_cells(notebook)]
    installing = [source for source in cells if "pip install" in source]
    assert len(installing) == len(notebooks) and len(set(installing)) == 1


@pytest.mark.parametrize("name", ["for_instructors", "glossary", "references", "status"])
def test_page_without_code_is_plain_and_its_links_resolve(name):
    text = (ROOT / f"book/{name}.md").read_text("utf8")
    assert not list(leftovers(text))
    targets = list(link_targets(text))
    assert targets
    assert not {t: problem for t in targets if (problem := link_problem(t, ROOT / "book"))}


def test_every_page_is_in_the_table_of_contents():
    listed = {(ROOT / entry).with_suffix("") for entry in toc_entries()}
    pages = {path.with_suffix("") for path in (ROOT / "book").iterdir() if path.is_file()}
    assert pages == listed
