"""Every figure of the course, one function each; `look` holds what they share."""

from genre_lib.plots.look import GENRE_COLOURS
from genre_lib.plots.results import (
    accuracies,
    calibration,
    confusion,
    learning_curves,
    speeds,
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
from genre_lib.plots.words import (
    strongest_words,
    word_map,
)

__all__ = [
    "GENRE_COLOURS",
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
    "word_map",
]
