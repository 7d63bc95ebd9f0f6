"""Check a file of songs of one new genre, for `genre-lib doctor FILE`. Chapter 17."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer

from genre_lib.data.csv_file import TEXT_COLUMNS, read_table
from genre_lib.data.genres import NEEDED
from genre_lib.data.schema import FEATURES, GENRES, YEARS
from genre_lib.data.splits import FOLDS, TEST_FOLDS
from genre_lib.errors import Finding, SongsError, nearest

STOP_WORDS = ("the", "and", "he", "she", "of", "to", "in", "is")
"""Words that English lyrics can't do without, and that the published file doesn't have."""

FREQUENT, RARE = 0.6, 0.05
"""A word is a leak if it is in this share of the file's songs, and in less of the course's."""

SHARED_END = 0.2
"""The share of songs with the same first or last two words from which it is no coincidence."""

COPY = 0.6
"""The share of a song's pairs of adjacent words that another must have to be called a copy."""

FEW_WORDS, FEW_SONGS, KNOWN_WORDS, MOST_OF_ONE = 10, 50, 0.5, 0.3
"""Fewer words in a song, songs in a file or known words in a song are too few; a larger share of
the songs by one artist is too large."""


def examine(path: str | Path, songs: pd.DataFrame) -> Iterator[Finding]:
    """Yield findings about a file of songs, compared with the course's songs.

    Raises
    ------
    SongsError
        When the file is not a CSV table, or has no rows.
    """
    table = read_table(path)
    if table.empty:
        raise SongsError(f"{Path(path).name} has no songs: write one per row, below the names.")
    text = [name for name in TEXT_COLUMNS if name in table]
    table[text] = table[text].astype(object).fillna("").astype(str)
    yield _columns(table)
    yield from _values(table)
    if "genre" in table:
        yield _genre(table["genre"])
    yield _number(table, songs)
    if "artist_name" in table:
        yield _artists(table["artist_name"], songs)
    if "lyrics" in table:
        lyrics = table["lyrics"]
        words, known = lyrics.str.split(), songs["lyrics"].str.split()
        yield _treatment(lyrics)
        yield _length(words)
        yield _language(words, known)
        yield _frequent(words, known)
        yield _ends(words)
        yield _copies(lyrics, songs["lyrics"])


def _rows(wrong: pd.Series) -> str:
    """Return where `wrong` is true, as rows of a spreadsheet, the first of which has the names."""
    rows = [str(position + 2) for position in np.flatnonzero(wrong.to_numpy())]
    shown = ", ".join(rows[:5]) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
    return f"row{'s' if len(rows) > 1 else ''} {shown}"


def _columns(table: pd.DataFrame) -> Finding:
    missing = [name for name in NEEDED if name not in table]
    if missing:
        near = nearest(missing[0], (str(c) for c in table if c not in NEEDED))
        rename = f"rename {near!r} if that is the one" if near else "add them"
        return Finding("columns", f"{', '.join(missing)} missing", f"Without them nothing can be "
                       f"trained or split: {rename}.")  # fmt: skip
    scores = [name for name in FEATURES if name in table]
    only = "" if len(scores) == len(FEATURES) else ": only the lyrics network can be trained"
    return Finding("columns", f"all that are needed, {len(scores)} of {len(FEATURES)} scores{only}")


def _values(table: pd.DataFrame) -> Iterator[Finding]:
    for name in (n for n in NEEDED if n in table and n != "release_date"):
        empty = table[name].str.strip() == ""
        if empty.any():
            yield Finding(name, f"empty in {_rows(empty)}", "Fill it in, or remove the songs.")
    if "release_date" in table:
        year = pd.to_numeric(table["release_date"], errors="coerce").astype(float)
        wrong = ~(year.between(*YEARS) & (year % 1 == 0))
        if wrong.any():
            yield Finding("release_date", f"no year in {_rows(wrong)}", "Write four digits.")
    for name in (n for n in FEATURES if n in table):
        score = pd.to_numeric(table[name], errors="coerce").astype(float)
        if score.isna().all():
            yield Finding(name, "has no number at all", "Remove the column.")
        elif score.isna().any():
            fix = "Write numbers with a decimal point, or remove the songs."
            yield Finding(name, f"not a number in {_rows(score.isna())}", fix)
        elif not score.between(0, 1).all():
            state = f"from {score.min():g} to {score.max():g}, outside 0 to 1 in "
            fix = "Rescale the column like the course's; if you can't, remove it."
            yield Finding(name, state + _rows(~score.between(0, 1)), fix)


def _genre(genre: pd.Series) -> Finding:
    counts = genre.value_counts()
    state = ", ".join(f"{name!r} {count}" for name, count in counts.head(5).items())
    name = str(counts.index[0])
    if len(counts) > 1:
        odd = _rows(genre != name)
        return Finding("genre", state, f"One file has one new genre: correct {odd}.")
    if name in GENRES or nearest(name.replace("-", " "), GENRES):
        return Finding("genre", state, f"It is too close to the course's {', '.join(GENRES)}: "
                       "give the new genre another name.")  # fmt: skip
    return Finding("genre", state)


def _number(table: pd.DataFrame, songs: pd.DataFrame) -> Finding:
    counts = songs["genre"].value_counts()
    tested = max(1, len(table) * len(TEST_FOLDS) // FOLDS)
    half = 100 * 1.96 * 0.5 / tested**0.5
    state = (
        f"{len(table)}, compared with {counts.min():,} ({counts.idxmin()}) to {counts.max():,} "
        f"({counts.idxmax()}); with {tested} to test on, a recall of 50% is known to ± {half:.0f} "
        "points at best"
    )
    few = f"Collect {FEW_SONGS} or more: fewer are too few to learn from and to test on."
    return Finding("songs", state, few if len(table) < FEW_SONGS else "")


def _artists(artists: pd.Series, songs: pd.DataFrame) -> Finding:
    names = artists.str.strip().str.lower()
    counts = names.value_counts()
    shared = names.isin(set(songs["artist_name"].str.strip().str.lower()))
    state = f"{len(counts)}; most songs, {counts.iloc[0]}, by {counts.index[0]}"
    problems = []
    if len(counts) < FOLDS:
        problems.append(f"A split by artist needs {FOLDS} artists or more: add some.")
    if counts.iloc[0] > MOST_OF_ONE * len(names):
        problems.append("A network would learn that one artist, not the genre: add other artists.")
    if shared.any():
        problems.append(
            f"The course has songs by the artists in {_rows(shared)}: make sure that they belong "
            "to the new genre, and split by artist."
        )
    return Finding("artists", state, " ".join(problems))


def _treatment(lyrics: pd.Series) -> Finding:
    found = lyrics.str.lower().str.findall(r"[^\W\d_]+").map(set)
    stop = found.map(lambda words: bool(words & set(STOP_WORDS)))
    marks = lyrics.str.contains(r"[A-Z.,;:!?\n]")
    if stop.any():
        return Finding("lyrics", f"words such as 'the' or 'she' in {_rows(stop)}", "The course's "
                       "lyrics have no such words, so they give the genre away: lemmatise and "
                       "remove stop words, as chapter 17 describes.")  # fmt: skip
    if marks.any():
        return Finding("lyrics", f"capitals or punctuation in {_rows(marks)}", "The course's "
                       "lyrics have neither: write words in lower case with spaces.")  # fmt: skip
    return Finding("lyrics", "in lower case, without stop words, like the course's")


def _length(words: pd.Series) -> Finding:
    length = words.str.len()
    short = length < FEW_WORDS
    state = f"{length.median():.0f} words (median)"
    if short.any():
        state += f", fewer than {FEW_WORDS} in {_rows(short)}"
        return Finding("length", state, "Such songs say too little: complete or remove them.")
    return Finding("length", state)


def _language(words: pd.Series, known: pd.Series) -> Finding:
    in_songs = Counter(word for song in known for word in set(song))
    vocabulary = {word for word, count in in_songs.items() if count >= 5}
    share = words.map(lambda song: np.mean([w.lower() in vocabulary for w in song or ["?"]]))
    odd = share < KNOWN_WORDS
    state = f"{share.median():.0%} of a song's words are known (median)"
    if odd.any():
        state += f", less than {KNOWN_WORDS:.0%} in {_rows(odd)}"
        problem = (
            "These songs seem to be in a different language from the course's, which would be all "
            "that a network learns: replace them."
        )
        return Finding("language", state, problem)
    return Finding("language", state)


def _frequent(words: pd.Series, known: pd.Series) -> Finding:
    counts = Counter(word for song in words for word in set(song))
    often = {word for word, count in counts.items() if count >= FREQUENT * len(words)}
    elsewhere = Counter(word for song in known for word in often & set(song))
    leaks = sorted(word for word in often if elsewhere[word] < RARE * len(known))
    if not leaks:
        return Finding("word leaks", "none")
    word = leaks[0]
    state = (
        f"{', '.join(leaks[:5])}: {word!r} is in {counts[word] / len(words):.0%} of these songs "
        f"and {elsewhere[word] / len(known):.1%} of the course's"
    )
    return Finding("word leaks", state, "Remove what was not sung; if it was, say in your report "
                   "how good the network is without it.")  # fmt: skip


def _ends(words: pd.Series) -> Finding:
    for what, part in (("end", slice(-2, None)), ("begin", slice(2))):
        pairs = words.map(lambda song, part=part: " ".join(song[part]))
        pair, count = str(pairs.mode().iloc[0]), int(pairs.value_counts().iloc[0])
        if count >= 3 and count > SHARED_END * len(words):
            state = f"{count} songs {what} with {pair!r}: {_rows(pairs == pair)}"
            problem = "This looks like a site's header or footer: remove it from all songs."
            return Finding("shared text", state, problem)
    return Finding("shared text", "no common beginning or end")


def _copies(lyrics: pd.Series, known: pd.Series) -> Finding:
    try:
        pairs = CountVectorizer(ngram_range=(2, 2), binary=True, token_pattern=r"\S+")
        own = pairs.fit_transform(lyrics)
    except ValueError:  # no song has two words
        return Finding("copies", "no lyrics to compare")
    size = np.maximum(np.asarray(own.sum(axis=1)).ravel(), 1)
    within = np.tril((own @ own.T).toarray(), -1) / size[:, None]
    course = np.asarray((own @ pairs.transform(known).T).max(axis=1).todense()).ravel() / size
    found = [
        f"row {a + 2} repeats row {b + 2}" for a, b in np.argwhere(within >= COPY) if size[a] >= 5
    ]
    found += [
        f"row {a + 2} is among the course's songs"
        for a in np.flatnonzero((course >= COPY) & (size >= 5))
    ]
    if not found:
        return Finding("copies", "no two songs with nearly the same lyrics")
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    return Finding("copies", "; ".join(found[:5]) + more, "Keep one of each: a copy on both sides "
                   "of a split gives the answer away.")  # fmt: skip
