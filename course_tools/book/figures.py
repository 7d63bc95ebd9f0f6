"""Plotly figures in the built book, with no request to another host.

MyST-NB knows no renderer for plotly's own MIME type and would show nothing. ``PlotlyFigure``
(entry point ``myst_nb.mime_renderers``) writes the figure's JSON into the page inside a labelled
element; ``static/plotly-loader.js`` draws it when it nears the viewport, with the one
``plotly.min.js`` that the installed plotly package brings.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import shutil
from html import escape
from pathlib import Path

import nbformat
import plotly
from docutils import nodes
from myst_nb.core.render import MimeData
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.util import logging

from course_tools.book.figure_tables import data_table
from course_tools.notebooks.checks import PICTURE, PLOTLY, text_alternative

STATIC = Path(__file__).parent / "static"
PLOTLY_JS = Path(plotly.__file__).parent / "package_data/plotly.min.js"
CLASS = "course-figure"
DEFAULT_HEIGHT = 450

logger = logging.getLogger(__name__)


class PlotlyFigure:
    """MyST-NB's renderer for plotly outputs."""

    mime_priority_overrides = [
        ("html", PLOTLY, 0),
        ("dirhtml", PLOTLY, 0),
        ("singlehtml", PLOTLY, 0),
    ]

    @staticmethod
    def handle_mime(renderer, data, inline: bool) -> list[nodes.Element] | None:
        """The figure's HTML; warns (and so fails ``make book``) when it has no text alternative."""
        if inline or data.mime_type != PLOTLY:
            return None
        figure = data.content if isinstance(data.content, dict) else json.loads(data.content)
        alt = text_alternative(figure)
        if not alt:
            chapter = Path(renderer.source).stem
            logger.warning(
                '%s, cell %s: figure without a text alternative; set layout.meta["alt"]',
                chapter,
                data.cell_index + 1,
                location=(renderer.renderer.document["source"], data.line),
            )
        before, after = figure_html(figure, alt)
        box = nodes.container(classes=["output", CLASS])
        box += nodes.raw("", before, format="html")
        if picture := _picture(renderer, data):
            (image,) = renderer.render_image(picture)
            image["alt"] = alt
            box += image
        box += nodes.raw("", after, format="html")
        return [box]


def _picture(renderer, data) -> MimeData | None:
    """The PNG that `make pictures` has put beside the figure."""
    notebook = _read(renderer.renderer.document["source"])
    bundle = notebook.cells[data.cell_index].outputs[data.output_index].data
    return (
        dataclasses.replace(data, mime_type=PICTURE, content=bundle[PICTURE])
        if PICTURE in bundle
        else None
    )


@functools.lru_cache(maxsize=1)
def _read(path: str) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def figure_html(figure: dict, alt: str) -> tuple[str, str]:
    """The element that the loader draws into, before and after a place for the figure's picture.

    Readers without scripts see the picture, and the figure's data as a table.
    """
    height = figure.get("layout", {}).get("height") or DEFAULT_HEIGHT
    # `</` would end the script element early.
    payload = json.dumps(figure, separators=(",", ":")).replace("</", "<\\/")
    label = escape(alt, quote=True)
    return (
        f'<div class="{CLASS}" role="figure" aria-label="{label}" tabindex="0"><noscript>',
        f"{data_table(figure)}</noscript>"
        f'<div class="{CLASS}-plot pst-js-only" style="height:{height}px"></div>'
        f'<script type="application/json">{payload}</script></div>',
    )


def _add_loader(app: Sphinx, pagename: str, template: str, context: dict, doctree) -> None:
    has_figure = doctree is not None and any(
        CLASS in node["classes"] for node in doctree.findall(nodes.container)
    )
    if has_figure:
        library = context["pathto"]("_static/plotly.min.js", resource=True)
        address = f"{library}?v={plotly.__version__}"
        app.add_js_file("plotly-loader.js", **{"data-plotly": address})


def _add_static_folder(app: Sphinx, config) -> None:
    config.html_static_path.append(str(STATIC))


def _copy_plotly(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        shutil.copy(PLOTLY_JS, Path(app.outdir, "_static"))


def setup(app: Sphinx) -> dict:
    """Sphinx's entry point."""
    app.connect("config-inited", _add_static_folder)
    app.connect("html-page-context", _add_loader)
    app.connect("build-finished", _copy_plotly)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
