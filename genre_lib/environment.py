"""Versions, device and data source of a run. Every chapter prints them once, near its top."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import pandas as pd

from genre_lib.training.device import choose_device

PACKAGES = ("genre-lib", "torch", "pandas", "scikit-learn", "plotly")


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of `packages`, by default those that results depend on."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package).partition("+")[0]  # "2.13.0+cu130" is the same code
        except PackageNotFoundError:  # e.g. genre_lib imported from a folder
            found[package] = "not installed"
    return found


def describe_environment(songs: pd.DataFrame) -> str:
    """Return one line with versions, device and the source of the songs.

    Examples
    --------
    >>> from genre_lib import make_songs
    >>> describe_environment(make_songs(200)).split(" · ")[-1]
    'songs: 200 synthetic songs (seed 0)'
    """
    packages = " · ".join(f"{name} {number}" for name, number in versions().items())
    source = songs.attrs.get("source", f"{len(songs):,} songs from a table of your own")
    return f"{packages} · device {choose_device()} · songs: {source}"
