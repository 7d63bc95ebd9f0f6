"""Look for solutions, hidden tests and their outputs in what students get."""

from __future__ import annotations

import base64
import io
import re
import zipfile
from collections.abc import Iterator

from nbformat import NotebookNode

PACKED = re.compile(r'b64decode\("([A-Za-z0-9+/=]+)"\)')
# Only lines that say something: `return x` or `import math` may stand anywhere.
LEAST = 14
ORDINARY = re.compile(r"(import |from \w+ import|return \w+$|else:|try:|\.\.\.|pass$|#)")


def plain(text: str) -> str:
    """Text without its white space and kinds of quotes, which a copy may change."""
    return re.sub(r"\s+", "", text).replace('"', "'")


def everything_in(notebook: NotebookNode) -> str:
    """All that the notebook's file holds, with packed tests unpacked, as plain text."""
    text = str(dict(notebook)).replace("\\n", "\n")
    parts = [text.replace("\\'", "'")]
    for cell in notebook.cells:
        parts.append(cell.source)
        for packed in PACKED.findall(cell.source):
            with zipfile.ZipFile(io.BytesIO(base64.b64decode(packed))) as archive:
                parts += [archive.read(name).decode() for name in archive.namelist()]
    return plain("\n".join(parts))


def divide(source: NotebookNode) -> tuple[list[str], list[str]]:
    """Lines of an assignment's source: those that students may read, and the others.

    The others are solutions, hidden tests and rubrics.
    """
    public: list[str] = []
    secret: list[str] = []
    state = ""
    for cell in source.cells:
        if cell.cell_type == "raw":
            state = cell.source.split("\n", 1)[0]
            continue
        hidden = state.startswith("# BEGIN TESTS") and "\nhidden: true" in cell.source
        rubric = state.startswith("# BEGIN SOLUTION") and cell.cell_type == "markdown"
        if hidden or rubric:
            secret += cell.source.splitlines()
        elif state.startswith("# BEGIN SOLUTION"):
            for line, solves in _lines_of_answer(cell.source):
                (secret if solves else public).append(line)
        else:
            public += cell.source.splitlines()
    return public, secret


def _lines_of_answer(code: str) -> Iterator[tuple[str, bool]]:
    """Lines of an answer's cell, and whether otter takes them out."""
    inside = False
    for line in code.splitlines():
        if "# BEGIN SOLUTION" in line or "# END SOLUTION" in line:
            inside = "# BEGIN" in line
        else:
            yield line.split("# SOLUTION")[0], inside or "# SOLUTION" in line


def find_leaks(source: NotebookNode, student: NotebookNode, mistakes: list[dict]) -> list[str]:
    """What of the source's secrets occurs in the student's notebook; each as it was written.

    Outputs leak too: a student's notebook has none.
    """
    public, secret = divide(source)
    shown, allowed = everything_in(student), plain("\n".join(public))
    lines = [*secret, *(line for one in mistakes for line in one["code"].splitlines())]
    found = []
    for line in dict.fromkeys(line.strip() for line in lines):
        bare = plain(line)
        if len(bare) < LEAST or ORDINARY.match(line) or bare in allowed:
            continue
        if bare in shown:
            found.append(f"a line of a solution or of a hidden test: {line}")
    if any(cell.get("outputs") for cell in student.cells):
        found.append("outputs of code cells")
    return found
