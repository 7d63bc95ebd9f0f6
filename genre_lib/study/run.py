"""Run a study: train and score its cells, once each. Explained in chapter *Evaluation*.

A cell's row is written to the study's file at once, so that a study that was stopped goes on where
it was.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from genre_lib.classifier.classifier import GenreClassifier
from genre_lib.data.schema import FEATURES, GENRES
from genre_lib.data.splits import Split, split_songs
from genre_lib.environment import versions
from genre_lib.errors import GenreLibError
from genre_lib.evaluation.report import Report
from genre_lib.study.baselines import BASELINES, stack
from genre_lib.study.baselines import PACKAGES as BASELINE_PACKAGES
from genre_lib.study.plan import Cell, cell_recipe
from genre_lib.study.results import write_result
from genre_lib.study.tables import summarise
from genre_lib.training.device import choose_device


def run_cell(songs: pd.DataFrame, cell: Cell, device: str = "auto") -> dict[str, Any]:
    """Train and score one cell; return its row: the cell, its scores, and its seconds.

    The seconds count everything from tables to scores: tokenising, building tensors or TF-IDF
    weights, training, predicting the test songs. A model that needs no validation songs to choose
    its epoch, as baselines do not, learns from them too.
    """
    split = split_songs(songs, cell.split, cell.seed)
    start = time.perf_counter()
    if cell.model in BASELINES:
        report = _score_baseline(split, cell)
    else:
        classifier = GenreClassifier(cell_recipe(cell))
        learn: tuple[pd.DataFrame, ...] = (split.train, split.validation)
        if "patience" not in classifier.recipe.training:
            learn = (pd.concat(learn),)
        history = classifier.fit(*learn, seed=cell.seed, device=device, progress=False)
        if history.interrupted:
            raise KeyboardInterrupt  # half a training is no result
        report = classifier.evaluate(split.test)
    seconds = time.perf_counter() - start
    return dataclasses.asdict(cell) | report.summary() | {"seconds": seconds}


def _score_baseline(split: Split, cell: Cell) -> Report:
    _, baseline = BASELINES[cell.model]
    settings = {"by": cell.split} if baseline is stack else {}
    probabilities = baseline(pd.concat([split.train, split.validation]), split.test, **settings)
    genre = pd.Categorical(split.test["genre"], categories=GENRES).codes.astype(int)
    return Report(probabilities, genre)


RunCells = Callable[
    [Callable[..., dict[str, Any]], pd.DataFrame, Sequence[Cell], str],
    Iterable[tuple[Cell, dict[str, Any]]],
]
"""Given `run_cell`, the songs, some cells and a device: each cell with its row, in any order."""


def here(
    run: Callable[..., dict[str, Any]], songs: pd.DataFrame, cells: Sequence[Cell], device: str
) -> Iterable[tuple[Cell, dict[str, Any]]]:
    """Run cells in this process, one after the other."""
    choose_device(device)
    return ((cell, run(songs, cell, device)) for cell in cells)


def run_study(
    songs: pd.DataFrame,
    cells: Sequence[Cell],
    path: str | Path,
    command: str,
    device: str = "auto",
    run_cells: RunCells = here,
    progress: bool = True,
) -> pd.DataFrame:
    """Run the cells that the file at `path` does not have yet; return all rows as a table.

    `run_cells` runs them: `here`, one after the other, so that their seconds can be compared, or
    faster on a cluster (`genre_lib.scaling.cluster.on_cluster`). Rows and table come out in the
    order of `cells` either way.

    Raises
    ------
    GenreLibError
        When the file is no study or one on other songs, or can't be written, or the cluster can't
        be used.
    """
    path = check_study_target(path)
    identity = songs_identity(songs)
    rows = _finished_rows(path, identity)
    done = {_cell_of(row) for row in rows}
    left = [cell for cell in cells if cell not in done]
    finished = run_cells(run_cell, songs, left, device) if left else ()
    place = {cell: number for number, cell in enumerate(cells)}
    with tqdm(total=len(left), unit="cell", disable=not progress) as bar:
        for cell, row in finished:
            bar.update()
            bar.set_postfix_str(f"last: {cell}")
            rows.append(row)
            rows.sort(key=lambda row: place.get(_cell_of(row), -1))
            write_result(
                path,
                command,
                songs.attrs["source"],
                len(songs),
                baseline_versions=versions(BASELINE_PACKAGES),
                songs_identity=identity,
                cells=rows,
            )
    return pd.DataFrame(rows)


def check_study_target(path: str | Path) -> Path:
    """Return `path` if a study and its table may be written there, so that nothing else is lost.

    Raises
    ------
    GenreLibError
        When it does not end in .json, its folder is missing, or its table's file is another's.
    """
    path = Path(path).expanduser()
    if path.suffix != ".json" or path.is_dir():
        raise GenreLibError(f"{path} can't be the file of a study: give a name that ends in .json.")
    if not os.access(path.parent, os.W_OK):
        raise GenreLibError(f"There is no folder {path.parent} to write to: make it first.")
    table = path.with_suffix(".md")
    if table.exists() and not path.exists():
        raise GenreLibError(f"The table would replace {table}: give another name.")
    return path


def songs_identity(songs: pd.DataFrame) -> str:
    """Return a short text that differs for other songs, or for the same in another order.

    It covers every column that a split or a model of the study looks at.
    """
    columns = ["artist_name", "release_date", "genre", "lyrics", *FEATURES]
    rows = pd.util.hash_pandas_object(songs[columns], index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()[:16]


def _cell_of(row: dict[str, Any]) -> Cell:
    return Cell(*(row[field.name] for field in dataclasses.fields(Cell)))


def _finished_rows(path: Path, identity: str) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        rows, source, found = stored["cells"], stored["data"], stored["songs_identity"]
        summarise(pd.DataFrame(rows))  # every row has its scores
        _ = {_cell_of(row) for row in rows}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GenreLibError(f"{path} is not the file of a study: name another.") from error
    if found != identity:
        raise GenreLibError(f"{path} is a study of {source}: name another file for these songs.")
    return rows
