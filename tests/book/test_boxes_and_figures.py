"""What the book makes of a chapter's block quotes, formulas and figures."""

import json

import pytest
from invented_chapter import figure, no_alternative, write_pair
from sphinx.application import Sphinx

from course_tools.book.admonitions import OPENING
from course_tools.book.maths import mathml


def test_functions_stand_apart_from_what_they_are_applied_to():
    space = '<mspace width="0.17em"></mspace>'
    assert f"<mi>log</mi>{space}<mn>7</mn>" in mathml(r"\log 7", "inline")
    assert f"<mi>log</mi>{space}<mfrac>" in mathml(r"\log \frac{1}{2}", "inline")
    assert space not in mathml(r"\max(0, x) + W x", "inline")


@pytest.mark.parametrize("latex", [r"\nosuch{x}", "{x", r"a & b"])
def test_formula_that_cannot_be_converted_is_quoted(latex):
    with pytest.raises(ValueError, match="formula"):
        mathml(latex, "inline")


def build_page(folder, notebook_change=lambda notebook: None):
    """Build a book of one chapter with our extensions; its HTML and the warnings."""
    source = folder / "source"
    source.mkdir()
    write_pair(source, notebook_change)
    extensions = ["figures", "maths", "admonitions"]
    settings = {
        "extensions": ["myst_nb", *(f"course_tools.book.{name}" for name in extensions)],
        "root_doc": "03_training",
        "exclude_patterns": ["*.md"],
        "nb_execution_mode": "off",
        "myst_enable_extensions": ["dollarmath"],
        "html_math_renderer": "mathml",
    }
    with open(folder / "warnings.txt", "w+") as warnings:
        places = (source, None, folder / "html", folder / "trees")
        Sphinx(*places, "html", settings, status=None, warning=warnings).build()
        warnings.seek(0)
        return (folder / "html/03_training.html").read_text("utf8"), warnings.read()


def test_an_exercise_has_a_number():
    assert OPENING.fullmatch("Exercise 10.2")[2] == "10.2"
    assert OPENING.fullmatch("Exercise") is None


def test_page_of_a_chapter(tmp_path):
    html, warnings = build_page(tmp_path)
    assert warnings == ""
    assert 'role="figure" aria-label="Bars &quot;rise&quot; &amp; fall"' in html
    assert json.dumps(figure(), separators=(",", ":")) in html
    assert "plotly-loader.js" in html
    assert (tmp_path / "html/_static/plotly-loader.js").is_file()
    assert (tmp_path / "html/_static/plotly.min.js").stat().st_size > 1e6
    assert '<div class="admonition note">' in html
    assert "<blockquote>" not in html
    assert 'class="exercise admonition" id="exercise-3-2"' in html
    assert '<p class="admonition-title">Exercise 3.2: A title</p>' in html
    assert html.count('<summary class="admonition-title">Solution</summary>') == 3
    assert "<math" in html
    assert "mathjax.js" not in html
    assert "NBVAL" not in html


def test_figure_without_alternative_warns_by_chapter_and_cell(tmp_path):
    _, warnings = build_page(tmp_path, no_alternative)
    assert "03_training, cell 6: figure without a text alternative" in warnings
