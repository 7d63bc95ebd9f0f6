"""The page that the PDF is printed from, put together from small pages of a site."""

import pytest
from bs4 import BeautifulSoup

from course_tools.book.pdf import Cover, assemble, book_address
from course_tools.notebooks.chapters import ROOT

COVER = Cover("A & B", "1.0.0", "2026")
NAMES = {"book/index.html": "index", "book/01_songs.html": "01_songs"}


def exercise(slug):
    return (
        f'<div class="exercise admonition" id="{slug}"><p class="admonition-title">Exercise of'
        f" {slug}</p><p>Do it.</p></div>"
    )


def solution(code):
    return (
        '<div class="cell tag_solution"><details class="admonition hide"><summary>Solution'
        f"</summary><div><pre>{code}\n  indented</pre></div></details></div>"
    )


def page(title, inside=""):
    return (
        '<html><body><nav><a href="search.html">Search</a></nav><article class="bd-article">'
        f'<section id="top"><h1>{title}<a class="headerlink" href="#top">#</a></h1>'
        f'<section id="exercises"><h2>Exercises</h2>{inside}</section></section></article></body>'
    )


def book(first="", second=""):
    html = assemble(
        {
            "book/index.html": page("The book's own title", first),
            "book/01_songs.html": page("1 · Songs", second),
        },
        COVER,
    )
    return BeautifulSoup(html, "html.parser")


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("#part", "#index--part"),
        ("#", "#index"),
        ("01_songs.html", "#01_songs"),
        ("../book/01_songs.html#exercise-1-1", "#01_songs--exercise-1-1"),
        ("https://example.org/a.html#b", "https://example.org/a.html#b"),
        ("mailto:a@example.org", "mailto:a@example.org"),
    ],
)
def test_links_between_chapters_become_anchors(link, address):
    assert book_address(link, "book/index.html", NAMES) == address


def test_link_out_of_the_book_is_named():
    with pytest.raises(ValueError, match=r"book/index.html links to \.\./search.html"):
        book(first='<a href="../search.html">x</a>')
    with pytest.raises(ValueError, match="index links to #01_songs--gone"):
        book(first='<a href="01_songs.html#gone">x</a>')


def test_ids_are_unique_and_every_link_has_its_target():
    soup = book(
        first='<a href="01_songs.html#exercises">there</a><p id="a" aria-labelledby="a top">',
        second='<a href="index.html">back</a><p id="a"></p>',
    )
    ids = [element["id"] for element in soup.find_all(id=True)]
    assert len(ids) == len(set(ids))
    links = [link["href"] for link in soup.select("a[href^='#']")]
    assert {"#index", "#01_songs", "#01_songs--exercises"} <= set(links)
    assert {link[1:] for link in links} <= set(ids)
    labelled = soup.find(attrs={"aria-labelledby": True})
    assert labelled["aria-labelledby"] == "index--a index--top"


def test_chapters_keep_their_order_and_lose_what_only_a_screen_needs():
    soup = book(
        first='<noscript>words</noscript><script>go()</script><button>x</button><details class="x">'
        '<summary>More</summary></details><script type="application/json">{"a":"<b>"}</script>'
    )
    titles = [heading.get_text() for heading in soup.find_all("h1")]
    assert titles == ["Contents", "Introduction", "1 · Songs"]
    assert not soup.select("noscript, button, .headerlink, [href='search.html']")
    assert [script.string for script in soup.select("article script")] == ['{"a":"<b>"}']
    assert soup.select_one("details.x").has_attr("open")
    assert soup.title.string == "A & B"
    assert "Version 1.0.0, 2026" in soup.select_one(".cover").get_text()
    contents = [link["href"] for link in soup.select("nav a")]
    assert contents == ["#index", "#index--exercises", "#01_songs", "#01_songs--exercises"]


def test_every_solution_moves_once_and_is_linked_both_ways():
    one, two, three = "exercise-1-1", "exercise-1-2", "exercise-1-3"
    soup = book(
        second=exercise(one)
        + solution("first")
        + exercise(two)
        + solution("second")
        + solution("more of it")
        + exercise(three)
    )
    solutions = soup.find(id="solutions")
    assert soup.find_all("article")[-1] is solutions
    for code in ("first", "second", "more of it"):
        found = [block for block in soup.find_all("pre") if block.get_text().startswith(code)]
        assert len(found) == 1 and solutions in found[0].parents
        assert found[0].get_text() == f"{code}\n  indented"
    assert not solutions.find(["details", "summary"])
    for slug in (one, two):
        there = f"01_songs--{slug}--solution"
        assert soup.find(id=f"01_songs--{slug}").select_one(".jump a")["href"] == f"#{there}"
        assert soup.find(id=there).select_one(".jump a")["href"] == f"#01_songs--{slug}"
        assert soup.find(id=there).h3.get_text() == f"Exercise of {slug}"
    assert len(soup.find(id=f"01_songs--{two}--solution").find_all("pre")) == 2
    assert not soup.find(id=f"01_songs--{three}").select(".jump")
    assert [heading.get_text() for heading in solutions.find_all("h2")] == ["1 · Songs"]


def test_solution_without_an_exercise_is_named():
    with pytest.raises(ValueError, match="01_songs: a solution has no exercise"):
        book(second=solution("lost"))


def test_book_without_solutions_has_no_such_part():
    assert book().find(id="solutions") is None


def test_text_is_as_wide_for_the_figures_as_on_paper():
    css = (ROOT / "browser/pdf.css").read_text("utf8")
    script = (ROOT / "browser/pdf.mjs").read_text("utf8")
    margin = float(css.split("margin: 18mm ")[1].split("mm")[0])
    width = int(script.split("TEXT_WIDTH = ")[1].split(";")[0])
    assert width == int((210 - 2 * margin) / 25.4 * 96)
