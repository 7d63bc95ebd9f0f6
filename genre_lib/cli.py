"""The command `genre-lib`: songs, train, evaluate, predict, study. Explained in chapter 6."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import NoReturn

import pandas as pd

from genre_lib.classifier import GenreClassifier, check_run_target
from genre_lib.recipes import get_recipe
from genre_lib.schema import AUDIO_FEATURES, COLUMNS, GenreLibError
from genre_lib.songs import hold_out, load_songs, split_songs
from genre_lib.study import check_study_target, markdown_table, plan, run_study

SOURCES = (
    "a CSV file in the layout of the published one, or 'published' (downloads 28 MB once), or "
    "'synthetic' (made up, works offline), or 'auto' (the default: what the environment variable "
    "GENRE_SONGS names, else published, else synthetic)"
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status (2: something that the user can mend)."""
    warnings.showwarning = lambda message, *_: print(f"Note: {message}", file=sys.stderr)
    if hasattr(sys.stdout, "reconfigure"):  # a screen without a song's letters shows "?"
        sys.stdout.reconfigure(errors="replace")
    options = _parser().parse_args(arguments)
    try:
        options.command(options)
        sys.stdout.flush()
    except GenreLibError as error:
        print(f"genre-lib: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `genre-lib … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("genre-lib: stopped.", file=sys.stderr)
        return 130
    return 0


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"genre-lib: {message}; see {self.prog} --help\n")


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"give a number from {least} to {most}, not {text}")
        return value

    return number


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="genre-lib",
        description="Predict a song's genre from its lyrics and 22 scores, with networks that you "
        "train yourself. Try: genre-lib train lyrics --data synthetic --out my-run",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {version('genre-lib')}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    songs = commands.add_parser(
        "songs",
        help="show where songs come from and what they are",
        description="Print where the songs come from, how many there are, and the share of each "
        f"genre. A file of songs needs these columns: {', '.join(COLUMNS)}.",
    )
    songs.add_argument("--source", "--data", default="auto", metavar="SOURCE", help=SOURCES)
    songs.set_defaults(command=show_songs)

    train = commands.add_parser(
        "train",
        help="train a network and save it in a folder",
        description="Train a network on 70 % of the songs, score it on 10 % while it learns (the "
        "recipe 'first' keeps its best epoch by them) and once on the other 20 %, and save it in "
        "a folder.",
    )
    train.add_argument(
        "network", choices=["lyrics", "features", "combined"], help="what the network looks at"
    )
    train.add_argument(
        "--recipe", choices=["original", "first", "course"], default="course",
        help="original: the blog post's network and settings; first: a plain better one; "
        "course: the best (default)",
    )  # fmt: skip
    train.add_argument("--data", default="auto", metavar="SOURCE", help=SOURCES)
    train.add_argument(
        "--split", choices=["song", "artist"], default="song",
        help="song: divide at random (default); artist: keep each artist's songs together",
    )  # fmt: skip
    train.add_argument(
        "--all", action="store_true",
        help="train on 90 %% of the songs, keep 10 %% for validation, score no test songs",
    )  # fmt: skip
    train.add_argument(
        "--seed", type=_whole_number(0, 2**32 - 1), default=0,
        help="number of the split and of the run (default: 0)",
    )  # fmt: skip
    train.add_argument("--out", required=True, metavar="DIR", help="folder to save the network in")
    train.set_defaults(command=train_network)

    evaluate = commands.add_parser(
        "evaluate",
        help="score a saved network on songs with a genre",
        description="Score a saved network on songs that it has not seen. The file needs the "
        "column genre and the columns that the network looks at: lyrics, the 22 scores, or both.",
    )
    evaluate.add_argument("run", metavar="DIR", help="folder of a saved network")
    evaluate.add_argument("--data", required=True, metavar="SOURCE", help=SOURCES)
    evaluate.set_defaults(command=evaluate_network)

    predict = commands.add_parser(
        "predict",
        help="let a saved network guess genres",
        description="Print the probability of each genre, for typed lyrics or for a file of songs. "
        'Try: genre-lib predict my-run --lyrics "whiskey and a long lonesome road"',
    )
    predict.add_argument("run", metavar="DIR", help="folder of a saved network")
    what = predict.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", metavar="SOURCE", help=f"{SOURCES}; no genre needed")
    what.add_argument("--lyrics", metavar="TEXT", help="a line of lyrics, in quotes")
    predict.add_argument(
        "--out", metavar="FILE.csv", help="with --data: write the table here, not to the screen"
    )
    predict.set_defaults(command=predict_genres)

    study = commands.add_parser(
        "study",
        help="compare networks with their peers over splits and seeds",
        description="Train and score every course network and its peers (scikit-learn, LightGBM, "
        "fastText) on several splits, with ablations. A study that was stopped goes on where it "
        "was when the same command is given again.",
    )
    study.add_argument("--data", default="auto", metavar="SOURCE", help=SOURCES)
    study.add_argument(
        "--split", choices=["song", "artist"], action="append",
        help="only this kind of split (default: both)",
    )  # fmt: skip
    study.add_argument(
        "--seeds", type=_whole_number(1, 1000), default=5, help="how many split seeds (default: 5)"
    )
    study.add_argument(
        "--no-ablations", action="store_true", help="leave out the variations of the networks"
    )
    study.add_argument(
        "--out",
        required=True,
        metavar="FILE.json",
        help="file of the study; its table is written beside it, as FILE.md",
    )
    study.set_defaults(command=compare)

    for command in (train, evaluate, predict, study):
        command.add_argument(
            "--device", default="auto", help="cpu, cuda, mps or auto (default: the fastest here)"
        )
    for command in (songs, train, evaluate):
        command.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


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
    check_run_target(options.out)
    artist = ("artist_name",) if options.split == "artist" else ()
    songs = load_songs(options.data, ("genre", *recipe.inputs, *artist))
    divide = hold_out if options.all else split_songs
    split = divide(songs, options.split, options.seed)

    classifier = GenreClassifier(recipe)
    history = classifier.fit(
        split.train, split.validation,
        seed=options.seed, device=options.device, progress=sys.stderr.isatty(),
    )  # fmt: skip
    if history.interrupted and not history.rows:
        raise KeyboardInterrupt  # nothing was learned: an older run is worth more
    result = {
        "recipe": recipe.name,
        "network": recipe.task,
        "data": songs.attrs["source"],
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
    if options.json:
        return print(json.dumps(result | {"out": str(options.out)}))
    print(f"{recipe.task} network, recipe {recipe.name}, {songs.attrs['source']}")
    trained = "Stopped by you after" if history.interrupted else "Trained"
    print(
        f"{trained} {len(history.rows)} epochs in {result['seconds']:.1f} s; "
        f"kept the weights of epoch {history.best_epoch}."
    )
    for name in ("validation", "test"):
        if name in result:
            print(f"{name:10} {_score_line(result[name])}")
    print(f"Saved in {options.out}. Next: genre-lib evaluate {options.out} --data FILE")


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
    try:
        Path(options.out).write_text(table.to_csv(index=False), encoding="utf-8")
    except OSError as error:
        raise GenreLibError(f"Could not write {options.out} ({error.strerror or error}).") from None
    print(f"Wrote {len(table):,} predictions to {options.out}.")


def compare(options: argparse.Namespace) -> None:
    """Run a study, print its table, and leave the table beside its file as Markdown."""
    check_study_target(options.out)
    songs = load_songs(options.data)
    kinds = options.split or ["song", "artist"]
    cells = plan(kinds, range(options.seeds), ablations=not options.no_ablations)
    command = f"genre-lib study --out {Path(options.out).name}"
    rows = run_study(songs, cells, options.out, command, options.device)
    table = markdown_table(rows)
    Path(options.out).with_suffix(".md").write_text(table + "\n", encoding="utf-8")
    print(table)


def _score_line(result: dict[str, float]) -> str:
    return (
        f"{result['songs']:,} songs: accuracy {result['accuracy']:.1%} (base rate "
        f"{result['base_rate']:.1%}), macro-F1 {result['macro_f1']:.1%}"
    )
