"""The library's errors, problems that the user can fix, and findings of the doctor."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import NamedTuple


class GenreLibError(ValueError):
    """A problem that the user can fix; the message is one sentence that says how."""


class SongsError(GenreLibError):
    """A table of songs that can't be used."""


class Finding(NamedTuple):
    """One line of a report on an installation or on a file of songs."""

    name: str
    """What was checked, such as a package, the cache or a column."""
    state: str
    """What was found."""
    problem: str = ""
    """What is wrong with it and what to do, in one sentence; empty if nothing is wrong."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word whose spelling is closest to `word`, or `None` if none is close.

    Examples
    --------
    >>> nearest("Hip-hop", ["hip hop", "jazz"])
    'hip hop'
    """
    spellings = {k.strip().lower(): k for k in known}
    near = get_close_matches(word.strip().lower(), spellings, n=1)
    return spellings[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str], otherwise: str) -> str:
    """Return a hint for a message about an unknown word: the nearest known one, or `otherwise`.

    Examples
    --------
    >>> did_you_mean("jaz", ["jazz", "pop"], "use one of jazz, pop.")
    "did you mean 'jazz'?"
    """
    near = nearest(word, known)
    return f"did you mean {near!r}?" if near else otherwise
