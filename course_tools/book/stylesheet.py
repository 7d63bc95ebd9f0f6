"""One stylesheet for the book: what its pages use of the theme's rules, then our own.

The theme links seven files with half a megabyte of rules, most for things that no page shows; a
phone waits for all of them before it draws a word. ``book.css`` is a tenth of that. A rule stays
when every class and id that its selector names occurs in a page or in one of the book's scripts.
"""

from __future__ import annotations

import hashlib
import re
from itertools import groupby, pairwise
from pathlib import Path

import tinycss2
from sphinx.application import Sphinx
from tinycss2.ast import Node

SHEETS = (
    "basic.css",
    "styles/pydata-sphinx-theme.css",
    "pygments.css",
    "styles/sphinx-book-theme.css",
    "mystnb.*.css",
    "copybutton.css",
    "icons.css",
    "course.css",
)
BUNDLE = "book.css"

WITHOUT_NAMES = ("plotly.min.js", "offline.js", "loop_songs.js", "search_texts.js")
"""Scripts that hold no class: plotly brings its own styles, the others are data."""

GROUPS = ("media", "supports", "layer", "container")
ATTRIBUTE = re.compile(r"""\b(?:class|id)=(?:"([^"]*)"|'([^']*)')""")
WORD = re.compile(r"[\w-]+")
OWN_FONT = "url(fonts/"
ICON_FONT = re.compile(r"var\(--(?:fa|pst-icon)-|font-family:\s*[\"']?Font Awesome")


def is_used(selector: list[Node], used: set[str]) -> bool:
    """Whether a page could hold what one selector (without commas) asks for.

    What stands in brackets may match in other ways, so only what stands outside has to be in use.
    """
    names = [one.value for one in selector if one.type == "hash"]
    names += [name.value for dot, name in pairwise(selector) if dot == "." and name.type == "ident"]
    return used.issuperset(names)


def pruned(css: str | list[Node], used: set[str]) -> str:
    """``css`` without the rules that match nothing in use, without the theme's fonts and icons."""
    kept = []
    for rule in tinycss2.parse_rule_list(css, skip_comments=True, skip_whitespace=True):
        if rule.type == "error" or rule.content is None:  # @charset, @import
            continue
        head, body = text(rule.prelude), text(rule.content)
        at = rule.lower_at_keyword if rule.type == "at-rule" else ""
        if at in GROUPS:
            body = pruned(rule.content, used)
        elif (at == "font-face" and OWN_FONT not in body) or ICON_FONT.search(body):
            continue
        if at:
            head = f"@{at} {head}".strip()
        else:
            head = ",".join(text(one) for one in selectors(rule.prelude) if is_used(one, used))
        if head and body:
            kept.append(f"{head}{{{body}}}")
    return "\n".join(kept)


def selectors(prelude: list[Node]) -> list[list[Node]]:
    """The selectors of a list, divided at its commas but not at those in brackets."""
    return [list(part) for comma, part in groupby(prelude, lambda one: one == ",") if not comma]


def text(tokens: list[Node]) -> str:
    """CSS with no more white space than it needs."""
    return " ".join(tinycss2.serialize(tokens).split())


def names_in(pages: list[str], scripts: list[str]) -> set[str]:
    """Every class and id that pages hold, and every word that a script could make one of."""
    used: set[str] = set()
    for page in pages:
        for double, single in ATTRIBUTE.findall(page):
            used.update((double or single).split())
    for script in scripts:
        used.update(WORD.findall(script))
    return used


def bundle(app: Sphinx, error: Exception | None) -> None:
    """Write ``book.css`` when all pages are there, and its fingerprint into them."""
    if error is not None or app.builder.format != "html":
        return
    static = Path(app.outdir, "_static")
    files = {path: path.read_text("utf8") for path in Path(app.outdir).rglob("*.html")}
    pages = [text for text in files.values() if BUNDLE in text]
    ours = [path for path in static.rglob("*.js") if path.name not in WITHOUT_NAMES]
    scripts = [path.read_text("utf8") for path in ours]
    used = names_in(pages, scripts)
    sheets = [path for sheet in SHEETS for path in sorted(static.glob(sheet))]
    css = "\n".join(pruned(path.read_text("utf8"), used) for path in sheets)
    (static / BUNDLE).write_text(css, "utf8")

    address = f"{BUNDLE}?v={hashlib.sha256(css.encode()).hexdigest()[:8]}"
    for path, text in files.items():
        new = re.sub(rf"{re.escape(BUNDLE)}(\?v=\w+)?", address, text)
        if new != text:
            path.write_text(new, "utf8")


def setup(app: Sphinx) -> dict:
    """Sphinx's entry point."""
    # The theme writes pygments.css in this same event; ours comes after it.
    app.connect("build-finished", bundle, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
