"""A file of songs, and what can be wrong with it. Explained in chapter 1, *The songs*."""

from __future__ import annotations

import csv
import io
import re
import warnings
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from genre_lib.data.checks import check_songs
from genre_lib.data.file_kinds import find_kind
from genre_lib.data.schema import COLUMNS, GENRES
from genre_lib.errors import SongsError, did_you_mean

TEXT_COLUMNS = ("artist_name", "track_name", "genre", "lyrics")
"""The columns whose values stay as they are written: a band may be called 007 or 1e5."""

DERIVED_COLUMNS = ("len", "topic", "age")
"""The published file's other columns."""

ROW_ID = re.compile(r"(Unnamed: [\d.]+)?")
"""A column name that means a row id without a name: empty, or what pandas turns that into."""


def read_songs(
    path: str | Path, columns: Sequence[str] = COLUMNS, genres: Sequence[str] = GENRES
) -> pd.DataFrame:
    """Read and check a CSV or Parquet file of songs in the published file's layout.

    Raises
    ------
    SongsError
        As `read_table` does, or when `genre_lib.data.checks.check_songs` finds a problem.

    Examples
    --------
    >>> read_songs("no-such-folder/songs.csv")
    Traceback (most recent call last):
    genre_lib.errors.SongsError: There is no file no-such-folder/songs.csv: ...
    """
    name = Path(path).name
    songs = check_songs(read_table(path), name, columns, genres)
    songs.attrs["source"] = f"{len(songs):,} songs from the file {name}"
    if tuple(genres) != GENRES:
        songs.attrs["genres"] = tuple(genres)
    return songs


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a CSV or Parquet file without checking what is in its columns.

    Text is left unchanged. The course's column names may have capital letters, and spaces
    at either end. Row ids without a column name, as in the published file's first column, are
    dropped.

    Raises
    ------
    SongsError
        When the file is missing, empty, an HTML page, not UTF-8 or neither a CSV nor a Parquet
        table.
    """
    _refuse_address(str(path))
    try:
        path = Path(path).expanduser()
        content = _read_bytes(path)
    except (OSError, RuntimeError) as error:  # no permission; a name too long; ~nobody
        reason = getattr(error, "strerror", None) or error
        raise SongsError(f"{str(path)[:100]} can't be read ({reason}).") from None
    kind = find_kind(content)
    if kind is None:
        songs = _parse_csv(_decode(content, path), path)
    elif kind.name == "a Parquet file":
        songs = _parse_parquet(content, path)
    else:
        raise SongsError(f"{path.name} is {kind.name}: {kind.remedy}.")
    return _rename_columns(songs, path)


def _refuse_address(path: str) -> None:
    if re.match(r"\s*\w+://", path):
        raise SongsError(
            f"{path} is an address, not a file: download it first, for example with "
            f"`curl -L -o songs.csv '{path.strip()}'`, and give the file's path; 'published' "
            "downloads the published songs."
        )


def _read_bytes(path: Path) -> bytes:
    if path.is_dir():
        raise SongsError(
            f"{path} is a folder: give the path of a file in it (only `genre-lib train` reads all "
            "the Parquet files of a folder)."
        )
    if path.is_symlink() and not path.exists():
        raise SongsError(
            f"{path} is a link to {path.readlink()}, where there is no file: give the file's path."
        )
    if not path.exists():
        siblings = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        known = [*siblings, "synthetic", "published"]
        hint = did_you_mean(path.name, known, "check the path, or use 'synthetic'.")
        raise SongsError(f"There is no file {path}: {hint}")
    return path.read_bytes()


def _decode(content: bytes, path: Path) -> str:
    try:
        text = content.decode("utf-8-sig").rstrip("\x1a")  # DOS's mark of the end
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SongsError(
            f"{path.name} is not UTF-8 text: byte {content[error.start]:#04x} in line {line} is "
            "invalid; open the file in an editor and save it with the encoding UTF-8."
        ) from None
    if not text.strip():
        raise SongsError(f"{path.name} is empty: download or export it again.")
    if text.lstrip()[:9].lower().startswith(("<!doctype", "<html", "<?xml")):
        raise SongsError(
            f"{path.name} is a web page or XML, not a table of songs: download it again, or export "
            "it as CSV."
        )
    return text


def _parse_csv(text: str, path: Path) -> pd.DataFrame:
    try:
        text = _with_every_column_named(text, path)
        # By default, pandas would read the titles "null" and "nan" as missing values, and 007 as
        # the number 7.
        header = pd.read_csv(io.StringIO(text), nrows=0, index_col=False).columns
        with warnings.catch_warnings():
            # Values that have no column name are empty: `_with_every_column_named` ensures it.
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            return pd.read_csv(
                io.StringIO(text),
                keep_default_na=False,
                low_memory=False,
                index_col=False,
                dtype={name: str for name in header if _course_name(name) in TEXT_COLUMNS},
            )
    except (csv.Error, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise SongsError(
            f"{path.name} is not a table in CSV form ({reason}): fix that line or export it again."
        ) from None


def _with_every_column_named(text: str, path: Path) -> str:
    """Return the text of a table whose rows have the columns that its header names.

    R's `write.table` writes a row name in front of each row, and nothing above it in the header.
    """
    csv.field_size_limit(2**31 - 1)  # lyrics may have more than Python's 131,072 characters
    reader = csv.reader(io.StringIO(text, newline=None))
    rows = (row for row in reader if len(row) > 1 or "".join(row).strip())
    names = next(rows, [""])
    separator = next((c for c in ";\t|" if c in names[0]), None)
    if len(names) == 1 and separator:
        raise SongsError(f"{path.name} is separated by {separator!r}: save it with commas.")
    songs, odd = 0, []  # rows with more or fewer values than names, and where they are
    for row in rows:
        songs += 1
        where = f"{path.name}, line {reader.line_num}"
        if row == names:
            raise SongsError(f"{where} repeats the column names: remove it.")
        if len(row) != len(names):
            odd.append((where, row))
    named = len(odd) == songs and all(len(row) == len(names) + 1 for _, row in odd)
    if odd and named and odd[0][1][-1]:
        return f'"",{text.lstrip()}'
    known = set(map(_course_name, names)) & set(COLUMNS)
    for where, row in odd if known else ():
        cut = {_course_name(name) for name in names[len(row) :]} & set(COLUMNS)
        if cut or any(row[len(names) :]):
            quote = "name every column, and put quotation marks around texts with commas"
            fix = "complete it, or download or export the file again" if cut else quote
            raise SongsError(f"{where} has {len(row)} instead of {len(names)} values: {fix}.")
    return text


def _parse_parquet(content: bytes, path: Path) -> pd.DataFrame:
    try:
        songs = pd.read_parquet(io.BytesIO(content))
    except ImportError:
        raise SongsError(
            f"{path.name} is a Parquet file, and reading it needs the package pyarrow: pip install "
            "pyarrow."
        ) from None
    except (OSError, ValueError) as error:  # pyarrow's errors are subclasses
        reason = str(error).splitlines()[0].rstrip(".")
        raise SongsError(f"{path.name} is damaged ({reason}): make or copy it again.") from None
    categories = songs.select_dtypes("category").columns
    return songs.astype(dict.fromkeys(categories, object))


def _course_name(name: object) -> str:
    """Return the course's spelling of a column name; strip spaces from any other name."""
    stripped = str(name).strip()
    known = stripped.lower() in (*COLUMNS, *DERIVED_COLUMNS)
    return stripped.lower() if known else stripped


def _rename_columns(songs: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Return the songs with the course's column names, and without nameless row ids."""
    songs = songs.set_axis([_course_name(name) for name in songs.columns], axis=1)
    for name in COLUMNS:
        if (songs.columns == name).sum() > 1 or f"{name}.1" in songs:
            raise SongsError(f"{path.name} has the column {name!r} twice: remove one.")
    return songs.loc[:, [ROW_ID.fullmatch(name) is None for name in songs.columns]]
