"""The page on what each chapter's outputs were made."""

from course_tools.notebooks.chapters import ROOT, find_chapters
from course_tools.site.status import circumstances, measured_pages, status


def test_status_page_shows_the_committed_notebooks():
    assert (ROOT / "book/status.md").read_text("utf8") == status(), "run `make notebooks`"
    for chapter in find_chapters():
        assert "?" not in circumstances(chapter).values(), chapter.name


def test_pages_are_listed_in_reading_order_measured_or_not():
    scores = {"performance": 99, "accessibility": 100, "best-practices": 100, "seo": 100}
    stored = {"pages": {"book/a.html": {"axe": 0, "mobile": scores, "desktop": scores}}}
    assert measured_pages(stored, {"b": "B", "a": "A"}).splitlines()[2:] == [
        "| B | not measured | not measured | not measured |",
        "| A | 99 · 100 · 100 · 100 | 99 · 100 · 100 · 100 | 0 |",
    ]
