"""The best possible classifier of synthetic songs: Bayes' rule with the generator's densities.

Given the sound s of a song, `genre_lib.data.synthetic` draws words and scores from closed-form
distributions: the words from a Dirichlet-multinomial of the song's topic counts times
the product of beta, the audio scores from a mixture of Gaussians (the slope of the shared curves
cancels). So P(genre | inputs) can be computed: exactly, for a song by an unseen artist.

What an artist's songs share (part of the Gaussian noise, a list of rare words, the genre label)
doesn't change these distributions. Years and the planted footer also tell something about the
genre, but as they are not among the 22 scores and the cleaned lyrics, they are ignored here.
Explained in chapter *The ceiling*.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.special import gammaln, logsumexp

from genre_lib.data.order import order_log_likelihood
from genre_lib.data.schema import AUDIO_FEATURES, FOOTER, GENRES, TOPIC_FEATURES
from genre_lib.data.synthetic import (
    N_LDA,
    RARE,
    RARE_SHARE,
    TOPIC_WORDS,
    constants,
    drawn_words,
    language_of_songs,
    make_songs,
    word_classes,
)

INPUTS = ("lyrics", "features", "both")


def bayes_probabilities(songs: pd.DataFrame, inputs: str = "both") -> np.ndarray:
    """Return P(genre | inputs) under the generator's densities, shape (n, 7), ordered as `GENRES`.

    For songs of unseen artists, no classifier with the same inputs has a higher expected accuracy.

    Parameters
    ----------
    songs
        Synthetic songs.
    inputs
        `"lyrics"` (without the footer), `"features"` (the 22 scores) or `"both"`.

    Raises
    ------
    ValueError
        When `inputs` is anything else.

    Examples
    --------
    >>> bayes_probabilities(make_songs(200), "features").shape
    (200, 7)
    """
    if inputs not in INPUTS:
        raise ValueError(f"inputs must be one of {', '.join(INPUTS)}, not {inputs!r}")
    c = constants()
    log_p = np.log(c["shares"])
    if inputs == "features":
        log_p = log_p + _topics_log_likelihood(songs)
    else:  # topic scores add nothing to the lyrics
        log_p = log_p + _lyrics_log_likelihood(songs)
    if inputs != "lyrics":
        log_p = log_p + _audio_log_likelihood(songs)
    return np.exp(log_p - logsumexp(log_p, axis=1, keepdims=True)) @ c["labels"]


def bayes_of_order(songs: pd.DataFrame, order: float) -> np.ndarray:
    """Return P(genre | lyrics) of songs from `make_songs(…, order=order)`, shape (n, 7).

    As there, a genre's number is its position in `GENRES`. Explained in chapter *Attention*.

    Examples
    --------
    >>> bayes_of_order(make_songs(200, order=2.0), 2.0).shape
    (200, 7)
    """
    c = constants()
    log_p = order_log_likelihood(songs["lyrics"], word_classes(), order)
    log_p += np.log(c["shares"] @ c["labels"])
    return np.exp(log_p - logsumexp(log_p, axis=1, keepdims=True))


def bayes_accuracy(inputs: str = "both", n: int = 20_000, seed: int = 1) -> float:
    """Estimate the best possible accuracy: the mean of the largest probability of n songs.

    With n = 20,000, the standard error is about 0.002.
    """
    return float(bayes_probabilities(make_songs(n, seed), inputs).max(axis=1).mean())


def _log_dirichlet_multinomial(counts: np.ndarray) -> np.ndarray:
    """Return log P(sequence of topics with these counts (n, 17) | sound), shape (n, 7)."""
    alpha = constants()["alpha"]
    total = alpha.sum(1)
    log_p = gammaln(total) - gammaln(counts.sum(1, keepdims=True) + total)
    for k in range(RARE):
        log_p += gammaln(counts[:, [k]] + alpha[:, k]) - gammaln(alpha[:, k])
    return log_p


def _lyrics_log_likelihood(songs: pd.DataFrame) -> np.ndarray:
    """Return log p(lyrics | sound) up to a constant per song, shape (n, 7).

    Unknown words are ignored.
    """
    c, language = constants(), language_of_songs()
    words = songs["lyrics"].str.removesuffix(FOOTER).str.split()
    length = words.map(len).to_numpy()
    fresh = [song[:k] for song, k in zip(words, drawn_words(length), strict=True)]
    song = np.repeat(np.arange(len(songs)), [len(part) for part in fresh])
    word = language["index"].get_indexer([w for part in fresh for w in part])
    known = (word >= 0) & (word < TOPIC_WORDS)
    song, word = song[known], word[known]
    cells = song * RARE + language["topic"][word]
    counts = np.bincount(cells, minlength=len(songs) * RARE).reshape(-1, RARE)
    log_p = np.log(c["p_length"][:, np.minimum(length, 199)].T + 1e-12)
    log_p += _log_dirichlet_multinomial(counts)
    for s, row in enumerate(language["log_beta"]):
        log_p[:, s] += np.bincount(song, row[word], minlength=len(songs))
    return log_p


def _topics_log_likelihood(songs: pd.DataFrame) -> np.ndarray:
    """Return log p(16 topic scores | sound) up to a constant per song, shape (n, 7)."""
    c = constants()
    scores = songs[list(TOPIC_FEATURES)].to_numpy()
    # A topic without words has the score 1 / (19 (N + 1)), which gives the number of words N.
    total = np.round(1 / (N_LDA * scores.min(1, keepdims=True)) - 1)
    counts = np.round(scores * (total + 1) - 1 / N_LDA)
    counts = np.c_[counts, total - counts.sum(1, keepdims=True)]
    # p(N | sound): N of the drawn words are not rare.
    n, m = np.arange(200), drawn_words(np.arange(200))[:, None]
    below = gammaln(np.maximum(m - n, 0) + 1)
    log_binomial = gammaln(m + 1) - gammaln(n + 1) - below + (m - n) * np.log(RARE_SHARE)
    p_total = c["p_length"] @ np.where(n <= m, np.exp(log_binomial + n * np.log1p(-RARE_SHARE)), 0)
    log_p_total = np.log(p_total[:, total[:, 0].astype(int)].T + 1e-300)
    return log_p_total + _log_dirichlet_multinomial(counts)


def _audio_log_likelihood(songs: pd.DataFrame) -> np.ndarray:
    """Return log p(6 audio scores | sound) up to a constant per song, shape (n, 7).

    Half of the Gaussians are for songs with an instrumentalness of exactly 0: they have no
    density in that direction, and only songs with that value can come from them.
    """
    c = constants()
    audio = songs[list(AUDIO_FEATURES)].to_numpy()
    z = np.column_stack([np.interp(audio[:, j], c["curve_x"][j], c["curve_z"]) for j in range(6)])
    silent = audio[:, 3] == 0
    parts = np.full((len(songs), len(GENRES), c["weights"].shape[1]), -np.inf)
    for s, k in np.ndindex(parts.shape[1:]):
        factor, weight = c["factors"][s, k], c["weights"][s, k]
        axes = np.flatnonzero(factor.diagonal())
        rows = np.flatnonzero(silent == (len(axes) < 6))
        factor = factor[np.ix_(axes, axes)]
        e = np.linalg.solve(factor, (z[np.ix_(rows, axes)] - c["means"][s, k, axes]).T)
        constant = np.log(weight) - np.log(factor.diagonal()).sum()
        parts[rows, s, k] = constant - 0.5 * (e**2).sum(0)
    return logsumexp(parts, axis=2)
