"""Build assignments for students and for instructors: ``python -m course_tools.assignments``.

The source is ``assignments/NN_name.md``, a notebook in jupytext's Markdown in the format of
otter-grader's ``otter assign``, which takes the solutions and the hidden tests out. This module
puts around that what the course needs: a first cell that brings the checks along (in Colab a
student has nothing but the notebook), a table of points, and a look at what was made.
"""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import jupytext
import nbformat
import yaml
from nbformat import NotebookNode

from course_tools.chapters import INSTALL_ADDRESS, MARKDOWN, ROOT, find_chapters, tags
from course_tools.leaks import find_leaks

SOURCES = ROOT / "assignments"
DIST = ROOT / "dist/assignments"
OTTER = "otter-grader==7.0.0"
# What otter imports and Colab does not ship; everything else would be replaced by its dependencies.
OTTER_IN_COLAB = f"{OTTER} fica ipylab python-frontmatter dill wrapt"
CONFIG = {
    "init_cell": False,
    "check_all_cell": False,
    "export_cell": False,
    "show_question_points": False,
    "tests": {"files": True, "ok_format": False},
}
SETUP = """\
# Run this cell first: it brings the checks of this notebook.
import base64
import io
import sys
import zipfile

if "google.colab" in sys.modules:
    %pip install --quiet --no-deps {otter}
    %pip install --quiet {address}

zipfile.ZipFile(io.BytesIO(base64.b64decode("{tests}"))).extractall("tests")
try:
    import otter
except ImportError:
    raise ImportError("The checks need otter-grader: run `pip install {pin}` once.") from None
grader = otter.Notebook(tests_dir="tests")"""
RAW = re.compile(r"# (BEGIN QUESTION|END QUESTION|BEGIN SOLUTION|END SOLUTION|BEGIN TESTS)\b")
TEST = re.compile(r'^""" # BEGIN TEST CONFIG\n(.*?)\n""" # END TEST CONFIG\n(.*)', re.DOTALL)


class SourceError(ValueError):
    """What is wrong with an assignment's source, in one sentence."""


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


def sources(names: list[str] | None = None, folder: Path = SOURCES) -> list[Path]:
    """The assignments' sources in order; a name may be its beginning, as in ``02``."""
    found = sorted(folder.glob("[0-9][0-9]_*.md"))
    return [path for path in found if not names or path.stem.startswith(tuple(names))]


def read_source(path: Path) -> NotebookNode:
    """The source as a notebook."""
    return jupytext.reads(path.read_text("utf8"), fmt=MARKDOWN, as_version=4)


def read_parts(path: Path) -> list[Part]:
    """The questions of a source.

    Raises:
        SourceError: a question without tests, a test without points or a hint, points that don't
            add up, or a name used twice.
    """
    parts: list[Part] = []
    state, config, title, tests, rubric = "", {}, "", {}, []
    for cell in read_source(path).cells:
        mark = RAW.match(cell.source) if cell.cell_type == "raw" else None
        if mark and mark[1] == "BEGIN QUESTION":
            config = yaml.safe_load(cell.source.split("\n", 1)[1])
            title, tests, rubric = "", {}, []
        elif mark and mark[1] == "END QUESTION":
            parts.append(_part(path, config, title, tests, rubric))
        elif state == "BEGIN SOLUTION" and cell.cell_type == "markdown":
            rubric.append(cell.source)
        elif state == "BEGIN TESTS" and cell.cell_type == "code":
            name, test = _test(path, config["name"], cell.source)
            if name in tests:
                raise SourceError(f"{path.name}: the test {name} is there twice.")
            tests[name] = test
        elif cell.cell_type == "markdown" and cell.source.startswith("## "):
            title = cell.source.split("\n", 1)[0].removeprefix("## ")
        if mark:
            state = mark[1]
    return parts


def _test(path: Path, part: str, source: str) -> tuple[str, dict]:
    found = TEST.match(source)
    if found is None:
        raise SourceError(f"{path.name}, {part}: a test cell does not begin with a test config.")
    config, code = yaml.safe_load(found[1]), found[2]
    name = re.match(r"def (test_\w+)\(", code)
    if name is None or not name[1].startswith(f"test_{part}_"):
        raise SourceError(f"{path.name}, {part}: a test is not called test_{part}_….")
    for key in ("points", "hidden", "failure_message"):
        if key not in config:
            raise SourceError(f"{path.name}: {name[1]} has no {key}.")
    if '"' in config["failure_message"]:  # otter would write a file that is no Python
        raise SourceError(f"{path.name}: write 'single' quotes in the hint of {name[1]}.")
    if not config["hidden"] and config["points"]:
        raise SourceError(f"{path.name}: {name[1]} is public, so it can't earn points.")
    return name[1], {"points": config["points"], "hidden": config["hidden"]}


def _part(path: Path, config: dict, title: str, tests: dict, rubric: list[str]) -> Part:
    name, points, manual = config["name"], config["points"], config.get("manual", False)
    earned = sum(test["points"] for test in tests.values())
    if not manual and earned != points:
        raise SourceError(f"{path.name}, {name}: {points} points, but its tests give {earned}.")
    if manual and not rubric:
        raise SourceError(f"{path.name}, {name}: an open question needs a rubric as its solution.")
    return Part(name, title, points, manual, tests, "\n\n".join(rubric))


def install_address() -> str:
    """What pip installs the library from, as the chapters say."""
    first = find_chapters()[0].md.read_text("utf8")
    return INSTALL_ADDRESS.search(first)[0]


def otter_assign(path: Path, folder: Path) -> Path:
    """Run ``otter assign`` in `folder`; return where its results are."""
    notebook = read_source(path)
    requirements = [OTTER, f"genre-lib @ {install_address()}"]
    config = {"name": path.stem, **CONFIG, "generate": True, "requirements": requirements}
    first = notebook.cells[0]
    if first.cell_type != "raw" or not first.source.startswith("# ASSIGNMENT CONFIG"):
        raise SourceError(f"{path.name} does not begin with a raw cell # ASSIGNMENT CONFIG.")
    first.source = "# ASSIGNMENT CONFIG\n" + yaml.safe_dump(config)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel})
    nbformat.write(notebook, folder / f"{path.stem}.ipynb")
    command = [sys.executable, "-m", "otter", "assign", f"{path.stem}.ipynb", "out", "--no-pdfs"]
    done = subprocess.run(
        [*command, "--no-run-tests"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1]
        raise SourceError(f"{path.name}: otter assign says: {last}")
    return folder / "out"


def _with_setup(notebook: NotebookNode, name: str, tests: Path, table: str) -> NotebookNode:
    """The notebook with the first cell, the points, and its name in its metadata."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(tests.glob("*.py")):
            # A fixed date, so that the same tests give the same notebook.
            archive.writestr(zipfile.ZipInfo(path.name), path.read_text("utf8"))
    source = SETUP.format(
        otter=OTTER_IN_COLAB,
        pin=OTTER,
        address=install_address(),
        tests=base64.b64encode(packed.getvalue()).decode(),
    )
    setup = nbformat.v4.new_code_cell(source, id="setup", metadata={"cellView": "form"})
    points = nbformat.v4.new_markdown_cell(table, id="points")
    notebook.cells[1:1] = [points, setup]
    kernelspec = notebook.metadata.kernelspec
    notebook.metadata = nbformat.from_dict(
        {"kernelspec": kernelspec, "course": {"assignment": name}}
    )
    for i, cell in enumerate(notebook.cells):
        if cell.id not in ("setup", "points"):
            cell.id = f"cell-{i}"
    return notebook


def points_table(parts: list[Part]) -> str:
    """What each part is worth, as Markdown."""
    lines = ["| part | points |", "|---|---|"]
    lines += [
        f"| {p.title}{' (read by a person)' if p.manual else ''} | {p.points} |" for p in parts
    ]
    return "\n".join([*lines, f"| together | {sum(part.points for part in parts)} |"])


def build(path: Path, dist: Path = DIST) -> None:
    """Make the student's notebook and the instructor's folder of one assignment.

    Raises:
        SourceError: the source is wrong, or a solution would reach the students; nothing of this
            assignment is then left in `dist`.
    """
    parts = read_parts(path)
    name = path.stem
    student, instructor = dist / "student", dist / "instructor" / name
    (student / f"{name}.ipynb").unlink(missing_ok=True)
    shutil.rmtree(instructor, ignore_errors=True)
    with tempfile.TemporaryDirectory() as temporary:
        out = otter_assign(path, Path(temporary))
        made = {}
        for kind in ("student", "autograder"):
            notebook = nbformat.read(out / kind / f"{name}.ipynb", as_version=4)
            tests = out / kind / "tests"
            made[kind] = _with_setup(notebook, name, tests, points_table(parts))
        leaks = find_leaks(read_source(path), made["student"], read_mistakes(path))
        if leaks:
            raise SourceError(f"{path.name}: the student's notebook holds {leaks[0]}.")
        student.mkdir(parents=True, exist_ok=True)
        instructor.mkdir(parents=True)
        nbformat.write(made["student"], student / f"{name}.ipynb")
        nbformat.write(made["autograder"], instructor / f"{name}.ipynb")
        shutil.copytree(out / "autograder/tests", instructor / "tests")
        (archive,) = (out / "autograder").glob("*.zip")
        shutil.copy(archive, instructor / "autograder.zip")
    given = [c.source for c in read_source(path).cells if "given" in tags(c)]
    table = {part.name: {k: v for k, v in vars(part).items() if k != "name"} for part in parts}
    points = {"assignment": name, "parts": table, "given": given}
    (instructor / "points.json").write_text(json.dumps(points, indent=1) + "\n", "utf8")
    rubric = [
        f"## {part.title}\n\n{part.points} points\n\n{part.rubric}" for part in parts if part.manual
    ]
    (instructor / "rubric.md").write_text("\n\n".join([f"# {name}", *rubric]) + "\n", "utf8")


def read_mistakes(path: Path) -> list[dict]:
    """The typical mistakes that stand beside a source, as its file lists them."""
    file = path.parent / "mistakes" / f"{path.stem}.py"
    scope: dict = {}
    exec(compile(file.read_text("utf8"), file.name, "exec"), scope)  # our own file
    return scope["MISTAKES"]


def main() -> int:
    """Build all assignments."""
    try:
        for path in sources(sys.argv[1:]):
            build(path)
            print(f"{path.stem}: dist/assignments/student and dist/assignments/instructor")
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
