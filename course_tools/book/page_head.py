"""What others see of a page before they open it: a description, and a card where it is shared.

The description is the chapter's own: what its first paragraph says the reader will learn. The
card's picture and the canonical address need a full address, so they are there once
``make repository`` has said where the book lives; its pages are then on GitHub Pages.
"""

from __future__ import annotations

import re
import textwrap
from html import escape, unescape

from docutils import nodes
from sphinx.application import Sphinx

from course_tools.site.repository import ADDRESS, pages_address

LONGEST = 200  # characters; what follows is cut off where descriptions are shown
PICTURE = "social-card.png"
# Of the browser's own frame around the page; course.css has the same two.
PAPER = {"light": "#ffffff", "dark": "#14171c"}


def description(doctree: nodes.document) -> str:
    """The first paragraph up to "You need", in at most ``LONGEST`` characters."""
    paragraph = next(iter(doctree.findall(nodes.paragraph)), None)
    if paragraph is None:
        return ""
    text = " ".join(paragraph.astext().split())
    text = re.split(r" You need\b", text)[0]
    return textwrap.shorten(text, LONGEST, placeholder=" …")


def tags(title: str, about: str, page: str, root: str) -> str:
    """The elements that go into a page's head; ``root`` is the site's address, or nothing."""
    named = {"description": about, "twitter:card": "summary_large_image" if root else "summary"}
    properties = {"og:type": "article", "og:title": title, "og:description": about}
    if root:
        properties |= {"og:url": root + page, "og:image": f"{root}_static/{PICTURE}"}
    lines = [f'<meta name="{k}" content="{escape(v)}" />' for k, v in named.items()]
    lines += [f'<meta property="{k}" content="{escape(v)}" />' for k, v in properties.items()]
    lines += [
        f'<meta name="theme-color" content="{colour}" media="(prefers-color-scheme: {mode})" />'
        for mode, colour in PAPER.items()
    ]
    return "\n    " + "\n    ".join(lines)


def _add_tags(app: Sphinx, pagename: str, template: str, context: dict, doctree) -> None:
    # Pages that no one wrote, such as the search, speak for the book.
    about = description(doctree or app.env.get_doctree(app.config.root_doc))
    title = context.get("title") or context["docstitle"]
    page = app.builder.get_target_uri(pagename)
    plain = unescape(re.sub(r"<[^>]*>", "", title))
    # docutils' own tag, which stands there, says again how wide the page is.
    context["metatags"] = tags(plain, about, page, app.config.html_baseurl)


def _set_address(app: Sphinx, config) -> None:
    options = config.html_theme_options
    # Until `make repository` turns the button on, Jupyter Book puts its own repository here.
    if options.get("use_repository_button") and ADDRESS.fullmatch(options["repository_url"]):
        config.html_baseurl = pages_address(options["repository_url"])


def setup(app: Sphinx) -> dict:
    """Sphinx's entry point."""
    app.connect("config-inited", _set_address)
    app.connect("html-page-context", _add_tags)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
