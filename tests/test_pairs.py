"""Every chapter's pair, check by check: what they ask for is in ``course_tools/checks.py``."""

import pytest

from course_tools.chapters import ROOT, find_chapters, toc_entries
from course_tools.checks import CHECKS, problems


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("chapter", find_chapters(), ids=lambda chapter: chapter.name)
def test_chapter(chapter, check):
    found = problems(chapter, [check])
    if found:
        pytest.fail("\n".join(found), pytrace=False)


def test_every_page_is_in_the_table_of_contents():
    listed = {(ROOT / entry).with_suffix("") for entry in toc_entries()}
    pages = {path.with_suffix("") for path in (ROOT / "book").iterdir() if path.is_file()}
    assert pages == listed
