"""Stored results: what was measured, when, on what, and by which command.

A number in the README or in a chapter is printed by a cell or read from one of these files. They
lie in `benchmarks/results/` and travel with the library as the package `genre_lib.results`, so that
a chapter finds them in Colab too. Used in chapter 8, *Conclusion*.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
from datetime import date
from difflib import get_close_matches
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from genre_lib.environment import versions
from genre_lib.schema import GenreLibError


def read_result(name: str) -> dict[str, Any]:
    """Return the stored result called `name`, e.g. "original".

    Raises
    ------
    GenreLibError
        When there is none of that name.
    """
    folder = files("genre_lib.results")
    path = folder / f"{name}.json"
    if not path.is_file():
        known = sorted(p.name.removesuffix(".json") for p in folder.iterdir() if ".json" in p.name)
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}."
        raise GenreLibError(f"There is no stored result {name!r}: {hint}")
    return json.loads(path.read_text(encoding="utf-8"))


def write_result(path: str | Path, command: str, data: str, rows: int, **content: Any) -> None:
    """Write a result with its circumstances as a JSON file, whole or not at all.

    Parameters
    ----------
    path
        The file to write.
    command
        What anyone can type to make the result again.
    data, rows
        Where the songs are from (`songs.attrs["source"]`), and how many there are.
    content
        The figures, in JSON types.

    Raises
    ------
    GenreLibError
        When it can't be written; an older file is then as it was.
    """
    result = {
        "command": command,
        "date": date.today().isoformat(),
        "data": data,
        "rows": rows,
        "device": describe_processor(),
        "versions": versions(),
        **content,
    }
    write_text(path, json.dumps(result, indent=1) + "\n")


def write_text(path: str | Path, text: str) -> None:
    """Write a file, whole or not at all; a folder that is missing is made.

    Raises
    ------
    GenreLibError
        When it can't be written, because the disk is full or may not be written to; an older file
        is then as it was.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_text(text, encoding="utf-8")  # /dev/stdout must stay what it is
            return
        with part.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())  # a name must not outlive a power cut that its content did not
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink()
        raise GenreLibError(
            f"Could not write {path} ({error.strerror or error}): make room, or name another file."
        ) from error


def describe_processor() -> str:
    """Return what calculates here: the GPU's name, or kind and number of CPU cores."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{os.cpu_count()} CPU cores, {platform.machine()}"
