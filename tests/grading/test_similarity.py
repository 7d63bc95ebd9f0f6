"""Shared code: a copy stands out of a class of 30 however it is disguised; common code does not."""

from __future__ import annotations

import ast
import random
import re
import time
from functools import lru_cache

import numpy as np
import pytest
from invented_class import MISTAKE_Q5, PARTS, answers, cells_of, notebook_of

from course_tools.grading import similarity
from course_tools.grading.fingerprints import (
    WINDOW,
    Handout,
    K,
    Notebook,
    hashes_of,
    likenesses,
    weights_of,
    winnow,
)
from course_tools.handouts.leaks import stub_of
from course_tools.handouts.source import SOURCES, read_mistakes, read_source

NAME = "02_one_loader_one_loop"
SOURCE = read_source(SOURCES / f"{NAME}.md")
SOLUTION = [
    cell.source
    for cell in SOURCE.cells
    if cell.cell_type == "code" and "TEST CONFIG" not in cell.source
]
STUBS = [stub_of(cell)[0] for cell in SOLUTION]
KNOWN = SOLUTION[3:] + [one["code"] for one in read_mistakes(SOURCES / f"{NAME}.md")]
HANDOUT = Handout([*STUBS, *(f'grader.check("{part}")' for part in PARTS)])
COMMON = HANDOUT.hashes(KNOWN)


@lru_cache(None)
def read(cells):
    return Notebook("", HANDOUT.own_units(cells))


def compared(notebooks):
    made = [read(tuple(cells)) for cells in notebooks]
    likeness = likenesses(made, weights_of(made, COMMON))
    assert np.allclose(likeness, likeness.T)
    return likeness


def rank_of(likeness, i, j):
    """1 where no other pair is as much alike."""
    every = likeness[np.triu_indices(len(likeness), 1)]
    return int((every >= likeness[i, j]).sum())


class Renamed(ast.NodeTransformer):
    """Other names for all that a student names."""

    def __init__(self, tree):
        stored = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name)
                  and isinstance(n.ctx, ast.Store) and not n.id.startswith("my_")]  # fmt: skip
        stored += [n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)]
        self.names = {name: f"zz{i}" for i, name in enumerate(dict.fromkeys(stored))}

    def visit_Name(self, node):
        return ast.Name(self.names.get(node.id, node.id), node.ctx)

    def visit_arg(self, node):
        return ast.arg(self.names[node.arg])


def renamed(made):
    tree = ast.parse("\n".join(made.values()))
    change = Renamed(tree)
    return {part: ast.unparse(change.visit(ast.parse(code))) for part, code in made.items()}


def reordered_parts(made):
    parts = list(made.items())
    random.Random(5).shuffle(parts)
    whole = "\n\n".join(code for _, code in parts[:4])  # and four functions in one cell
    return {"one": whole, **dict(parts[4:])}


def reordered_statements(made):
    """Neighbouring simple statements of a block change places wherever neither needs the other."""

    def swap(body):
        i = 0
        while i + 1 < len(body):
            a, b = body[i], body[i + 1]
            names = [{n.id for n in ast.walk(x) if isinstance(n, ast.Name)} for x in (a, b)]
            if all(isinstance(x, (ast.Assign, ast.AugAssign, ast.Expr)) for x in (a, b)) and not (
                names[0] & names[1]
            ):
                body[i], body[i + 1] = b, a
                i += 1
            i += 1

    changed = {}
    for part, code in made.items():
        tree = ast.parse(code)
        for node in ast.walk(tree):
            if isinstance(getattr(node, "body", None), list):
                swap(node.body)
        changed[part] = ast.unparse(tree)
    assert sum(changed[p] != ast.unparse(ast.parse(made[p])) for p in made) >= 2
    return changed


def commented(made):
    return {
        part: re.sub(r"\n( +)(?=\S)", r"\n\1# my own work\n\1", code, count=1) + "\nprint('done')\n"
        for part, code in made.items()
    }


DISGUISES = {
    "another student id": lambda made: made,
    "other names": renamed,
    "other order of functions and cells": reordered_parts,
    "other order of statements": reordered_statements,
    "comments and prints": commented,
    "all of it": lambda made: reordered_parts(reordered_statements(renamed(commented(made)))),
}


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("seed", [0, 100])
def test_a_copy_stands_out(disguise, seed):
    chosen = [answers(seed + i) for i in range(29)]
    notebooks = [cells_of(made, f"s{i}") for i, made in enumerate(chosen)]
    notebooks.append(cells_of(DISGUISES[disguise](chosen[7]), "grace"))
    likeness = compared(notebooks)
    assert rank_of(likeness, 7, 29) == 1
    others = likeness[np.triu_indices(30, 1)]
    assert likeness[7, 29] > 1.2 * np.sort(others)[-2]


def test_part_of_a_notebook_that_was_copied_stands_out():
    chosen = [answers(200 + i) for i in range(30)]
    for part in ("q1", "q3", "q4", "q6", "q7"):
        chosen[29][part] = renamed({part: chosen[7][part]})[part]
    likeness = compared([cells_of(made, f"s{i}") for i, made in enumerate(chosen)])
    # Two of this class draw nearly all of the same answers by chance: the copy is among the first.
    assert rank_of(likeness, 7, 29) <= 4


@pytest.mark.parametrize("seed", [0, 100, 200])
def test_what_honest_students_share_does_not_stand_out(seed):
    chosen = [answers(seed + i) for i in range(30)]
    solved = dict(zip(PARTS, SOLUTION[3:], strict=True))
    # Two with one typical mistake, and two who write what the reference solution does.
    for i in (3, 4):
        chosen[i]["q5"] = MISTAKE_Q5
    for i in (11, 12):
        chosen[i] |= {part: solved[part] for part in ("q2", "q3", "q4", "q5", "q6", "q8")}
    notebooks = [cells_of(made, f"s{i}") for i, made in enumerate(chosen)]
    likeness = compared(notebooks)
    every = likeness[np.triu_indices(30, 1)]
    for pair in ((3, 4), (11, 12)):
        assert likeness[pair] <= np.percentile(every, 95)
    # The mistake itself adds nothing: without it, the pair is as much alike as before.
    chosen[3]["q5"] = "pass"
    without = compared([cells_of(made, f"s{i}") for i, made in enumerate(chosen)])
    assert likeness[3, 4] <= without[3, 4] + 0.1


def test_untouched_notebooks_and_solutions_share_nothing():
    likeness = compared([STUBS, STUBS, SOLUTION, SOLUTION, cells_of(answers(1))])
    assert likeness[0, 1] == 0
    assert likeness[2, 3] == 0


def test_code_that_is_no_python_is_compared_as_well():
    broken = [code.replace("return", "retrun it") for code in answers(3).values()]
    others = [cells_of(answers(i)) for i in range(10, 20)]
    likeness = compared([*others, broken, [b.replace("text", "tx") for b in broken]])
    assert rank_of(likeness, 10, 11) == 1


def test_long_enough_runs_are_always_found():
    chance = random.Random(1)
    for _ in range(300):
        shared = [chance.choice("abcdef") for _ in range(K + WINDOW - 1)]
        one, other = (
            [chance.choice("uvwxyz") for _ in range(chance.randrange(20))] for _ in range(2)
        )
        left = winnow(hashes_of([*one, *shared, *other]))
        right = winnow(hashes_of([*other, *shared, *one[:3]]))
        assert left & right
    assert not hashes_of(["a"] * (K - 1))


def test_three_hundred_notebooks_take_seconds():
    made = [Notebook(str(i), HANDOUT.own_units(cells_of(answers(i)))) for i in range(30)] * 10
    start = time.perf_counter()
    likeness = likenesses(made, weights_of(made, COMMON))
    assert time.perf_counter() - start < 5
    assert likeness.shape == (300, 300)


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(similarity, "read_handout", lambda name: STUBS)
    monkeypatch.setattr(similarity, "read_known", lambda name: KNOWN)
    one = type("Assignment", (), {"name": NAME})
    monkeypatch.setattr(similarity, "find_assignment", lambda number: one)
    chosen = [answers(i) for i in range(8)] + [renamed(answers(2))]
    for i, made in enumerate(chosen):
        (tmp_path / f"s<{i}>.ipynb").write_bytes(notebook_of(cells_of(made, f"s{i}")))
    (tmp_path / "broken.ipynb").write_text("{")
    out = tmp_path / "similarity.html"
    command = [str(tmp_path), "--assignment", "02", "--out", str(out)]
    assert similarity.main(command) == 0
    said = capsys.readouterr().out
    assert "9 notebooks compared" in said
    assert "not compared: broken" in said
    page = out.read_text("utf8")
    assert "1. s&lt;2&gt; and s&lt;8&gt;" in page
    assert "1st of 36 pairs" in page
    assert "It proves nothing" in page
    assert "s<2>" not in page
    assert similarity.main([*command[:-1], str(tmp_path / "no.txt")]) == 1
