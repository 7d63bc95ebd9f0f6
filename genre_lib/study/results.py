"""Stored results: what was measured, when, on which machine, and with which command.

Every number in the README or in a chapter is printed by a cell or read from one of these files.
They are in `benchmarks/results/` and installed with the library as the package
`genre_lib.results`, so that chapters find them in Colab, too. Used in chapter 12, *Conclusion*.
"""

from __future__ import annotations

import json
import os
import platform
from datetime import date
from importlib.resources import files
from pathlib import Path
from typing import Any

import torch

from genre_lib.environment import versions
from genre_lib.errors import GenreLibError, did_you_mean
from genre_lib.files import write_text


def read_result(name: str) -> dict[str, Any]:
    """Return the stored result called `name`, e.g. "original".

    Raises
    ------
    GenreLibError
        When there is no such result.
    """
    folder = files("genre_lib.results")
    path = folder / f"{name}.json"
    if not path.is_file():
        known = sorted(p.name.removesuffix(".json") for p in folder.iterdir() if ".json" in p.name)
        hint = did_you_mean(name, known, f"use one of {', '.join(known)}.")
        raise GenreLibError(f"There is no stored result {name!r}: {hint}")
    result: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return result


def write_result(path: str | Path, command: str, data: str, rows: int, **content: Any) -> None:
    """Write a result with date, device and versions to a JSON file, completely or not at all.

    Parameters
    ----------
    path
        The file to write.
    command
        The command that reproduces the result.
    data, rows
        The source of the songs (`songs.attrs["source"]`), and their number.
    content
        The figures, in JSON types.

    Raises
    ------
    GenreLibError
        When the file can't be written; an existing file then stays unchanged.
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


def describe_processor() -> str:
    """Return the name of the GPU, or the number and type of CPU cores."""
    if torch.cuda.is_available():
        return torch.cuda.get_device_name()
    return f"{os.cpu_count()} CPU cores, {platform.machine()}"
