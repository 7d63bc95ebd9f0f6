"""The commands of `genre-lib`; each returns the exit status. Chapter 8."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from genre_lib.classifier.classifier import GenreClassifier
from genre_lib.classifier.recipes import get_recipe
from genre_lib.classifier.run_folder import check_run_target
from genre_lib.data.schema import AUDIO_FEATURES
from genre_lib.data.songs import load_songs, named_source
from genre_lib.data.splits import hold_out, split_songs
from genre_lib.data.tensors import UNKNOWN_ID
from genre_lib.errors import GenreLibError
from genre_lib.evaluation.report import Report
from genre_lib.files import check_target, expand, write_text
from genre_lib.scaling.checkpoint import Checkpoint
from genre_lib.scaling.processes import OneProcess, OtherProcessEnded, find_processes
from genre_lib.training.history import History, TrainingState


def show_songs(options: argparse.Namespace) -> int:
    """Print the source of the songs, their number, and the share of each genre."""
    songs = load_songs(options.source)
    counts = songs["genre"].value_counts()
    summary = {
        "source": songs.attrs["source"],
        "songs": len(songs),
        "artists": songs["artist_name"].nunique(),
        "years": [int(songs["release_date"].min()), int(songs["release_date"].max())],
        "genres": {genre: int(count) for genre, count in counts.items()},
        "base_rate": float(counts.iloc[0] / len(songs)),
    }
    if options.json:
        print(json.dumps(summary))
        return 0
    print(f"Songs: {summary['source']}")
    first, last = summary["years"]
    print(f"{len(songs):,} songs by {summary['artists']:,} artists, {first}–{last}")
    for genre, count in counts.items():
        print(f"  {genre:10}{count:7,}{count / len(songs):8.1%}")
    print(f"Base rate (always {counts.index[0]}): {summary['base_rate']:.1%}")
    print(songs.groupby("genre")[list(AUDIO_FEATURES)].mean().round(2).to_string())
    return 0


def train_network(options: argparse.Namespace) -> int:
    """Train, evaluate and save a network, in one process or as one of several."""
    processes = find_processes(options.device)
    try:
        _train(options, processes)
        processes.shut_down()
    except OtherProcessEnded:
        raise
    except GenreLibError:
        if processes.is_first:
            raise
        return 2  # the first process prints the message
    return 0


def _train(options: argparse.Namespace, processes: OneProcess) -> None:
    recipe = get_recipe(options.recipe, options.network)
    out = check_run_target(options.out)
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    classifier = GenreClassifier(recipe)
    settings = {
        "seed": options.seed,
        "device": processes.device(options.device),
        "hooks": [_AnnouncedCheckpoint(checkpoint, processes)],
        "progress": sys.stderr.isatty() and processes.is_first,
    }
    fit = _fit_on_shards if _is_folder(options.data) else _fit_on_table
    history, source, evaluate_part = fit(classifier, options, processes, settings)
    if history.interrupted and not history.rows:
        raise KeyboardInterrupt  # nothing was learned: keep an older run
    if not processes.is_first:
        return  # the first process evaluates, saves and prints
    parts = ("validation",) if options.all else ("validation", "test")
    reports = {name: evaluate_part(name) for name in parts}
    classifier.notes = {
        "recipe": recipe.name,
        "network": recipe.task,
        "data": source,
        "split": options.split,
        "seed": options.seed,
        "epochs": len(history.rows),
        "best_epoch": history.best_epoch,
        "interrupted": history.interrupted,
        "seconds": sum(row["seconds"] for row in history.rows),
    } | {name: report.summary() for name, report in reports.items()}
    classifier.save(out)
    if not history.interrupted:
        checkpoint.unlink(missing_ok=True)
    if options.json:
        print(json.dumps(classifier.notes | {"out": str(options.out)}))
    else:
        _print_result(classifier, history, reports, options.out)


class _AnnouncedCheckpoint(Checkpoint):
    """A checkpoint that announces that a run resumes from it, once it is known to match."""

    def before_training(self, state: TrainingState, *others: Any) -> None:
        super().before_training(state, *others)
        if state.epochs and self.processes.is_first:
            print(f"Resuming from {self.path.name} after epoch {state.epochs}.", file=sys.stderr)


TrainingResult = tuple[History, str, Callable[[str], Report]]
"""The history, the source of the songs, and a function that evaluates a part of the split."""


def _fit_on_table(
    classifier: GenreClassifier,
    options: argparse.Namespace,
    processes: OneProcess,
    settings: dict[str, Any],
) -> TrainingResult:
    artist = ("artist_name",) if options.split == "artist" else ()
    songs = load_songs(options.data, ("genre", *classifier.recipe.inputs, *artist))
    divide = hold_out if options.all else split_songs
    split = divide(songs, options.split, options.seed)
    history = classifier.fit(split.train, split.validation, strategy=processes, **settings)
    return history, songs.attrs["source"], lambda part: classifier.evaluate(getattr(split, part))


def _fit_on_shards(
    classifier: GenreClassifier,
    options: argparse.Namespace,
    processes: OneProcess,
    settings: dict[str, Any],
) -> TrainingResult:
    from genre_lib.scaling.shards import SongShards, evaluate_shards, fit_shards

    shards = SongShards(options.data)
    split = shards.split(options.split, options.seed, test=not options.all)
    history = fit_shards(classifier, split, processes=processes, **settings)
    return history, shards.source, lambda part: evaluate_shards(classifier, getattr(split, part))


def _is_folder(source: str) -> bool:
    words = ("auto", "published", "synthetic")
    return source not in words and expand(source).is_dir()


def _print_result(
    classifier: GenreClassifier, history: History, reports: dict[str, Report], out: str
) -> None:
    notes = classifier.notes
    print(f"{notes['network']} network, recipe {notes['recipe']}, {notes['data']}")
    trained = "Interrupted after" if history.interrupted else "Trained for"
    print(
        f"{trained} {notes['epochs']} epochs in {notes['seconds']:.1f} s; "
        f"kept the weights of epoch {notes['best_epoch']}."
    )
    for name, report in reports.items():
        print(f"{name:10} {_result_line(report.summary())}")
    print(f"Saved in {out}. Next: genre-lib evaluate {out} --data FILE")


def evaluate_network(options: argparse.Namespace) -> int:
    """Evaluate a saved network on a file of songs."""
    classifier = GenreClassifier.load(options.run, options.device)
    needed = ("genre", *classifier.recipe.inputs)
    songs = load_songs(options.data, needed, classifier.encoder.genres)
    result = classifier.evaluate(songs).summary()
    print(json.dumps(result) if options.json else _result_line(result))
    return 0


def predict_genres(options: argparse.Namespace) -> int:
    """Print or write the predicted genres of typed lyrics or of a file of songs."""
    if options.out and not options.data:
        raise GenreLibError("--out needs --data FILE: results for typed lyrics are only printed.")
    classifier = GenreClassifier.load(options.run, options.device)
    if options.lyrics is not None:
        lyrics = options.lyrics.encode(errors="replace").decode()  # invalid bytes
        for genre, probability in classifier.predict_lyrics(lyrics).items():
            print(f"{genre:10}{probability:7.1%}")
        tokens = classifier.encode(pd.DataFrame({"lyrics": [lyrics]})).lyrics
        if not (tokens > UNKNOWN_ID).any():
            print("Note: The network knows none of these words.", file=sys.stderr)
        return 0
    if options.out:
        out = check_target(options.out, named_source(options.data), options.run)
    songs = load_songs(options.data, classifier.recipe.inputs)
    named = [name for name in ("artist_name", "track_name") if name in songs]
    table = pd.concat([songs[named], classifier.predict(songs)], axis=1)
    if not options.out:
        print(table.round(4).to_csv(index=False), end="")
        return 0
    write_text(out, table.to_csv(index=False))
    print(f"Wrote {len(table):,} predictions to {options.out}.")
    return 0


def run_comparison(options: argparse.Namespace) -> int:
    """Run a study, print its table, and write it as Markdown next to the study's file."""
    from genre_lib.scaling.cluster import run_on_cluster
    from genre_lib.study.plan import plan
    from genre_lib.study.run import check_study_target, run_locally, run_study
    from genre_lib.study.tables import markdown_table

    check_study_target(options.out)
    songs = load_songs(options.data)
    splits = options.split or ["song", "artist"]
    cells = plan(splits, options.seeds, options.ablations)
    run_cells = (
        partial(run_on_cluster, address=options.scheduler)
        if options.scheduler is not None
        else run_locally
    )
    rows = run_study(songs, cells, options.out, _study_command(options), options.device, run_cells)
    table = markdown_table(rows)
    write_text(expand(options.out).with_suffix(".md"), table + "\n")
    print(table)
    return 0


def _study_command(options: argparse.Namespace) -> str:
    """Return the command that reproduces the study, without local paths."""
    words = ["genre-lib", "study", "--out", Path(options.out).name]
    if options.data != "auto":
        words += ["--data", Path(options.data).name]
    for kind in options.split or []:
        words += ["--split", kind]
    words += ["--seeds", str(options.seeds), "--ablations", str(options.ablations)]
    if options.device != "auto":
        words += ["--device", options.device]
    if options.scheduler is not None:
        words.append("--scheduler")  # as it affects the timings
    return shlex.join(words)


def make_synthetic_songs(options: argparse.Namespace) -> int:
    """Make synthetic songs in a folder of Parquet files."""
    from genre_lib.scaling.make_shards import make_shards
    from genre_lib.scaling.shards import SongShards

    make_shards(options.out, options.songs, options.seed, options.jobs, sys.stderr.isatty())
    print(f"{SongShards(options.out).source} are in {options.out}.")
    return 0


def run_doctor(options: argparse.Namespace) -> int:
    """Print the state of the installation or of a file; with problems, the exit status is 1."""
    from genre_lib.cli.doctor import diagnose
    from genre_lib.data.song_file import examine

    problems = 0
    for finding in examine(options.file, load_songs()) if options.file else diagnose():
        print(f"{'wrong' if finding.problem else 'ok':6}{finding.name:14}{finding.state}")
        if finding.problem:
            problems += 1
            print(f"{'':6}{'':14}{finding.problem}")
    print(f"Problems: {problems}." if problems else "Nothing is wrong.")
    if problems:
        return 1
    return 0


def _result_line(result: dict[str, float]) -> str:
    return (
        f"{result['songs']:,} songs: accuracy {result['accuracy']:.1%} (base rate "
        f"{result['base_rate']:.1%}), macro-F1 {result['macro_f1']:.1%}"
    )


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "songs": show_songs,
    "train": train_network,
    "evaluate": evaluate_network,
    "predict": predict_genres,
    "study": run_comparison,
    "synth": make_synthetic_songs,
    "doctor": run_doctor,
}
