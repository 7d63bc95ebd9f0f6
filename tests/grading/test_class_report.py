"""The page about a class: its numbers, and that names stay out unless they are asked for."""

from __future__ import annotations

import re

from invented_class import PARTS_TABLE, grades

from course_tools.grading.class_report import class_report
from course_tools.grading.marks import Mark
from course_tools.grading.results import Grade


def text_of(page: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", page.split("</head>")[1]).split())


def test_counts_a_class():
    page = class_report("02", grades(), PARTS_TABLE)
    text = text_of(page)
    assert "on the list 30" in text
    assert "nothing that could be run 3" in text
    assert "Everybody got every point for: 6. The loop that judges." in text
    assert "which still has to be read" in text
    assert "Student" not in text
    assert "<script" not in page
    assert all("http" not in address for address in re.findall(r'(?:src|href)="([^"]*)', page))


def test_names_only_when_asked():
    text = text_of(class_report("02", grades(), PARTS_TABLE, names=True))
    assert "Student 07" in text
    assert "Who has which mistake" in text


def test_a_hint_counts_once_per_student_and_bars_fit_the_numbers():
    hint = "Clear <them>."
    made = [
        Grade("a", "1", False, seconds=5, points={"q1": 0.0}, hints={"q1": [hint, hint]}),
        Grade("b", "2", False, seconds=400, points={"q1": 3.0}),
    ]
    page = class_report("<02>", made, {"q1": PARTS_TABLE["q1"]})
    text = text_of(page)
    assert "1 (50%)" in text
    assert "Clear &lt;them&gt;." in page
    assert "<them>" not in page
    assert "<title>&lt;02&gt;</title>" in page
    assert "median 1.5, mean 1.5, from 0 to 3" in text
    assert "longest 6.7 min" in text
    assert re.search(r"50%</td><td class=\"bar\"><i aria-hidden=\"true\" style=\"width:50.0%", page)


def test_every_total_is_in_one_bin():
    made = [Grade("a", "", False, seconds=1, points={"q1": p}) for p in (0.0, 2.5, 31.0, 30.5)]
    page = class_report("x", made, {"q1": {"title": "t", "points": 31, "manual": False}})
    page = page.split("lost by part")[0]
    bins = re.findall(r'<th scope="row">[\d to]+</th><td class="number">(\d+)', page)
    assert sum(map(int, bins)) == 4


def test_open_points_count_once_all_are_read():
    made = grades(4)
    for one in made:
        one.open = {"q9": Mark(4.0, "good")}
    text = text_of(class_report("02", made, PARTS_TABLE))
    assert "Out of 22 points" in text
    assert "q9: answers to read 0" in text


def test_nobody_and_nothing():
    assert "on the list 0" in text_of(class_report("02", [], PARTS_TABLE, names=True))
    nothing = Grade("a", "1", False, "the file has no notebook", points={"q1": 0.0})
    text = text_of(class_report("02", [nothing], PARTS_TABLE, names=True))
    assert "notebooks that ran 0" in text
    assert "the file has no notebook" in text
