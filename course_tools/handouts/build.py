"""Build assignments for students and for instructors: ``python -m course_tools.handouts.build``.

The source is ``assignments/NN_name.md``, a notebook in jupytext's Markdown in the format of
otter-grader's ``otter assign``, which takes the solutions and the hidden tests out, and grades the
solved notebook, which must earn every point. This module puts around that what the course needs: a
cell that brings the checks along (in Colab a student has nothing but the notebook), a table of
points, and a look at what was made: the untouched notebook earns nothing, and no solution is in it.
"""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from importlib.metadata import requires
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode
from packaging.requirements import Requirement

from course_tools.grading.assignment import DIST
from course_tools.handouts.leaks import assignment_secrets, find_leaks, leaks_in
from course_tools.handouts.run_tests import load_tests, names_of, run_tests
from course_tools.handouts.source import Part, SourceError, read_parts, read_source, sources
from course_tools.notebooks.chapters import INSTALL_ADDRESS, ROOT, code_cells, find_chapters, tags
from course_tools.notebooks.checks import cell_name
from course_tools.notebooks.kernel import NotebookStopped, run_cells

OTTER = "otter-grader==7.0.0"
# What otter imports and Colab does not ship; with its other dependencies pip would replace things.
OTTER_IN_COLAB = f"{OTTER} fica ipylab python-frontmatter dill wrapt"
# Where pip finds torch without CUDA, which would be several GB; requirements.txt says so, too.
CPU_INDEX = "--extra-index-url https://download.pytorch.org/whl/cpu"
UNSET = "OWNER/REPOSITORY"
CELL_SECONDS = 600
ANSWER = "otter_answer_cell"  # otter's tag of a cell to fill in, Markdown for an open question
CONFIG = {
    "init_cell": False,
    "check_all_cell": False,
    "export_cell": False,
    "show_question_points": False,
    "generate": True,
    "tests": {"files": True, "ok_format": False},
}
SETUP = """\
# Run this cell, too: it brings the checks of this notebook.
import base64
import io
import sys
import zipfile

if "google.colab" in sys.modules:
    %pip install --quiet --no-deps {in_colab}
    %pip install --quiet {address}

zipfile.ZipFile(io.BytesIO(base64.b64decode("{tests}"))).extractall("{folder}")
try:
    import genre_lib
    import otter
except ImportError as error:
    raise ImportError(
        f"{{error.name}} is missing: run `%pip install {otter} {address}` in a cell, once."
    ) from None
if not student_id.strip():
    print("Type your student id into the cell above and run it again: it makes your songs.")
grader = otter.Notebook(tests_dir="{folder}")"""


def install_address() -> str:
    """What pip installs the library from, as the chapters say."""
    first = find_chapters()[0].md.read_text("utf8")
    return INSTALL_ADDRESS.search(first)[0]


def gradescope_requirements() -> list[str]:
    """What Gradescope's machine installs: the lock's versions, and the library of this project.

    The library comes as an archive, because that machine may have no git.
    """
    lock = (ROOT / "requirements.txt").read_text("utf8").splitlines()
    needed = {Requirement(one).name for one in requires("genre-lib") or () if "extra ==" not in one}
    pins = [line.partition("#")[0].strip() for line in lock if line.partition("==")[0] in needed]
    archive = f"{install_address().removeprefix('git+')}/archive/refs/heads/main.zip"
    return [CPU_INDEX, *pins, f"genre-lib @ {archive}"]


def otter_assign(path: Path, folder: Path, check: bool = True) -> Path:
    """Run ``otter assign`` in `folder`; return where its results are.

    Raises:
        SourceError: otter can't read the source, or its solution does not earn every point.
    """
    notebook = read_source(path)
    config = {"name": path.stem, **CONFIG, "requirements": gradescope_requirements()}
    notebook.cells[0].source = "# ASSIGNMENT CONFIG\n" + yaml.safe_dump(config)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel})
    nbformat.write(notebook, folder / f"{path.stem}.ipynb")
    command = [sys.executable, "-m", "otter", "assign", f"{path.stem}.ipynb", "out", "--no-pdfs"]
    command += [] if check else ["--no-run-tests"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}  # as when students' notebooks are graded
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip()
        failed = [line.split()[0] for line in said.splitlines() if line.endswith(" results:")]
        if "Some autograder tests failed" in said:
            problem = f"{path.name}: the solution of {', '.join(failed)} fails its tests."
        else:
            problem = f"{path.name}: otter assign stopped."
        raise SourceError(f"{problem} Otter says:\n\n{said}")
    return folder / "out"


def _zipped(files: dict[str, bytes]) -> bytes:
    """A zip archive that is the same for the same files, whenever it is made."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name)  # its date is a fixed one
            info.external_attr = 0o644 << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _repacked(path: Path) -> bytes:
    with zipfile.ZipFile(path) as archive:
        return _zipped({name: archive.read(name) for name in archive.namelist()})


def _with_setup(notebook: NotebookNode, name: str, tests: Path, parts: list[Part]) -> NotebookNode:
    """The notebook with its points, the cell that brings the checks, and its name inside."""
    packed = _zipped({path.name: path.read_bytes() for path in tests.glob("*.py")})
    source = SETUP.format(
        in_colab=OTTER_IN_COLAB,
        otter=OTTER,
        address=install_address(),
        folder=f"checks_{name}",  # two assignments may lie in one folder
        tests=base64.b64encode(packed).decode(),
    )
    setup = nbformat.v4.new_code_cell(source, id="setup", metadata={"cellView": "form"})
    points = nbformat.v4.new_markdown_cell(points_table(parts), id="points")
    cells = notebook.cells
    at = next(i for i, cell in enumerate(cells) if cell.cell_type == "code")  # the student's id
    notebook.cells = [cells[0], points, *cells[1 : at + 1], setup, *cells[at + 1 :]]
    # Otter's own metadata stays: Gradescope refuses a notebook without its assignment's name.
    kept = {key: notebook.metadata[key] for key in ("kernelspec", "otter")}
    notebook.metadata = nbformat.from_dict(
        {**kept, "course": {"assignment": name}, "colab": {"generative_ai_disabled": True}}
    )
    answers = {answer_id(part) for part in parts if part.manual}
    for i, cell in enumerate(notebook.cells):
        if cell.id not in ("setup", "points"):
            cell.id = f"cell-{i}"
        if cell.cell_type == "markdown" and ANSWER in cell.metadata.get("tags", []):
            cell.id = answers.pop()
            cell.metadata["id"] = cell.id  # where Colab keeps a cell's id
    if answers:
        raise SourceError(f"{name}: there is no cell for the answer {', '.join(answers)}.")
    return notebook


def answer_id(part: Part) -> str:
    """The id of the cell that an open question's answer is typed into."""
    return f"answer-{part.name}"


def points_table(parts: list[Part]) -> str:
    """What each part is worth, as Markdown."""
    lines = ["| part | points |", "|---|---|"]
    lines += [
        f"| {p.title}{' (read by a person)' if p.manual else ''} | {p.points} |" for p in parts
    ]
    return "\n".join([*lines, f"| together | {sum(part.points for part in parts)} |"])


def run_solved(notebook: NotebookNode, source: str) -> None:
    """Run the solved notebook as a student would; its outputs stay in it.

    Raises:
        SourceError: a cell raises or runs too long, or a check fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            run_cells(notebook, Path(folder), CELL_SECONDS)
        except NotebookStopped as stopped:
            reason = str(stopped).splitlines()[-1]
            raise SourceError(f"{source}: the solved notebook stops: {reason}") from None
    notebook.metadata.pop("language_info", None)
    for i, cell in enumerate(notebook.cells):
        if cell.cell_type == "code":
            if cell.source.startswith("grader."):
                for output in cell.outputs:
                    output.get("data", {}).pop("text/html", None)  # has another emoji each time
            if "❌" in json.dumps(cell.outputs, ensure_ascii=False):
                raise SourceError(f"{source}: a check of the solution fails: {cell_name(i, cell)}.")


def build(path: Path, dist: Path = DIST, check: bool = True) -> None:
    """Make the student's notebook and the instructor's folder of one assignment.

    With `check`, otter grades the solution, and the solved notebook is run for its outputs.

    Raises:
        SourceError: the source is wrong, the solution does not earn everything or the stub
            something, or a solution would reach the students; nothing of this assignment is then
            left in `dist`.
    """
    name = path.stem
    student, instructor = dist / "student", dist / "instructor" / name
    (student / f"{name}.ipynb").unlink(missing_ok=True)
    shutil.rmtree(instructor, ignore_errors=True)
    parts = read_parts(path)
    with tempfile.TemporaryDirectory() as temporary:
        out = otter_assign(path, Path(temporary), check)
        made = {}
        for kind in ("student", "autograder"):
            notebook = nbformat.read(out / kind / f"{name}.ipynb", as_version=4)
            tests = out / kind / "tests"
            made[kind] = _with_setup(notebook, name, tests, parts)
        if check:
            run_solved(made["autograder"], path.name)
        results = run_tests(load_tests(out / "autograder/tests"), names_of(made["student"]))
        if passed := [one.name for one in results if one.passed]:
            raise SourceError(f"{path.name}: the untouched notebook passes {', '.join(passed)}.")
        leaks = find_leaks(assignment_secrets(path, made["autograder"]), made["student"])
        if leaks or any(cell.outputs for cell in code_cells(made["student"])):
            leak = leaks[0] if leaks else "outputs of cells"
            raise SourceError(f"{path.name}: the student's notebook holds a secret in {leak}")
        student.mkdir(parents=True, exist_ok=True)
        instructor.mkdir(parents=True)
        nbformat.write(made["student"], student / f"{name}.ipynb")
        nbformat.write(made["autograder"], instructor / f"{name}.ipynb")
        shutil.copytree(out / "autograder/tests", instructor / "tests")
        (archive,) = (out / "autograder").glob("*.zip")
        (instructor / "autograder.zip").write_bytes(_repacked(archive))
    given = [c.source for c in read_source(path).cells if "given" in tags(c)]
    table = {part.name: {k: v for k, v in vars(part).items() if k != "name"} for part in parts}
    for part in parts:
        if part.manual:
            table[part.name]["answer"] = answer_id(part)
    points = {"assignment": name, "parts": table, "given": given}
    (instructor / "points.json").write_text(json.dumps(points, indent=1) + "\n", "utf8")
    rubric = [
        f"## {part.title}\n\n{part.points} points\n\n{part.rubric}" for part in parts if part.manual
    ]
    (instructor / "rubric.md").write_text("\n\n".join([f"# {name}", *rubric]) + "\n", "utf8")


def main() -> int:
    """Build all assignments, or those whose names are given, and look for leaks in all."""
    try:
        paths = sources(sys.argv[1:])
    except SourceError as error:
        print(error, file=sys.stderr)
        return 1
    built, failed = [], []
    for path in paths:
        print(f"{path.stem} …", flush=True)
        try:
            build(path)
        except SourceError as error:
            print(error, file=sys.stderr, flush=True)
            failed.append(path.stem)
        else:
            built.append(path.stem)
    leaks = list(leaks_in(DIST.parent))
    if leaks:
        print("\n".join(leaks), file=sys.stderr)
    if failed:
        print(
            f"Built: {', '.join(built) or 'nothing'}. Not built: {', '.join(failed)}.",
            file=sys.stderr,
        )
    if failed or leaks:
        return 1
    print("Built: dist/assignments/student for students, dist/assignments/instructor for you.")
    if UNSET in install_address():
        print(
            "Colab and Gradescope can't install genre_lib yet: `make repository URL=…` says where."
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
