"""The published file of songs, in the user's cache. Explained in chapter 1, *The songs*."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import warnings
from pathlib import Path

import pooch

from genre_lib.errors import SongsError
from genre_lib.files import WRITING, written_whole

PUBLISHED_URL = (
    "https://raw.githubusercontent.com/PhilChodrow/PIC16B/"
    "7d12d32e070e7ff3840b971c0ce4185ef1911796/datasets/tcc_ceds_music.csv"
)
PUBLISHED_BLOB = "2f0edbced3d1376242819a7fb566ea3ad3de790e"
"""The published file's git blob hash: SHA-1 of `blob <bytes>`, a zero byte, and the content."""

PUBLISHED_BYTES = 28_000_000
"""About its size."""

TIMEOUT = 5
"""Seconds to wait for the server of the published file before doing without it."""


def published_copy() -> Path:
    """Where the user's cache holds the published file, whether it is there or not."""
    try:
        folder = Path(pooch.os_cache("genre-lib"))
    except RuntimeError:
        folder = Path("~")
    if not folder.is_absolute():  # a user without a home: a new platformdirs raises, an old doesn't
        folder = Path(tempfile.gettempdir()) / "genre-lib"
    return folder / f"{PUBLISHED_BLOB[:12]}-tcc_ceds_music.csv"


def is_whole(path: Path) -> bool:
    """Whether the published file lies at `path`, to the last byte."""
    return path.is_file() and _git_blob_hash(path) == PUBLISHED_BLOB


def fetch_published() -> Path:
    """Return the verified copy in the user's cache, downloading it if it is not there.

    Raises
    ------
    SongsError
        When there is no network, the server sends something else, or the cache can't be used.
    """
    target = published_copy()
    try:
        if is_whole(target):
            return target
        if target.exists():
            note = f"The cached file {target} is damaged: downloading it anew."
            warnings.warn(note, stacklevel=4)
        _download(target)
    except OSError as error:
        if error.errno:  # the disk's fault: errors of the network have no number
            raise SongsError(
                f"The cache folder {target.parent} can't be used ({error.strerror}): make room in "
                "it, or set XDG_CACHE_HOME to a folder of yours."
            ) from error
        raise SongsError(
            f"The published songs could not be fetched ({type(error).__name__}): connect to a "
            "network, or set GENRE_SONGS to the path of a copy."
        ) from error
    return target


def _download(target: Path) -> None:
    """Fetch the published file; several processes may do so at once."""
    pooch.get_logger().setLevel("WARNING")  # it would print a path of this machine
    try:
        with written_whole(target) as new:
            pooch.retrieve(
                PUBLISHED_URL,
                known_hash=None,
                fname=new.name,
                path=new.parent,
                downloader=pooch.HTTPDownloader(sys.stderr.isatty(), timeout=TIMEOUT),
            )
            if not is_whole(new):
                raise SongsError(
                    f"What {PUBLISHED_URL} sent is not the published file (its git blob hash is "
                    f"{_git_blob_hash(new)}): it was thrown away; try again later."
                )
    except OSError:
        if not is_whole(target):  # another process may have been faster
            raise
    # What is left is of processes that were killed, or that will find the file whole.
    for left in target.parent.glob(f"{WRITING}*"):
        shutil.rmtree(left, ignore_errors=True)


def _git_blob_hash(path: Path) -> str:
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
