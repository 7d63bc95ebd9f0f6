"""The page on what each chapter's outputs were made."""

from course_tools.notebooks.chapters import ROOT, find_chapters
from course_tools.site.status import circumstances, measured_pages, slow_phone, status


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


def test_answers_on_a_slow_phone_are_listed_with_how_they_were_measured():
    run = {"page": "book/try_it.html", "first_ms": [1153, 1205], "keys": 171}
    run |= {"changed_ms": {"median": 33, "p90": 45}, "drawn_ms": {"median": 68, "p90": 90}}
    stored = {"runs": [run], "slowdown": 3.5, "line": "a line", "between_keys_ms": 180}
    stored |= {"versions": {"chromium": "1"}, "device": "a desk", "benchmark_index": 1500}
    stored |= {"command": "a command", "date": "today"}
    *words, _, _, row = slow_phone(stored).splitlines()
    assert row == "| [Try it](try_it.md) | 1.2 s · 1.2 s | 33 ms (45 ms) | 68 ms (90 ms) |"
    assert "by a factor of 3.5 " in words[0] and "171 keys" in words[0]
