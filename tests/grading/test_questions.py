"""Questions about students' own code: their answers are true, and the same seed asks the same."""

from __future__ import annotations

import ast
import re
import sys
import types
from collections import Counter

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from invented_class import answers, cells_of, notebook_of
from torch import nn

from course_tools.grading import conversation
from course_tools.grading.conversation import example_calls, marked
from course_tools.grading.fingerprints import Handout
from course_tools.grading.observe import describe, observe, run_observed
from course_tools.grading.questions import questions_about
from course_tools.grading.submissions import Submission
from course_tools.handouts.leaks import stub_of
from course_tools.handouts.source import SOURCES, read_source

NAME = "02_one_loader_one_loop"
CODE = [
    cell.source
    for cell in read_source(SOURCES / f"{NAME}.md").cells
    if cell.cell_type == "code" and "TEST CONFIG" not in cell.source
]
STUBS = [stub_of(cell)[0] for cell in CODE]
GIVEN = CODE[2]
CALLS = [
    'words = vocabulary(["love me love"], 1)',
    'words = {"<pad>": 0, "<unk>": 1, "love": 2, "me": 3}\nencode("love blue me", words, 10)',
    "lyrics, lengths, genres = collate([([5, 6, 7], 2), ([8], 0)])",
    "made = batches([([i], 0) for i in range(1, 6)], 2, 0)",
    "network = toy(0)\n"
    "batch = (torch.tensor([[1, 2], [3, 0]]), torch.tensor([2, 1]), torch.tensor([0, 6]))\n"
    "accuracy(network, [batch])",
]


def fresh(cells):
    """A namespace, and what runs code in it as IPython would."""
    import random

    space = {"torch": torch, "nn": nn, "F": F, "Counter": Counter, "random": random}
    space["grader"] = types.SimpleNamespace(check=lambda name: None)

    def run_cell(code):
        exec(compile(code, f"<ipython-input-{len(code)}-x>", "exec"), space)

    return space, run_cell


def in_process(cells, calls):
    _, run_cell = fresh(cells)
    return run_observed(run_cell, cells, calls)


def notebook(seed):
    made = answers(seed)
    made.pop("q8")  # it needs songs
    return [GIVEN, *cells_of(made, f"s{seed}")]


@pytest.fixture(scope="module")
def asked():
    """Ten students' cells and all that could be asked about them."""
    import course_tools.grading.questions as module

    found = []
    before, module.QUESTIONS = module.QUESTIONS, 1000
    for seed in range(10):
        cells = notebook(seed)
        seen = in_process(cells, CALLS)
        found.append((cells, questions_about(cells, seen, "s", Handout(STUBS))))
    module.QUESTIONS = before
    return found


def lines_in(text):
    return [int(n) for n in re.findall(r"\d+", text)]


def test_all_kinds_are_asked(asked):
    kinds = Counter(one.kind for _, some in asked for one in some)
    assert set(kinds) == {"run", "change", "twice", "origin", "argument", "branches"}
    assert min(kinds.values()) >= 5


def test_answers_about_a_run_are_true(asked):
    """Run the example again, with a `return locals()` in place of each return."""
    checked = 0
    for cells, some in asked:
        for one in some:
            if one.kind != "run":
                continue
            tree = ast.parse(one.code)
            tree.body[0].decorator_list = []
            space, run_cell = fresh(cells)
            for cell in cells:
                run_cell(cell)
            for node in ast.walk(tree):
                if isinstance(node, ast.Return):
                    node.value = (
                        ast.parse("KEEP(locals(), " + ast.unparse(node.value) + ")").body[0].value
                    )
            kept = []
            space["KEEP"] = lambda names, value, kept=kept: kept.append(dict(names)) or value
            exec(ast.unparse(tree), space)
            exec(one.example, space)
            name = re.findall("`([^`]+)`", one.text)[1]
            value = kept[0][name]
            shown = one.answer
            if "shape" in one.text:
                assert shown.startswith(f"`{tuple(value.shape)}`")
            elif "How many" in one.text:
                assert shown.startswith(f"{len(value)}, in a {type(value).__name__}")
            else:
                assert shown.startswith(f"`{value}`")
            checked += 1
    assert checked > 30


def test_answers_about_lines_are_true(asked):
    """Without a value in the line that the answer names, the use fails; the quoted lines exist."""
    for _, some in asked:
        for one in some:
            lines = one.code.splitlines()
            for number, quoted in re.findall(r"[Ll]ine (\d+)[:,] `([^`]*)`", one.answer):
                shown = " ".join(lines[int(number) - 1].split()).replace("`", "'")
                assert shown.startswith(quoted.rstrip("…"))
            names = re.findall("`([^`]+)`", one.text)
            tree = ast.parse(one.code)
            if one.kind == "origin":
                stored = {
                    n.lineno
                    for n in ast.walk(tree)
                    if isinstance(n, ast.Name) and n.id == names[0] and isinstance(n.ctx, ast.Store)
                }
                assert {lines_in(one.answer)[0]} == stored
                assert names[0] in lines[lines_in(one.text)[0] - 1]
            elif one.kind == "change" and "no parameter" in one.text:
                name = names[1]
                used = {n.lineno for n in ast.walk(tree) if getattr(n, "id", "") == name}
                used |= {n.lineno for n in ast.walk(tree) if getattr(n, "arg", "") == name
                         and isinstance(n, ast.arg)}  # fmt: skip
                assert set(lines_in(one.answer.split(".")[0])) == used
            elif one.kind == "twice":
                stored = sorted(
                    n.lineno
                    for n in ast.walk(tree)
                    if isinstance(n, ast.Name) and n.id == names[0] and isinstance(n.ctx, ast.Store)
                )
                assert lines_in(one.text)[:2] == stored


def test_an_argument_goes_to_the_parameter_that_the_answer_names(asked):
    import inspect

    for cells, some in asked:
        space, run_cell = fresh(cells)
        for cell in cells:
            run_cell(cell)
        for one in some:
            if one.kind == "argument" and "Which parameter" in one.text:
                names = re.findall("`([^`]+)`", one.text)
                call, function, value = names[0], names[1], names[2]
                if "…" in call:
                    continue
                arguments = ast.parse(call).body[0].value.args
                given = [" ".join(ast.unparse(a).split()) for a in arguments]
                expected = " ".join(ast.unparse(ast.parse(value)).split())
                bound = inspect.signature(space[function]).bind(*given).arguments
                name = re.match("`([^`]+)`", one.answer)[1]
                assert bound[name] == expected


def test_branches_say_which_runs():
    code = "def f(x):\n    if x > 2:\n        y = 1\n"
    code += "    else:\n        y = 2\n        y += 1\n    return y"
    some = questions_about([code], [], "s")
    (one,) = [q for q in some if q.kind == "branches"]
    assert one.answer == "If it is true: line 3, `y = 1`. Otherwise: lines 5 to 6, `y = 2`."
    code = "def f(x):\n    if x:\n        y = 1\n    else:\n        y = 2\n    return y"
    (one,) = [q for q in questions_about([code], [], "s") if q.kind == "twice"]
    assert "Only one of the two runs" in one.answer


@pytest.mark.parametrize("seed", range(30))
def test_three_of_different_kinds_about_different_functions(seed):
    cells = notebook(seed)
    some = questions_about(cells, [], f"seed {seed}", Handout(STUBS))
    assert len(some) == 3
    assert len({one.kind for one in some}) == 3
    assert len({one.where for one in some}) == 3
    assert some == questions_about(cells, [], f"seed {seed}", Handout(STUBS))
    given = "\n".join(STUBS)
    assert not any(one.code in given for one in some)
    assert "Toy" not in {one.where for one in some}


def test_little_code_and_none():
    assert questions_about([], [], "s") == []
    assert questions_about(STUBS, [], "s", Handout(STUBS)) == []
    assert questions_about(["def f(:"], [], "s") == []
    plain = [
        "epochs = 5\nrates = [0.1 * i for i in range(epochs)]\nbest = sorted(rates, key=abs)[0]",
        "if best > 0:\n    print(best)\nelse:\n    best = 1",
    ]
    some = questions_about(plain, [], "s")
    assert len(some) == 3
    assert len({one.kind for one in some}) == 3


@pytest.mark.parametrize(
    "cell",
    ["x = " + "+".join(["1"] * 3000), "x = " + "(" * 500, "x = 1\0", "x = [" * 90, "\ud800 = 1"],
)
def test_pathological_code(cell):
    good = "def f(size):\n    y = '\f\u2028'\n    z = [y] * size\n    return z"
    some = questions_about([cell, good], [], "s")
    assert {one.where for one in some} >= {"f"}
    (one,) = [q for q in questions_about([good], [], "s") if q.kind == "change"]
    assert one.answer.startswith("Lines 1 and 3. In line 1, `def f(size):`; line 3, `z = [y]")


def test_hostile_reports_are_left_out():
    code = "def f(x):\n    y = [x]\n    return y"
    for local in (None, 3, {"kind": "list"}, {"kind": "list", "length": "<b>"}, {"shape": ["a"]}):
        seen = [{"function": "f", "call": "f(1)", "locals": {"y": local}}]
        assert "run" not in {one.kind for one in questions_about([code], seen, "s")}
    assert questions_about([code], [{}, {"call": 3}, {"call": "f(1)", "function": "f"}], "s")


def test_observe_sees_the_first_return_and_restores_the_profile():
    code = (
        "def inner(n):\n    size = n * 2\n    return size\n"
        "def fails(x):\n    raise ValueError\n"
        "def gives(n):\n    for i in range(n):\n        yield i\n    return None\n"
        "def outer(n):\n    try:\n        fails(n)\n    except ValueError:\n        pass\n"
        "    values = list(gives(2)) + [inner(i) for i in (n, n + 1)]\n    return values\n"
    )
    space = {}
    exec(compile(code, "<ipython-input-1-x>", "exec"), space)
    marker = lambda *_: None  # noqa: E731
    sys.setprofile(marker)
    try:
        seen = {one["function"]: one for one in observe(lambda: space["outer"](5))}
        assert sys.getprofile() is marker
        assert observe(lambda: sys.exit(1)) == []
        assert sys.getprofile() is marker
    finally:
        sys.setprofile(None)
    assert set(seen) == {"inner", "gives", "outer"}
    assert seen["inner"]["locals"]["size"] == {"kind": "int", "value": 10}
    assert seen["gives"]["locals"]["i"] == {"kind": "int", "value": 1}
    assert seen["outer"]["locals"]["values"] == {"kind": "list", "length": 4}
    assert seen["outer"]["parameters"] == {"n": {"kind": "int", "value": 5}}


def test_describe():
    assert describe(torch.zeros(2, 3)) == {"kind": "Tensor", "shape": [2, 3]}
    assert describe(np.zeros(4)) == {"kind": "ndarray", "shape": [4]}
    assert describe(pd.DataFrame({"a": [1]})) == {"kind": "DataFrame", "shape": [1, 1]}
    assert describe(float("nan")) == {"kind": "float"}
    assert describe(10**30) == {"kind": "int"}
    assert describe("abc") == {"kind": "str", "length": 3}

    class Evil(list):
        def __len__(self):
            raise SystemExit

    assert describe(Evil()) == {"kind": "Evil"}


TESTS = """
from otter.test_files import test_case
name = "q2"
@test_case(points=0, hidden=False, failure_message="x")
def test_q2_example(encode):
    words = {"love": 2}
    assert list(encode("love", words, 10)) == [2]
    assert words["love"] == 2
@test_case(points=1, hidden=True, failure_message="x")
def test_q2_secret(encode):
    assert encode("secret", {}, 1)
"""


def test_examples_are_the_public_tests(tmp_path):
    (tmp_path / "q2.py").write_text(TESTS)
    assert example_calls(tmp_path) == ["words = {'love': 2}\nlist(encode('love', words, 10))"]


def test_command(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "instructor"
    (folder / "tests").mkdir(parents=True)
    (folder / "tests/q2.py").write_text(TESTS)
    one = types.SimpleNamespace(name=NAME, given=[GIVEN], folder=folder)
    monkeypatch.setattr(conversation, "find_assignment", lambda number: one)
    monkeypatch.setattr(conversation, "read_handout", lambda name: STUBS)
    handed = tmp_path / "handed"
    handed.mkdir()
    for i in range(2):
        (handed / f"<s{i}>.ipynb").write_bytes(notebook_of(notebook(i)))
    (handed / "untouched.ipynb").write_bytes(notebook_of(STUBS))
    (handed / "broken.ipynb").write_text("{")
    out = tmp_path / "questions"
    command = [str(handed), "--assignment", "02", "--out", str(out)]
    assert conversation.main(command, in_process) == 0
    assert "4 students, 2 of them without questions" in capsys.readouterr().out
    pages = {path.name: path.read_text("utf8") for path in out.iterdir()}
    assert len(pages) == 5
    instructor = pages.pop("instructor.html")
    assert instructor.count("Answer.") == 6
    assert "<s0>" not in instructor
    assert not any("Answer." in page for page in pages.values())
    assert "nothing to ask about" in pages["untouched_.html"]
    assert "There are no questions: the file is no JSON" in pages["broken_.html"]
    assert conversation.main([*command[:-1], str(handed / "broken.ipynb")], in_process) == 1


def test_a_run_that_fails_leaves_questions_from_the_code():
    def fails(cells, calls):
        raise ValueError("no sandbox")

    one = Submission("ada", "1", False, "a.ipynb", notebook_of(notebook(1)))
    made = conversation.prepare(one, NAME, Handout(STUBS), CALLS, fails)
    assert len(made.questions) == 3


def test_marked_escapes():
    assert marked("`<b>` & <i>") == "<code>&lt;b&gt;</code> &amp; &lt;i&gt;"
