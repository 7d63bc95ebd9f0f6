"""Check the installation, for `genre-lib doctor`."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

import torch
from packaging.requirements import Requirement

from genre_lib.data.published import PUBLISHED_BYTES, is_complete, published_path
from genre_lib.data.songs import load_songs
from genre_lib.errors import Finding, GenreLibError
from genre_lib.training.device import MIN_FREE_MEMORY, choose_device


def diagnose() -> Iterator[Finding]:
    """Yield findings about Python, the packages, the device, the cache and the songs.

    Nothing is downloaded, and no files are left.
    """
    yield Finding("Python", f"{platform.python_version()} in {sys.prefix}")
    yield from _packages()
    yield _device()
    yield _cache()
    yield _songs()


def _packages() -> Iterator[Finding]:
    try:
        lines = requires("genre-lib") or []
    except PackageNotFoundError:  # run from a checkout
        yield Finding("genre-lib", "not installed", "Install it from the course's folder: pip "
                      "install --editable .")  # fmt: skip
        return
    for line in lines:
        needed = Requirement(line)
        if needed.marker is not None and not needed.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(needed.name)
        except PackageNotFoundError:
            problem = f"genre-lib needs {needed}: pip install '{needed}'."
            yield Finding(needed.name, "missing", problem)
            continue
        fits = needed.specifier.contains(found, prereleases=True)
        problem = "" if fits else f"genre-lib needs {needed}: pip install '{needed}'."
        yield Finding(needed.name, found, problem)


def _device() -> Finding:
    if torch.cuda.is_available():
        try:
            free, total = torch.cuda.mem_get_info()
        except RuntimeError:  # the memory is full
            free = total = 0
        state = (
            f"{torch.cuda.get_device_name()}, {free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
        )
        problem = (
            "Its memory is full, so the CPU is used: shut down other notebooks that use the GPU."
        )
        return Finding("device", state, problem if free < MIN_FREE_MEMORY else "")
    state = f"{choose_device().type}, {torch.get_num_threads()} threads"
    if shutil.which("nvidia-smi"):
        return Finding(
            "device",
            state,
            "There is a GPU that torch can't use: install torch with CUDA (pytorch.org), or in "
            "Colab choose Runtime, Change runtime type, GPU.",
        )
    return Finding("device", state)


def _cache() -> Finding:
    path = published_path()
    folder = existing = path.parent
    while not os.path.exists(existing):  # pathlib's raises if access is denied
        existing = existing.parent
    is_cached = _has_copy()
    free = shutil.disk_usage(existing).free
    content = "has the published songs" if is_cached else "no songs in it yet"
    state = f"{folder}, {content}, {free / 2**30:.1f} GiB free"
    fix = "set XDG_CACHE_HOME to another folder"
    if is_cached:
        return Finding("cache", state)
    if not existing.is_dir():
        return Finding("cache", state, f"{existing} is a file, not a folder: move it, or {fix}.")
    if not os.access(existing, os.W_OK):
        problem = f"It can't be written to, so the published songs can't be cached: {fix}."
        return Finding("cache", state, problem)
    if free < 2 * PUBLISHED_BYTES:
        problem = (
            f"The disk is too full for the published songs (28 MB): free some space, or {fix}."
        )
        return Finding("cache", state, problem)
    if os.path.exists(path):
        problem = "Its copy of the published songs is damaged and will be downloaded again."
        return Finding("cache", state, problem)
    return Finding("cache", state)


def _songs() -> Finding:
    named = os.environ.get("GENRE_SONGS", "").strip() or "auto"
    if named == "auto" and not _has_copy():
        return Finding(
            "songs", "GENRE_SONGS is not set: the published songs will be downloaded when they "
            "are first needed, or synthetic ones made if there is no network"
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
    except OSError:  # not readable
        return False
