"""A CSV file of songs, and what can be wrong with it. Explained in chapter 1, *The songs*."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from genre_lib.data.checks import check_songs
from genre_lib.data.schema import COLUMNS
from genre_lib.errors import SongsError, did_you_mean

WRONG_FORMATS = {
    b"\x1f\x8b": "a gzip archive: unpack it",
    b"PK\x03\x04": "an Excel file or a zip archive: export it as CSV, or unpack it",
    b"\xd0\xcf\x11\xe0": "an Excel file: export it as CSV",
    b"\xff\xfe": "in the encoding UTF-16: save it with the encoding UTF-8",
    b"\xfe\xff": "in the encoding UTF-16: save it with the encoding UTF-8",
}
"""First bytes of files that are often misnamed .csv, and what to do about them."""


def read_songs(path: str | Path, columns: Sequence[str] = COLUMNS) -> pd.DataFrame:
    """Read and check a CSV file of songs in the published file's layout.

    The published file's first column, an unnamed row id (`""` or `"Unnamed: 0"`), is dropped.

    Raises
    ------
    SongsError
        When the file is missing, empty, an HTML page, not UTF-8 or not a CSV table, or when
        `genre_lib.data.checks.check_songs` finds a problem in it.

    Examples
    --------
    >>> read_songs("no-such-folder/songs.csv")
    Traceback (most recent call last):
    genre_lib.errors.SongsError: There is no file no-such-folder/songs.csv: ...
    """
    try:
        path = Path(path).expanduser()
        text = _read_text(path)
    except (OSError, RuntimeError) as error:  # no permission; a name too long; ~nobody
        reason = getattr(error, "strerror", None) or error
        raise SongsError(f"{str(path)[:100]} can't be read ({reason}).") from None
    try:
        # By default, pandas would read the titles "null" and "nan" as missing values.
        songs = pd.read_csv(
            io.StringIO(text), keep_default_na=False, low_memory=False, index_col=False
        )
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        reason = str(error).removeprefix("Error tokenizing data. C error: ").strip()
        raise SongsError(
            f"{path.name} is not a table in CSV form ({reason}): fix that line or export it again."
        ) from None
    separator = next((c for c in ";\t|" if c in songs.columns[0]), None)
    if songs.shape[1] == 1 and separator:
        raise SongsError(f"{path.name} is separated by {separator!r}: save it with commas.")
    twice = [name for name in COLUMNS if f"{name}.1" in songs]
    if twice:
        raise SongsError(f"{path.name} has the column {twice[0]!r} twice: remove one.")
    songs = songs.drop(columns=["", "Unnamed: 0"], errors="ignore")
    songs = check_songs(songs, path.name, columns)
    songs.attrs["source"] = f"{len(songs):,} songs from the file {path.name}"
    return songs


def _read_text(path: Path) -> str:
    if path.is_dir():
        raise SongsError(
            f"{path} is a folder: give the path of a CSV file in it (only `genre-lib train` reads "
            "folders of Parquet files)."
        )
    if not path.exists():
        siblings = [p.name for p in path.parent.glob("*")] if path.parent.is_dir() else []
        known = [*siblings, "synthetic", "published"]
        hint = did_you_mean(path.name, known, "check the path, or use 'synthetic'.")
        raise SongsError(f"There is no file {path}: {hint}")
    content = path.read_bytes()
    for beginning, what in WRONG_FORMATS.items():
        if content.startswith(beginning):
            raise SongsError(f"{path.name} is {what}.")
    try:
        text = content.decode("utf-8-sig")
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
            f"{path.name} is a web page, not a table of songs (perhaps a failed download): "
            "download it again."
        )
    return text
