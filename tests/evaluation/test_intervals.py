"""How sure one may be of a mean: against the published formula, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from genre_lib.errors import GenreLibError
from genre_lib.evaluation.intervals import interval_over_songs, interval_over_splits, verdict


def test_values_that_share_no_songs_have_student_s_interval():
    mean, half = interval_over_splits([1.0, 2.0, 3.0], test_per_train=0)
    assert mean == 2.0 and half == pytest.approx(4.3027 * 1.0 / np.sqrt(3), rel=1e-4)


def test_an_interval_over_splits_has_nadeau_and_bengio_s_variance():
    values = [0.4, 0.9, -0.1, 0.7, 0.6]
    mean, half = interval_over_splits(values)
    variance = np.var(values, ddof=1) * (1 / 5 + 0.2 / 0.8)
    assert mean == pytest.approx(0.5) and half == pytest.approx(
        2.7764 * np.sqrt(variance), rel=1e-4
    )
    assert interval_over_splits(values, level=0.5)[1] == pytest.approx(
        0.7407 * np.sqrt(variance), rel=1e-3
    )


def differences_of_two_equal_models(rng, splits):
    """Return differences between two models over random splits of 100 songs.

    A song has two scores, and each model knows one of them: it answers by which genre's mean is
    nearer. The scores are equally good, so the true difference is 0.
    """
    genre = rng.integers(0, 2, 100)
    scores = rng.normal(0.5 * genre, 1, (2, 100))
    found = []
    for _ in range(splits):
        order = rng.permutation(100)
        train, test = order[:80], order[80:]
        middle = (
            scores[:, train[genre[train] == 0]].mean(axis=1, keepdims=True)
            + scores[:, train[genre[train] == 1]].mean(axis=1, keepdims=True)
        ) / 2
        right = (scores[:, test] > middle) == genre[test]
        found.append(right[0].mean() - right[1].mean())
    return found


def test_intervals_over_splits_contain_the_truth_as_often_as_they_say():
    rng = np.random.default_rng(0)
    studies = [differences_of_two_equal_models(rng, 10) for _ in range(400)]

    def coverage(**settings):
        found = [interval_over_splits(values, **settings) for values in studies]
        return np.mean([abs(mean) <= half for mean, half in found])

    assert 0.90 <= coverage() <= 0.98
    assert coverage(test_per_train=0) < 0.85  # what the correction is for


@pytest.mark.parametrize(("songs", "quantile"), [(2, 12.7062), (3, 4.3027), (500, 1.9647)])
def test_songs_by_as_many_artists_have_the_usual_interval(songs, quantile):
    values = np.random.default_rng(0).normal(size=songs)
    mean, half = interval_over_songs(values, range(songs))
    assert mean == pytest.approx(values.mean())
    assert half == pytest.approx(quantile * values.std(ddof=1) / np.sqrt(songs), rel=1e-4)


def test_intervals_over_songs_contain_the_truth_though_artists_have_many_songs():
    rng = np.random.default_rng(0)
    covered, naive = 0, 0
    for _ in range(400):
        artists = rng.integers(0, 60, 600)
        values = rng.normal(size=60)[artists] + rng.normal(size=600)
        mean, half = interval_over_songs(values, artists)
        covered += abs(mean) <= half
        naive += abs(mean) <= interval_over_songs(values, range(600))[1]
    assert 0.92 <= covered / 400 <= 0.98
    assert naive / 400 < 0.75


def test_an_interval_over_songs_is_that_of_drawing_artists_again():
    rng = np.random.default_rng(0)
    artists = rng.integers(0, 80, 1000)
    values = rng.normal(size=80)[artists] + rng.normal(size=1000)
    sums, counts = np.bincount(artists, values), np.bincount(artists)
    drawn = rng.multinomial(80, np.full(80, 1 / 80), size=4000)
    deviation = (drawn @ sums / (drawn @ counts)).std()
    assert interval_over_songs(values, artists)[1] == pytest.approx(1.99 * deviation, rel=0.05)


def test_an_interval_needs_something_to_vary():
    with pytest.raises(GenreLibError, match="two splits or more, but there are 1"):
        interval_over_splits([0.5])
    with pytest.raises(GenreLibError, match="two artists or more, but there are 1"):
        interval_over_songs([0.5, 0.6], ["a", "a"])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_no_number_gives_no_interval(value):
    with pytest.raises(GenreLibError, match="Value 2 of 3 is"):
        interval_over_splits([0.1, value, 0.3])
    with pytest.raises(GenreLibError, match="Value 2 of 3 is"):
        interval_over_songs([0.1, value, 0.3], list("abc"))


@pytest.mark.parametrize("artists", [["a", None, "b"], ["a", "b"]])
def test_a_song_without_an_artist_gives_no_interval(artists):
    with pytest.raises(GenreLibError, match="the artist of each song"):
        interval_over_songs([0.1, 0.2, 0.3], artists)


def test_a_verdict_is_level_where_the_interval_contains_0():
    assert [verdict(m, 0.5) for m in (0.5, 0.51, -0.51, -0.5)] == [
        "level",
        "better",
        "worse",
        "level",
    ]
