"""The same recipes and peers over splits and seeds: means, intervals, tables.

Explained in chapter *Evaluation*. A study is a list of cells; each is trained and scored once,
and its row is written to the study's file at once, so that a study that was stopped goes on where
it was.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats
from tqdm import tqdm

from genre_lib.classifier import GenreClassifier
from genre_lib.cluster import run_on_cluster
from genre_lib.device import choose_device
from genre_lib.environment import versions
from genre_lib.peers import PACKAGES as PEER_PACKAGES
from genre_lib.peers import PEERS, stack
from genre_lib.recipes import RECIPES, Recipe, get_recipe
from genre_lib.schema import AUDIO_FEATURES, FEATURES, GENRES, TOPIC_FEATURES, GenreLibError
from genre_lib.scoring import Report
from genre_lib.songs import Split, split_songs
from genre_lib.stored import write_result

STANDARD = "standard"


@dataclass(frozen=True)
class Cell:
    """One model, trained and scored on one split."""

    model: str
    """A peer's name, or a recipe and its task, as in "course lyrics"."""
    split: str
    """`song` or `artist`."""
    seed: int
    """Names the split and the run."""
    variant: str = STANDARD
    """What was changed for an ablation, one of `VARIANTS`."""

    def __str__(self) -> str:
        return f"{self.model}, {self.split} {self.seed}, {self.variant}"


VARIANTS: dict[str, tuple[tuple[str, ...], dict, dict, dict]] = {
    # name: (tasks it applies to, changes to the encoder, to the layers, to the training)
    "6 audio scores": (("features",), {"features": AUDIO_FEATURES}, {}, {}),
    "16 topics": (("features",), {"features": TOPIC_FEATURES}, {}, {}),
    "with year": (("features", "combined"), {"features": (*FEATURES, "release_date")}, {}, {}),
    "footer kept": (("lyrics", "combined"), {"footer": True}, {}, {}),
    "minimum frequency 1": (("lyrics",), {"min_frequency": 1}, {}, {}),
    "minimum frequency 20": (("lyrics",), {"min_frequency": 20}, {}, {}),
    "minimum frequency 50": (("lyrics",), {"min_frequency": 50}, {}, {}),
    "8 traits a word": (("lyrics",), {}, {"traits": 8}, {}),
    "128 traits a word": (("lyrics",), {}, {"traits": 128}, {}),
    "no label smoothing": (("lyrics", "features", "combined"), {}, {}, {"smoothing": 0.0}),
    "one member, two epochs": (
        ("lyrics",),
        {},
        {"members": 1},
        {"epochs": 2, "learning_rate": 6e-2},
    ),
}
"""Ablations of the `course` recipes."""


def plan(
    splits: Sequence[str] = ("song", "artist"),
    seeds: Iterable[int] = range(5),
    ablations: bool = True,
) -> list[Cell]:
    """Return every cell of the course's study: peers, our recipes, ablations of `course`.

    All models of a split run one after the other, so that their seconds are taken on a machine in
    the same state.
    """
    seeds = list(seeds)
    recipes = [f"{name} {task}" for n in ("course", "first") for name, task in RECIPES if name == n]
    models = [(model, STANDARD) for model in (*PEERS, *recipes)]
    if ablations:
        models += [
            (f"course {task}", variant)
            for variant, (tasks, *_) in VARIANTS.items()
            for task in tasks
        ]
    return [
        Cell(model, split, seed, variant)
        for split in splits
        for seed in seeds
        for model, variant in models
    ]


def run_cell(songs: pd.DataFrame, cell: Cell, device: str = "auto") -> dict:
    """Train and score one cell; return its row: the cell, its scores, and its seconds.

    The seconds count everything from tables to scores: tokenising, building tensors or TF-IDF
    weights, training, predicting the test songs. A model that needs no validation songs to choose
    its epoch, as peers don't, gets them to learn from.
    """
    split = split_songs(songs, cell.split, cell.seed)
    start = time.perf_counter()
    if cell.model in PEERS:
        report = _score_peer(split, cell)
    else:
        classifier = GenreClassifier(cell_recipe(cell))
        learn, choose = split.train, split.validation
        if "patience" not in classifier.recipe.training:
            learn, choose = pd.concat([learn, choose]), None
        history = classifier.fit(learn, choose, seed=cell.seed, device=device, progress=False)
        if history.interrupted:
            raise KeyboardInterrupt  # half a training is no result
        report = classifier.evaluate(split.test)
    seconds = time.perf_counter() - start
    return dataclasses.asdict(cell) | report.summary() | {"seconds": seconds}


def cell_recipe(cell: Cell) -> Recipe:
    """Return the recipe that a cell trains, its variant's changes made."""
    recipe = get_recipe(*cell.model.split(" ", 1))
    if cell.variant == STANDARD:
        return recipe
    _, encoder, layers, training = VARIANTS[cell.variant]
    return dataclasses.replace(
        recipe,
        encoder=recipe.encoder | encoder,
        layers=recipe.layers | layers,
        training=recipe.training | training,
    )


def _score_peer(split: Split, cell: Cell) -> Report:
    _, peer = PEERS[cell.model]
    settings = {"by": cell.split} if peer is stack else {}
    probabilities = peer(pd.concat([split.train, split.validation]), split.test, **settings)
    genre = pd.Categorical(split.test["genre"], categories=GENRES).codes.astype(int)
    return Report(probabilities, genre)


def run_study(
    songs: pd.DataFrame,
    cells: Sequence[Cell],
    path: str | Path,
    command: str,
    device: str = "auto",
    scheduler: str | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Run the cells that the file at `path` does not have yet; return all rows as a table.

    They run here, one after the other, so that their seconds can be compared; or, faster, on the
    workers of the Dask cluster of `scheduler` (an address, or `genre_lib.cluster.LOCAL`). Rows
    and table come out in the order of `cells` either way.

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
    if scheduler is None or not left:
        choose_device(device)
        finished = ((cell, run_cell(songs, cell, device)) for cell in left)
    else:
        finished = run_on_cluster(run_cell, songs, left, device, scheduler)
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
                peer_versions=versions(PEER_PACKAGES),
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
    """Return a short text that differs for other songs."""
    rows = pd.util.hash_pandas_object(songs[["genre", "lyrics", *FEATURES]], index=False)
    return f"{int(rows.sum()) % 2**64:016x}"


def _cell_of(row: dict) -> Cell:
    return Cell(*(row[field.name] for field in dataclasses.fields(Cell)))


def _finished_rows(path: Path, identity: str) -> list[dict]:
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


def interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float]:
    """Return the mean of a few runs and the half-width of its t interval.

    Student's t, because five runs estimate their own spread poorly.
    """
    values = np.asarray(values, float)
    reach = stats.t.ppf(0.5 + level / 2, len(values) - 1)
    return float(values.mean()), float(reach * values.std(ddof=1) / np.sqrt(len(values)))


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Return means and standard deviations over seeds, a row a split, variant and model."""
    measures = ["accuracy", "macro_f1", "top2_accuracy", "calibration_error", "seconds"]
    by = rows.groupby(["split", "variant", "model"], sort=False)
    table = by[measures].agg(["mean", "std"])
    table.columns = ["_".join(pair) for pair in table.columns]
    return table.assign(base_rate=by["base_rate"].mean(), runs=by.size())


def paired(
    rows: pd.DataFrame, model: str, peer: str, split: str, measure: str = "accuracy"
) -> tuple[float, float]:
    """Return by how much `model` is above `peer` on the same splits, and the half-width of its
    95 % interval."""
    chosen = rows[(rows["split"] == split) & (rows["variant"] == STANDARD)]
    table = chosen.pivot(index="seed", columns="model", values=measure)
    return interval(table[model] - table[peer])


def markdown_table(rows: pd.DataFrame) -> str:
    """Return the study as a Markdown table: percentages as mean ± deviation over seeds."""
    lines = [
        "| split | variant | model | accuracy | macro-F1 | top-2 | calibration error | seconds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for (split, variant, model), row in summarise(rows).iterrows():
        shares = [
            f"{100 * row[f'{m}_mean']:.1f} ± {100 * row[f'{m}_std']:.1f}"
            for m in ("accuracy", "macro_f1", "top2_accuracy", "calibration_error")
        ]
        lines.append(
            f"| {split} | {variant} | {model} | {' | '.join(shares)} | {row['seconds_mean']:.1f} |"
        )
    return "\n".join(lines)
