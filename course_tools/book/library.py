"""Link a name of the library, where a page's code first uses it, to the page *The library*.

That page documents names by Sphinx's autodoc; this finds them in the code cells of other pages.
"""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

PAGE = "book/library"
KINDS = ("function", "class", "data")
DOT = '<span class="o">.</span>'
OF_LIBRARY = "|".join(
    f'(?<=<span class="n">{module}</span>{re.escape(DOT)})' for module in ("genre_lib", "plots")
)
NAME = rf'(?:(?<!{re.escape(DOT)})|{OF_LIBRARY})<span class="n">{{}}</span>'
"""Not a method of the same name: after a dot only if the library or its figures stand before it."""

CELL = re.compile(r'<div class="highlight-ipython3.*?</pre>', re.DOTALL)


def link_names(body: str, names: dict[str, str], address: str) -> str:
    """Put a link around the first use of each name in the code cells of a page's HTML.

    `names` maps a short name, such as `load_songs`, to its id on the page at `address`.
    """
    left = dict(names)

    def in_cell(cell: re.Match[str]) -> str:
        code = cell[0]
        for name in [name for name in left if f">{name}</span>" in code]:
            link = rf'<a class="library-name" href="{address}#{left[name]}">\g<0></a>'
            code, found = re.subn(NAME.format(name), link, code, count=1)
            if found:
                del left[name]
        return code

    return CELL.sub(in_cell, body)


def _link_page(app: Sphinx, pagename: str, template: str, context: dict, doctree: Any) -> None:
    if doctree is None or pagename == PAGE or app.builder.format != "html":
        return
    documented = {
        name.rpartition(".")[2]: anchor
        for name, _, kind, page, anchor, _ in app.env.get_domain("py").get_objects()
        if page == PAGE and kind in KINDS
    }
    context["body"] = link_names(
        context["body"], documented, app.builder.get_relative_uri(pagename, PAGE)
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's entry point."""
    app.connect("html-page-context", _link_page)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
