"""The accessibility statement."""

import json

from course_tools.notebooks.chapters import ROOT
from course_tools.site.accessibility import measured, statement
from course_tools.site.repository import repository_address
from course_tools.site.status import PAGES


def test_page_says_what_was_measured():
    stored = json.loads(PAGES.read_text("utf8"))
    page = (ROOT / "book/accessibility.md").read_text("utf8")
    assert page == statement(stored, repository_address()), "run `make notebooks`"


def test_every_violation_and_the_lowest_score_are_told():
    scores = {"phone": {"accessibility": 97}, "desktop": {"accessibility": 100}}
    pages = {"a": {"axe": 2, "mobile": scores["phone"], "desktop": scores["desktop"]}}
    stored = {"pages": pages | {"b": {"axe": 1}}, "versions": {"axe-core": "4", "lighthouse": "12"}}
    axe, lighthouse = measured(stored)
    assert axe["found"] == "3 violations" and axe["on"].startswith("2 pages")
    assert "97 out of 100" in lighthouse["found"] and lighthouse["on"].startswith("1 pages")


def test_address_comes_from_the_settings(tmp_path):
    (tmp_path / "_config.yml").write_text(
        "# repository: set\nrepository:\n  url: https://x.org/a\n"
    )
    assert repository_address(tmp_path) == "https://x.org/a"
    (tmp_path / "_config.yml").write_text("html:\n  use_repository_button: false\n")
    assert repository_address(tmp_path) is None
    stored = json.loads(PAGES.read_text("utf8"))
    assert "(https://x.org/a/issues)" in statement(stored, "https://x.org/a")
    assert "issues)" not in statement(stored, None)
