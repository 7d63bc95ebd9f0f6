"""The published file of songs, cached for the user. Explained in chapter 1, *The songs*."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import pooch

from genre_lib.errors import SongsError
from genre_lib.files import TEMPORARY_PREFIX, written_whole

PUBLISHED_URL = (
    "https://raw.githubusercontent.com/PhilChodrow/PIC16B/"
    "7d12d32e070e7ff3840b971c0ce4185ef1911796/datasets/tcc_ceds_music.csv"
)
PUBLISHED_BLOB = "2f0edbced3d1376242819a7fb566ea3ad3de790e"
"""The published file's git blob hash: SHA-1 of `blob <bytes>`, a zero byte, and the content."""

PUBLISHED_BYTES = 28_000_000
"""The published file's approximate size."""

TIMEOUT = 5
"""Seconds to wait for the server of the published file."""


def published_path() -> Path:
    """Return the path of the published file in the user's cache, whether it exists or not."""
    try:
        folder = Path(pooch.os_cache("genre-lib"))
    except RuntimeError:
        folder = Path("~")
    if not folder.is_absolute():  # no home folder: newer platformdirs raise, older ones don't
        folder = Path(tempfile.gettempdir()) / "genre-lib"
    return folder / f"{PUBLISHED_BLOB[:12]}-tcc_ceds_music.csv"


def is_complete(path: Path) -> bool:
    """Return whether `path` is an exact copy of the published file."""
    return path.is_file() and _git_blob_hash(path) == PUBLISHED_BLOB


def fetch_published() -> Path:
    """Return the verified copy in the user's cache, after downloading it if necessary.

    Raises
    ------
    SongsError
        When there is no network, the server sends something else, or the cache can't be used.
    """
    target = published_path()
    try:
        if is_complete(target):
            return target
        if target.exists():
            note = f"The cached file {target} is damaged: downloading it again."
            warnings.warn(note, stacklevel=4)
        _download(target)
    except OSError as error:
        if error.errno:  # a disk error: network errors have no number
            raise SongsError(
                f"The cache folder {target.parent} can't be used ({error.strerror}): free some "
                "disk space, or set XDG_CACHE_HOME to another folder."
            ) from error
        raise SongsError(
            f"The published songs could not be fetched ({type(error).__name__}): connect to the "
            "internet, or set GENRE_SONGS to the path of a copy."
        ) from error
    return target


def _download(target: Path) -> None:
    """Download the published file; several processes may do so at once."""
    pooch.get_logger().setLevel("WARNING")  # otherwise it prints a local path
    try:
        with written_whole(target) as new:
            pooch.retrieve(
                PUBLISHED_URL,
                known_hash=None,
                fname=new.name,
                path=new.parent,
                downloader=pooch.HTTPDownloader(sys.stderr.isatty(), timeout=TIMEOUT),
            )
            if not is_complete(new):
                raise SongsError(
                    f"What {PUBLISHED_URL} sent is not the published file (its git blob hash is "
                    f"{_git_blob_hash(new)}) and was deleted: try again later."
                )
    except OSError:
        if not is_complete(target):  # another process may have been faster
            raise
    # Other temporary folders belong to killed processes, or to ones that will find the file.
    for old in target.parent.glob(f"{TEMPORARY_PREFIX}*"):
        shutil.rmtree(old, ignore_errors=True)


def _git_blob_hash(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
