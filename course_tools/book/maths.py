"""Formulas as MathML, made when the book is built: no script, and no request to another host.

Every current browser draws MathML, and screen readers read it.
"""

from __future__ import annotations

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.util import logging

NAMED = re.compile(r"(<mi>[a-zA-Z]{2,}</mi>)(?=<m(?!o>))")
"""A function's name before what it is applied to, unless that stands in brackets."""

logger = logging.getLogger(__name__)


def mathml(latex: str, display: str) -> str:
    """MathML for a LaTeX formula; ``display`` is ``inline`` or ``block``.

    Raises:
        ValueError: the formula holds something that can't be converted.
    """
    plain = re.sub(r"\\[{}]", "", latex)
    if plain.count("{") != plain.count("}"):
        raise ValueError(f"braces don't match in the formula {latex!r}")
    # The converter knows `align*`, which sets the same as `aligned` does inside a formula.
    known = re.sub(r"\{(align|gather)ed\}", r"{\1*}", latex)
    try:
        html = convert(known, display=display)
    except Exception as error:
        raise ValueError(f"can't convert the formula {latex!r}: {error!r}") from error
    if unknown := re.search(r"\\[a-zA-Z]+|<m[io]>&<", html):
        raise ValueError(f"can't convert {unknown[0]} in the formula {latex!r}")
    return NAMED.sub(r'\1<mspace width="0.17em"></mspace>', html)


def _append(translator, node: nodes.Element, display: str) -> None:
    try:
        translator.body.append(mathml(node.astext(), display))
    except ValueError as error:
        logger.warning("%s", error, location=node)
    raise nodes.SkipNode


def _inline(translator, node: nodes.Element) -> None:
    _append(translator, node, "inline")


def _block(translator, node: nodes.Element) -> None:
    translator.body.append('<div class="math-block" tabindex="0">')
    try:
        _append(translator, node, "block")
    finally:
        translator.body.append("</div>")


def setup(app: Sphinx) -> dict:
    """Sphinx's entry point."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
