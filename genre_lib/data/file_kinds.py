"""The kind of a file by its first bytes, as its name may be wrong. Chapter 1, *The songs*."""

from __future__ import annotations

import io
import re
import zipfile
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind of file other than UTF-8 text."""

    name: str
    """With its article, to follow "songs.csv is"."""
    remedy: str
    """What to do."""


UNPACK = "unpack it"
EXPORT = "export it as CSV"
SAVE_AS_CSV = "read it with pandas and save it with to_csv"
SAVE_AS_UTF8 = "save it with the encoding UTF-8"

BEGINNINGS = {
    rb"PAR1": Kind("a Parquet file", SAVE_AS_CSV),
    rb"ARROW1|FEA1": Kind("a Feather file", SAVE_AS_CSV),
    rb"\x80[\x02-\x05]": Kind("a pickle", SAVE_AS_CSV),
    rb"\x89HDF\r\n": Kind("an HDF5 file", SAVE_AS_CSV),
    rb"\x93NUMPY": Kind("a NumPy file", SAVE_AS_CSV),
    rb"RD[AX][23]\n": Kind("a file in R's own format", "save it with R's write.csv"),
    rb"SQLite format 3\0": Kind("an SQLite database", EXPORT),
    rb"%PDF-": Kind("a PDF", "get the table as CSV"),
    rb"\xd0\xcf\x11\xe0": Kind("an Excel file", EXPORT),
    rb"\x1f\x8b": Kind("a gzip archive", UNPACK),
    rb"\xfd7zXZ\0": Kind("an xz archive", UNPACK),
    rb"BZh[1-9]1AY&SY": Kind("a bzip2 archive", UNPACK),
    rb"\x28\xb5\x2f\xfd": Kind("a Zstandard archive", UNPACK),
    rb"7z\xbc\xaf\x27\x1c": Kind("a 7-Zip archive", UNPACK),
    rb"Rar!\x1a\x07": Kind("a RAR archive", UNPACK),
    # UTF-32 first, as its byte order mark begins with UTF-16's; then ASCII text without a mark.
    rb"\xff\xfe\0\0|\0\0\xfe\xff|[\x01-\x7f]\0\0\0|\0\0\0[\x01-\x7f]": Kind(
        "in the encoding UTF-32", SAVE_AS_UTF8
    ),
    rb"\xff\xfe|\xfe\xff|[\x01-\x7f]\0|\0[\x01-\x7f]": Kind("in the encoding UTF-16", SAVE_AS_UTF8),
}
"""Regular expressions for the first bytes of files that are often misnamed .csv."""


def find_kind(content: bytes) -> Kind | None:
    """Return the kind of a file, or `None` if it may be text.

    Examples
    --------
    >>> find_kind(b"BZh91AY&SY...").name, find_kind(b"genre,lyrics")
    ('a bzip2 archive', None)
    """
    if content.startswith(b"PK\x03\x04"):
        return _find_kind_of_zip(content)
    return next((kind for start, kind in BEGINNINGS.items() if re.match(start, content)), None)


def _find_kind_of_zip(content: bytes) -> Kind:
    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except zipfile.BadZipFile:
        return Kind("a damaged zip archive or Excel file", "download or export it again")
    if any(name.startswith("xl/") for name in names):
        return Kind("an Excel file", EXPORT)
    if "content.xml" in names:
        return Kind("an OpenDocument file", EXPORT)
    return Kind("a zip archive", UNPACK)
