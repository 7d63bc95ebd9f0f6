"""Cells that say something else when they run again: found by reading them, and by running them."""

import pytest
from invented_chapter import SOUND, write_pair

from course_tools.notebooks.checks import cells_can_run_again, problems
from course_tools.notebooks.rerun import rerun_problems
from course_tools.notebooks.twice import differing_cells


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("print(network)\nnetwork = fresh()", "reads `network` and then changes it"),
        ("total = total + 1", "reads `total` and then changes it"),
        ("total += 1", "reads `total` and then changes it"),
        ("table[0] *= 2", "reads `table` and then changes it"),
        ("for row in rows:\n    rows = row", "reads `rows` and then changes it"),
        ("[x * a for x in b]\na = 2", "reads `a` and then changes it"),
        ("runs.append(1)", "changes `runs`, which an earlier cell made"),
        ("genre_lib.fit(network, few)", "trains `network` further"),
        ("train_one_epoch(network, few)", "trains `network` further"),
        ("torch.rand(3)", "draws random numbers (`rand`)"),
        ("order = torch.randperm(len(few))", "draws random numbers (`randperm`)"),
    ],
)
def test_a_cell_that_can_not_run_again_is_named(source, said):
    (sentence,) = rerun_problems(source)
    assert said in sentence


@pytest.mark.parametrize(
    "source",
    [
        "network = fresh()\nprint(network)\nnetwork = other()",
        "total = 0\nfor x in few:\n    total += x",
        "runs = []\nruns.append(1)",
        "def f(x):\n    total = x + 1\n    torch.rand(2)\n    return total",
        "torch.manual_seed(0)\nnetwork = fresh()\nhistory = genre_lib.fit(network, few)",
        "encoder = SongEncoder().fit(split.train)",
        "best = [x for x in few if x]\nx = best[0]",
        "few = {name: (lambda few: few)(1) for name in names}",
        "# NBVAL_CHECK_OUTPUT\ntorch.rand(3).shape",
        "torch.manual_seed(0)\ntorch.rand(3)",
        "%matplotlib inline",
        "with open(path) as file:\n    text = file.read()\nprint(text)",
    ],
)
def test_a_cell_that_can_run_again_is_not_named(source):
    assert not list(rerun_problems(source))


def test_the_check_names_chapter_and_cell(tmp_path):
    chapter = write_pair(tmp_path, md=SOUND + "```python\nplotly += 1\n```\n")
    (said,) = problems(chapter, [cells_can_run_again])
    assert said.startswith("03_training: cell ") and "(`plotly += 1`): it reads `plotly`" in said


def test_running_cells_twice_names_those_that_differ_but_for_times(tmp_path):
    cells = ["n = [1]", "n.append(1); print(len(n))", "import time; print(f'{time.time():.4f} s')"]
    chapter = write_pair(tmp_path, md=SOUND)
    chapter.md.write_text("".join(f"```python\n{cell}\n```\n\n" for cell in cells), "utf8")
    ((at, _, first, second),) = differing_cells(chapter)
    assert (at, first, second) == (1, "2\n", "3\n")
