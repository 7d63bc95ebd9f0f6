"""The glossary holds the course's terms, and pages link to it; the references hold its sources."""

import re

import pytest
from docutils import nodes
from docutils.utils import new_document

from course_tools.book.glossary import link_terms, read_terms
from course_tools.notebooks.chapters import ROOT, find_chapters

GLOSSARY = (ROOT / "book/glossary.md").read_text("utf8")
TERMS = read_terms(GLOSSARY)
# Bold in running text: a new term. Openings of a list's items and of boxes end with a full stop or
# follow a quote mark; what is longer than three words is said with emphasis.
BOLD = re.compile(r"(?<![*\w>])(?<!> )\*\*(\w[\w -]*[\w])\*\*(?! about)")
NO_TERMS = {"You will learn", "You need", "It takes", "from training songs only", "mean", "R²"}


def page(*inline):
    document = new_document("page")
    document += nodes.paragraph("", "", *inline)
    return document


def links(document):
    return [(link.astext(), link["refuri"]) for link in document.findall(nodes.reference)]


def test_terms_in_bold_are_in_the_glossary():
    names = " ".join(term.name.lower() for term in TERMS)
    bold = set()
    for chapter in find_chapters()[1:]:  # the front page only advertises
        cells = chapter.source().cells
        text = "\n".join(c.source for c in cells if c.cell_type == "markdown")
        bold |= {t for t in BOLD.findall(text) if len(t.split()) <= 3} - NO_TERMS
    assert len(bold) > 30
    assert not {t for t in bold if t.lower().removesuffix("s") not in names}


def test_terms_are_in_alphabetical_order_and_each_stands_in_a_chapter():
    names = re.findall("^## (.+)$", GLOSSARY, re.MULTILINE)
    assert names == sorted(names, key=str.lower)
    assert len(names) == len(TERMS)
    text = "\n".join(chapter.md.read_text("utf8") for chapter in find_chapters())
    assert not [term.name for term in TERMS if not term.pattern.search(text)]


def test_first_use_is_linked_and_later_ones_are_not():
    document = page(nodes.Text("Each epoch has batches. The next epoch has a batch, too."))
    link_terms(document, TERMS, "g.html")
    assert links(document) == [("epoch", "g.html#epoch"), ("batches", "g.html#batch")]
    assert document.astext() == "Each epoch has batches. The next epoch has a batch, too."
    (link,) = [one for one in document.findall(nodes.reference) if one.astext() == "epoch"]
    assert link["reftitle"] == "One pass of the training over all training songs."


def test_a_verb_that_looks_like_a_term_is_not_linked():
    document = page(nodes.Text("A network that loses has large losses."))
    link_terms(document, TERMS, "g.html")
    assert links(document) == [("losses", "g.html#loss")]


def test_bold_goes_before_plain_and_long_before_short():
    document = page(
        nodes.Text("A loss. "),
        nodes.strong("", "label leak"),
        nodes.Text(" of a label; "),
        nodes.strong("", "loss"),
    )
    link_terms(document, TERMS, "g.html")
    assert links(document) == [
        ("label leak", "g.html#label-leak"),
        ("label", "g.html#label"),
        ("loss", "g.html#loss"),
    ]
    assert isinstance(document[0][-1][0], nodes.reference)


@pytest.mark.parametrize("kind", [nodes.literal, nodes.title, nodes.reference])
def test_code_titles_and_links_stay_as_they_are(kind):
    document = page(kind("", "", nodes.Text("epoch")))
    link_terms(document, TERMS, "g.html")
    assert "g.html#epoch" not in [link.get("refuri") for link in document.findall(nodes.reference)]


def test_every_source_named_in_the_library_is_in_the_references():
    references = (ROOT / "book/references.md").read_text("utf8")
    library = "".join(path.read_text("utf8") for path in (ROOT / "genre_lib").rglob("*.py"))
    found = set(re.findall(r"arXiv:([\d.]+\d)|doi (10\.[^\s,]*[\w])", library))
    assert len(found) > 4
    assert not [a or b for a, b in found if (a or b) not in references]


def test_every_reference_has_a_doi_or_says_that_it_has_none():
    references = (ROOT / "book/references.md").read_text("utf8")
    for entry in references.split("\n### ")[1:]:
        assert "https://doi.org/10." in entry or "it has no DOI" in entry, entry[:40]
