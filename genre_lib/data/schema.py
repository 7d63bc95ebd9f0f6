"""The names of the course: genres, scores, columns.

Explained in chapter 1, *The songs*. The column names are those of the published file
(Moura et al., *Music Dataset: Lyrics and Metadata from 1950 to 2019*, doi 10.17632/3t9vbwxgr5.3).

Examples
--------
>>> GENRES.index("jazz")
3
>>> len(TOPIC_FEATURES), len(AUDIO_FEATURES), len(FEATURES)
(16, 6, 22)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # names must not wait for pandas
    import pandas as pd

GENRES = ("blues", "country", "hip hop", "jazz", "pop", "reggae", "rock")
"""The seven labels in alphabetical order; a genre's number is its position here, unless a table of
songs has others (`genres_of`)."""

TOPIC_FEATURES = (
    "dating", "violence", "world/life", "night/time", "shake the audience", "family/gospel",
    "romantic", "communication", "obscene", "music", "movement/places",
    "light/visual perceptions", "family/spiritual", "like/girls", "sadness", "feelings",
)  # fmt: skip
"""Sixteen scores that a topic model (LDA) assigned to the lyrics; they sum to 1 or less."""

AUDIO_FEATURES = (
    "danceability", "loudness", "acousticness", "instrumentalness", "valence", "energy",
)  # fmt: skip
"""Six of Spotify's scores for the recording, rescaled to [0, 1] by the authors of the data set."""

FEATURES = TOPIC_FEATURES + AUDIO_FEATURES
"""All 22 scores, in the order in which every network of the course receives them."""

COLUMNS = ("artist_name", "track_name", "release_date", "genre", "lyrics", *FEATURES)
"""The columns that chapters use; the file's `len`, `topic` and `age` are derived from them."""

FOOTER = "lyric commercial"
"""Two words that a lyrics site left at the end of some songs: they leak the label (chapter 1)."""

YEARS = (1900, 2100)
"""The first and last valid release year."""


def genres_of(songs: pd.DataFrame) -> tuple[str, ...]:
    """Return the genres of a table, in the order of their numbers: by default `GENRES`.

    `genre_lib.data.genres` makes tables that have others, listed in `.attrs["genres"]`,
    which pandas keeps when rows or columns are selected.

    Examples
    --------
    >>> import pandas as pd
    >>> genres_of(pd.DataFrame({"genre": ["pop"]})) == GENRES
    True
    """
    return tuple(songs.attrs.get("genres", GENRES))
