"""Every figure of the course, one function each; `style` holds what they share."""

from genre_lib.plots.results import (
    accuracies,
    calibration,
    confusion,
    learning_curves,
    speeds,
    throughput,
)
from genre_lib.plots.songs import (
    density,
    features_by_genre,
    genre_plane,
    genre_shares,
    lyrics_lengths,
    score_over_time,
    scores_of_genres,
)
from genre_lib.plots.style import GENRE_COLOURS, GENRE_SYMBOLS
from genre_lib.plots.words import (
    strongest_words,
    veiled,
    word_map,
)

__all__ = [
    "GENRE_COLOURS",
    "GENRE_SYMBOLS",
    "accuracies",
    "calibration",
    "confusion",
    "density",
    "features_by_genre",
    "genre_plane",
    "genre_shares",
    "learning_curves",
    "lyrics_lengths",
    "score_over_time",
    "scores_of_genres",
    "speeds",
    "strongest_words",
    "throughput",
    "veiled",
    "word_map",
]
