"""Where songs come from. Explained in chapter 1, *The songs*."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence

import pandas as pd

from genre_lib.data.csv_file import read_songs
from genre_lib.data.published import fetch_published
from genre_lib.data.schema import COLUMNS, FOOTER, GENRES
from genre_lib.data.synthetic import make_songs
from genre_lib.errors import SongsError


def load_songs(
    source: str = "auto", columns: Sequence[str] = COLUMNS, genres: Sequence[str] = GENRES
) -> pd.DataFrame:
    """Return a checked table of songs, one row per song; `.attrs["source"]` names its source.

    Parameters
    ----------
    source
        The path of a CSV or Parquet file; `"published"`, the data set's file, from the user's
        cache or downloaded (28 MB); `"synthetic"`, 4,000 made-up songs; or `"auto"`: what the
        environment variable `GENRE_SONGS` names (any of the three), else the published file. If
        nothing is named and that file can't be downloaded, synthetic songs stand in, with a
        warning.
    columns
        The columns that a file must have.
    genres
        The genres that a file's songs may have: by default the course's seven. To add a genre of
        your own to the course's songs, use `genre_lib.add_songs`.

    Raises
    ------
    SongsError
        When the songs can't be read, downloaded or used.

    Examples
    --------
    >>> load_songs("synthetic").shape  # 27 columns, and three that are derived from them
    (4000, 30)
    """
    named = named_source(source)
    if named != source:
        try:
            return load_songs(named, columns, genres)
        except SongsError as error:
            raise SongsError(f"GENRE_SONGS={named}: {error}") from None
    if source == "auto":
        source = "published"
        try:
            fetch_published()
        except SongsError as reason:
            songs = make_songs()
            songs.attrs["source"] += "; they stand in for the published songs"
            warnings.warn(f"Using {songs.attrs['source']}. {reason}", stacklevel=2)
            return songs
    if source == "synthetic":
        return make_songs()
    if source == "published":
        songs = read_songs(fetch_published(), columns)
        songs.attrs["source"] = f"{len(songs):,} real songs (the published data set)"
        return songs
    return read_songs(source, columns, genres)


def named_source(source: str) -> str:
    """Return `source`, or for "auto" what the environment variable `GENRE_SONGS` names, if any."""
    named = os.environ.get("GENRE_SONGS", "").strip()
    return named if source == "auto" and named else source


def has_footer(lyrics: pd.Series) -> pd.Series:
    """Return whether each song's lyrics end in the scraped footer.

    Examples
    --------
    >>> has_footer(pd.Series(["so long lyric commercial", "so long"])).tolist()
    [True, False]
    """
    return lyrics.str.strip().str.endswith(FOOTER)


def strip_footer(lyrics: pd.Series) -> pd.Series:
    """Return the lyrics without the scraped footer "lyric commercial" at their end.

    The footer leaks the genre: almost only rock, hip hop and pop songs have it.

    Examples
    --------
    >>> strip_footer(pd.Series(["so long lyric commercial", "so long"])).tolist()
    ['so long', 'so long']
    """
    stripped = [text.strip().removesuffix(FOOTER).rstrip() for text in lyrics]
    return pd.Series(stripped, index=lyrics.index, name=lyrics.name)
