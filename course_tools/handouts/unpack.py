"""Everything that a notebook's file holds, as text: also what is packed inside it."""

from __future__ import annotations

import base64
import binascii
import gzip
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from nbformat import NotebookNode

PACKED = re.compile(r"[A-Za-z0-9+/_\-\n]{40,}={0,2}")
DEEPEST = 4
"""How many packings inside one another are opened."""


def texts_of(notebook: NotebookNode) -> Iterator[tuple[str, str]]:
    """Every text of the notebook with its place: of cells, outputs, metadata, and packed files."""
    for i, cell in enumerate(notebook.cells, 1):
        for key, value in cell.items():
            yield from _texts(value, f"cell {i}" if key == "source" else f"cell {i}, {key}")
    for key, value in notebook.items():
        if key != "cells":
            yield from _texts(value, f"the notebook's {key}")


def _texts(value: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield place, str(key)
            yield from _texts(inner, place)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner, place)
    elif isinstance(value, str):
        yield place, value
        yield from _unpacked(value, place, 0)


def _unpacked(text: str, place: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth == DEEPEST:
        return
    for found in PACKED.findall(text):
        bare = found.replace("\n", "").rstrip("=").replace("-", "+").replace("_", "/")
        try:
            content = base64.b64decode(bare + "=" * (-len(bare) % 4))
        except (ValueError, binascii.Error):
            continue
        yield from _opened(content, place, depth + 1)


def _opened(content: bytes, place: str, depth: int) -> Iterator[tuple[str, str]]:
    """Text in bytes that may be a zip archive, compressed, or text."""
    if content.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                for name in archive.namelist():
                    yield f"{place}, packed", name
                    yield from _opened(archive.read(name), f"{place}, packed {name}", depth)
        except zipfile.BadZipFile:
            pass
        return
    for unpack in (gzip.decompress, zlib.decompress):
        try:
            content = unpack(content)
            break
        except (OSError, EOFError, zlib.error):
            continue
    try:
        text = content.decode("utf8")
    except UnicodeDecodeError:
        return  # a picture, or letters that only look packed
    if text.isprintable() or "\n" in text:
        yield place, text
        yield from _unpacked(text, place, depth)
