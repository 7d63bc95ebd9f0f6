"""Songs that several tests share. They are synthetic: no test needs a network or real songs."""

from __future__ import annotations

import pandas as pd
import pytest

from genre_lib import make_songs


@pytest.fixture(scope="session")
def _made_once() -> pd.DataFrame:
    return make_songs(1500, seed=1)


@pytest.fixture
def songs(_made_once: pd.DataFrame) -> pd.DataFrame:
    """1,500 songs; a copy, so that a test may spoil it."""
    return _made_once.copy()
