"""What is installed here, and what is wrong with it. Behind `genre-lib doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from typing import NamedTuple

import torch
from packaging.requirements import Requirement

from genre_lib.data.published import PUBLISHED_BYTES, is_complete, published_path
from genre_lib.data.songs import load_songs
from genre_lib.errors import GenreLibError
from genre_lib.training.device import MIN_FREE_MEMORY, choose_device


class Finding(NamedTuple):
    """One line of the report."""

    name: str
    """`Python`, a package, `device`, `cache` or `songs`."""
    says: str
    """What there is."""
    fault: str = ""
    """What is wrong with it and what to do, one sentence; empty when nothing is."""


def diagnose() -> Iterator[Finding]:
    """Look at Python, the packages, the device, the cache and the songs, one after the other.

    Nothing is downloaded and nothing is written that stays.
    """
    yield Finding("Python", f"{platform.python_version()} in {sys.prefix}")
    yield from _packages()
    yield _device()
    yield _cache()
    yield _songs()


def _packages() -> Iterator[Finding]:
    for line in requires("genre-lib") or []:
        needed = Requirement(line)
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(needed.name)
        except PackageNotFoundError:
            fault = f"genre-lib needs {needed}: pip install '{needed}'."
            yield Finding(needed.name, "missing", fault)
            continue
        fits = needed.specifier.contains(found, prereleases=True)
        fault = "" if fits else f"genre-lib needs {needed}: pip install '{needed}'."
        yield Finding(needed.name, found, fault)


def _device() -> Finding:
    if torch.cuda.is_available():
        try:
            free, total = torch.cuda.mem_get_info()
        except RuntimeError:  # not even room for asking
            free = total = 0
        says = f"{torch.cuda.get_device_name()}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
        fault = "Its memory is full, so the CPU computes: end other notebooks that use the GPU."
        return Finding("device", says, fault if free < MIN_FREE_MEMORY else "")
    says = f"{choose_device().type}, {torch.get_num_threads()} threads"
    if shutil.which("nvidia-smi"):
        return Finding(
            "device",
            says,
            "There is a GPU that torch can't use: install a torch with CUDA (pytorch.org), or in "
            "Colab choose Runtime, Change runtime type, GPU.",
        )
    return Finding("device", says)


def _cache() -> Finding:
    copy = published_path()
    folder = exists = copy.parent
    while not os.path.exists(exists):  # pathlib's raises where one may not look
        exists = exists.parent
    whole = _has_copy()
    free = shutil.disk_usage(exists).free
    state = "holds the published songs" if whole else "no songs in it yet"
    says = f"{folder}, {state}, {free / 2**30:.1f} GiB free"
    mend = "set XDG_CACHE_HOME to a folder of yours"
    if whole:
        return Finding("cache", says)
    if not exists.is_dir():
        return Finding("cache", says, f"{exists} is a file, not a folder: move it, or {mend}.")
    if not os.access(exists, os.W_OK):
        fault = f"It can't be written to, so the published songs can't be kept: {mend}."
        return Finding("cache", says, fault)
    if free < 2 * PUBLISHED_BYTES:
        fault = f"There is no room for the published songs (28 MB): make room, or {mend}."
        return Finding("cache", says, fault)
    if os.path.exists(copy):
        fault = "Its copy of the published songs is damaged: it will be downloaded anew."
        return Finding("cache", says, fault)
    return Finding("cache", says)


def _songs() -> Finding:
    named = os.environ.get("GENRE_SONGS", "").strip() or "auto"
    if named == "auto" and not _has_copy():
        return Finding(
            "songs", "GENRE_SONGS is not set: the published songs will be downloaded when they "
            "are first needed, or synthetic ones made where there is no network"
        )  # fmt: skip
    if named == "published" and not _has_copy():
        return Finding("songs", "the published songs, not downloaded yet")
    try:
        songs = load_songs()
    except GenreLibError as error:
        return Finding("songs", f"GENRE_SONGS={named}", str(error))
    return Finding("songs", songs.attrs["source"])


def _has_copy() -> bool:
    try:
        return is_complete(published_path())
    except OSError:  # it may not be read
        return False
