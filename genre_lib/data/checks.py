"""What a valid table of songs is. Explained in chapter 1, *The songs*."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd

from genre_lib.data.schema import COLUMNS, FEATURES, GENRES, YEARS
from genre_lib.errors import SongsError, nearest

NO_TEXT = (bytes, list, tuple, dict, np.ndarray)
"""What a Parquet file may have in a column of texts, and `str` would turn into a text."""

ROUNDING = 1e-6
"""How far outside [0, 1] a score may be: rescaling may give 1.0000000000000002."""


def check_songs(
    songs: pd.DataFrame,
    source: str,
    columns: Sequence[str] = COLUMNS,
    genres: Sequence[str] = GENRES,
) -> pd.DataFrame:
    """Return `songs` with the right column types, or raise `SongsError` at the first problem.

    Parameters
    ----------
    songs
        One row per song. Messages count rows from 1, without the header.
    source
        The table's name in messages, e.g. its file name.
    columns
        The columns that are required and checked; others are kept unchanged.
    genres
        The genres that a song may have.

    Raises
    ------
    SongsError
        When a column is missing, there are no rows, a genre is unknown, a score is not a number
        in [0, 1], a year is invalid, a text is empty or, if `columns` include the genre, a song
        occurs twice, whatever its row id. The message names column, row and value.

    Examples
    --------
    >>> songs = pd.DataFrame({"lyrics": ["night after night"], "genre": ["jaz"]})
    >>> check_songs(songs, "my.csv", ["genre"])
    Traceback (most recent call last):
    genre_lib.errors.SongsError: my.csv, column 'genre', row 1: 'jaz' is not a genre; did you ...
    """
    if not set(COLUMNS) & set(songs.columns):
        raise SongsError(
            f"{source} does not begin with a line of column names ({', '.join(COLUMNS[:5])}, …): "
            "is it a table of songs?"
        )
    for name in columns:
        if name not in songs.columns:
            raise SongsError(f"{source} has no column {name!r}{_column_hint(name, songs)}.")
    if songs.empty:
        raise SongsError(f"{source} has a header but no songs below it.")

    songs = songs.reset_index(drop=True)
    checks = _CHECKS | {"genre": partial(_check_genre, genres=genres)}
    for name in columns:
        songs[name] = checks.get(name, _check_score)(songs[name], source)

    # A row id differs between copies, so only the course's own columns are compared.
    own = [name for name in COLUMNS if name in songs]
    repeated = songs.duplicated(own).to_numpy()
    if "genre" in columns and repeated.any():
        row = int(repeated.argmax())
        song = songs.groupby(own, dropna=False, sort=False).ngroup()
        first = int((song == song[row]).to_numpy().argmax())
        raise SongsError(
            f"{source} has the same song twice, in rows {first + 1} and {row + 1}: remove one, "
            "or it may end up on both sides of a split."
        )
    return songs


def valid_scores(scores: pd.DataFrame) -> np.ndarray:
    """Return scores, shape (n, scores), or raise `SongsError` at the first that is invalid.

    The course's scores are from 0 to 1; any others are finite numbers.
    """
    values = scores.apply(pd.to_numeric, errors="coerce").to_numpy(dtype=float)
    limit = np.where(scores.columns.isin(FEATURES), 1 + ROUNDING, np.inf)
    valid = (1 - limit < values) & (values < limit)
    if not valid.all():
        row, column = np.argwhere(~valid)[0]
        name, value = scores.columns[column], scores.iloc[row, column]
        raise SongsError(f"Song {row + 1} of this table has {value} for {name!r}: correct it.")
    return values


def genre_numbers(genre: pd.Series, genres: Sequence[str] = GENRES) -> np.ndarray:
    """Return positions in `genres`, shape (n,), or raise `SongsError` at the first unknown one."""
    return pd.Index(list(genres)).get_indexer(_check_genre(genre, "This table", genres))


def _column_hint(name: str, songs: pd.DataFrame) -> str:
    near = nearest(name, (str(c) for c in songs.columns if c not in COLUMNS))
    if near is None:
        return f"; its columns are {', '.join(str(c)[:25] for c in songs.columns[:40])}"
    return f"; rename its column {near!r} if that is the one"


def _raise_at_first(bad: np.ndarray, column: pd.Series, source: str, complaint: str) -> None:
    """Raise an error about the first row where `bad` is true; `complaint` follows the value."""
    if bad.any():
        row = int(bad.argmax())
        value = str(column.iloc[row])
        shown = value if len(value) <= 40 else value[:37] + "…"
        raise SongsError(f"{source}, column {column.name!r}, row {row + 1}: {shown!r} {complaint}.")


def _check_text(column: pd.Series, source: str) -> pd.Series:
    column = column.astype(object).fillna("")
    text = column.map(lambda value: "" if isinstance(value, NO_TEXT) else str(value))
    empty = (text.str.strip() == "").to_numpy()
    _raise_at_first(empty, column, source, "is empty or not text: fill it in or remove the song")
    return text


def _check_genre(column: pd.Series, source: str, genres: Sequence[str]) -> pd.Series:
    text = column.astype(object).fillna("").astype(str)
    unknown = ~text.isin(genres).to_numpy()
    if unknown.any():
        value = text.iloc[int(unknown.argmax())]
        near = nearest(value.replace("-", " "), genres)
        meant = f"did you mean {near!r}?" if near else "use one of"
        _raise_at_first(unknown, text, source, f"is not a genre; {meant} ({', '.join(genres)})")
    return text


def _check_score(column: pd.Series, source: str) -> pd.Series:
    if column.dtype == bool:  # pandas would convert "True" to 1
        column = column.astype(str)
    score = pd.to_numeric(column, errors="coerce").astype(float)
    fix = "correct it or remove the song"
    _raise_at_first(score.isna().to_numpy(), column, source, f"is not a number from 0 to 1: {fix}")
    outside = ~score.between(-ROUNDING, 1 + ROUNDING).to_numpy()
    _raise_at_first(outside, column, source, f"is outside 0 to 1: {fix}")
    return score.clip(0, 1)


def _check_year(column: pd.Series, source: str) -> pd.Series:
    year = pd.to_numeric(column, errors="coerce").astype(float)
    wrong = ~(year.between(*YEARS) & (year % 1 == 0)).to_numpy()
    _raise_at_first(
        wrong, column, source, f"is not a year from {YEARS[0]} to {YEARS[1]}: correct it"
    )
    return year.astype(int)


_CHECKS: dict[str, Callable[[pd.Series, str], pd.Series]] = {
    "artist_name": _check_text,
    "track_name": _check_text,
    "lyrics": _check_text,
    "release_date": _check_year,
}
