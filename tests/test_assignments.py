"""Assignments: solutions earn everything, stubs nothing, each mistake loses what it should."""

from __future__ import annotations

import nbformat
import pytest

from course_tools.assignment_tests import load_tests, run_tests
from course_tools.assignments import (
    SourceError,
    build,
    points_table,
    read_mistakes,
    read_parts,
    read_source,
    sources,
)
from course_tools.chapters import tags
from course_tools.leaks import everything_in, find_leaks

ASSIGNMENTS = sources()
IDS = [path.stem for path in ASSIGNMENTS]


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    for path in ASSIGNMENTS:
        build(path, folder)
    return folder


def answers(notebook):
    """The code of a notebook, cell by cell, without its first cell and its checks."""
    for cell in notebook.cells:
        if cell.cell_type == "code" and cell.id != "setup" and "grader." not in cell.source:
            yield cell


def names_of(notebook, student_id="ada"):
    scope = {"__name__": "__main__"}
    for cell in answers(notebook):
        source = cell.source.replace('student_id = ""', f'student_id = "{student_id}"')
        try:
            exec(compile(source, "<cell>", "exec"), scope)
        except Exception:  # as in a notebook, the next cell runs all the same
            continue
    return scope


@pytest.fixture(scope="module")
def solved(dist):
    made = {}
    for path in ASSIGNMENTS:
        folder = dist / "instructor" / path.stem
        notebook = nbformat.read(folder / f"{path.stem}.ipynb", as_version=4)
        made[path.stem] = (names_of(notebook), load_tests(folder / "tests"))
    return made


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=IDS)
def test_assignment_has_its_parts(path):
    parts = read_parts(path)
    automatic = [part for part in parts if not part.manual]
    assert 5 <= len(automatic) <= 8 and len(parts) - len(automatic) == 1
    assert parts[-1].manual and "points" in parts[-1].rubric.lower()
    assert all(part.title and part.name == f"q{i}" for i, part in enumerate(parts, 1))
    for part in automatic:
        assert {test["hidden"] for test in part.tests.values()} == {True, False}
    mistakes = read_mistakes(path)
    assert len(mistakes) >= 8 and len({one["part"] for one in mistakes}) >= 4


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=IDS)
@pytest.mark.parametrize("student_id", ["ada", "x123456"])
def test_solution_earns_everything(path, student_id, dist, solved):
    names, tests = solved[path.stem]
    if student_id != "ada":
        folder = dist / "instructor" / path.stem
        notebook = nbformat.read(folder / f"{path.stem}.ipynb", as_version=4)
        names = names_of(notebook, student_id)
    results = run_tests(tests, names)
    assert not [(one.name, one.hint) for one in results if not one.passed]
    due = sum(part.points for part in read_parts(path) if not part.manual)
    assert sum(one.points for one in results) == due


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=IDS)
def test_stub_earns_nothing(path, dist, solved):
    notebook = nbformat.read(dist / "student" / f"{path.stem}.ipynb", as_version=4)
    results = run_tests(solved[path.stem][1], names_of(notebook))
    assert not [one.name for one in results if one.passed]


@pytest.mark.parametrize(
    ("path", "mistake"),
    [
        pytest.param(path, mistake, id=f"{path.stem}-{mistake['part']}-{mistake['name']}")
        for path in ASSIGNMENTS
        for mistake in read_mistakes(path)
    ],
)
def test_mistake_loses_its_points_and_only_those(path, mistake, solved):
    names, tests = solved[path.stem]
    # Functions of other cells see the replaced one, as in a notebook: all share one scope.
    before = dict(names)
    try:
        exec(mistake["code"], names)
        results = {one.name: one for one in run_tests(tests, names)}
    finally:
        names.clear()
        names.update(before)
    lost = [name for name, one in results.items() if not one.passed]
    assert lost == mistake["loses"]
    assert any(mistake["hint"] in results[name].hint for name in lost)


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=IDS)
def test_student_notebook_is_whole_and_holds_no_secret(path, dist):
    student = nbformat.read(dist / "student" / f"{path.stem}.ipynb", as_version=4)
    assert student.metadata.course.assignment == path.stem
    assert points_table(read_parts(path)) in [cell.source for cell in student.cells]
    assert "hidden=False" in everything_in(student)
    assert "hidden=True" not in everything_in(student)
    assert find_leaks(read_source(path), student, read_mistakes(path)) == []


@pytest.mark.parametrize("path", ASSIGNMENTS[:1], ids=IDS[:1])
def test_every_kind_of_leak_is_found(path, dist):
    source, mistakes = read_source(path), read_mistakes(path)
    file = dist / "student" / f"{path.stem}.ipynb"
    solved = nbformat.read(dist / "instructor" / path.stem / f"{path.stem}.ipynb", as_version=4)
    code = next(c for c in answers(solved) if "given" not in tags(c)).source

    def leaks(change):
        notebook = nbformat.read(file, as_version=4)
        change(notebook)
        return find_leaks(source, notebook, mistakes)

    assert leaks(lambda notebook: notebook.cells.append(nbformat.v4.new_code_cell(code)))
    squeezed = code.replace(" ", "").replace('"', "'")
    assert leaks(lambda notebook: notebook.cells.append(nbformat.v4.new_markdown_cell(squeezed)))
    assert leaks(lambda notebook: notebook.metadata.update(note=code))
    rubric = next(part.rubric for part in read_parts(path) if part.manual)
    assert leaks(lambda notebook: notebook.cells.append(nbformat.v4.new_markdown_cell(rubric)))
    assert leaks(
        lambda notebook: notebook.cells[3].update(outputs=[nbformat.v4.new_output("stream")])
    )
    packed = next(cell.source for cell in solved.cells if cell.id == "setup")  # with hidden tests
    assert leaks(lambda notebook: notebook.cells[2].update(source=packed))
    assert leaks(
        lambda notebook: notebook.cells.append(nbformat.v4.new_code_cell(mistakes[-1]["code"]))
    )


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("points: 0\nhidden: false", "points: 1\nhidden: false", "is public"),
        ("name: q1\npoints: 2", "name: q1\npoints: 3", "q1: 3 points, but its tests give 2"),
        ("def test_q2_order", "def test_order", "is not called test_q2_…"),
        ("def test_q2_order", "def test_q2_means", "test_q2_means is there twice"),
        ("failure_message: Three of", "hint: Three of", "has no failure_message"),
        ('""" # BEGIN TEST CONFIG', "# none", "does not begin with a test config"),
        ("so base_rate must", 'so "base_rate" must', "write 'single' quotes"),
        ("# ASSIGNMENT CONFIG", "# NOTHING", "does not begin with a raw cell"),
    ],
)
def test_faults_of_a_source_are_named(old, new, sentence, tmp_path):
    path = tmp_path / ASSIGNMENTS[0].name
    path.write_text(ASSIGNMENTS[0].read_text("utf8").replace(old, new, 1), "utf8")
    with pytest.raises(SourceError, match=sentence):
        build(path, tmp_path / "dist")
    assert not list((tmp_path / "dist").rglob("*.ipynb"))
