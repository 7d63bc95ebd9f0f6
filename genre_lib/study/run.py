"""Run a study: train and evaluate each of its cells. Explained in chapter *Evaluation*.

Each row is written to the study's file as soon as it is computed, so that a study can be resumed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Iterable, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from genre_lib.classifier.classifier import GenreClassifier
from genre_lib.classifier.recipes import Recipe
from genre_lib.data.checks import genre_numbers
from genre_lib.data.schema import FEATURES, genres_of
from genre_lib.data.songs import has_footer
from genre_lib.data.splits import Split, split_songs
from genre_lib.environment import versions
from genre_lib.errors import GenreLibError
from genre_lib.evaluation.report import Report
from genre_lib.files import check_target, expand
from genre_lib.study.baselines import BASELINES
from genre_lib.study.baselines import PACKAGES as BASELINE_PACKAGES
from genre_lib.study.plan import WITHOUT_FOOTER, Cell, cell_recipes
from genre_lib.study.results import write_result
from genre_lib.study.tables import summarise
from genre_lib.training.device import choose_device


def run_cell(songs: pd.DataFrame, cell: Cell, device: str = "auto") -> dict[str, Any]:
    """Train and evaluate one cell; return its row: the cell, its results and its seconds.

    The seconds cover all steps from tables to results: tokenising, tensors or TF-IDF weights,
    training, and predictions for the test songs. Models that need no validation songs, such as
    baselines, are trained on these, too.
    """
    split = split_songs(songs, cell.split, cell.seed)
    if cell.collection == WITHOUT_FOOTER:
        split = Split(*(part[~has_footer(part["lyrics"])] for part in split))
    start = time.perf_counter()
    if cell.model in BASELINES:
        report = _evaluate_baseline(split, cell)
    else:
        recipes = cell_recipes(cell)
        reports = [_evaluate_network(split, recipe, cell.seed, device) for recipe in recipes]
        report = Report(np.mean([r.probabilities for r in reports], axis=0), reports[0].genre)
    seconds = time.perf_counter() - start
    return dataclasses.asdict(cell) | report.summary() | {"seconds": seconds}


def _evaluate_network(split: Split, recipe: Recipe, seed: int, device: str) -> Report:
    classifier = GenreClassifier(recipe)
    learn: tuple[pd.DataFrame, ...] = (split.train, split.validation)
    if "patience" not in recipe.training:
        learn = (pd.concat(learn),)
    history = classifier.fit(*learn, seed=seed, device=device, progress=False)
    if history.interrupted:
        raise KeyboardInterrupt  # don't store an incomplete training run
    return classifier.evaluate(split.test)


def _evaluate_baseline(split: Split, cell: Cell) -> Report:
    _, baseline = BASELINES[cell.model]
    settings = {"by": cell.split} if "by" in signature(baseline).parameters else {}
    probabilities = baseline(pd.concat([split.train, split.validation]), split.test, **settings)
    genres = genres_of(split.test)
    return Report(probabilities, genre_numbers(split.test["genre"], genres), genres)


RunCells = Callable[
    [Callable[..., dict[str, Any]], pd.DataFrame, Sequence[Cell], str],
    Iterable[tuple[Cell, dict[str, Any]]],
]
"""A function of `run_cell`, songs, cells and a device: each cell with its row, in any order."""


def run_locally(
    run: Callable[..., dict[str, Any]], songs: pd.DataFrame, cells: Sequence[Cell], device: str
) -> Iterable[tuple[Cell, dict[str, Any]]]:
    """Return an iterator that runs the cells in this process, one after the other."""
    choose_device(device)
    return ((cell, run(songs, cell, device)) for cell in cells)


def run_study(
    songs: pd.DataFrame,
    cells: Sequence[Cell],
    path: str | Path,
    command: str,
    device: str = "auto",
    run_cells: RunCells = run_locally,
    progress: bool = True,
) -> pd.DataFrame:
    """Run the cells that the file at `path` does not have yet; return all rows as a table.

    Parameters
    ----------
    songs, cells
        A table of songs, and the cells, in the order of the file's and the table's rows.
    path, command
        The study's file, and the command that reproduces it.
    device
        See `genre_lib.training.device.choose_device`.
    run_cells
        `run_locally`, one after the other, so that seconds are comparable, or faster on a cluster
        (`genre_lib.scaling.cluster.run_on_cluster`).
    progress
        Whether to show a progress bar.

    Raises
    ------
    GenreLibError
        When the file is not a study, is one on other songs or can't be written, or the cluster
        can't be used.
    """
    path = check_study_target(path)
    identity = songs_identity(songs)
    rows = _finished_rows(path, identity)
    done = {_row_cell(row) for row in rows}
    pending = [cell for cell in cells if cell not in done]
    finished = run_cells(run_cell, songs, pending, device) if pending else ()
    position = {cell: number for number, cell in enumerate(cells)}
    with tqdm(total=len(pending), unit="cell", disable=not progress) as bar:
        for cell, row in finished:
            bar.update()
            bar.set_postfix_str(f"last: {cell}")
            rows.append(row)
            rows.sort(key=lambda row: position.get(_row_cell(row), -1))
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
    """Return `path` if a study and its table can be written there without losing other files.

    Raises
    ------
    GenreLibError
        When `path` doesn't end in .json, its folder is missing, or the table would replace a file.
    """
    path = expand(path)
    if path.suffix != ".json" or path.is_dir():
        raise GenreLibError(f"{path} can't be a study's file: choose a name that ends in .json.")
    check_target(path)
    table = path.with_suffix(".md")
    if table.exists() and not path.exists():
        raise GenreLibError(f"The table would replace {table}: choose another name.")
    return path


def songs_identity(songs: pd.DataFrame) -> str:
    """Return a hash of the songs in their order, from all columns that the study uses."""
    columns = ["artist_name", "release_date", "genre", "lyrics", *FEATURES]
    rows = pd.util.hash_pandas_object(songs[columns], index=False)
    return hashlib.sha256(rows.to_numpy().tobytes()).hexdigest()[:16]


def _row_cell(row: dict[str, Any]) -> Cell:
    return Cell(*(row[field.name] for field in dataclasses.fields(Cell)))


def _finished_rows(path: Path, identity: str) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        rows, source, found = stored["cells"], stored["data"], stored["songs_identity"]
        summarise(pd.DataFrame(rows))  # checks that rows are complete
        _ = {_row_cell(row) for row in rows}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise GenreLibError(f"{path} is not a study's file: choose another.") from error
    if found != identity:
        raise GenreLibError(f"{path} is a study of {source}: choose another file for these songs.")
    return rows
