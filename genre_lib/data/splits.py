"""How songs are divided. Explained in chapter 1, *The songs*."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from genre_lib.errors import SongsError

FOLDS = 10
TEST_FOLDS, VALIDATION_FOLDS = (0, 1), (2,)


class Split(NamedTuple):
    """Three tables of songs: for training, for choosing settings or epochs, and for testing."""

    train: pd.DataFrame
    validation: pd.DataFrame
    test: pd.DataFrame


def split_songs(songs: pd.DataFrame, by: str = "song", seed: int = 0) -> Split:
    """Split songs 70/10/20 into train, validation and test, each with the same genre shares.

    Parameters
    ----------
    songs
        A table of songs.
    by
        `"song"`: every song is drawn independently. `"artist"`: an artist's songs stay together, so
        that no model gains from recognising an artist (sizes and shares are then approximate).
    seed
        The split's number: the same seed splits the same table in the same way.

    Raises
    ------
    SongsError
        When `by` is neither one, or a column that it needs is missing or has gaps. When there are
        fewer than 2 genres, fewer than 10 songs of one or, by artist, fewer than 10 artists.

    Examples
    --------
    >>> from genre_lib import make_songs
    >>> [len(part) for part in split_songs(make_songs(400))]
    [280, 40, 80]
    """
    fold = _folds(songs, by, seed)
    in_test, in_validation = np.isin(fold, TEST_FOLDS), np.isin(fold, VALIDATION_FOLDS)
    return Split(songs[~in_test & ~in_validation], songs[in_validation], songs[in_test])


def hold_out(songs: pd.DataFrame, by: str = "song", seed: int = 0) -> Split:
    """Hold out a tenth of the songs for validation and none for testing, for a final network.

    Parameters and errors are those of `split_songs`.

    Examples
    --------
    >>> from genre_lib import make_songs
    >>> [len(part) for part in hold_out(make_songs(400))]
    [360, 40, 0]
    """
    in_validation = np.isin(_folds(songs, by, seed), VALIDATION_FOLDS)
    return Split(songs[~in_validation], songs[in_validation], songs[:0])


def _folds(songs: pd.DataFrame, by: str, seed: int) -> np.ndarray:
    """Assign each song to one of ten folds of nearly equal size and genre shares, shape (n,)."""
    splitters = {
        "song": StratifiedKFold(FOLDS, shuffle=True, random_state=seed),
        "artist": StratifiedGroupKFold(FOLDS),
    }
    if by not in splitters:
        raise SongsError(f"Songs are split by 'song' or by 'artist', not by {by!r}.")
    if songs.empty:
        raise SongsError("There are no songs here to split: give a table that has some.")
    for name in ("genre", "artist_name") if by == "artist" else ("genre",):
        if name not in songs:
            raise SongsError(f"A split by {by} needs the column {name!r}: add it.")
        if songs[name].isna().any():
            row = int(songs[name].isna().argmax()) + 1
            raise SongsError(f"Song {row} of this table has no {name!r}: fill it in or remove it.")
    if by == "artist" and songs["artist_name"].nunique() < FOLDS:
        raise SongsError(
            f"These songs are by {songs['artist_name'].nunique()} artists and a split by artist "
            f"needs {FOLDS}: add songs, or split by song."
        )
    counts = songs["genre"].value_counts()
    if len(counts) < 2:
        raise SongsError(f"All songs here are {counts.index[0]}: a network needs two genres.")
    if counts.min() < FOLDS:
        raise SongsError(
            f"The genre {counts.idxmin()!r} has only {counts.min()} songs here and a split needs "
            f"{FOLDS} of each: add songs."
        )
    splitter = splitters[by]
    groups = _number_in_random_order(songs["artist_name"], seed) if by == "artist" else None
    fold = np.empty(len(songs), dtype=int)
    for number, (_, rows) in enumerate(splitter.split(songs, songs["genre"], groups)):
        fold[rows] = number
    return fold


def _number_in_random_order(groups: pd.Series, seed: int) -> np.ndarray:
    """Return each song's group as a number, with the groups in random order, shape (n,).

    So the seed matters, and the folds are the same with every version of scikit-learn:
    `StratifiedGroupKFold` begins with groups whose counts of genres differ most; this order
    breaks ties. From scikit-learn 1.8 on, its own `shuffle` does the same, number by
    number; before, it shuffled the groups' counts of genres, but not the groups, so that folds
    differed in size and genres.
    """
    names, number = np.unique(groups, return_inverse=True)
    # position[i] is where group i comes in the random order (argsort inverts a permutation).
    position = np.argsort(np.random.RandomState(seed).permutation(len(names)))
    return position[number]
