"""What a page may weigh: the build fails when one loads more.

Counted is what a browser loads with the page itself, compressed as servers send it: the page, its
stylesheets and scripts. What is loaded for a reader who asks for it has limits of its own.
"""

from __future__ import annotations

import gzip
import re
from functools import cache
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.util import logging

LIMIT = 130_000
"""Bytes of any page with its stylesheets and scripts, compressed."""

ON_DEMAND = {
    "live/networks.json": 90_000,
    "live/networks.bin": 510_000,
    "live/engine.js": 20_000,
    "live/loop_songs.js": 140_000,
    "plotly.min.js": 5_000_000,
    "search_texts.js": 1_000_000,
}
"""Bytes of what is loaded when someone asks for it, uncompressed."""

LOADED = re.compile(r'<(?:script\b[^>]*\bsrc|link\b[^>]*\brel="stylesheet"[^>]*\bhref)="([^"?#]+)')
logger = logging.getLogger(__name__)


@cache
def compressed(path: Path) -> int:
    """A file's size in bytes as a server sends it."""
    return len(gzip.compress(path.read_bytes(), 6))


def weights(site: Path) -> dict[str, int]:
    """The weight of each page of the site, by its path."""
    found = {}
    for page in sorted(site.rglob("*.html")):
        parts = {page}
        for address in LOADED.findall(page.read_text(encoding="utf-8")):
            part = Path(site, address[1:]) if address[0] == "/" else page.parent / address
            if part.is_file():
                parts.add(part.resolve())
        found[page.relative_to(site).as_posix()] = sum(map(compressed, parts))
    return found


def _check(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    site = Path(app.outdir)
    for page, weight in weights(site).items():
        if weight > LIMIT:
            logger.warning("%s loads %s bytes, more than %s", page, f"{weight:,}", f"{LIMIT:,}")
    for name, limit in ON_DEMAND.items():
        size = (site / "_static" / name).stat().st_size
        if size > limit:
            logger.warning("%s has %s bytes, more than %s", name, f"{size:,}", f"{limit:,}")


def setup(app: Sphinx) -> dict[str, Any]:
    """Sphinx's entry point."""
    app.connect("build-finished", _check, priority=950)  # when all files are written
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
