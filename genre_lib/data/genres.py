"""Which genres a table of songs has: the course's seven, others, or fewer. Chapter 17."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from genre_lib.data.checks import check_songs
from genre_lib.data.csv_file import read_songs
from genre_lib.data.schema import COLUMNS, FEATURES, GENRES, genres_of
from genre_lib.errors import SongsError, nearest

NEEDED = tuple(name for name in COLUMNS if name not in FEATURES)
"""The columns that a file of a new genre must have; networks that look at scores need these too.
"""


def with_genres(songs: pd.DataFrame, genres: Sequence[str]) -> pd.DataFrame:
    """Return the songs of these genres, in a table that has no others.

    The course's genres come first, in their usual order, then the others by name. A network that
    is trained on the table has one output per genre.

    Raises
    ------
    SongsError
        When there are fewer than two genres, or the table does not have one of them.

    Examples
    --------
    >>> from genre_lib import make_songs
    >>> genres_of(with_genres(make_songs(200), ["rock", "jazz"]))
    ('jazz', 'rock')
    """
    known = genres_of(songs)
    for genre in genres:
        if genre not in known:
            raise SongsError(f"These songs have no genre {genre!r}: use two of {', '.join(known)}.")
    if len(set(genres)) < 2:
        raise SongsError("A network needs two genres: name two or more.")
    chosen = songs[songs["genre"].isin(genres)].reset_index(drop=True)
    chosen.attrs["genres"] = _in_order(genres)
    chosen.attrs["source"] = f"{len(chosen):,} of {songs.attrs.get('source', 'these songs')}"
    return chosen


def add_songs(songs: pd.DataFrame, path: str | Path, genre: str) -> pd.DataFrame:
    """Return `songs` and those of a CSV file, in a table with one more genre.

    Parameters
    ----------
    songs
        A table of songs, which is left unchanged.
    path
        A CSV file in the published file's layout. It may lack scores: these songs then have NaN,
        and only a network that looks at the lyrics alone can be trained.
    genre
        The name of the new genre. It is required, so that a typo in the file is still an error.

    Raises
    ------
    SongsError
        As `genre_lib.load_songs` does; when the name is too close to that of a known genre; or
        when the file has no song of the genre, or one that is among `songs`.

    Examples
    --------
    >>> add_songs(pd.DataFrame(), "my_songs.csv", genre="hiphop")
    Traceback (most recent call last):
    genre_lib.errors.SongsError: The new genre 'hiphop' is too close to 'hip hop': ...
    """
    known = genres_of(songs)
    close = None if genre in known else nearest(genre, known)
    if close or not genre.strip():
        what = f"is too close to {close!r}" if close else "has no name"
        raise SongsError(f"The new genre {genre!r} {what}: give it another name.")
    genres = _in_order([*known, genre])
    new = read_songs(path, NEEDED, genres)
    source, name = new.attrs["source"], Path(path).name
    if genre not in set(new["genre"]):
        raise SongsError(f"{name} has no song of the genre {genre!r}: correct its column 'genre'.")
    new = check_songs(new, name, [score for score in FEATURES if score in new])
    joined = pd.concat([songs, new[[c for c in new if c in songs]]], ignore_index=True)
    same = [column for column in ("artist_name", "track_name", "lyrics") if column in joined]
    copies = joined.duplicated(same)[len(songs) :].to_numpy()
    if copies.any():
        raise SongsError(
            f"{name}, row {int(copies.argmax()) + 1}: this song is in the table already: remove "
            "one, or it may end up on both sides of a split."
        )
    joined.attrs = {"source": f"{songs.attrs.get('source', 'some songs')}, and {source}"}
    joined.attrs["genres"] = genres
    return joined


def _in_order(genres: Sequence[str]) -> tuple[str, ...]:
    """Return each genre once: the course's in their order, then the others by name."""
    return (*(g for g in GENRES if g in genres), *sorted(set(genres) - set(GENRES)))
