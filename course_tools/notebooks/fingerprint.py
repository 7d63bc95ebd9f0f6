"""Fingerprints of code: equal when the code does the same, whatever its comments and layout.

``ast.dump`` and ``ast.unparse`` print differently from one Python version to the next, so the
syntax tree is written out here: node names and fields that hold something, without positions.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path

from nbformat import NotebookNode

from course_tools.notebooks.chapters import ROOT, code_cells, without_address

# No chapter's output depends on these: the command line, and figures of pages, grading and the
# page "Try it".
COMMAND_LINE = ("genre_lib/cli/", "genre_lib/__main__.py")
OTHER_RESULTS = ("pages.json", "slow_phone.json", "grading.json", "live.json")


def chapter_fingerprints(notebook: NotebookNode, root: Path = ROOT) -> dict:
    """What the chapter's outputs came from: its own code, the library, and stored results.

    ``results`` is there only for chapters whose code calls ``read_result``.
    """
    sources = [without_address(cell.source) for cell in code_cells(notebook)]
    library = [
        path
        for path in (root / "genre_lib").rglob("*.py")
        if not path.relative_to(root).as_posix().startswith(COMMAND_LINE)
    ]
    prints = {
        "chapter": _digest(sources),
        "library": files_fingerprint([*library, *(root / "genre_lib").rglob("*.json")]),
    }
    if any("read_result(" in source for source in sources):
        stored = (root / "benchmarks/results").glob("*.json")
        prints["results"] = files_fingerprint(p for p in stored if p.name not in OTHER_RESULTS)
    return prints


def files_fingerprint(paths: Iterable[Path]) -> str:
    """One fingerprint for several files; Python files count by their code alone."""
    parts = []
    for path in sorted(paths):
        text = path.read_text("utf8")
        parts += [
            f"{path.parent.name}/{path.name}",
            code_text(text) if path.suffix == ".py" else text,
        ]
    return _digest(parts)


def code_text(source: str) -> str:
    """The syntax tree of ``source`` as text: no comments, docstrings, positions or layout."""
    return _write(ast.parse(source))


def _write(node: object) -> str:
    if isinstance(node, list):
        return "[" + " ".join(_write(item) for item in node if not _is_docstring(item)) + "]"
    if not isinstance(node, ast.AST):
        return repr(node)
    if isinstance(node, ast.JoinedStr):  # early 3.12 ends f"{x:>{y}}" with an empty string
        node = ast.JoinedStr([part for part in node.values if not _is_empty(part)])
    fields = ((name, getattr(node, name, None)) for name in sorted(node._fields))
    # Newer Pythons add fields, empty in older code; `ctx` and `kind` say nothing of their own.
    held = [
        f"{name}={_write(value)}"
        for name, value in fields
        if value is not None and value != [] and name not in ("ctx", "kind")
    ]
    return f"{type(node).__name__}({' '.join(held)})"


def _is_empty(node: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == ""


def _is_docstring(node: object) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
