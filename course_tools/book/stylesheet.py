"""One stylesheet for the book: what its pages use of the theme's rules, then our own.

The theme links seven files with half a megabyte of rules, most for things that no page shows; a
phone waits for all of them before it draws a word. ``book.css`` is a tenth of that. A rule stays
when every class and id that its selector names occurs in a page or in one of the book's scripts.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

from sphinx.application import Sphinx

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

PIECE = re.compile(r""""(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]""")
COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
GROUPS = ("@media", "@supports", "@layer", "@container")
# What stands in brackets may match in other ways, so only what stands outside has to be in use.
BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
NAME = re.compile(r"[.#]((?:[\w-]|\\.)+)")
ATTRIBUTE = re.compile(r"""\b(?:class|id)=(?:"([^"]*)"|'([^']*)')""")
WORD = re.compile(r"[\w-]+")
ICON_FONT = re.compile(r"var\(--(?:fa|pst-icon)-|font-family:\s*[\"']?Font Awesome")


def blocks(css: str) -> Iterator[tuple[str, str]]:
    """Selector, or at-rule, and body of each block on the outermost level; comments are gone."""
    depth = start = opened = 0
    for piece in PIECE.finditer(css):
        if piece[0] == "{":
            if depth == 0:
                opened = piece.start()
            depth += 1
        elif piece[0] == "}":
            depth -= 1
            if depth == 0:
                yield css[start:opened].strip(), css[opened + 1 : piece.start()]
                start = piece.end()
        elif piece[0] == ";" and depth == 0:  # @charset, @import
            start = piece.end()


def is_used(selector: str, used: set[str]) -> bool:
    """Whether a page could hold what one selector (without commas) asks for."""
    while BRACKETS.search(selector):
        selector = BRACKETS.sub("", selector)
    return all(name.replace("\\", "") in used for name in NAME.findall(selector))


def pruned(css: str, used: set[str]) -> str:
    """``css`` without the rules that match nothing in use, without web fonts and their icons."""
    kept = []
    for head, body in blocks(COMMENT.sub("", css)):
        if head.startswith(GROUPS):
            body = pruned(body, used)
            if body:
                kept.append(f"{head}{{{body}}}")
        elif head.startswith("@font-face") or ICON_FONT.search(body):
            continue
        elif head.startswith("@"):
            kept.append(f"{head}{{{body}}}")
        else:
            selectors = [one for one in selector_list(head) if is_used(one, used)]
            if selectors:
                kept.append(f"{','.join(selectors)}{{{' '.join(body.split())}}}")
    return "\n".join(kept)


def selector_list(head: str) -> list[str]:
    """The selectors of a list, divided at its commas but not at those in brackets."""
    parts, depth, start = [], 0, 0
    for place, sign in enumerate(head):
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and depth == 0:
            parts.append(head[start:place].strip())
            start = place + 1
    return [*parts, head[start:].strip()]


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
    # plotly brings its own styles.
    ours = [path for path in static.rglob("*.js") if path.name != "plotly.min.js"]
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
