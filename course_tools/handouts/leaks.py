"""Look for solutions, hidden tests, mistakes and outputs in what students get.

``python -m course_tools.handouts.leaks`` looks through all that is built in ``dist``. What counts
as secret is every line, and every statement however it is laid out, of solutions, hidden tests,
rubrics and typical mistakes, and every line that solved cells print. Lines that say nothing, such
as ``return x``, and lines that students are given anyway don't count.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode

from course_tools.handouts.source import TEST, read_mistakes, read_source, sources
from course_tools.handouts.unpack import texts_of
from course_tools.notebooks.chapters import (
    EXPLANATION,
    ROOT,
    Chapter,
    code_cells,
    find_chapters,
    tags,
)

DIST = ROOT / "dist"
# Only lines that say something: `return x` or `import math` may stand anywhere.
LEAST = 12
# A text this long without a space is a picture or other data: compared as a whole.
BLOB = 1000
# Lines that another assignment's notebook may share by chance, such as the head of a loop.
CHANCE = 2
WHOLE_EXPLANATION = re.compile(rf"{EXPLANATION}\n\n(.+?)\n\n</details>\n*", re.DOTALL)
ORDINARY = re.compile(r"(import |from [\w.]+ import|return [\w., ]*$|else:|try:|pass$|\.\.\.$)")


@dataclass(frozen=True)
class Secret:
    """A line that students must not get."""

    text: str
    what: str
    where: str


@dataclass
class Secrets:
    """What one source keeps from students, and what it shows them."""

    secret: list[Secret]
    public: str
    """All that students may read, without white space; see `plain`."""


def plain(text: str) -> str:
    """Text without its white space and kinds of quotes, which a copy may change."""
    return re.sub(r"\s+", "", text).replace('"', "'")


def statements(code: str) -> Iterator[tuple[int, str]]:
    """Every statement of Python code on one line, with its line number; of a block, its head."""
    try:
        tree = ast.parse(code)
    except SyntaxError:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt):
            text = ast.unparse(node)
            yield node.lineno, text.split("\n", 1)[0] if hasattr(node, "body") else text


def _shown(text: str) -> str:
    """`text` in the form that secrets are looked for in."""
    return plain("\n".join([text, *(one for _, one in statements(text))]))


def _numbers(path: Path) -> dict[str, int]:
    """The first line number of each line of a file."""
    lines = path.read_text("utf8").splitlines()
    return {line.strip(): i for i, line in reversed(list(enumerate(lines, 1)))}


def _secrets(code: str, what: str, place: str, numbers: dict[str, int]) -> Iterator[Secret]:
    """Lines of code as they are written, then statements as Python would write them."""
    lines = code.splitlines()
    written = [(line, line) for line in lines]
    for text, line in [*written, *((text, lines[n - 1]) for n, text in statements(code))]:
        number = numbers.get(line.strip())
        yield Secret(text.strip(), what, f"{place}, line {number}" if number else place)


def _printed(notebook: NotebookNode, place: str, solves: Callable) -> Iterator[Secret]:
    """Lines, pictures and figures that cells print which solve something."""
    for i, cell in enumerate(notebook.cells, 1):
        if cell.cell_type == "code" and solves(cell):
            for text in _output_texts(cell):
                yield Secret(text, "an output", f"{place}, cell {i}")


def _output_texts(cell: NotebookNode) -> Iterator[str]:
    for output in cell.outputs:
        for content in [output.get("text", ""), *output.get("data", {}).values()]:
            if isinstance(content, str):
                yield from content.splitlines()


def stub_of(code: str) -> tuple[str, list[str]]:
    """What is left of an answer's cell when otter takes the solution out, and what it takes out."""
    stub, answer = [], []
    inside = False
    for line in code.splitlines():
        indent = line[: len(line) - len(line.lstrip())]
        if "# BEGIN SOLUTION" in line or "# END SOLUTION" in line:
            inside = "# BEGIN" in line
            stub += [f"{indent}..."] if inside else []
        elif inside:
            answer.append(line)
        elif "# SOLUTION" in line:
            answer.append(line.split("# SOLUTION")[0].rstrip())
            name = re.match(r"[\w, ]+=(?!=)", line.strip())
            stub.append(f"{indent}{name[0]} ..." if name else f"{indent}...")
        else:
            stub.append(line)
    return "\n".join(stub), answer


def assignment_secrets(path: Path, solved: NotebookNode | None = None) -> Secrets:
    """What the source of an assignment, ``NN_name.md``, keeps and shows.

    The solved notebook, where it is there, adds its outputs.
    """
    place, numbers = f"assignments/{path.name}", _numbers(path)
    found = Secrets([], "")
    state = ""
    for cell in read_source(path).cells:
        shown = cell.source
        test = TEST.match(cell.source)
        config = yaml.safe_load(test[1]) if test else {}
        if cell.cell_type == "raw":
            state, shown = cell.source.split("\n", 1)[0], ""
        elif config.get("hidden"):
            shown = ""
            found.secret += _secrets(cell.source, "a hidden test", place, numbers)
            hint = config["failure_message"]
            found.secret.append(Secret(hint, "a hidden test's hint", place))
        elif state == "# BEGIN SOLUTION" and cell.cell_type == "markdown":
            shown = ""
            found.secret += _secrets(cell.source, "a rubric", place, numbers)
        elif state == "# BEGIN SOLUTION":
            shown, answer = stub_of(cell.source)
            found.secret += _secrets(cell.source, "a solution", place, numbers)
            found.secret += _secrets("\n".join(answer), "a solution", place, numbers)
        found.public += _shown(shown) + "\n"
    for one in read_mistakes(path):
        where = f"assignments/mistakes/{path.stem}.py, '{one['name']}'"
        found.secret += _secrets(one["code"], "a typical mistake", where, {})
    if solved is not None:
        where = f"the solved {path.stem}.ipynb"
        solves = lambda cell: "given" not in tags(cell) and cell.id != "setup"  # noqa: E731
        found.secret += _printed(solved, where, solves)
    return found


def chapter_secrets(chapter: Chapter) -> Secrets:
    """What a chapter keeps, its solutions and what they print, and what it shows."""
    notebook, numbers = chapter.notebook(), _numbers(chapter.md)
    found = Secrets([], "")
    for cell in notebook.cells:
        place = f"book/{chapter.md.name}"
        if "solution" in tags(cell):
            found.secret += _secrets(cell.source, "a solution", place, numbers)
        elif cell.cell_type == "markdown":
            for text in WHOLE_EXPLANATION.findall(cell.source):
                found.secret += _secrets(text, "an explanation", place, numbers)
            found.public += _shown(WHOLE_EXPLANATION.sub("", cell.source)) + "\n"
        else:
            printed = plain("\n".join(_output_texts(cell)))
            found.public += "\n".join([_shown(cell.source), printed, ""])
    place = f"book/{chapter.ipynb.name}"
    found.secret += _printed(notebook, place, lambda cell: "solution" in tags(cell))
    return found


@dataclass(frozen=True)
class Held:
    """All that a student's notebook holds."""

    pieces: list[tuple[str, str, str]]
    """Place, text, and the text in the form that secrets are looked for in."""
    data: set[str]
    """Pictures and the like, each as a whole."""

    @staticmethod
    def of(notebook: NotebookNode) -> Held:
        """What `notebook` holds, packed or not."""
        pieces, data = [], set()
        for place, text in texts_of(notebook):
            if len(text) > BLOB and not re.search(r"\s", text):
                data.add(plain(text))
            else:
                pieces.append((place, text, _shown(text)))
        return Held(pieces, data)


def find_leaks(secrets: Secrets, student: NotebookNode | Held, known: str = "") -> list[str]:
    """Where a student's notebook holds a secret: a sentence for each.

    Args:
        secrets: what to look for.
        student: the notebook that students get, or all that it holds.
        known: more that students may read, as `plain` writes it.
    """
    held = student if isinstance(student, Held) else Held.of(student)
    everything = "\n".join(shown for _, _, shown in held.pieces)
    found = {}
    for one in secrets.secret:
        bare = plain(one.text)
        if len(bare) < LEAST or ORDINARY.match(one.text) or bare in found:
            continue
        if bare in held.data:
            found[bare] = f"a picture or other data: {one.what} of {one.where}"
        elif bare in everything and bare not in secrets.public and bare not in known:
            place = next(_place(*piece, bare) for piece in held.pieces if bare in piece[2])
            found[bare] = f"{place}: {one.what} of {one.where}: {one.text[:100]}"
    return list(found.values())


def _place(place: str, text: str, _: str, bare: str) -> str:
    for number, line in enumerate(text.splitlines(), 1):
        if bare in plain(line):
            return f"{place}, line {number}"
    return place


def leaks_in(dist: Path = DIST) -> Iterator[str]:
    """All leaks in all that is built: every source's secrets, in every student's notebook.

    What the book shows to everybody is no secret of another source; see also `CHANCE`.
    """
    book = {chapter.name: chapter_secrets(chapter) for chapter in find_chapters()}
    everything = dict(book)
    for path in sources():
        solved = dist / f"assignments/instructor/{path.stem}/{path.stem}.ipynb"
        notebook = nbformat.read(solved, as_version=4) if solved.exists() else None
        everything[path.stem] = assignment_secrets(path, notebook)
    shown = "\n".join(secrets.public for secrets in book.values())
    for file in [*dist.glob("assignments/student/*.ipynb"), *dist.glob("student/book/*.ipynb")]:
        notebook = nbformat.read(file, as_version=4)
        where = file.relative_to(dist.parent)
        if file.parent.name == "student" and any(cell.outputs for cell in code_cells(notebook)):
            yield f"{where} holds outputs of cells."
        held = Held.of(notebook)
        for name, secrets in everything.items():
            own = name == file.stem
            leaks = find_leaks(secrets, held, "" if own else shown)
            if own or len(leaks) > CHANCE:
                yield from (f"{where}, {leak}" for leak in leaks)


def main() -> int:
    """Look through ``dist``; the exit code is 1 when something leaks."""
    found = list(leaks_in())
    print("\n".join(found) or "nothing leaks", file=sys.stderr if found else sys.stdout)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
