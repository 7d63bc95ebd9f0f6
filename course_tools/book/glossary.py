"""Link the glossary's terms from their first use on every page.

The terms are the headings of ``book/glossary.md``. Sources stay plain Markdown: a term written in
bold is linked where it is, else where it first stands in running text, alone or with an s. On wide
screens ``static/terms.js`` explains the terms in view in the right margin.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx

from course_tools.notebooks.chapters import ROOT, slug

PAGE = "book/glossary"
HEADING = re.compile(r"^## (.+)\n\n(.+)$", re.MULTILINE)
# Words in these are no running text.
NOT_IN = (nodes.reference, nodes.literal, nodes.title, nodes.math, nodes.table, nodes.literal_block)


@dataclass(frozen=True)
class Term:
    """One entry of the glossary."""

    name: str
    meaning: str
    """Its first sentence, as plain text."""

    @property
    def anchor(self) -> str:
        """The id of its heading, on GitHub and in the book."""
        return slug(self.name)

    @property
    def pattern(self) -> re.Pattern:
        """Finds the term, in any case where it is not an abbreviation, in singular or plural."""
        name = self.name
        stem = re.escape(name if name.endswith("ss") else name.removesuffix("s"))
        case = 0 if self.name.isupper() else re.IGNORECASE
        return re.compile(rf"(?<![\w-]){stem}(?:e?s)?(?![\w-])", case)


def read_terms(markdown: str) -> list[Term]:
    """Terms of a glossary, longer names first, so that "label leak" goes before "label"."""
    found = []
    for name, text in HEADING.findall(markdown):
        plain = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", text)
        found.append(Term(name, re.split(r"(?<=[.;]) ", plain)[0].rstrip(";").rstrip(".") + "."))
    return sorted(found, key=lambda term: -len(term.name))


def link_terms(doctree: nodes.document, terms: list[Term], address: str) -> None:
    """Put a link to `address` around each term's first use in `doctree`."""
    for term in terms:
        texts = [text for text in doctree.findall(nodes.Text) if _is_running_text(text)]
        bold = [text for text in texts if isinstance(text.parent, nodes.strong)]
        for text in bold + texts:
            found = term.pattern.search(text)
            whole = found and found[0] == text.strip().rstrip(".:")
            if found and (whole or not isinstance(text.parent, nodes.strong)):
                _put_link(text, found, term, address)
                break


def _is_running_text(text: nodes.Text) -> bool:
    parent, inside = text.parent, False
    while parent is not None:
        if isinstance(parent, NOT_IN) or "cell" in parent.get("classes", []):
            return False
        inside = inside or isinstance(parent, nodes.paragraph)
        if isinstance(parent, nodes.paragraph) and "You will learn" in parent.astext():
            return False
        parent = parent.parent
    return inside


def _put_link(text: nodes.Text, found: re.Match, term: Term, address: str) -> None:
    link = nodes.reference(
        "", found[0], refuri=f"{address}#{term.anchor}", internal=True, classes=["glossary-term"]
    )
    link["reftitle"] = term.meaning
    before, after = text[: found.start()], text[found.end() :]
    pieces = [nodes.Text(before), link, nodes.Text(after)]
    text.parent.replace(text, [piece for piece in pieces if piece.astext()])


def _link_page(app: Sphinx, doctree: nodes.document, page: str) -> None:
    is_chapter = Path(app.env.doc2path(page)).suffix == ".ipynb"
    if app.builder.format == "html" and is_chapter and PAGE in app.env.all_docs:
        terms = read_terms(Path(ROOT, f"{PAGE}.md").read_text("utf8"))
        link_terms(doctree, terms, app.builder.get_relative_uri(page, PAGE))


def setup(app: Sphinx) -> dict:
    """Sphinx's entry point."""
    app.connect("doctree-resolved", _link_page)
    app.add_js_file("terms.js")
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
