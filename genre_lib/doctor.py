"""What this installation stands on, and what is wrong with it. Behind `genre-lib doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import warnings
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import NamedTuple

import pooch
import torch
from packaging.requirements import Requirement

from genre_lib.device import choose_device
from genre_lib.schema import GenreLibError
from genre_lib.songs import PUBLISHED_BYTES, load_songs, published_copy


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
    device = choose_device()
    if device.type == "cuda":
        free, total = (size / 2**30 for size in torch.cuda.mem_get_info())
        says = f"{torch.cuda.get_device_name()}, {free:.1f} of {total:.1f} GiB free"
        fault = ""
        if free < 1:
            fault = "The GPU is nearly full: end other notebooks that use it, or use device 'cpu'."
        return Finding("device", says, fault)
    says = f"{device.type}, {torch.get_num_threads()} threads"
    if device.type == "cpu" and shutil.which("nvidia-smi"):
        return Finding(
            "device",
            says,
            "There is a GPU that torch can't use: install a torch with CUDA (pytorch.org), or in "
            "Colab choose Runtime, Change runtime type, GPU.",
        )
    return Finding("device", says)


def _cache() -> Finding:
    copy = published_copy()
    folder = Path(pooch.os_cache("genre-lib"))
    exists = folder
    while not exists.exists():
        exists = exists.parent
    free = shutil.disk_usage(exists).free
    state = "holds the published songs" if copy.exists() else "no songs in it yet"
    says = f"{folder}, {state}, {free / 2**30:.1f} GiB free"
    if not os.access(exists, os.W_OK):
        return Finding(
            "cache",
            says,
            "It can't be written to, so songs would be downloaded each time: set XDG_CACHE_HOME to "
            "a folder of yours.",
        )
    if not copy.exists() and free < 2 * PUBLISHED_BYTES:
        return Finding("cache", says, "There is no room for the published songs (28 MB).")
    return Finding("cache", says)


def _songs() -> Finding:
    named = os.environ.get("GENRE_SONGS", "").strip() or "auto"
    if named == "auto" and not published_copy().exists():
        return Finding(
            "songs", "GENRE_SONGS is not set: the published songs will be downloaded when they "
            "are first needed, or synthetic ones made where there is no network"
        )  # fmt: skip
    if named == "published" and not published_copy().exists():
        return Finding("songs", "the published songs, not downloaded yet")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            songs = load_songs()
    except GenreLibError as error:
        return Finding("songs", f"GENRE_SONGS={named}", str(error))
    return Finding("songs", songs.attrs["source"], " ".join(str(note.message) for note in caught))
