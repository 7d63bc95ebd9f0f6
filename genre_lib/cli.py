"""The command `genre-lib`: songs, train, evaluate, predict, study, synth, doctor. Chapter 6."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from genre_lib.arguments import parser
from genre_lib.classifier import GenreClassifier, check_run_target
from genre_lib.doctor import diagnose
from genre_lib.making import make_shards
from genre_lib.processes import OthersEnded, is_first, leave
from genre_lib.recipes import Recipe, get_recipe
from genre_lib.schema import AUDIO_FEATURES, GenreLibError
from genre_lib.shards import SongShards
from genre_lib.songs import Split, hold_out, load_songs, split_songs
from genre_lib.stored import write_text
from genre_lib.study import check_study_target, markdown_table, plan, run_study


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status (2: something that the user can mend)."""
    warnings.showwarning = lambda message, *_: print(f"Note: {message}", file=sys.stderr)
    if hasattr(sys.stdout, "reconfigure"):  # a screen without a song's letters shows "?"
        sys.stdout.reconfigure(errors="replace")
    options = parser().parse_args(arguments)
    try:
        COMMANDS[options.command](options)
        sys.stdout.flush()
    except GenreLibError as error:
        if is_first() or isinstance(error, OthersEnded):
            print(f"genre-lib: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `genre-lib … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("genre-lib: stopped.", file=sys.stderr)
        return 130
    except FaultsFound:
        return 1
    return 0


class FaultsFound(Exception):
    """The doctor has found something, and has printed it."""


def show_songs(options: argparse.Namespace) -> None:
    """Print where the songs come from, how many there are, and the share of each genre."""
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
        return print(json.dumps(summary))
    print(f"Songs: {summary['source']}")
    first, last = summary["years"]
    print(f"{len(songs):,} songs by {summary['artists']:,} artists, {first}–{last}")
    for genre, count in counts.items():
        print(f"  {genre:10}{count:7,}{count / len(songs):8.1%}")
    print(f"Base rate (always {counts.index[0]}): {summary['base_rate']:.1%}")
    print(songs.groupby("genre")[list(AUDIO_FEATURES)].mean().round(2).to_string())


def train_network(options: argparse.Namespace) -> None:
    """Train, score and save a network."""
    recipe = get_recipe(options.recipe, options.network)
    out = check_run_target(options.out)
    checkpoint = out.with_name(f"{out.name}.checkpoint")
    if checkpoint.exists() and is_first():
        print(f"Going on from {checkpoint.name}.", file=sys.stderr)
    split, source = _divided_songs(options, recipe)
    classifier = GenreClassifier(recipe)
    history = classifier.fit(
        split.train, split.validation,
        seed=options.seed, device=options.device, checkpoint=checkpoint,
        progress=sys.stderr.isatty() and is_first(),
    )  # fmt: skip
    if history.interrupted and not history.rows:
        raise KeyboardInterrupt  # nothing was learned: an older run is worth more
    if not is_first():
        return leave()  # the first process scores, saves and tells
    result = {
        "recipe": recipe.name,
        "network": recipe.task,
        "data": source,
        "split": options.split,
        "seed": options.seed,
        "epochs": len(history.rows),
        "best_epoch": history.best_epoch,
        "interrupted": history.interrupted,
        "seconds": sum(row["seconds"] for row in history.rows),
        "validation": classifier.evaluate(split.validation).summary(),
    }
    if not options.all:
        result["test"] = classifier.evaluate(split.test).summary()
    classifier.notes = result
    classifier.save(options.out)
    if not history.interrupted:
        checkpoint.unlink(missing_ok=True)
    leave()
    if options.json:
        return print(json.dumps(result | {"out": str(options.out)}))
    print(f"{recipe.task} network, recipe {recipe.name}, {source}")
    trained = "Stopped by you after" if history.interrupted else "Trained"
    print(
        f"{trained} {len(history.rows)} epochs in {result['seconds']:.1f} s; "
        f"kept the weights of epoch {history.best_epoch}."
    )
    for name in ("validation", "test"):
        if name in result:
            print(f"{name:10} {_score_line(result[name])}")
    print(f"Saved in {options.out}. Next: genre-lib evaluate {options.out} --data FILE")


def _divided_songs(options: argparse.Namespace, recipe: Recipe) -> tuple[Split, str]:
    """The songs to learn from, to choose by and to be judged on, and where they are from."""
    folder = options.data not in ("auto", "published", "synthetic") and Path(options.data)
    if folder and folder.expanduser().is_dir():
        shards = SongShards(folder)
        return shards.split(options.split, options.seed, test=not options.all), shards.source
    artist = ("artist_name",) if options.split == "artist" else ()
    songs = load_songs(options.data, ("genre", *recipe.inputs, *artist))
    divide = hold_out if options.all else split_songs
    return divide(songs, options.split, options.seed), songs.attrs["source"]


def evaluate_network(options: argparse.Namespace) -> None:
    """Score a saved network on a file of songs."""
    classifier = GenreClassifier.load(options.run, options.device)
    songs = load_songs(options.data, ("genre", *classifier.recipe.inputs))
    result = classifier.evaluate(songs).summary()
    print(json.dumps(result) if options.json else _score_line(result))


def predict_genres(options: argparse.Namespace) -> None:
    """Print or write the predicted genres of typed lyrics or of a file of songs."""
    if options.out and not options.data:
        raise GenreLibError("--out needs --data FILE: typed lyrics are answered on the screen.")
    classifier = GenreClassifier.load(options.run, options.device)
    if options.lyrics is not None:
        lyrics = options.lyrics.encode(errors="replace").decode()  # bytes that are no letters
        for genre, probability in classifier.predict_lyrics(lyrics).items():
            print(f"{genre:10}{probability:7.1%}")
        return
    if options.out and Path(options.out).resolve() == Path(options.data).resolve():
        raise GenreLibError(f"--out would replace the songs in {options.data}: name another.")
    if options.out and not Path(options.out).absolute().parent.is_dir():
        raise GenreLibError(f"There is no folder for {options.out}: make it first.")
    songs = load_songs(options.data, classifier.recipe.inputs)
    named = [name for name in ("artist_name", "track_name") if name in songs]
    table = pd.concat([songs[named], classifier.predict(songs)], axis=1)
    if not options.out:
        return print(table.round(4).to_csv(index=False), end="")
    write_text(options.out, table.to_csv(index=False))
    print(f"Wrote {len(table):,} predictions to {options.out}.")


def compare(options: argparse.Namespace) -> None:
    """Run a study, print its table, and leave the table beside its file as Markdown."""
    check_study_target(options.out)
    songs = load_songs(options.data)
    kinds = options.split or ["song", "artist"]
    cells = plan(kinds, range(options.seeds), ablations=not options.no_ablations)
    command = f"genre-lib study --out {Path(options.out).name}"
    if options.scheduler is not None:
        command += " --scheduler"  # where its seconds come from, and no name of a machine
    rows = run_study(songs, cells, options.out, command, options.device, options.scheduler)
    table = markdown_table(rows)
    write_text(Path(options.out).expanduser().with_suffix(".md"), table + "\n")
    print(table)


def make_synthetic_songs(options: argparse.Namespace) -> None:
    """Make synthetic songs in a folder of Parquet files."""
    make_shards(options.out, options.songs, options.seed, options.jobs, sys.stderr.isatty())
    print(f"{SongShards(options.out).source} are in {options.out}.")


def examine(options: argparse.Namespace) -> None:
    """Print what this installation stands on, and what is wrong with it."""
    faults = 0
    for finding in diagnose():
        print(f"{'wrong' if finding.fault else 'fine':6}{finding.name:14}{finding.says}")
        if finding.fault:
            faults += 1
            print(f"{'':6}{'':14}{finding.fault}")
    print("Nothing is wrong." if not faults else f"Wrong: {faults}.")
    if faults:
        raise FaultsFound


def _score_line(result: dict[str, float]) -> str:
    return (
        f"{result['songs']:,} songs: accuracy {result['accuracy']:.1%} (base rate "
        f"{result['base_rate']:.1%}), macro-F1 {result['macro_f1']:.1%}"
    )


COMMANDS = {
    "songs": show_songs,
    "train": train_network,
    "evaluate": evaluate_network,
    "predict": predict_genres,
    "study": compare,
    "synth": make_synthetic_songs,
    "doctor": examine,
}
