"""Where songs come from, what is wrong with bad ones, and how they are divided."""

from __future__ import annotations

import pandas as pd
import pytest

from genre_lib.data.csv_file import read_songs
from genre_lib.data.schema import COLUMNS, GENRES
from genre_lib.data.songs import load_songs, strip_footer
from genre_lib.data.splits import hold_out, split_songs
from genre_lib.errors import SongsError


def spoil(songs: pd.DataFrame, column: str, row: int, value: object) -> pd.DataFrame:
    songs[column] = songs[column].astype(object)
    songs.loc[row - 1, column] = value
    return songs


BAD_TABLES = {
    "missing column": (lambda s: s.drop(columns="energy"), ["no column 'energy'"]),
    "misspelt column": (
        lambda s: s.rename(columns={"valence": "Valance"}),
        ["no column 'valence'", "'Valance'"],
    ),
    "spelling twice": (lambda s: s.assign(Lyrics=s["lyrics"]), ["'lyrics' twice"]),
    "score just too high": (lambda s: spoil(s, "energy", 2, 1.00001), ["'energy'", "row 2"]),
    "unknown genre": (
        lambda s: spoil(s, "genre", 3, "Hip-Hop"),
        ["'genre'", "row 3", "'Hip-Hop'", "did you mean 'hip hop'"],
    ),
    "far genre": (
        lambda s: spoil(s, "genre", 2, "zydeco"),
        ["row 2", "'zydeco'", "blues, country"],
    ),
    "score too high": (
        lambda s: spoil(s, "danceability", 7, 1.5),
        ["'danceability'", "row 7", "'1.5'", "0 to 1"],
    ),
    "score in words": (lambda s: spoil(s, "sadness", 5, "much"), ["'sadness'", "row 5", "'much'"]),
    "score missing": (lambda s: spoil(s, "world/life", 9, ""), ["'world/life'", "row 9"]),
    "score infinite": (lambda s: spoil(s, "energy", 4, "inf"), ["'energy'", "row 4", "'inf'"]),
    "empty lyrics": (lambda s: spoil(s, "lyrics", 6, "  "), ["'lyrics'", "row 6", "empty"]),
    "year in words": (lambda s: spoil(s, "release_date", 8, "1970s"), ["row 8", "'1970s'", "year"]),
    "duplicate": (
        lambda s: pd.concat([s, s.iloc[[10]]], ignore_index=True),
        ["twice", "rows 11 and 31"],
    ),
    "score true or false": (lambda s: s.assign(energy=True), ["'energy'", "row 1", "'True'"]),
    "column twice": (lambda s: pd.concat([s, s[["lyrics"]]], axis=1), ["'lyrics' twice"]),
    "no rows": (lambda s: s.iloc[:0], ["no songs"]),
}


@pytest.mark.parametrize("fault", BAD_TABLES)
def test_a_bad_table_is_refused_in_one_sentence(fault, songs, tmp_path):
    change, expected = BAD_TABLES[fault]
    path = tmp_path / "my_songs.csv"
    change(songs.head(30)).to_csv(path)
    with pytest.raises(SongsError) as raised:
        read_songs(path)
    message = str(raised.value)
    assert "my_songs.csv" in message and "\n" not in message
    for part in expected:
        assert part in message


def test_a_missing_file_gets_the_nearest_name(tmp_path):
    (tmp_path / "songs.csv").write_text("x")
    with pytest.raises(SongsError, match=r"did you mean 'songs\.csv'"):
        read_songs(tmp_path / "song.csv")
    with pytest.raises(SongsError, match="folder"):
        read_songs(tmp_path)
    with pytest.raises(SongsError, match="can't be read"):
        read_songs("a" * 300 + ".csv")
    with pytest.raises(SongsError, match="did you mean 'synthetic'"):
        load_songs("sinthetic")


def test_only_the_columns_asked_for_must_be_there(songs, tmp_path):
    path = tmp_path / "lyrics.csv"
    songs[["lyrics"]].head(5).to_csv(path, index=False)
    assert list(read_songs(path, columns=["lyrics"]).columns) == ["lyrics"]


def test_the_environment_variable_names_the_source(monkeypatch, songs, tmp_path):
    path = tmp_path / "mine.csv"
    songs.head(20).to_csv(path)
    monkeypatch.setenv("GENRE_SONGS", str(path))
    assert load_songs().attrs["source"] == "20 songs from the file mine.csv"
    monkeypatch.setenv("GENRE_SONGS", "synthetic")
    assert "synthetic" in load_songs().attrs["source"]
    monkeypatch.setenv("GENRE_SONGS", str(tmp_path / "gone.csv"))
    with pytest.raises(SongsError, match=r"gone\.csv"):
        load_songs()


def test_the_footer_is_stripped_at_the_end_only():
    lyrics = pd.Series(
        ["love me lyric commercial", "lyric commercial break", "sing lyric commercial ", "lyric"]
    )
    assert strip_footer(lyrics).tolist() == ["love me", "lyric commercial break", "sing", "lyric"]


@pytest.mark.parametrize("by", ["song", "artist"])
def test_a_split_is_fair_and_repeatable(songs, by):
    parts = split_songs(songs, by, seed=3)
    rows = [set(part.index) for part in parts]
    assert set.union(*rows) == set(songs.index) and sum(map(len, rows)) == len(songs)
    for part, share in zip(parts, (0.7, 0.1, 0.2), strict=True):
        assert len(part) == pytest.approx(share * len(songs), rel=0.05)
        assert set(part["genre"]) == set(GENRES)
        shares, whole = (table["genre"].value_counts(normalize=True) for table in (part, songs))
        assert (shares - whole).abs().max() < (0.01 if by == "song" else 0.06)
    again, other = split_songs(songs, by, seed=3), split_songs(songs, by, seed=4)
    assert again.test.index.equals(parts.test.index)
    assert not other.test.index.equals(parts.test.index)
    if by == "artist":
        artists = [set(part["artist_name"]) for part in parts]
        assert not (artists[0] & artists[1] or artists[0] & artists[2] or artists[1] & artists[2])


@pytest.mark.parametrize(
    ("by", "first"),
    [("song", [1, 13, 17, 21, 22, 25, 26, 31]), ("artist", [1, 7, 12, 17, 21, 23, 25, 26])],
)
def test_every_version_of_scikit_learn_divides_alike(songs, by, first):
    assert split_songs(songs, by, seed=3).test.index[:8].tolist() == first


def test_hold_out_keeps_no_test_songs(songs):
    split = hold_out(songs)
    assert len(split.test) == 0
    assert len(split.train) + len(split.validation) == len(songs)
    assert not set(split.train.index) & set(split.validation.index)


@pytest.mark.parametrize("by", ["song", "artist"])
def test_hold_out_holds_out_the_validation_songs_of_the_split_with_that_seed(songs, by):
    held = [hold_out(songs, by, seed).validation.index for seed in (0, 1)]
    split = [split_songs(songs, by, seed).validation.index for seed in (0, 1)]
    assert held[0].equals(split[0]) and held[1].equals(split[1]) and not held[0].equals(held[1])
    assert hold_out(songs).validation.index.equals(split_songs(songs).validation.index)


@pytest.mark.parametrize("by", ["song", "artist"])
def test_ten_artists_and_ten_songs_of_a_genre_are_enough_for_a_split(songs, by):
    songs = songs.groupby("genre").head(10).reset_index(drop=True)
    split = split_songs(songs.assign(artist_name=songs.index % 10), by)
    assert [len(part) for part in split] == [49, 7, 14]


def test_a_split_that_can_not_be_is_refused(songs):
    with pytest.raises(SongsError, match="'jazz' has only 3 songs"):
        split_songs(songs.drop(songs.index[songs["genre"] == "jazz"][3:]))
    with pytest.raises(SongsError, match="not by 'year'"):
        split_songs(songs, by="year")
    gaps = songs.astype({"artist_name": object, "genre": object})
    gaps.loc[gaps.index[4], ["artist_name", "genre"]] = None
    for name, by in (("genre", "song"), ("genre", "artist"), ("artist_name", "artist")):
        with pytest.raises(SongsError, match=f"by {by} needs the column '{name}': add it"):
            split_songs(songs.drop(columns=name), by)
        with pytest.raises(SongsError, match=f"Song 5 of this table has no '{name}'"):
            split_songs(songs.assign(**{name: gaps[name]}), by)
    with pytest.raises(SongsError, match="by 1 artists"):
        split_songs(songs.assign(artist_name="abba"), by="artist")
    with pytest.raises(SongsError, match="All songs here are pop"):
        split_songs(songs.assign(genre="pop"))
    for by in ("song", "artist"):
        with pytest.raises(SongsError, match="no songs here to split"):
            split_songs(songs[:0], by)


def test_the_schema_knows_every_column_of_a_table(songs):
    assert set(COLUMNS) <= set(songs.columns)
