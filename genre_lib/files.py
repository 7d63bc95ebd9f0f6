"""Writing files and folders completely or not at all."""

from __future__ import annotations

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
        When `target` can't be written.

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
            new.write_text(text, encoding="utf-8")
    except OSError as error:
        raise GenreLibError(
            f"Could not write {path} ({error.strerror or error}): free some disk space, or choose "
            "another file."
        ) from error


def _remove_stale(folder: Path, prefix: str) -> None:
    for old in folder.glob(f"{prefix}*"):
        newest = max((p.stat().st_mtime for p in (old, *old.rglob("*"))), default=0)
        if time.time() - newest > STALE_AFTER:
            shutil.rmtree(old, ignore_errors=True)
