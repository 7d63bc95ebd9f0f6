"""Assignments: solutions earn everything, stubs nothing, each mistake loses what it should."""

from __future__ import annotations

import ast
import base64
import copy
import functools
import gzip
import inspect
import json
import re
import sys
import zipfile

import nbformat
import pytest
import torch

import genre_lib
from course_tools.handouts import build as command
from course_tools.handouts.build import OTTER, build, install_address, points_table
from course_tools.handouts.leaks import (
    assignment_secrets,
    chapter_secrets,
    find_leaks,
    leaks_in,
    stub_of,
)
from course_tools.handouts.run_tests import (
    arguments_of,
    load_tests,
    names_of,
    run_test,
    run_tests,
)
from course_tools.handouts.source import (
    SourceError,
    read_mistakes,
    read_parts,
    read_source,
    sources,
)
from course_tools.handouts.unpack import texts_of
from course_tools.notebooks.chapters import ROOT, code_cells, find_chapters, tags

ASSIGNMENTS = sources()
IDS = [path.stem for path in ASSIGNMENTS]
FIRST = ASSIGNMENTS[0]
STUDENTS = ("ada", "x123456")


@pytest.fixture(scope="module", autouse=True)
def songs_made_once():
    """Hidden tests make their songs anew; here dozens of tests ask for the same."""
    make = functools.cache(genre_lib.make_songs)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            genre_lib, "make_songs", lambda *args, **kwargs: make(*args, **kwargs).copy()
        )
        yield


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    for path in ASSIGNMENTS:
        build(path, folder / "assignments", check=False)
    return folder / "assignments"


def solved_notebook(dist, path):
    return nbformat.read(dist / "instructor" / path.stem / f"{path.stem}.ipynb", as_version=4)


def student_notebook(dist, path):
    return nbformat.read(dist / "student" / f"{path.stem}.ipynb", as_version=4)


@pytest.fixture(scope="module")
def solved(dist):
    """By assignment: what the solved notebook leaves for each student id, and the tests."""
    made = {}
    for path in ASSIGNMENTS:
        notebook = solved_notebook(dist, path)
        names = {student: names_of(notebook, student) for student in STUDENTS}
        made[path.stem] = (names, load_tests(dist / "instructor" / path.stem / "tests"))
    return made


def points_by_tests(path):
    return sum(part.points for part in read_parts(path) if not part.manual)


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
def test_hidden_tests_draw_their_inputs_from_the_student_id(path, dist):
    parts = read_parts(path)
    for part, tests in load_tests(dist / "instructor" / path.stem / "tests").items():
        for test in tests:
            asked = inspect.signature(test.test_func).parameters
            crc32 = "crc32" in test.test_func.__code__.co_names
            assert test.hidden == ("student_id" in asked) == crc32, test.test_func.__name__
        assert part in [one.name for one in parts]


class Recorder:
    """Passes everything on, and keeps every answer on a tape."""

    def __init__(self, value, tape):
        self._value, self._tape = value, tape

    def _answer(self, answer):
        if callable(answer):
            self._tape.append(Recorder)
            return Recorder(answer, self._tape)
        kept = answer.detach() if isinstance(answer, torch.Tensor) else answer
        self._tape.append(copy.deepcopy(kept))
        return answer

    def __call__(self, *given):
        given = [one._value if isinstance(one, Recorder) else one for one in given]
        return self._answer(self._value(*given))

    def __getattr__(self, name):
        return self._answer(getattr(self._value, name))


class Replay:
    """Gives the answers that are on a tape, in their order, whatever it is asked."""

    def __init__(self, tape):
        self._tape = tape

    def __call__(self, *given):
        answer = self._tape.pop(0)
        return Replay(self._tape) if answer is Recorder else answer

    def __getattr__(self, name):
        return self()


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=IDS)
def test_solution_earns_everything_and_its_recorded_answers_little(path, solved):
    names, tests = solved[path.stem]
    ada, other = (names[student] for student in STUDENTS)
    given = [cell.source for cell in read_source(path).cells if "given" in tags(cell)]
    nodes = [node for source in given for node in ast.parse(source).body]
    own = {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    recorded, replayed = [], []
    for part, some in tests.items():
        for test in some:
            asked = inspect.signature(test.test_func).parameters.keys() - own - {"student_id"}
            tapes = {name: [] for name in asked if callable(ada[name])}
            wrapped = {name: Recorder(ada[name], tape) for name, tape in tapes.items()}
            recorded.append(run_test(test, part, ada | wrapped))
            answers = {name: ada[name] for name in asked}
            answers |= {name: Replay(tape) for name, tape in tapes.items()}
            replayed.append(run_test(test, part, other | answers))
    assert not [(one.name, one.hint) for one in recorded if not one.passed]
    due = points_by_tests(path)
    assert sum(one.points for one in recorded) == due
    assert sum(one.points for one in replayed) < due / 3, [x.name for x in replayed if x.points]


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=IDS)
def test_solution_of_another_student_earns_everything(path, solved):
    names, tests = solved[path.stem]
    results = run_tests(tests, names[STUDENTS[1]])
    assert not [(one.name, one.hint) for one in results if not one.passed]
    assert sum(one.points for one in results) == points_by_tests(path)


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=IDS)
def test_stub_earns_nothing(path, dist, solved):
    results = run_tests(solved[path.stem][1], names_of(student_notebook(dist, path)))
    assert not [one.name for one in results if one.passed]


def mentioned(value):
    """Names in the code of a function, or of a value whose class the notebook defines."""
    value = inspect.unwrap(getattr(value, "fget", value))
    kind = value if inspect.isclass(value) else type(value)
    if kind.__module__ == "__main__":
        return set().union(*map(mentioned, vars(kind).values()))
    codes, found = [getattr(value, "__code__", None)], set()
    while codes:
        if inspect.iscode(code := codes.pop()):
            found |= {*code.co_names}
            codes += code.co_consts
    return found


def lean_on(asked, changed, names):
    """Whether what a test asks for changed, or is code that comes to what changed."""
    reached, waiting = set(), set(asked)
    while waiting:
        reached |= waiting
        waiting = {name for one in waiting for name in mentioned(names.get(one))} - reached
    return not changed.isdisjoint(reached)


def test_what_leans_on_a_changed_name_is_known():
    names = {"__name__": "__main__"}
    exec("""
def half(x): return x / 2
class Net:
    def __call__(self, x): return [half(one) for one in x]
net = Net()
def train(): return Net()(range(3))
def other(): return sum(range(3))
""", names)  # fmt: skip
    for asked in ("half", "Net", "net", "train"):
        assert lean_on([asked], {"half"}, names)
    assert not lean_on(["other", "gone"], {"half"}, names)


@pytest.mark.parametrize(
    ("path", "mistake"),
    [
        pytest.param(path, mistake, id=f"{path.stem}-{mistake['part']}-{mistake['name']}")
        for path in ASSIGNMENTS
        for mistake in read_mistakes(path)
    ],
)
def test_mistake_loses_its_points_and_only_those(path, mistake, solved):
    by_student, tests = solved[path.stem]
    for student, names in by_student.items():
        # Functions of other cells see the replaced one, as in a notebook: all share one scope.
        before = dict(names)
        try:
            exec(mistake["code"], names)
            changed = {name for name in names if names[name] is not before.get(name)}
            # The solution passed the others, and the second student is spared other parts' tests:
            # some train networks.
            some = {
                part: [
                    test
                    for test in tests[part]
                    if lean_on(arguments_of(test), changed, names)
                    and (student == STUDENTS[0] or part == mistake["part"])
                    or test.test_func.__name__ in mistake["loses"]
                ]
                for part in tests
            }
            results = {one.name: one for one in run_tests(some, names)}
        finally:
            names.clear()
            names.update(before)
        lost = [name for name, one in results.items() if not one.passed]
        assert lost == mistake["loses"], student
        assert any(mistake["hint"] in results[name].hint for name in lost)


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=IDS)
def test_student_notebook_is_whole(path, dist):
    student = student_notebook(dist, path)
    assert student.metadata.course.assignment == path.stem
    assert student.metadata.otter.assignment_name == path.stem  # else Gradescope refuses it
    assert points_table(read_parts(path)) == student.cells[1].source
    code = code_cells(student)
    assert code[0].source.startswith('student_id = ""')
    assert code[1].id == "setup"
    assert f"--no-deps {OTTER}" in code[1].source
    assert install_address() in code[1].source
    assert student.metadata.colab.generative_ai_disabled
    everything = "\n".join(text for _, text in texts_of(student))
    assert "hidden=False" in everything
    assert "hidden=True" not in everything


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=IDS)
def test_answer_of_the_open_question_can_be_found(path, dist):
    points = json.loads((dist / "instructor" / path.stem / "points.json").read_text("utf8"))
    answers = {name: part.get("answer") for name, part in points["parts"].items()}
    last = read_parts(path)[-1].name
    assert answers == dict.fromkeys(answers) | {last: f"answer-{last}"}
    cells = student_notebook(dist, path).cells
    (i,) = (i for i, cell in enumerate(cells) if cell.id == f"answer-{last}")
    assert cells[i].cell_type == "markdown" and "Type your answer here" in cells[i].source
    assert cells[i].metadata == {"tags": ["otter_answer_cell"], "id": f"answer-{last}"}
    assert cells[i - 1].source.startswith("<!-- BEGIN QUESTION -->")


@pytest.mark.parametrize("path", [FIRST], ids=IDS[:1])
def test_setup_cell_brings_the_public_tests(path, dist, tmp_path, monkeypatch, capsys):
    source = student_notebook(dist, path).cells[3].source
    local = "\n".join(line for line in source.splitlines() if "%pip install --" not in line)
    local = local.replace('if "google.colab" in sys.modules:', "")
    monkeypatch.chdir(tmp_path)
    names = {"student_id": "", "base_rate": lambda songs: 0.6}
    exec(local, names)
    assert "Type your student id" in capsys.readouterr().out
    assert (tmp_path / f"checks_{path.stem}/q1.py").is_file()
    result = names["grader"].check("q1", global_env=names)
    assert [one.test_case.name for one in result.test_case_results] == ["q1 - 1"]
    assert result.passed_all
    monkeypatch.setitem(sys.modules, "otter", None)
    with pytest.raises(ImportError, match=r"^otter is missing: run `%pip install otter-grader=="):
        exec(local, names)


@pytest.mark.parametrize("path", [FIRST], ids=IDS[:1])
def test_same_source_gives_the_same_files(path, dist, tmp_path):
    build(path, tmp_path / "again", check=False)
    for file in sorted(path for path in (tmp_path / "again").rglob("*") if path.is_file()):
        twin = dist / file.relative_to(tmp_path / "again")
        assert file.read_bytes() == twin.read_bytes(), file.name


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=IDS)
def test_instructors_files_are_whole(path, dist):
    folder = dist / "instructor" / path.stem
    points = json.loads((folder / "points.json").read_text("utf8"))
    assert list(points["parts"]) == [part.name for part in read_parts(path)]
    assert points["given"][0].startswith("student_id")
    assert "points" in (folder / "rubric.md").read_text("utf8")
    with zipfile.ZipFile(folder / "autograder.zip") as archive:
        names = set(archive.namelist())
        environment = archive.read("environment.yml").decode()
    assert {f"tests/{file.name}" for file in (folder / "tests").iterdir()} <= names
    assert {"run_autograder", "setup.sh", "otter_config.json"} <= names
    assert f"otter-grader[grading,plugins]=={OTTER.split('==')[1]}" in environment
    assert "torch==" in environment
    assert install_address().removeprefix("git+") in environment


def test_nothing_leaks(dist):
    assert list(leaks_in(dist.parent)) == []


def test_every_kind_of_leak_is_found(dist):
    student, solved = student_notebook(dist, FIRST), solved_notebook(dist, FIRST)
    cell = next(cell for cell in solved.cells if "# BEGIN SOLUTION" in cell.source)
    cell.outputs = [nbformat.v4.new_output("stream", text="the answer is 0.24836\n")]
    secrets = assignment_secrets(FIRST, solved)
    assert find_leaks(secrets, student) == []

    def leaks(cell=None, **metadata):
        notebook = student_notebook(dist, FIRST)
        notebook.cells += [cell] if cell else []
        notebook.metadata.update(metadata)
        return find_leaks(secrets, notebook)

    code, markdown = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    line = 'return float(songs["genre"].value_counts(normalize=True).iloc[0])'
    last = len(student.cells) + 1
    (found,) = leaks(code("x = 1\n" + line))
    assert found.startswith(f"cell {last}, line 2: a solution of assignments/{FIRST.name}, line ")
    assert found.endswith(line)
    assert leaks(markdown(line.replace(" ", "").replace('"', "'")))
    # The same statement, laid out in another way.
    assert leaks(
        code("last = (\n [' '.join(text.split()[(-words):])\n for text in songs['lyrics']])")
    )
    assert leaks(note=line)
    assert leaks(note={"deep": [gzip_text(line)]})
    assert leaks(code(f'packed = "{gzip_text(line)}"'))
    setup = next(cell for cell in solved.cells if cell.id == "setup")  # with hidden tests
    assert any("packed q1.py" in leak and "a hidden test" in leak for leak in leaks(setup))
    rubric = read_parts(FIRST)[-1].rubric
    assert leaks(markdown(rubric))
    assert any("typical mistake" in leak for leak in leaks(code(read_mistakes(FIRST)[1]["code"])))
    assert "an output of the solved" in leaks(markdown("the answer is 0.24836"))[0]
    output = nbformat.v4.new_output("display_data", data={"text/plain": "the answer is 0.24836"})
    assert leaks(code("x", outputs=[output]))
    assert "hint" in leaks(markdown(next(iter(hints(FIRST)))))[0]


def gzip_text(text):
    return base64.b64encode(gzip.compress(("import x\n" + text).encode())).decode()


def hints(path):
    return [one.text for one in assignment_secrets(path).secret if one.what.endswith("hint")]


def test_leaks_of_chapters_are_found(dist, tmp_path):
    chapter = next(one for one in find_chapters() if one.number == 1)
    secrets, notebook = chapter_secrets(chapter), chapter.notebook()
    found = find_leaks(secrets, notebook)
    assert any("a solution of book/01_songs.md, line " in leak for leak in found)
    assert any("an output of book/01_songs.ipynb, cell " in leak for leak in found)
    folder = tmp_path / "dist/student/book"
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / chapter.ipynb.name)
    assert any(leak.startswith("dist/student/book/01") for leak in leaks_in(tmp_path / "dist"))


def test_stub_keeps_what_otter_keeps():
    code = "x = f(1)  # SOLUTION\nplot(x)  # SOLUTION\ndef g():\n    # BEGIN SOLUTION\n    a = 1\n"
    stub, answer = stub_of(code + "    # END SOLUTION\n    return a")
    assert stub == "x = ...\n...\ndef g():\n    ...\n    return a"
    assert answer == ["x = f(1)", "plot(x)", "    a = 1"]


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("points: 0\nhidden: false", "points: 1\nhidden: false", "is public"),
        ("name: q1\npoints: 2", "name: q1\npoints: 3", "q1: 3 points, but its tests give 2"),
        ("name: q1\npoints: 2", "name: q1\npoints: two", "points must be a number, not 'two'"),
        ("name: q1\npoints: 2", "name: q1", "question 1 has no points"),
        ("name: q1\npoints: 2", "name: q1\npoint: 2", "there is no setting point"),
        ("name: q1\npoints: 2", "name: [q1\npoints: 2", "a config is no YAML"),
        ("name: q2\n", "name: q1\n", "question 2 is called q1 and must be called q2"),
        ("## 1. The accuracy to beat", "The accuracy to beat", "the prompt has no title"),
        ("def test_q2_order", "def test_order", "must hold one function test_q2_…"),
        ("def test_q2_order", "def test_q2_means", "test_q2_means is there twice"),
        ("test_q2_order(genre_means,", "test_q2_order(means,", "asks for means, which no"),
        ("test_q2_order(genre_means, student_id):", "test_q2_order(genre_means)", "is no Python"),
        ("test_q2_order(genre_means, student_id)", "test_q2_order(genre_means)", "is hidden, so"),
        ("failure_message: Three of", "hint: Three of", "there is no setting hint"),
        ("failure_message: Three of", "# Three of", "has no failure_message"),
        ('""" # BEGIN TEST CONFIG', "# none", "does not begin with a test config"),
        ("so base_rate must", 'so "base_rate" must', "write 'single' quotes"),
        ("# ASSIGNMENT CONFIG", "# NOTHING", "does not begin with a raw cell"),
        ("# BEGIN TESTS", "# BEGIN TEST", "begins with '# BEGIN TEST', which means nothing"),
        ("# END TESTS", "# END SOLUTION", "'# END SOLUTION' stands inside QUESTION and TESTS"),
        ("manual: true", "manual: false", "has no tests; a question for people needs manual"),
        ('student_id = ""', 'student = ""', "the first given cell must begin with student_id"),
        # What only shows when the notebooks are made:
        (
            "def test_q1_example(base_rate):",
            "def test_q1_example(GENRES):\n    return",
            "untouched",
        ),
    ],
)
def test_faults_of_a_source_are_named(old, new, sentence, tmp_path):
    path = tmp_path / FIRST.name
    text = FIRST.read_text("utf8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf8")
    with pytest.raises(SourceError, match=sentence) as error:
        build(path, tmp_path / "dist", check=False)
    assert "\n" not in str(error.value)
    assert not list((tmp_path / "dist").rglob("*.ipynb"))


def test_unknown_assignment_is_named():
    with pytest.raises(SourceError, match="No assignment begins with '77'; there are 01_"):
        sources(["77"])


@pytest.mark.parametrize("path", [FIRST], ids=IDS[:1])
def test_wrong_solution_stops_the_build(path, tmp_path):
    wrong = tmp_path / path.name
    text = path.read_text("utf8").replace("normalize=True).iloc[0]", "normalize=True).iloc[1]")
    wrong.write_text(text, "utf8")
    with pytest.raises(SourceError, match="the solution of q1, q8 fails its tests") as error:
        build(wrong, tmp_path / "dist")
    assert "Three of the five genres are rock" in str(error.value)  # otter's words, with its hints


def test_assignments_that_fail_do_not_stop_the_others(monkeypatch, capsys, tmp_path):
    def build_some(path):
        if path.stem.startswith("02"):
            raise SourceError("02 is wrong. Otter says:\n\nno")

    monkeypatch.setattr(command, "build", build_some)
    monkeypatch.setattr(command, "DIST", tmp_path / "dist/assignments")
    monkeypatch.setattr(sys, "argv", ["assignments", "01", "02", "03"])
    assert command.main() == 1
    said = capsys.readouterr()
    assert said.out.splitlines() == [f"{name} …" for name in IDS[:3]]
    assert said.err.startswith("02 is wrong. Otter says:\n\nno\n")
    assert said.err.splitlines()[-1] == f"Built: {IDS[0]}, {IDS[2]}. Not built: {IDS[1]}."
    monkeypatch.setattr(sys, "argv", ["assignments", "01", "03"])
    assert command.main() == 0


FOR_INSTRUCTORS = (ROOT / "book/for_instructors.md").read_text("utf8")
TAKES = re.compile(r"\*\*It takes\*\* (?:about )?(\d+)(?: to (\d+))? minutes, the open question")


@pytest.mark.parametrize("path", ASSIGNMENTS, ids=IDS)
def test_page_for_instructors_has_each_assignments_title_minutes_and_points(path):
    text, parts = path.read_text("utf8"), read_parts(path)
    number, title = re.search(r"^# Assignment (\d) · (.*)$", text, re.MULTILINE).groups()
    minutes = "–".join(one for one in TAKES.search(text).groups() if one)
    row = f"| {number} | {title} | {minutes} | {points_by_tests(path)} | {parts[-1].points} |"
    assert row in FOR_INSTRUCTORS.splitlines()


def test_plans_of_instructors_add_up():
    hours_of = {"five and a half": 5.5, "thirteen and a half": 13.5, "twenty": 20}
    longest = {}
    for path in ASSIGNMENTS:
        minutes = TAKES.search(path.read_text("utf8")).groups()
        longest[path.name[1]] = max(int(one) for one in minutes if one)
    plans = FOR_INSTRUCTORS.split("\n## ")[2].split("\n**")[1:]
    assert len(plans) == 3
    for plan in plans:
        rows = [line.split("|")[1:-1] for line in plan.splitlines() if line.startswith("| ")][1:]
        minutes = [[int(x) for x in row[2].split("+")] for row in rows]
        hours = hours_of[re.search(r"about ([\w ]+) hours", plan)[1]]
        assert abs(sum(map(sum, minutes)) - 60 * hours) <= 30
        for row, numbers in zip(rows, minutes, strict=True):
            whole = re.search(r"assignment (\d)$", row[1].strip())  # not one begun in class
            assert not whole or numbers[-1] == longest[whole[1]]
