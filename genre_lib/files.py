"""Writing files and folders completely or not at all."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genre_lib.errors import GenreLibError

TEMPORARY_PREFIX = ".writing-"
"""Prefix of the temporary folders in which new files are written."""

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""The errors of a disk that is full."""

STALE_AFTER = 3600
"""Seconds without a change after which a temporary folder is taken to be from a killed process."""


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Yield a temporary path for a file or folder that replaces `target` after the block.

    If the block fails or the machine stops, `target` stays unchanged; for a folder, however, the
    old one is removed an instant before the new one appears. Missing parent folders are created. A
    device, pipe or link, such as `/dev/stdout`, is written to directly.

    Raises
    ------
    OSError
        When `target` can't be written, or is a folder and the block wrote a file.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with written_whole(Path(folder) / "notes.txt") as new:
    ...         _ = new.write_text("jazz")
    ...     (Path(folder) / "notes.txt").read_text()
    'jazz'
    """
    if target.is_symlink() or (target.exists() and not (target.is_file() or target.is_dir())):
        yield target
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{TEMPORARY_PREFIX}{target.name[:40]}-"  # a name may be as long as the disk allows
    _remove_stale(target.parent, prefix)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=prefix) as folder:
        new = Path(folder) / target.name
        yield new
        # Flush the content to disk first, or a power cut could leave an empty file.
        for path in [new, *new.rglob("*")]:
            if path.is_file():
                with open(path, "rb+") as file:
                    os.fsync(file.fileno())
        if target.is_dir():
            if not new.is_dir():
                raise IsADirectoryError(errno.EISDIR, "it is a folder", str(target))
            target.replace(Path(folder) / "replaced")
        new.replace(target)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file, completely or not at all.

    Raises
    ------
    GenreLibError
        When the file can't be written; an existing file then stays unchanged.
    """
    try:
        with written_whole(Path(path)) as new:
            # A file name may come from a disk with another encoding, and be named in the text.
            new.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise GenreLibError(f"Could not write {path} {reason(error, 'file')}.") from error


def reason(error: OSError, place: str) -> str:
    """Return why something could not be written, and what to do about it.

    Examples
    --------
    >>> reason(OSError(errno.ENOSPC, "No space left on device"), "file")
    '(No space left on device): free some disk space, or choose another file'
    >>> reason(PermissionError(errno.EACCES, "Permission denied"), "folder")
    '(Permission denied): choose another folder'
    """
    space = "free some disk space, or " if error.errno in FULL else ""
    return f"({error.strerror or error}): {space}choose another {place}"


def expand(path: str | Path) -> Path:
    """Return a path with the home folder in place of `~`.

    Raises
    ------
    GenreLibError
        When there is no such home folder, as for `~nobody/songs.csv`.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise GenreLibError(f"{path} has no home folder to be in: give the whole path.") from error


def check_target(path: str | Path, *kept: str | Path) -> Path:
    """Return `path`, without `~`, if a file can be written there.

    Parameters
    ----------
    path
        The file to write.
    kept
        Files that it must not replace, and folders that it must not change.

    Raises
    ------
    GenreLibError
        When it is a folder, would change one of `kept`, or has no folder that can be written to.
    """
    target = expand(path)
    real = target.resolve()
    for old in kept:
        if expand(old).resolve() in (real, *real.parents):
            raise GenreLibError(f"{path} would change {old}: choose another file.")
    if target.is_dir():
        raise GenreLibError(f"{path} is a folder: give a file.")
    if not target.parent.is_dir():
        raise GenreLibError(f"There is no folder for {path}: make it first.")
    if not os.access(target if target.exists() else target.parent, os.W_OK):
        raise GenreLibError(f"Nothing can be written to {path}: choose another file.")
    return target


def _remove_stale(folder: Path, prefix: str) -> None:
    for old in folder.glob(f"{prefix}*"):
        newest = max((p.stat().st_mtime for p in (old, *old.rglob("*"))), default=0)
        if time.time() - newest > STALE_AFTER:
            shutil.rmtree(old, ignore_errors=True)
