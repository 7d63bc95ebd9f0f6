"""Five invented songs with the networks' answers, for the page "Try it" before a script runs."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd
from torch import nn

from genre_lib.classifier.classifier import GenreClassifier
from genre_lib.classifier.words import genre_pull
from genre_lib.data.encoding import tokens
from genre_lib.data.schema import FEATURES
from genre_lib.evaluation.report import predict


class Example(NamedTuple):
    """An invented song."""

    title: str
    genre: str
    """The genre whose typical song lends its scores."""
    lyrics: str


EXAMPLES = (
    Example(
        "Rain at my door",
        "blues",
        "Woke up this morning, rain at my door. My baby took the early train, and I got the blues "
        "once more. Lord, I got the blues once more.",
    ),
    Example(
        "Two-lane road",
        "country",
        "Daddy's old truck on a two-lane road, a guitar on the seat and a heavy load. Take me home "
        "to the river, take me home to the farm.",
    ),
    Example(
        "Hands up",
        "hip hop",
        "Hands up, turn it up, got money on my mind, whole crew in the club and we running out of "
        "time. Hands up, turn it up, we shine.",
    ),
    Example(
        "Autumn moon",
        "jazz",
        "Moonlight in the autumn, a melody sweet and low. You dance into my dream, my dear, and "
        "then you let me go.",
    ),
    Example(
        "One love in the morning",
        "reggae",
        "Rise up, my brother, sing with your sister now. One love in the morning, let the music "
        "play, Jah will show us how.",
    ),
)


def answer_examples(
    classifiers: Mapping[str, GenreClassifier],
    networks: Mapping[str, nn.Module],
    typical: Mapping[str, Sequence[float]],
) -> list[dict[str, Any]]:
    """Each example with its tokens and what the three networks, by task, answer.

    A token comes with its pull towards each genre, or with `None` if it isn't in the vocabulary.
    """
    table = pd.DataFrame([typical[one.genre] for one in EXAMPLES], columns=list(FEATURES))
    table["lyrics"] = [one.lyrics for one in EXAMPLES]
    probabilities = {
        task: predict(network, classifiers[task].encode(table)).round(4).tolist()
        for task, network in networks.items()
    }
    exported = copy.copy(classifiers["lyrics"])
    exported.network = networks["lyrics"]
    pulls = genre_pull(exported).round(3)
    return [
        example._asdict()
        | {
            "tokens": [
                {"word": word, "pull": pulls.loc[word].tolist() if word in pulls.index else None}
                for word in tokens(example.lyrics)
            ],
            "probabilities": {task: rows[number] for task, rows in probabilities.items()},
        }
        for number, example in enumerate(EXAMPLES)
    ]
