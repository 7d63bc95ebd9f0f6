"""The commands of `genre-lib` and their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NoReturn

from genre_lib.data.schema import COLUMNS
from genre_lib.scaling import LOCAL

SOURCES = (
    "a CSV or Parquet file in the layout of the published one, or 'published' (downloads 28 MB "
    "once), or 'synthetic' (made up, works offline), or 'auto' (the default: what the environment "
    "variable GENRE_SONGS names, else published, else synthetic)"
)


class _Parser(argparse.ArgumentParser):
    """An argument parser whose error message is one sentence."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"genre-lib: {message}; see {self.prog} --help\n")

    def _print_message(self, message: str, file: Any = None) -> None:
        if message and file is not None:  # argparse's own version hides write errors
            file.write(message)


def _whole_number(minimum: int, maximum: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        try:
            value = int(text)  # accepts 10_000_000
        except ValueError:
            value = minimum - 1
        if not minimum <= value <= maximum:
            raise argparse.ArgumentTypeError(
                f"give a whole number from {minimum} to {maximum}, not {text}"
            )
        return value

    return number


def _version() -> str:
    try:
        return version("genre-lib")
    except PackageNotFoundError:  # run from a checkout
        return "(not installed)"


def parser() -> argparse.ArgumentParser:
    """Return the parser of `genre-lib`; `options.command` is the name of the command."""
    root = _Parser(
        prog="genre-lib",
        description="Predict a song's genre from its lyrics and 22 scores, with networks that you "
        "train yourself. Try: genre-lib train lyrics --data synthetic --out my-run",
    )
    root.add_argument("--version", action="version", version=f"%(prog)s {_version()}")
    commands = root.add_subparsers(required=True, metavar="COMMAND", dest="command")

    songs = commands.add_parser(
        "songs",
        help="show the source of the songs, and a summary",
        description="Print the source of the songs, their number, and the share of each genre. "
        f"A file of songs needs these columns: {', '.join(COLUMNS)}.",
    )
    songs.add_argument("--source", "--data", default="auto", metavar="SOURCE", help=SOURCES)

    train = commands.add_parser(
        "train",
        help="train a network and save it in a folder",
        description="Train a network on 70% of the songs, evaluate it on 10% after each epoch "
        "(the recipes 'first' and 'attention' keep the best epoch) and once on the other 20%, and "
        "save it in a folder.",
    )
    train.add_argument(
        "network", choices=["lyrics", "features", "combined"], help="what the network looks at"
    )
    train.add_argument(
        "--recipe", choices=["original", "first", "course", "attention"], default="course",
        help="original: the network and settings of the blog post; first: a simple improvement; "
        "course: the best (default); attention: one block of a transformer, for lyrics only",
    )  # fmt: skip
    train.add_argument(
        "--data", default="auto", metavar="SOURCE",
        help=f"{SOURCES}; or a folder of Parquet files, whose songs needn't fit in memory",
    )  # fmt: skip
    train.add_argument(
        "--split", choices=["song", "artist"], default="song",
        help="song: split at random (default); artist: keep each artist's songs together",
    )  # fmt: skip
    train.add_argument(
        "--all", action="store_true",
        help="train on 90%% of the songs, with 10%% for validation and none for testing",
    )  # fmt: skip
    train.add_argument(
        "--seed", type=_whole_number(0, 2**32 - 1), default=0,
        help="seed of the split and of the training run (default: 0)",
    )  # fmt: skip
    train.add_argument("--out", required=True, metavar="DIR", help="folder to save the network in")

    evaluate = commands.add_parser(
        "evaluate",
        help="evaluate a saved network on songs with a genre",
        description="Evaluate a saved network on songs that it has not seen. The file needs the "
        "column genre and the columns that the network looks at: lyrics, the 22 scores, or both.",
    )
    evaluate.add_argument("run", metavar="DIR", help="folder of a saved network")
    evaluate.add_argument("--data", required=True, metavar="SOURCE", help=SOURCES)

    predict = commands.add_parser(
        "predict",
        help="predict genres with a saved network",
        description="Print the probability of each genre, for typed lyrics or for a file of songs. "
        'Try: genre-lib predict my-run --lyrics "whiskey and a long lonesome road"',
    )
    predict.add_argument("run", metavar="DIR", help="folder of a saved network")
    what = predict.add_mutually_exclusive_group(required=True)
    what.add_argument("--data", metavar="SOURCE", help=f"{SOURCES}; no genre needed")
    what.add_argument("--lyrics", metavar="TEXT", help="a line of lyrics, in quotes")
    predict.add_argument(
        "--out",
        metavar="FILE.csv",
        help="with --data: write the table to a file instead of printing it",
    )

    study = commands.add_parser(
        "study",
        help="compare networks with baselines over splits and seeds",
        description="Train and evaluate all networks of the course and baselines (scikit-learn, "
        "LightGBM, fastText) on several splits, with ablations. To resume a study that was "
        "stopped, repeat the command.",
    )
    study.add_argument("--data", default="auto", metavar="SOURCE", help=SOURCES)
    study.add_argument(
        "--split", choices=["song", "artist"], action="append",
        help="only this kind of split (default: both)",
    )  # fmt: skip
    study.add_argument(
        "--seeds", type=_whole_number(1, 1000), default=20, metavar="N",
        help="how many splits of each kind (default: 20)",
    )  # fmt: skip
    study.add_argument(
        "--ablations", type=_whole_number(0, 1000), default=5, metavar="N",
        help="on how many of them to run simpler networks and variations, too (default: 5)",
    )  # fmt: skip
    study.add_argument(
        "--scheduler", nargs="?", const=LOCAL, metavar="ADDRESS",
        help="run on the workers of this Dask cluster, such as tcp://10.0.0.5:8786; without an "
        "address, in one process per core of this machine (default: in one process, one after the "
        "other, so that seconds are comparable)",
    )  # fmt: skip
    study.add_argument(
        "--out",
        required=True,
        metavar="FILE.json",
        help="file of the study; its table is written next to it, as FILE.md",
    )

    synth = commands.add_parser(
        "synth",
        help="make synthetic songs, as many as you like",
        description="Make synthetic songs in a folder of Parquet files, in parallel. To resume "
        "after a stop, repeat the command. Next: genre-lib train lyrics --data DIR --out RUN",
    )
    synth.add_argument(
        "--songs", type=_whole_number(100, 10**10), required=True, metavar="N", help="how many"
    )
    synth.add_argument(
        "--seed", type=_whole_number(0, 2**32 - 1), default=0,
        help="seed of the songs (default: 0)",
    )  # fmt: skip
    synth.add_argument(
        "--jobs", type=_whole_number(1, 1000), metavar="J",
        help="number of processes (default: one per core); each uses about 1 GB of memory",
    )  # fmt: skip
    synth.add_argument("--out", required=True, metavar="DIR", help="folder to put the songs in")

    doctor = commands.add_parser(
        "doctor",
        help="check the installation, or a file of songs of a new genre",
        description="Print the versions of Python and packages, the device, the cache, the source "
        "of the songs, and any problems; or what is wrong with a file of songs. If there are "
        "problems, the exit status is 1.",
    )
    doctor.add_argument(
        "file", nargs="?", metavar="FILE", help="a CSV file of songs of a genre of your own"
    )

    for command in (train, evaluate, predict, study):
        command.add_argument(
            "--device", default="auto", help="cpu, cuda, mps or auto (default: the fastest one)"
        )
    for command in (songs, train, evaluate):
        command.add_argument("--json", action="store_true", help="print one JSON object")
    return root
