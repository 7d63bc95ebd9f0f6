"""Ten synthetic songs to guess, and what a network and the best possible model say: `make live`.

Synthetic songs, because only theirs have a known best answer, and no lyrics are reproduced.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from course_tools.live import GUESSES
from genre_lib.classifier.classifier import GenreClassifier
from genre_lib.classifier.recipes import get_recipe
from genre_lib.data.bayes import bayes_probabilities
from genre_lib.data.schema import AUDIO_FEATURES, GENRES, TOPIC_FEATURES
from genre_lib.data.splits import split_songs
from genre_lib.data.synthetic import SEED_WORDS, make_songs
from genre_lib.evaluation.report import predict
from genre_lib.study.results import write_result

SONGS = 22_000
SHOWN = 10
WORDS = 8
"""How many words of a song are shown. Most of its words are invented, and tell a person nothing."""

TOPICS = 3
ENGLISH = frozenset(" ".join(SEED_WORDS.values()).split())


def choose(songs: pd.DataFrame, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return `n` random songs among those with enough words to show, in the column `shown`."""
    words = songs["lyrics"].map(lambda text: sorted(ENGLISH & set(text.split())))
    enough = songs[words.str.len() >= WORDS].sample(n, random_state=rng)
    shown = words[enough.index].map(lambda found: list(rng.permutation(found)[:WORDS]))
    return enough.assign(shown=shown)


def describe(songs: pd.DataFrame, network: np.ndarray, best: np.ndarray) -> list[dict[str, Any]]:
    """Each song as the page needs it, with both models' probabilities of shape (n, 7)."""
    found = []
    for (_, song), ours, bayes in zip(songs.iterrows(), network, best, strict=True):
        topics = song[list(TOPIC_FEATURES)].astype(float).nlargest(TOPICS)
        found.append(
            {
                "genre": song["genre"],
                "words": song["shown"],
                "topics": {name: round(share, 2) for name, share in topics.items()},
                "scores": {name: round(float(song[name]), 2) for name in AUDIO_FEATURES},
                "network": ours.round(4).tolist(),
                "best": bayes.round(4).tolist(),
            }
        )
    return found


def main(arguments: list[str] | None = None) -> None:
    """Train the combined network on synthetic songs; store ten that it has not seen.

    They are drawn at random, and stored from the easiest for the best possible model on.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--result", type=Path, default=GUESSES)
    parser.add_argument("--songs", type=int, default=SONGS)
    options = parser.parse_args(arguments)
    songs = make_songs(options.songs, seed=21)
    split = split_songs(songs, by="artist", seed=0)
    classifier = GenreClassifier(get_recipe("course", "combined"))
    classifier.fit(pd.concat([split.train, split.validation]), progress=False, device="cpu")
    best = bayes_probabilities(split.test)
    genre = split.test["genre"].to_numpy()
    chosen = choose(split.test, SHOWN, np.random.default_rng(0))
    places = split.test.index.get_indexer(chosen.index)
    labels = [GENRES.index(label) for label in chosen["genre"]]
    easiest = np.argsort(-best[places, labels])
    chosen, places = chosen.iloc[easiest], places[easiest]
    answers = predict(classifier.trained, classifier.encode(chosen))
    write_result(
        options.result,
        "make live",
        songs.attrs["source"],
        len(songs),
        songs=describe(chosen, answers, best[places]),
        accuracy={
            "songs": len(split.test),
            "network": classifier.evaluate(split.test).accuracy,
            "best": float((np.array(GENRES)[best.argmax(axis=1)] == genre).mean()),
        },
    )


if __name__ == "__main__":
    main()
