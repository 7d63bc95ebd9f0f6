"""Every figure of the course, one function each; `style` has their common look.

Examples
--------
>>> from genre_lib import make_songs
>>> genre_shares(make_songs(200)).layout.title.text
'Songs by genre'
"""

from genre_lib.plots.attention import attention
from genre_lib.plots.diagrams import folds, network_diagram
from genre_lib.plots.distribution import distributions, lyrics_lengths
from genre_lib.plots.intervals import differences, way_covered
from genre_lib.plots.results import (
    accuracies,
    calibration,
    confusion,
    learning_curves,
    loss_against,
    speeds,
    throughput,
)
from genre_lib.plots.sketches import chain, descent, functions_of_score, lookup_and_mean
from genre_lib.plots.songs import (
    density,
    features_by_genre,
    genre_plane,
    genre_shares,
    genres_by_decade,
    score_over_time,
    scores_of_genres,
)
from genre_lib.plots.style import GENRE_COLOURS, GENRE_SYMBOLS
from genre_lib.plots.words import (
    mask_slur,
    strongest_words,
    word_map,
)

__all__ = [
    "attention",
    "GENRE_COLOURS",
    "GENRE_SYMBOLS",
    "accuracies",
    "calibration",
    "chain",
    "confusion",
    "density",
    "descent",
    "differences",
    "distributions",
    "features_by_genre",
    "folds",
    "functions_of_score",
    "genre_plane",
    "genre_shares",
    "genres_by_decade",
    "learning_curves",
    "lookup_and_mean",
    "loss_against",
    "lyrics_lengths",
    "network_diagram",
    "score_over_time",
    "scores_of_genres",
    "speeds",
    "strongest_words",
    "throughput",
    "mask_slur",
    "way_covered",
    "word_map",
]
