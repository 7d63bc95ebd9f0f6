"""Read an assignment's source, ``assignments/NN_name.md``, and say what is wrong with it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jupytext
import yaml
from nbformat import NotebookNode

from course_tools.notebooks.chapters import MARKDOWN, ROOT, tags

SOURCES = ROOT / "assignments"
BLOCKS = ("QUESTION", "PROMPT", "SOLUTION", "TESTS")  # of otter, as raw cells
MARK = re.compile(r"# (BEGIN|END) (\w+)\s*$", re.MULTILINE)
TEST = re.compile(r'^""" # BEGIN TEST CONFIG\n(.*?)\n""" # END TEST CONFIG\n(.*)', re.DOTALL)
QUESTION_KEYS = {"name", "points", "manual"}
TEST_KEYS = {"points", "hidden", "failure_message"}


class SourceError(ValueError):
    """What is wrong with an assignment's source, in one sentence; otter's own words may follow."""


@dataclass(frozen=True)
class Part:
    """One question of an assignment."""

    name: str
    title: str
    points: float
    manual: bool
    tests: dict[str, dict]
    """By the test function's name: its points and whether it is hidden."""
    rubric: str
    """What is written for graders of an open question."""


@dataclass
class _Open:
    """A question that is being read."""

    config: dict
    title: str = ""
    tests: dict[str, dict] = field(default_factory=dict)
    rubric: list[str] = field(default_factory=list)


def sources(names: list[str] | None = None, folder: Path = SOURCES) -> list[Path]:
    """The assignments' sources in order; a name may be its beginning, as in ``02``.

    Raises:
        SourceError: a name fits no source.
    """
    found = sorted(folder.glob("[0-9][0-9]_*.md"))
    for name in names or []:
        if not any(path.stem.startswith(name) for path in found):
            known = ", ".join(path.stem for path in found)
            raise SourceError(f"No assignment begins with '{name}'; there are {known}.")
    return [path for path in found if not names or path.stem.startswith(tuple(names))]


def read_source(path: Path) -> NotebookNode:
    """The source as a notebook."""
    return jupytext.reads(path.read_text("utf8"), fmt=MARKDOWN, as_version=4)


def read_mistakes(path: Path) -> list[dict]:
    """The typical mistakes that belong to the source at `path`; none where there is no file."""
    file = path.parent / "mistakes" / f"{path.stem}.py"
    if not file.exists():
        return []
    scope: dict[str, Any] = {}
    exec(compile(file.read_text("utf8"), file.name, "exec"), scope)  # our own file
    return scope["MISTAKES"]


def read_parts(path: Path) -> list[Part]:
    """The questions of a source.

    Raises:
        SourceError: anything that would make otter fail or points be lost or given away.
    """
    parts: list[Part] = []
    asked: list[tuple[str, str, str]] = []
    known: set[str] = set()
    inside: list[str] = []
    question = _Open({})
    cells = read_source(path).cells
    if not cells or not cells[0].source.startswith("# ASSIGNMENT CONFIG"):
        raise SourceError(f"{path.name} does not begin with a raw cell # ASSIGNMENT CONFIG.")
    given = [cell for cell in cells if "given" in tags(cell)]
    if not given or not given[0].source.startswith('student_id = ""'):
        raise SourceError(f'{path.name}: the first given cell must begin with student_id = "".')
    for cell in cells[1:]:
        if cell.cell_type == "raw":
            _mark(path, cell.source, inside)
            if cell.source.startswith("# BEGIN QUESTION"):
                question = _Open(_question_config(path, cell.source, parts))
            elif cell.source.startswith("# END QUESTION"):
                parts.append(_part(path, question))
        elif inside[-1:] == ["SOLUTION"] and cell.cell_type == "markdown":
            question.rubric.append(cell.source)
        elif inside[-1:] == ["TESTS"] and cell.cell_type == "code":
            name, test, arguments = _test(path, question, cell.source)
            question.tests[name] = test
            asked += [(question.config["name"], name, argument) for argument in arguments]
        elif cell.cell_type == "code":
            known |= _names_bound(path, cell.source)
        elif inside and cell.source.startswith("## "):
            question.title = cell.source.split("\n", 1)[0].removeprefix("## ").strip()
    if inside:
        raise SourceError(f"{path.name}: # BEGIN {inside[-1]} is never closed.")
    for part, test, argument in asked:
        if argument not in known:
            raise SourceError(
                f"{path.name}, {part}: {test} asks for {argument}, which no cell makes."
            )
    return parts


def _mark(path: Path, source: str, inside: list[str]) -> None:
    """Keep track of what is open; `inside` changes."""
    found = MARK.match(source)
    first = source.split("\n", 1)[0]
    if found is None or found[2] not in BLOCKS:
        raise SourceError(f"{path.name}: a raw cell begins with '{first}', which means nothing.")
    kind, what = found.groups()
    expected = [] if what == "QUESTION" else ["QUESTION"]
    if kind == "BEGIN" and inside == expected:
        inside.append(what)
    elif kind == "END" and inside == [*expected, what]:
        inside.pop()
    else:
        raise SourceError(
            f"{path.name}: '{first}' stands inside {' and '.join(inside) or 'nothing'}."
        )


def _settings(where: str, text: str, keys: set[str], needed: set[str]) -> dict:
    try:
        config = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        raise SourceError(f"{where}: a config is no YAML ({str(error).splitlines()[0]}).") from None
    if not isinstance(config, dict):
        raise SourceError(f"{where}: a config is no list of keys and values.")
    for key in sorted(set(config) - keys):
        raise SourceError(
            f"{where}: there is no setting {key}; there are {', '.join(sorted(keys))}."
        )
    for key in sorted(needed - set(config)):
        raise SourceError(f"{where} has no {key}.")
    if "points" in config and not isinstance(config["points"], (int, float)):
        raise SourceError(f"{where}: points must be a number, not {config['points']!r}.")
    return config


def _question_config(path: Path, source: str, parts: list[Part]) -> dict:
    where = f"{path.name}, question {len(parts) + 1}"
    config = _settings(where, source.partition("\n")[2], QUESTION_KEYS, {"name", "points"})
    expected = f"q{len(parts) + 1}"
    if config["name"] != expected:
        raise SourceError(f"{where} is called {config['name']} and must be called {expected}.")
    return config


def _test(path: Path, question: _Open, source: str) -> tuple[str, dict, list[str]]:
    part = question.config["name"]
    found = TEST.match(source)
    if found is None:
        raise SourceError(f"{path.name}, {part}: a test cell does not begin with a test config.")
    tree = _parse(path, part, found[2])
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    if len(tree.body) != 1 or not functions or not functions[0].name.startswith(f"test_{part}_"):
        raise SourceError(f"{path.name}, {part}: a test cell must hold one function test_{part}_….")
    name, arguments = functions[0].name, [one.arg for one in functions[0].args.args]
    config = _settings(f"{path.name}: {name}", found[1], TEST_KEYS, TEST_KEYS)
    if name in question.tests:
        raise SourceError(f"{path.name}: the test {name} is there twice.")
    if '"' in config["failure_message"]:  # otter would write a file that is no Python
        raise SourceError(f"{path.name}: write 'single' quotes in the hint of {name}.")
    if not config["hidden"] and config["points"]:
        raise SourceError(f"{path.name}: {name} is public, so it can't earn points.")
    if config["hidden"] and "student_id" not in arguments:
        raise SourceError(
            f"{path.name}: {name} is hidden, so it must ask for student_id and draw inputs from it."
        )
    return name, {"points": config["points"], "hidden": config["hidden"]}, arguments


def _part(path: Path, question: _Open) -> Part:
    config, tests = question.config, question.tests
    name, points, manual = config["name"], config["points"], config.get("manual", False)
    where = f"{path.name}, {name}"
    if not question.title:
        raise SourceError(f"{where}: the prompt has no title, such as '## 1. What is it?'.")
    if manual and not question.rubric:
        raise SourceError(f"{where}: an open question needs a rubric as its solution.")
    if not manual and not tests:
        raise SourceError(f"{where} has no tests; a question for people needs manual: true.")
    earned = sum(test["points"] for test in tests.values())
    if not manual and earned != points:
        raise SourceError(f"{where}: {points} points, but its tests give {earned}.")
    return Part(name, question.title, points, manual, tests, "\n\n".join(question.rubric))


def _parse(path: Path, part: str, code: str) -> ast.Module:
    try:
        return ast.parse(code)
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise SourceError(f"{path.name}, {part}: '{line}' is no Python ({error.msg}).") from None


def _names_bound(path: Path, code: str) -> set[str]:
    """Names that a cell makes outside functions and classes."""
    names: set[str] = set()
    for node in _parse(path, "a code cell", code).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names |= {(one.asname or one.name).partition(".")[0] for one in node.names}
        else:
            found = ast.walk(node)
            names |= {
                x.id for x in found if isinstance(x, ast.Name) and isinstance(x.ctx, ast.Store)
            }
    return names
