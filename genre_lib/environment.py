"""Versions, device and data of a run. Every chapter prints them once, near its top."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

import pandas as pd

from genre_lib.training.device import choose_device

PACKAGES = ("genre-lib", "torch", "pandas", "scikit-learn", "plotly")


def versions(packages: Sequence[str] = PACKAGES) -> dict[str, str]:
    """Return the versions of Python and of packages, if not told otherwise those that results
    may depend on."""
    found = {"python": platform.python_version()}
    for package in packages:
        try:
            found[package] = version(package).partition("+")[0]  # "2.13.0+cu130": the same code
        except PackageNotFoundError:  # used from a folder, not installed
            found[package] = "not installed"
    return found


def describe_environment(songs: pd.DataFrame) -> str:
    """Return one line: versions, device, and where the songs are from."""
    packages = " · ".join(f"{name} {number}" for name, number in versions().items())
    source = songs.attrs.get("source", f"{len(songs):,} songs from a table of your own")
    return f"{packages} · device {choose_device()} · songs: {source}"
