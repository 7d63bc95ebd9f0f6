"""The page around a chapter: what the book's head, styles, tables and figures become when built."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest
from docutils import nodes
from docutils.utils import new_document

from course_tools.book.figure_tables import MOST_ROWS, data_table
from course_tools.book.figures import figure_html
from course_tools.book.output_tables import LONG, kind_of, plain_table
from course_tools.book.page_head import LONGEST, description, tags
from course_tools.book.stylesheet import names_in, pruned
from course_tools.notebooks.chapters import ROOT, toc_entries
from course_tools.site.repository import pages_address
from genre_lib.plots import GENRE_COLOURS


def paragraph(text):
    document = new_document("page")
    document += nodes.paragraph("", text)
    return document


def test_description_is_what_the_reader_will_learn():
    text = "You will learn to look\nat data. You need Python. It takes about 40 minutes."
    assert description(paragraph(text)) == "You will learn to look at data."


def test_long_description_ends_at_a_word():
    text = description(paragraph("word " * 100))
    assert len(text) <= LONGEST
    assert text.endswith("word …")


def test_page_without_text_has_no_description():
    assert description(new_document("page")) == ""


def test_addresses_only_where_the_book_has_one():
    here = tags('A "title"', "About.", "book/a.html", "")
    assert 'name="description" content="About."' in here
    assert "A &quot;title&quot;" in here
    assert "og:url" not in here and "og:image" not in here
    there = tags("A", "About.", "book/a.html", pages_address("https://github.com/org/name"))
    assert '"og:url" content="https://org.github.io/name/book/a.html"' in there
    assert "https://org.github.io/name/_static/social-card.png" in there
    assert (ROOT / "book/_static/social-card.png").stat().st_size < 100_000


USED = {"used", "here"}


@pytest.mark.parametrize(
    ("css", "kept"),
    [
        (".used{a:b}.gone{a:b}", ".used{a:b}"),
        (".used.gone{a:b}#here .used{a:b}", "#here .used{a:b}"),
        (".gone,.used>p,:is(.x,.y) .gone{a:b}", ".used>p{a:b}"),
        ("p:not(.gone){a:b}", "p:not(.gone){a:b}"),
        ("div:is(.gone,.used) a{a:b}", "div:is(.gone,.used) a{a:b}"),
        ("@media print{.gone{a:b}}@media print{.used{a:b}}", "@media print{.used{a:b}}"),
        ('@charset "x";@import "basic.css";.used{a:b}', ".used{a:b}"),
        ("@keyframes k{from{a:b}}", "@keyframes k{from{a:b}}"),
        ("/* .used{} */.used::after{content:'}'}", '.used::after{content:"}"}'),
        (r".sm\:used{a:b}", ""),
        (r".us\65 d,.\000067one{a:b}", ".used{a:b}"),
        (".used[title='.gone, a']{a:b}", '.used[title=".gone, a"]{a:b}'),
        (
            "@media print{@supports (a:b){.used,.gone{a:b}}}",
            "@media print{@supports (a:b){.used{a:b}}}",
        ),
        (".used{a:url(data:image/svg+xml;b,{}/*)}", ".used{a:url(data:image/svg+xml;b,{}/*)}"),
        ("@font-face{src:url(x.woff2)}.used::after{font:var(--fa-font-solid)}", ""),
        (":root{--pst-icon-x:'y'}", ':root{--pst-icon-x:"y"}'),
    ],
)
def test_only_rules_that_a_page_uses_stay(css, kept):
    assert pruned(css, USED) == kept


def test_names_come_from_pages_and_scripts():
    used = names_in(["<p class=\"a b\" id='c'>d</p>"], ['e.classList.add("made-later")'])
    assert {"a", "b", "c", "made-later"} <= used
    assert "d" not in used


def test_data_frame_loses_its_style_and_empty_headers():
    html = (
        "<div>\n<style scoped>\n .dataframe{}\n</style>\n"
        '<table border="1" class="dataframe"><tr style="text-align: right;"><th></th><th>a</th>'
        '<th colspan="2" halign="left"></th></tr></table></div>'
    )
    assert plain_table(html) == (
        '<div>\n<table class="dataframe"><tr><td></td><th>a</th>'
        '<td colspan="2" halign="left"></td></tr></table></div>'
    )


def test_header_may_break_where_words_end():
    html = '<table class="dataframe"><tr><th>dropout_on</th><td>min_frequency</td></tr></table>'
    assert plain_table(html) == html.replace("dropout_on", "dropout_<wbr>on")


def test_number_keeps_its_error_beside_it():
    html = '<table class="dataframe"><tr><td>-1.2 ± 0.4 points</td></tr></table>'
    assert plain_table(html) == html.replace(" ± ", "\xa0±\xa0")


def test_printed_table_is_told_from_sentences():
    table = "genre   a   b\nblues   1   2"
    assert kind_of(table) == kind_of(f"{table:<{LONG}}") == ["aligned"]
    assert kind_of(f"{table}{'2' * LONG}") == ["aligned", "long"]
    assert kind_of("The largest genre is country.\n  It is  here.\n") == []


def as_stored(figure):
    return json.loads(figure.to_json())


def test_table_of_bars_and_of_typed_numbers():
    figure = go.Figure(go.Bar(x=np.array([1.25, 2.0]), y=["<a>", "b"], orientation="h"))
    figure.update_layout(xaxis_title="songs")
    stored = as_stored(figure)
    assert "bdata" in stored["data"][0]["x"] or isinstance(stored["data"][0]["x"], list)
    assert data_table(stored) == (
        '<table class="dataframe"><tr><th>songs</th><th>y</th></tr>\n'
        "<tr><td>1.25</td><td>&lt;a&gt;</td></tr>\n<tr><td>2</td><td>b</td></tr>\n</table>"
    )


def test_table_of_a_heat_map_and_of_series():
    heat = go.Figure(go.Heatmap(x=["p", "q"], y=["r"], z=np.array([[0.5, 0.25]])))
    assert "<td>r</td><td>q</td><td>0.25</td>" in data_table(as_stored(heat))
    lines = go.Figure(
        [go.Scatter(x=[1], y=[2], name="train"), go.Scatter(x=[1], y=[3], name="test")]
    )
    assert "<tr><td>test</td><td>1</td><td>3</td></tr>" in data_table(as_stored(lines))


def test_long_table_says_what_it_leaves_out():
    points = go.Figure(go.Scatter(x=list(range(100)), y=list(range(100))))
    table = data_table(as_stored(points))
    assert table.count("<tr>") == MOST_ROWS + 1
    assert f"and {100 - MOST_ROWS} more" in table


def test_reader_without_scripts_gets_the_picture_and_the_numbers():
    html = "PICTURE".join(figure_html(as_stored(go.Figure(go.Bar(x=["a"], y=[7]))), "One bar"))
    hidden = html.split("<noscript>")[1].split("</noscript>")[0]
    assert "PICTURE" in hidden and "<td>7</td>" in hidden


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A book of two pages in the book's theme with the book's extensions."""
    folder = tmp_path_factory.mktemp("site")
    source = folder / "source"
    source.mkdir()
    (source / "index.md").write_text(
        "# Front\n\nYou will learn things. You need nothing.\n\n```{toctree}\nb\n```\n"
    )
    (source / "b.md").write_text("# B & more\n\n> quoted\n\n## A section\n\nText.\n")
    names = ["theme", "stylesheet", "page_head", "output_tables"]
    settings = {
        "extensions": ["myst_parser", *(f"course_tools.book.{name}" for name in names)],
        "html_theme": "sphinx_book_theme",
        "html_static_path": [str(ROOT / "book/_static")],
        "html_context": {"default_mode": "light"},
        "html_theme_options": {
            "back_to_top_button": False,
            "navbar_persistent": [],
            "use_repository_button": True,
            "repository_url": "https://github.com/org/name",
        },
        "project": "Book",
        "html_title": "Book",
    }
    lines = [f"{name} = {value!r}\n" for name, value in settings.items()]
    (source / "conf.py").write_text("".join(lines))
    # In a process of its own: Sphinx warns where another test has built a book before.
    subprocess.run([sys.executable, "-m", "sphinx", "-qW", source, folder / "html"], check=True)
    return SimpleNamespace(
        html=folder / "html", page=lambda name: (folder / "html" / name).read_text("utf8")
    )


def test_page_asks_for_one_stylesheet_and_no_icon_font(site):
    page = site.page("b.html")
    assert page.count('rel="stylesheet"') == 1
    assert 'href="_static/book.css?v=' in page
    assert "fontawesome" not in page and "bootstrap.js" not in page
    scripts = [part.split(">")[0] for part in page.split("<script")[1:] if " src=" in part]
    assert scripts and all(" defer " in script for script in scripts)
    static = site.html / "_static"
    assert not list(static.rglob("*fontawesome*")) and not list(static.rglob("*.map"))
    css = (static / "book.css").read_text("utf8")
    assert len(css) < 150_000 and css.count("@font-face") == css.count("url(fonts/") == 1
    assert "blockquote" in css and ".fa-bars" in css


def test_head_speaks_of_the_page(site):
    page = site.page("index.html")
    assert '<html lang="en"' in page
    assert '<meta name="description" content="You will learn things." />' in page
    assert '<link rel="canonical" href="https://org.github.io/name/index.html" />' in page
    assert 'property="og:title" content="B &amp; more"' in site.page("b.html")
    assert '<meta name="description"' in site.page("search.html")


def test_sidebar_lies_in_a_landmark(site):
    page = site.page("b.html")
    aside = page.split('<aside class="sidebar-primary-items__start')[1].split("</aside>")[0]
    assert 'class="bd-links' in aside and "logo.svg" in aside and "Search" in aside


def test_wrong_addresses_get_a_page_that_stands_alone(site):
    page = site.page("404.html")
    assert 'href="/name/index.html"' in page
    assert 'href="/name/b.html">B &amp; more</a>' in page
    assert "<link" not in page and "<script" not in page


def test_every_icon_shown_is_drawn(site):
    icons = (ROOT / "book/_static/icons.css").read_text("utf8")
    for name in ("index.html", "b.html", "search.html"):
        for part in site.page(name).split("fa-")[1:]:
            icon = part.replace('"', " ").split()[0]
            if icon not in ("solid", "lg"):
                assert f".fa-{icon} " in icons, icon


@pytest.mark.parametrize(
    "file",
    [
        "book/_static/logo.svg",
        "book/_static/social-card.svg",
        "course_tools/book/templates/404.html",
    ],
)
def test_drawings_have_the_genres_colours(file):
    drawn = (ROOT / file).read_text("utf8")
    assert not [colour for colour in GENRE_COLOURS.values() if colour not in drawn]


def test_browser_reads_the_same_chapters():
    script = (ROOT / "browser/test.mjs").read_text("utf8")
    for name in ("index", "01_songs", "09_word_embeddings"):  # Lighthouse's sample
        assert f'"{name}"' in script
        assert f"book/{name}.ipynb" in toc_entries()
