"""Time the grading of 100 notebooks, two at a time.

    make assignments
    python benchmarks/grading.py

The notebooks are those of one assignment, the fourth, whose cells train a network: each with a
student id of its own, of 100 there are 60 solved, 30 with one of the typical mistakes, 4 untouched
and 6 broken or hostile, one of which runs until its time is up. Writes
`benchmarks/results/grading.json`. It needs a sandbox; see `course_tools/grading/walls.py`.
"""

from __future__ import annotations

import csv
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import nbformat

from course_tools.handouts.build import DIST
from course_tools.handouts.source import read_mistakes, sources
from genre_lib.study.results import write_result

ASSIGNMENT, JOBS = "04", 2
SOLVED, MISTAKEN, UNTOUCHED = 60, 30, 4
HOSTILE = (
    "while True: pass",
    "import os, time\nfor _ in range(11): os.fork()\ntime.sleep(300)",
    "import numpy as np\nx = [np.ones(20_000_000) for _ in range(99)]",
    "while True: print('x' * 100_000)",
    "import os\nos._exit(0)",
)
RESULT = Path(__file__).parent / "results/grading.json"


def make_submissions(folder: Path) -> int:
    """Write the notebooks; return how many there are."""
    (source,) = sources([ASSIGNMENT])
    name = source.stem
    solved = (DIST / f"instructor/{name}/{name}.ipynb").read_text("utf8")
    untouched = (DIST / f"student/{name}.ipynb").read_text("utf8")
    mistakes = [one["code"] for one in islice(cycle(read_mistakes(source)), MISTAKEN)]
    made = [(solved, "")] * SOLVED + [(solved, code) for code in (*mistakes, *HOSTILE)]
    made += [(untouched, "")] * UNTOUCHED + [(solved[:5000], "")]
    for i, (text, code) in enumerate(made):
        text = text.replace('student_id = \\"\\"', f'student_id = \\"student{i}\\"')
        if code:
            notebook = nbformat.reads(text, as_version=4)
            notebook.cells.append(nbformat.v4.new_code_cell(code))
            text = nbformat.writes(notebook)
        (folder / f"student{i * 37 % len(made)}.ipynb").write_text(text, "utf8")  # in no order
    return len(made)


def main() -> None:
    """Make, grade, store."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "submissions")
        folder.mkdir()
        count = make_submissions(folder)
        out = Path(temporary, "grades.csv")
        command = [sys.executable, "-m", "course_tools.grading.grade", folder, "--out", out]
        start = time.perf_counter()
        subprocess.run([*command, "--assignment", ASSIGNMENT, "--jobs", str(JOBS)], check=True)
        minutes = (time.perf_counter() - start) / 60
        with out.open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    assert len(rows) == count
    seconds = [float(row["seconds"]) for row in rows]
    write_result(
        RESULT,
        "make assignments && python benchmarks/grading.py",
        "synthetic songs, another 3,000 for each notebook",
        3000,
        assignment=ASSIGNMENT,
        notebooks=count,
        at_a_time=JOBS,
        minutes=round(minutes, 2),
        seconds={"median": statistics.median(seconds), "most": max(seconds)},
        full_points=sum(row["total"] == row["of"] for row in rows),
        with_a_remark=sum(bool(row["remark"]) for row in rows),
    )
    print(f"{count} notebooks in {minutes:.1f} minutes: {RESULT}")


if __name__ == "__main__":
    main()
