"""Train the course's networks and write them for the page "Try it": ``make live``.

The page needs two files in ``book/_static/live/``, which ``live/network.js`` reads: a header with
names, words, typical songs and provenance (``networks.json``), and all numbers (``networks.bin``).
A tenth of the songs is held out. How much accuracy the smaller vocabulary and the rounding cost on
these is stored in ``benchmarks/results/live.json``.
"""

from __future__ import annotations

import argparse
import copy
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn

from course_tools.live import FOLDER, HEADER, NUMBERS, RESULT, TASKS
from course_tools.live.examples import answer_examples
from course_tools.live.packing import pack, unpack
from genre_lib.classifier.classifier import GenreClassifier
from genre_lib.classifier.recipes import Recipe, get_recipe
from genre_lib.data.schema import AUDIO_FEATURES, FOOTER, GENRES, TOPIC_FEATURES
from genre_lib.data.songs import load_songs
from genre_lib.data.splits import Split, hold_out
from genre_lib.data.tensors import PAD_ID, UNKNOWN_ID
from genre_lib.environment import versions
from genre_lib.errors import GenreLibError
from genre_lib.evaluation.intervals import interval_over_songs
from genre_lib.evaluation.report import Report, evaluate
from genre_lib.files import written_whole
from genre_lib.plots.words import SLURS
from genre_lib.study.results import write_result

FORMAT = 2
"""Incremented whenever `live/network.js` can no longer read older files."""

MIN_FREQUENCY = 9
"""The course's is 3; with this, the files made from the published songs are within `LIMIT`."""

LIMIT = 600_000
"""The most bytes that both files may have together."""

SHARED = ("branches.", "form.")
"""Where the names of tensors begin that the lyrics and the combined network have in common."""

VOTES = "branches.embedding.weight"
RARITY, BAG_RARITY = "form.rarity", "branches.embedding.rarity"


def live_recipe(task: str) -> Recipe:
    """The course's recipe for a task, with a smaller vocabulary."""
    recipe = get_recipe("course", task)
    return replace(recipe, encoder=recipe.encoder | {"min_frequency": MIN_FREQUENCY})


def train(recipe: Recipe, split: Split) -> GenreClassifier:
    """Train a network on the songs that are not held out."""
    classifier = GenreClassifier(recipe)
    classifier.fit(split.train, progress=False, device="cpu")
    return classifier


def pack_networks(classifiers: Mapping[str, GenreClassifier]) -> tuple[dict[str, Any], bytes]:
    """The header, without typical songs and provenance, and the numbers of three networks.

    The word branches of the lyrics and the combined network are stored once: no other part of a
    network changes them, so training them on the same songs gives the same votes.
    """
    check_alike(classifiers)
    networks = {task: classifiers[task].trained for task in TASKS}
    tensors: dict[str, tuple[Tensor, str]] = {}
    # A page answers as soon as a song's words have come. Their votes are most of the file, so they
    # come after all else that the networks with words need, and before the other network.
    for task in ("lyrics", "combined", "features"):
        for name, tensor in networks[task].state_dict().items():
            if name != BAG_RARITY:  # that of the form, but 0 for special tokens
                tensors[stored_name(task, name)] = (tensor, storage_type(name))
        if task == "combined":
            tensors[VOTES] = tensors.pop(VOTES)
    described, content = pack(tensors)
    encoder = classifiers["combined"].encoder
    header = {
        "format": FORMAT,
        "genres": GENRES,
        "scores": encoder.settings["features"],
        "topics": networks["combined"].topics,
        "folds": networks["combined"].branches.folds,
        "max_tokens": encoder.settings["max_tokens"],
        "footer": FOOTER,
        "slurs": SLURS.pattern,
        "words": " ".join(encoder.words),
        "tensors": described,
        "bytes": len(content),
        "checksum": zlib.adler32(content),
    }
    return header, content


def check_alike(classifiers: Mapping[str, GenreClassifier]) -> None:
    """Raise `GenreLibError` if `live/network.js` can't compute these three networks together."""
    lyrics, features, combined = (classifiers[task] for task in TASKS)
    for classifier in (lyrics, features, combined):
        settings = classifier.encoder.settings
        if settings["footer"] or settings["scale"]:
            raise GenreLibError("The page needs scores as they are, and lyrics without the footer.")
    sizes = [classifier.encoder.settings["max_tokens"] for classifier in (lyrics, combined)]
    scores = [classifier.encoder.settings["features"] for classifier in (features, combined)]
    topics = [classifier.trained.topics for classifier in (features, combined)]
    words = [classifier.encoder.words for classifier in (lyrics, combined)]
    if any(one != other for one, other in (sizes, scores, topics, words)):
        raise GenreLibError("The three networks differ in words or scores: use one encoder.")
    one, other = lyrics.trained.state_dict(), combined.trained.state_dict()
    for name in one:
        if name.startswith(SHARED) and not torch.allclose(one[name], other[name], atol=1e-5):
            raise GenreLibError(
                f"The lyrics and the combined network differ in {name}: train both on the same "
                "songs, with the same seed and settings."
            )


def stored_name(task: str, name: str) -> str:
    """A tensor's name in the header, from its name in the network."""
    return name if name.startswith(SHARED) else f"{task}.{name}"


def storage_type(name: str) -> str:
    """A tensor's type in the file: exact for bins, small for the votes, most of the numbers."""
    if name == VOTES:
        return "int8"
    return "float16" if "ensemble." in name or name == RARITY else "float32"


def unpack_networks(
    classifiers: Mapping[str, GenreClassifier], header: Mapping[str, Any], content: bytes
) -> dict[str, nn.Module]:
    """Copies of the networks with the packed numbers: what `live/network.js` computes."""
    tensors = unpack(header["tensors"], content)
    tensors[BAG_RARITY] = tensors[RARITY].clone()
    tensors[BAG_RARITY][[PAD_ID, UNKNOWN_ID]] = 0.0
    networks = {}
    for task in TASKS:
        networks[task] = copy.deepcopy(classifiers[task].trained)
        names = networks[task].state_dict()
        networks[task].load_state_dict({name: tensors[stored_name(task, name)] for name in names})
    return networks


def typical_songs(songs: pd.DataFrame) -> dict[str, list[float]]:
    """Scores of a typical song of each genre; none of them is a song of the table.

    Its audio scores are the genre's medians, to two digits, as a slider shows them. Its topics
    can't be: most songs have a few large topics, each song others, so that medians of single topics
    add up to about 0.1 instead of 1. Instead, its largest topic is as large as the median song's
    largest one, and so on; the topics with the largest means are the largest.
    """
    typical = {}
    for genre in GENRES:
        of_genre = songs[songs["genre"] == genre]
        topics = of_genre[list(TOPIC_FEATURES)].to_numpy()
        sizes = np.median(np.sort(topics, axis=1), axis=0)
        order = topics.mean(axis=0).argsort()
        audio = of_genre[list(AUDIO_FEATURES)].median().round(2)
        scores = np.concatenate([np.empty(len(order)), audio])
        scores[order] = sizes
        typical[genre] = scores.round(6).tolist()
    return typical


def write_networks(folder: Path, header: Mapping[str, Any], content: bytes) -> int:
    """Write both files, and return how many bytes they have; `GenreLibError` if too many."""
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    size = len(text) + len(content)
    if size > LIMIT:
        raise GenreLibError(
            f"The networks have {size:,} bytes, more than {LIMIT:,}: raise MIN_FREQUENCY."
        )
    for name, data in ((HEADER, text), (NUMBERS, content)):
        with written_whole(folder / name) as new:
            new.write_bytes(data)
    return size


def right(report: Report) -> np.ndarray:
    """Whether each answer is right, as 0 or 1."""
    return (report.predicted == report.genre).astype(float)


def compare(
    course: GenreClassifier, live: GenreClassifier, exported: nn.Module, songs: pd.DataFrame
) -> dict[str, Any]:
    """What a smaller vocabulary and then rounding change on songs that no network has seen."""
    reports = [course.evaluate(songs), live.evaluate(songs), evaluate(exported, live.encode(songs))]
    found: dict[str, Any] = {
        name: report.summary()
        for name, report in zip(("course", "live", "exported"), reports, strict=True)
    }
    for name, before, after in (("vocabulary", *reports[:2]), ("rounding", *reports[1:])):
        change, half_width = interval_over_songs(right(after) - right(before), songs["artist_name"])
        found[name] = {
            "accuracy_change": change,
            "half_width": half_width,
            "same_answer": float((after.predicted == before.predicted).mean()),
        }
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, export, measure, store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--result", type=Path, default=RESULT)
    options = parser.parse_args(arguments)
    songs = load_songs()
    split = hold_out(songs)
    live = {task: train(live_recipe(task), split) for task in TASKS}
    header, content = pack_networks(live)
    exported = unpack_networks(live, header, content)
    course = {
        # Without words, both recipes are the same.
        task: live[task] if task == "features" else train(get_recipe("course", task), split)
        for task in TASKS
    }
    compared = {
        task: compare(course[task], live[task], exported[task], split.validation) for task in TASKS
    }
    header["typical"] = typical_songs(split.train)
    header["made"] = {
        "data": songs.attrs["source"],
        "date": date.today().isoformat(),
        "versions": versions(),
        "validation": {task: compared[task]["exported"] for task in TASKS},
    }
    size = write_networks(options.out, header, content)
    write_result(
        options.result,
        "make live",
        songs.attrs["source"],
        len(songs),
        split="a tenth held out by song (genre_lib.data.splits.hold_out, seed 0)",
        validation_songs=len(split.validation),
        words={
            "course": len(course["lyrics"].encoder.words),
            "live": len(live["lyrics"].encoder.words),
        },
        bytes={"header": size - len(content), "numbers": len(content), "limit": LIMIT},
        networks=compared,
        examples=answer_examples(live, exported, header["typical"]),
    )
    for task in TASKS:
        accuracy = (
            f"{name} {compared[task][name]['accuracy']:.1%}"
            for name in ("course", "live", "exported")
        )
        print(f"{task}: {', '.join(accuracy)}")
    print(f"{size:,} bytes in {options.out}")


if __name__ == "__main__":
    main()
