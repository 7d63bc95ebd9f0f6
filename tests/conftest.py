"""Songs that several tests share. They are synthetic: no test needs a network or real songs."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from genre_lib import make_songs


@pytest.fixture(scope="session")
def session_songs() -> pd.DataFrame:
    return make_songs(1500, seed=1)


@pytest.fixture
def songs(session_songs: pd.DataFrame) -> pd.DataFrame:
    """1,500 songs; a copy, so that a test may spoil it."""
    return session_songs.copy()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An empty disk of 64 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        command = ["mount", "-t", "tmpfs", "-o", "size=64k", "small", str(folder)]
        subprocess.run(command, check=True, capture_output=True, text=True)
    except (OSError, subprocess.CalledProcessError) as error:
        reason = getattr(error, "stderr", None) or error
        pytest.skip(f"no disk can be mounted here: {str(reason).strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)
