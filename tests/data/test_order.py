"""Synthetic songs whose genre lies in the order of their words."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from genre_lib import GENRES, make_songs
from genre_lib.data.bayes import bayes_of_order, bayes_probabilities
from genre_lib.data.order import order_log_likelihood


def genre_numbers(songs: pd.DataFrame) -> np.ndarray:
    return pd.Categorical(songs["genre"], categories=GENRES).codes.astype(int)


def test_all_orders_of_a_song_together_have_probability_one():
    """Sums over all 24 orders of four words, for each genre; two words look alike."""
    classes = {"a": 0, "b": 1, "c": 1}
    orders = [" ".join(words) for words in itertools.permutations("abcc")]
    total = np.exp(order_log_likelihood(orders, classes, strength=3.0)).sum(axis=0)
    np.testing.assert_allclose(total, 1.0)


def test_an_order_has_the_probability_that_follows_by_hand():
    log_p = order_log_likelihood(["a b c"], {"a": 0, "b": 1, "c": 2}, strength=3.0)
    first, second, third = 3 / 5 * 1 / 2, 1 / 5 * 3 / 4, 1 / 5 * 1 / 4
    np.testing.assert_allclose(np.exp(log_p[0, :3]), [first, second, third])


def test_each_song_keeps_its_words_and_only_their_order_tells_the_genre():
    plain, ordered = make_songs(3000, seed=4), make_songs(3000, seed=4, order=3.0)
    words = [sorted(text.split()) for text in ordered["lyrics"]]
    assert words == [sorted(t.removesuffix("lyric commercial").split()) for t in plain["lyrics"]]
    assert sorted(ordered["genre"]) == sorted(plain["genre"])
    genre = genre_numbers(ordered)
    blind = bayes_probabilities(ordered.assign(lyrics=plain["lyrics"]), "both").argmax(axis=1)
    seen = bayes_of_order(ordered, 3.0)
    assert (blind == genre).mean() < 0.22  # less than always the most frequent genre
    assert (seen.argmax(axis=1) == genre).mean() > 0.8
    assert ordered.attrs["source"].endswith("genre in the order of words)")


def test_the_best_possible_answer_is_as_sure_as_it_is_right():
    songs = make_songs(6000, seed=5, order=2.0)
    p = bayes_of_order(songs, 2.0)
    right = p.argmax(axis=1) == genre_numbers(songs)
    assert abs(right.mean() - p.max(axis=1).mean()) < 0.02
    for low, high in ((0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.0)):
        some = (p.max(axis=1) > low) & (p.max(axis=1) <= high)
        assert abs(right[some].mean() - p[some].max(axis=1).mean()) < 0.06


def test_without_strength_the_order_tells_nothing():
    songs = make_songs(500, seed=6, order=1.0)
    assert np.ptp(bayes_of_order(songs, 1.0), axis=0).max() < 1e-9


@pytest.mark.parametrize("order", [0.5, -1.0, float("nan")])
def test_an_order_below_one_is_refused(order):
    with pytest.raises(ValueError, match="must be at least 1"):
        make_songs(10, order=order)
