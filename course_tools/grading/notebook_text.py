"""A notebook's cells out of whatever bytes were handed in, without the outputs."""

from __future__ import annotations

import json
from typing import Any

# JSON of 3 bytes can become a list of 60: what it becomes is bounded by these marks' number. An
# honest notebook of 100 MB, with a number of a figure on each line, has some 4 million.
MOST_MARKS = 5_000_000
KEPT = ("kernelspec", "language_info", "course")


def load_notebook(content: bytes) -> dict[str, Any]:
    """The notebook as nbformat 4 has it: `cells` with type, id and source, and some `metadata`.

    Raises:
        ValueError: it is none; the message is what follows after "the file".
    """
    if mistaken := _mistaken(content):
        raise ValueError(mistaken)
    encoding = json.detect_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        name = encoding.upper().removesuffix("-SIG")
        raise ValueError(
            f"is not {name} text: open it in Jupyter, save it and hand it in again"
        ) from None
    if sum(text.count(mark) for mark in "[{,") > MOST_MARKS:
        raise ValueError("has too many values in it: clear all outputs and hand it in again")
    try:
        # Numbers say nothing here, and one of a million digits would take an int minutes.
        notebook = json.loads(text, object_hook=_without_outputs, parse_int=float)
    except (ValueError, RecursionError):
        raise ValueError(
            "is no JSON: it was cut off or is no notebook; download it from Jupyter again"
        ) from None
    if not isinstance(notebook, dict):
        raise ValueError("is JSON, but no notebook")
    metadata = _dict(notebook.get("metadata"))
    return {"cells": _cells(notebook), "metadata": {k: _dict(metadata.get(k)) for k in KEPT}}


def slim_notebook(content: bytes) -> bytes:
    """The notebook without what grading doesn't need.

    Raises:
        ValueError: as `load_notebook`.
    """
    return json.dumps(load_notebook(content)).encode()


def language_of(notebook: dict[str, Any]) -> str:
    """The language of its kernel; a notebook that names none is Python's."""
    metadata = notebook["metadata"]
    for key, name in (("kernelspec", "language"), ("language_info", "name")):
        said = metadata[key].get(name)
        if isinstance(said, str) and said.strip():
            return "python" if "python" in said.lower() else said.strip()
    return "python"


def assignment_of(notebook: dict[str, Any]) -> str:
    """The assignment that its metadata names, or nothing."""
    named = notebook["metadata"]["course"].get("assignment")
    return named if isinstance(named, str) else ""


def _mistaken(content: bytes) -> str:
    """What the file is instead of a notebook, where its first bytes tell."""
    start = content[:2000].removeprefix(b"\xef\xbb\xbf").lstrip()
    if not start:
        return "is empty: save the notebook and hand it in again"
    if start.startswith(b"version https://git-lfs"):
        return "is a pointer of Git LFS, not the notebook itself: hand in the notebook"
    if start.startswith(b"<"):
        return "is a web page, perhaps of a login, and no notebook: download the notebook again"
    for magic, name in ((b"%PDF", "a PDF"), (b"PK\x03\x04", "a zip"), (b"\x1f\x8b", "a gzip file")):
        if start.startswith(magic):
            return f"is {name} that was renamed, not a notebook: hand in the .ipynb file"
    return ""


def _without_outputs(value: dict[str, Any]) -> dict[str, Any]:
    """Drop outputs as soon as their cell is read, so that one cell's are held at a time."""
    if "cell_type" in value:
        value.pop("outputs", None)
        value.pop("attachments", None)
    return value


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _cells(notebook: dict[str, Any]) -> list[dict[str, str]]:
    """All cells; nbformat 3 keeps them in worksheets and calls the source of code `input`."""
    sheets = notebook.get("worksheets")
    try:
        if "cells" not in notebook and isinstance(sheets, list):
            cells = [cell for sheet in sheets for cell in sheet["cells"]]
        else:
            cells = list(notebook["cells"])
        return [_cell(cell) for cell in cells]
    except (AttributeError, KeyError, TypeError):
        raise ValueError("is JSON, but no notebook") from None


def _cell(cell: dict[str, Any]) -> dict[str, str]:
    source = cell.get("source", cell.get("input"))
    text = "" if source is None else "".join(source)
    # Half of a surrogate pair is valid in JSON, but no text that can be sent on.
    text = text.encode("utf8", "replace").decode("utf8")
    name = cell.get("id") or _dict(cell.get("metadata")).get("id")  # Colab keeps it there
    kind = "code" if cell["cell_type"] == "code" else "markdown"
    return {"cell_type": kind, "id": name if isinstance(name, str) else "", "source": text}
