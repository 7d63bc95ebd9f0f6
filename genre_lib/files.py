"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from genre_lib.errors import GenreLibError

WRITING = ".writing-"
"""What the name of a folder begins with in which something is being written."""

FORGOTTEN = 3600
"""Seconds after which such a folder is of a process that was killed, if nothing in it changed."""


@contextmanager
def written_whole(target: Path) -> Iterator[Path]:
    """Yield a new path for a file or folder, which takes the place of `target` after the block.

    When the block, or the machine, stops half-way, `target` is what it was before. Folders above
    it are made. A device, a pipe or a link, such as `/dev/stdout`, is written to as it is.

    Raises
    ------
    OSError
        When it can't be written.
    """
    if target.is_symlink() or (target.exists() and not (target.is_file() or target.is_dir())):
        yield target
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    prefix = f"{WRITING}{target.name[:40]}-"  # a name may be as long as the disk allows
    _remove_forgotten(target.parent, prefix)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=prefix) as folder:
        new = Path(folder) / target.name
        yield new
        # A name must not outlive a power cut that its content did not.
        for path in [new, *new.rglob("*")]:
            if path.is_file():
                with open(path, "rb+") as file:
                    os.fsync(file.fileno())
        if target.is_dir():
            target.replace(Path(folder) / "replaced")
        new.replace(target)


def write_text(path: str | Path, text: str) -> None:
    """Write a text file, whole or not at all.

    Raises
    ------
    GenreLibError
        When it can't be written; an older file is then as it was.
    """
    try:
        with written_whole(Path(path)) as new:
            new.write_text(text, encoding="utf-8")
    except OSError as error:
        raise GenreLibError(
            f"Could not write {path} ({error.strerror or error}): make room, or name another file."
        ) from error


def _remove_forgotten(folder: Path, prefix: str) -> None:
    for left in folder.glob(f"{prefix}*"):
        newest = max((p.stat().st_mtime for p in (left, *left.rglob("*"))), default=0)
        if time.time() - newest > FORGOTTEN:
            shutil.rmtree(left, ignore_errors=True)
