"""Print how much there is to read in the library, and fail where it is too much."""

from __future__ import annotations

import ast
import io
import sys
import tokenize
from pathlib import Path

import genre_lib

LIBRARY = Path(genre_lib.__file__).parent
CORE = ("data", "models", "training", "evaluation", "classifier", "plots")
APART = (
    "plots", "synthetic.py", "bayes.py", "order.py",
    "attention.py", "pretrained.py", "genres.py", "song_file.py",
)  # fmt: skip
"""What of the core nobody has to read: figures, how songs are made up, and what only the chapters
15 to 17 use."""

MOST_IN_A_FILE, MOST_IN_FIT, MOST_CODE = 250, 80, 2000


def code_lines(path: Path) -> int:
    """Count the lines that hold code: no comments, docstrings or blank lines."""
    text = path.read_text(encoding="utf-8")
    prose: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            prose.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    layout = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
        tokenize.ENDMARKER,
    }  # fmt: skip
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in layout:
            code.update(range(token.start[0], token.end[0] + 1))
    return len(code - prose)


def function_lines(path: Path, name: str) -> int:
    """Count the lines of a function from `def` to its last, docstring and all."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name == name:
            return (node.end_lineno or node.lineno) - node.lineno + 1
    raise LookupError(f"there is no function {name} in {path}")


def main() -> int:
    """Print each size beside its limit; return 1 if one is passed."""
    files = [path for room in CORE for path in sorted((LIBRARY / room).glob("*.py"))]
    read = [path for path in files if not {path.parent.name, path.name} & set(APART)]
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    longest = max((path for path in files if path.name != "synthetic.py"), key=lines.__getitem__)
    code, everything = sum(map(code_lines, read)), sum(lines[path] for path in read)
    fit = function_lines(LIBRARY / "training" / "loop.py", "fit")
    name = longest.relative_to(LIBRARY)
    print(f"Core: {code:,} of {MOST_CODE:,} lines of code in {len(read)} files", end=" ")
    print(f"({everything:,} lines with docstrings, comments and blank lines).")
    print(f"Longest file: {name}, {lines[longest]} of {MOST_IN_A_FILE} lines.", end=" ")
    print(f"fit: {fit} of {MOST_IN_FIT} lines.")
    passed = code > MOST_CODE or lines[longest] > MOST_IN_A_FILE or fit > MOST_IN_FIT
    if passed:
        print("The core is to be read in an afternoon: make it smaller.", file=sys.stderr)
    return int(passed)


if __name__ == "__main__":
    sys.exit(main())
