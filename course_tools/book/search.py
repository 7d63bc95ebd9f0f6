"""The texts of all pages in one file, from which the search page takes its excerpts.

Sphinx's own search fetches each page that it lists, figures and all, and a page that was opened as
a file may fetch none. ``static/search.js`` loads the file when there are results.
"""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

TEXTS = "search_texts.js"
UNSEEN = ("script", "style", "noscript", "annotation")
"""Elements whose text a reader never sees."""

VOID = ("area", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr")


class ArticleText(HTMLParser):
    """The text of a page's article, and where in it each element with an id begins."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.places: dict[str, int] = {}
        self._depth = 0  # in the article; 0 outside
        self._unseen = 0  # the depth at which something unseen began

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note where the article, its sections and what is unseen in it begin."""
        given = dict(attrs)
        classes = (given.get("class") or "").split()
        if not self._depth and "bd-article" not in classes:
            return
        if tag == "section" and given.get("id"):
            self.places[str(given["id"])] = len(self.text)
        if tag in VOID:
            return
        self._depth += 1
        if not self._unseen and (tag in UNSEEN or "headerlink" in classes):
            self._unseen = self._depth

    def handle_endtag(self, tag: str) -> None:
        """Note where they end."""
        if not self._depth or tag in VOID:
            return
        if self._depth == self._unseen:
            self._unseen = 0
        self._depth -= 1

    def handle_data(self, data: str) -> None:
        """Keep what is seen."""
        if self._depth and not self._unseen:
            self.text += data


def texts(site: Path) -> dict[str, dict[str, Any]]:
    """Text and places of every page with an article, by its path."""
    found = {}
    for page in sorted(site.rglob("*.html")):
        article = ArticleText()
        article.feed(page.read_text("utf8"))
        if article.text:
            found[page.relative_to(site).as_posix()] = {
                "text": article.text,
                "places": article.places,
            }
    return found


def _write(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    data = json.dumps(texts(site), ensure_ascii=False, separators=(",", ":"))
    (site / "_static" / TEXTS).write_text(f"window.searchTexts = {data};\n", "utf8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's entry point."""
    app.connect("build-finished", _write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
