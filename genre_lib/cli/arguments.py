"""What can be typed after `genre-lib`: its commands and their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.metadata import version
from typing import NoReturn

from genre_lib.data.schema import COLUMNS
from genre_lib.scaling import LOCAL

SOURCES = (
    "a CSV file in the layout of the published one, or 'published' (downloads 28 MB once), or "
    "'synthetic' (made up, works offline), or 'auto' (the default: what the environment variable "
    "GENRE_SONGS names, else published, else synthetic)"
)


class _Parser(argparse.ArgumentParser):
    """An argument parser whose complaint is one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"genre-lib: {message}; see {self.prog} --help\n")


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        try:
            value = int(text)  # 10_000_000 is one too
        except ValueError:
            value = least - 1
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"give a number from {least} to {most}, not {text}")
        return value

    return number


def parser() -> argparse.ArgumentParser:
    """Return the parser of `genre-lib`; `options.command` is the name of the command given."""
    root = _Parser(
        prog="genre-lib",
        description="Predict a song's genre from its lyrics and 22 scores, with networks that you "
        "train yourself. Try: genre-lib train lyrics --data synthetic --out my-run",
    )
    root.add_argument("--version", action="version", version=f"%(prog)s {version('genre-lib')}")
    commands = root.add_subparsers(required=True, metavar="COMMAND", dest="command")

    songs = commands.add_parser(
        "songs",
        help="show where songs come from and what they are",
        description="Print where the songs come from, how many there are, and the share of each "
        f"genre. A file of songs needs these columns: {', '.join(COLUMNS)}.",
    )
    songs.add_argument("--source", "--data", default="auto", metavar="SOURCE", help=SOURCES)

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
    train.add_argument(
        "--data", default="auto", metavar="SOURCE",
        help=f"{SOURCES}; or a folder of Parquet files, which may hold more songs than memory",
    )  # fmt: skip
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

    evaluate = commands.add_parser(
        "evaluate",
        help="score a saved network on songs with a genre",
        description="Score a saved network on songs that it has not seen. The file needs the "
        "column genre and the columns that the network looks at: lyrics, the 22 scores, or both.",
    )
    evaluate.add_argument("run", metavar="DIR", help="folder of a saved network")
    evaluate.add_argument("--data", required=True, metavar="SOURCE", help=SOURCES)

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

    study = commands.add_parser(
        "study",
        help="compare networks with baselines over splits and seeds",
        description="Train and score every course network and its baselines (scikit-learn, "
        "LightGBM, fastText) on several splits, with ablations. A study that was stopped goes on "
        "where it was when the same command is given again.",
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
        "--scheduler", nargs="?", const=LOCAL, metavar="ADDRESS",
        help="run on the workers of this Dask cluster, such as tcp://10.0.0.5:8786; without an "
        "address, on one process per core of this machine (default: here, one after the other, so "
        "that seconds can be compared)",
    )  # fmt: skip
    study.add_argument(
        "--out",
        required=True,
        metavar="FILE.json",
        help="file of the study; its table is written beside it, as FILE.md",
    )

    synth = commands.add_parser(
        "synth",
        help="make synthetic songs, as many as you like",
        description="Make synthetic songs in a folder of Parquet files, in parallel. Making that "
        "was stopped goes on when the same command is given again. Next: genre-lib train lyrics "
        "--data DIR --out RUN",
    )
    synth.add_argument(
        "--songs", type=_whole_number(100, 10**10), required=True, metavar="N", help="how many"
    )
    synth.add_argument(
        "--seed", type=_whole_number(0, 2**32 - 1), default=0,
        help="number that fixes the songs (default: 0)",
    )  # fmt: skip
    synth.add_argument(
        "--jobs", type=_whole_number(1, 1000), metavar="J",
        help="processes at a time (default: one for each core), of about 1 GB each",
    )  # fmt: skip
    synth.add_argument("--out", required=True, metavar="DIR", help="folder to put the songs in")

    commands.add_parser(
        "doctor",
        help="say what is installed here, and what is wrong with it",
        description="Print the versions of Python and packages, the device, the cache, where songs "
        "come from, and what is wrong with each. The exit status is 1 when something is.",
    )

    for command in (train, evaluate, predict, study):
        command.add_argument(
            "--device", default="auto", help="cpu, cuda, mps or auto (default: the fastest here)"
        )
    for command in (songs, train, evaluate):
        command.add_argument("--json", action="store_true", help="print one JSON object")
    return root
