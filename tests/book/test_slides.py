"""Slides show every figure of a chapter once, in the chapter's own words, and ask no other host."""

import re

import pytest

from course_tools.book.slides import MOST_LETTERS, page, shortened, slides, text_of
from course_tools.notebooks.chapters import find_chapters
from course_tools.notebooks.pictures import figures


@pytest.mark.parametrize("chapter", find_chapters()[1:], ids=lambda chapter: chapter.name)
def test_slides_of_a_chapter(chapter):
    notebook, html = chapter.notebook(), page(chapter)
    assert html.count('role="figure"') == len(list(figures(notebook)))
    assert html.count("<section>") == html.count('role="figure"') + 2  # title, what to take away
    assert "<h1>" in html and "What to take away</h2>" in html
    outside = re.sub(r'<script type="application/json">.*?</script>', "", html, flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?:https?:)?//', outside)
    assert 'src="plotly-loader.js"' in html
    prose = " ".join(text_of(c.source) for c in notebook.cells if c.cell_type == "markdown")
    for section in slides(notebook)[1:-1]:
        heading, words = re.match(r"<section><h2>(.*?)</h2><p>(.*?)</p>", section).groups()
        assert heading
        for sentence in re.split(r"(?<=[.?!:]) ", words.replace("&#x27;", "'")):
            assert not sentence or sentence.split("&")[0].strip() in prose


def test_text_is_whole_sentences_that_fit():
    text = "One. " + "Two is long. " * 40 + "The last one leads to the figure:"
    short = shortened(text)
    assert len(short) <= MOST_LETTERS and short.endswith("to the figure:")
    assert short.startswith("Two is long.")
    assert text_of("A **bold** [link](x.ipynb) and `code`.") == "A bold link and code."
