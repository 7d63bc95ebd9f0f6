"""How precise a mean is, over splits and over songs. Explained in chapter *Evaluation*."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from genre_lib.errors import GenreLibError

TEST_PER_TRAIN = 0.2 / 0.8
"""Test songs per song that is learned from: 20 to 80, because the study's final training runs learn
from the validation songs, too, where no epoch is chosen on them."""


def interval_over_splits(
    values: Sequence[float], test_per_train: float = TEST_PER_TRAIN, level: float = 0.95
) -> tuple[float, float]:
    """Return the mean over J random splits and the half-width of its confidence interval.

    This is the corrected resampled t interval of Nadeau and Bengio (2003,
    doi 10.1023/A:1024068626366). Random splits share most of their songs, so their results vary
    less than those of new songs would: the variance of the mean is not s² / J, but
    s² (1 / J + test songs / training songs).

    Parameters
    ----------
    values
        One number per split: an accuracy, or the difference between two models' accuracies.
    test_per_train
        Test songs per song that is learned from; 0 for values that share no songs.
    level
        The share of such intervals that contain the true mean.

    Raises
    ------
    GenreLibError
        When there are fewer than two values, or one is not a finite number.

    Examples
    --------
    >>> mean, half_width = interval_over_splits([0.50, 0.52, 0.51])
    >>> round(mean, 3), round(half_width, 3)
    (0.51, 0.033)
    """
    found = np.asarray(values, float)
    if len(found) < 2:
        raise GenreLibError(f"An interval needs two splits or more, but there are {len(found)}.")
    _check_finite(found)
    quantile = stats.t.ppf(0.5 + level / 2, len(found) - 1)
    variance = found.var(ddof=1) * (1 / len(found) + test_per_train)
    return float(found.mean()), float(quantile * np.sqrt(variance))


def interval_over_songs(
    values: Sequence[float] | np.ndarray | pd.Series,
    artists: Sequence[str] | pd.Series,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the mean over songs and the half-width of its confidence interval.

    Songs by the same artist are alike, so a hundred of them say less than a hundred songs by a
    hundred artists. Therefore the artists, not the songs, count as independent: each contributes
    the sum of its songs' deviations from the mean (cluster-robust variance: Liang and Zeger 1986,
    doi 10.1093/biomet/73.1.13).

    Parameters
    ----------
    values, artists
        One number and one name per song; for an accuracy, whether each answer is right.
    level
        The share of such intervals that contain the true mean.

    Raises
    ------
    GenreLibError
        When the songs are by fewer than two artists, a song has none, or a value is not finite.

    Examples
    --------
    >>> interval_over_songs([0.4, 0.4, 0.6, 0.6], list("aabb"))[1] > 1  # two artists tell little
    True
    """
    found, names = np.asarray(values, float), pd.Series(np.asarray(artists))
    _check_finite(found)
    if len(names) != len(found) or names.isna().any():
        raise GenreLibError("An interval over songs needs the artist of each song: name them all.")
    mean = found.mean()
    by_artist = pd.Series(found - mean).groupby(names).sum()
    count = len(by_artist)
    if count < 2:
        raise GenreLibError(f"An interval needs two artists or more, but there are {count}.")
    quantile = stats.t.ppf(0.5 + level / 2, count - 1)
    deviation = np.sqrt(count / (count - 1) * (by_artist**2).sum()) / len(found)
    return float(mean), float(quantile * deviation)


def verdict(mean: float, half_width: float) -> str:
    """Return what the interval of a difference lets you conclude: better, worse, or level.

    "level" means that the interval contains 0, so the sign is unknown; it does not mean equal.

    Examples
    --------
    >>> verdict(0.3, 0.5), verdict(0.6, 0.5), verdict(-0.6, 0.5)
    ('level', 'better', 'worse')
    """
    if abs(mean) <= half_width:
        return "level"
    return "better" if mean > 0 else "worse"


def _check_finite(values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        place = int((~np.isfinite(values)).argmax())
        raise GenreLibError(f"Value {place + 1} of {len(values)} is {values[place]}: leave it out.")
