"""The minutes that pages promise: those of the chapters themselves."""

from __future__ import annotations

import re

from course_tools.notebooks.chapters import ROOT, find_chapters
from course_tools.notebooks.checks import FRONT_PAGE

CHAPTERS = {chapter.number: chapter for chapter in find_chapters() if chapter.name != FRONT_PAGE}
MINUTES = {
    number: int(re.search(r"\*\*It takes\*\* about (\d+) minutes", chapter.md.read_text("utf8"))[1])
    for number, chapter in CHAPTERS.items()
}


def table_rows(page: str, text: str = r".*") -> list[re.Match]:
    source = (ROOT / f"book/{page}.md").read_text(encoding="utf-8")
    return list(re.finditer(rf"^\| {text} \| (?P<minutes>[\d+ ]+) \|$", source, re.MULTILINE))


def test_the_first_page_lists_every_chapter_with_its_minutes():
    rows = table_rows("index", r"\[(?P<number>\d+) · .*")
    assert {int(row["number"]): int(row["minutes"]) for row in rows} == MINUTES
    words = ["ten", "eleven", "twelve", "thirteen", "fourteen"]
    told = re.search(r"That makes about (\w+) hours", (ROOT / "book/index.md").read_text("utf8"))[1]
    assert told == words[round(sum(MINUTES.values()) / 60) - 10]


def test_plans_add_up_the_minutes_of_their_chapters():
    rows = table_rows("for_instructors", r"[\d–]+ \| (?P<what>.*)")
    planned = [row for row in rows if re.search(r"chapters? \d|\[\d+ · ", row["what"])]
    assert len(planned) >= 12
    for row in planned:
        numbers = {int(n) for n in re.findall(r"\[(\d+) · ", row["what"])}
        for first, joint, last in re.findall(r"chapters (\d+) (and|to) (\d+)", row["what"]):
            whole = range(int(first), int(last) + 1)
            numbers |= set(whole) if joint == "to" else {int(first), int(last)}
        assert int(row["minutes"].split("+")[0]) == sum(MINUTES[n] for n in numbers), row[0]


def test_the_questions_to_the_data_are_as_many_as_both_pages_say():
    text = CHAPTERS[2].md.read_text(encoding="utf-8")
    assert len(re.findall(r"^## \d+\. ", text, re.MULTILINE)) == 10
    assert "Ten questions follow" in text
    assert "put ten questions to the data" in (ROOT / "book/index.md").read_text(encoding="utf-8")
