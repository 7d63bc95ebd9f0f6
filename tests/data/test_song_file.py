"""`genre-lib doctor FILE`: each fault of a file is named, with its rows; a clean file has none."""

from __future__ import annotations

import pandas as pd
import pytest

from genre_lib import make_songs
from genre_lib.cli.main import main
from genre_lib.data.song_file import examine
from genre_lib.errors import SongsError


@pytest.fixture
def course(session_songs):
    return session_songs.iloc[:1000]


@pytest.fixture
def new():
    """Eighty clean songs: by others than the course's artists, and without a footer."""
    mine = make_songs(600, seed=99)
    long = mine["lyrics"].str.split().str.len() >= 30
    mine = mine[long & ~mine["lyrics"].str.endswith("lyric commercial")]
    mine = mine.drop_duplicates("lyrics").groupby("artist_name").head(4).head(80)
    assert len(mine) == 80
    return mine.assign(genre="shanty").reset_index(drop=True)


@pytest.fixture
def faults(course, tmp_path):
    def find(table):
        table.to_csv(tmp_path / "my.csv", index=False)
        found = list(examine(tmp_path / "my.csv", course))
        return {f.name: f"{f.state} | {f.problem}" for f in found if f.problem}

    return find


def test_a_clean_file_has_no_fault(faults, new):
    assert faults(new) == {}


def test_missing_columns_and_bad_values(faults, new):
    found = faults(new.drop(columns="artist_name").rename(columns={"lyrics": "lyric"}))
    assert set(found) == {"columns"} and "artist_name, lyrics missing" in found["columns"]
    spoilt = new.astype({"dating": object})
    spoilt.loc[3, "dating"] = "much"
    spoilt["loudness"] = -12.0
    spoilt["energy"] = ""
    spoilt.loc[4, "release_date"] = 19
    spoilt.loc[5, "track_name"] = " "
    found = faults(spoilt)
    assert "not a number in row 5 " in found["dating"]
    assert "from -12 to -12" in found["loudness"] and "and 75 more" in found["loudness"]
    assert "Remove the column" in found["energy"]
    assert "row 6" in found["release_date"] and "row 7" in found["track_name"]


def test_genre_number_and_artists(faults, new, course):
    new.loc[7, "genre"] = "shnty"
    assert "correct row 9" in faults(new)["genre"]
    assert "another name" in faults(new.assign(genre="Hip-Hop"))["genre"]
    assert "Collect 50" in faults(new.head(20))["songs"]
    one = faults(new.assign(artist_name="One Choir"))["artists"]
    assert "needs 10 artists" in one and "that one artist" in one
    new.loc[2, "artist_name"] = course["artist_name"].iloc[0].upper()
    assert "row 4:" in faults(new)["artists"]


def test_leaks(faults, new):
    leaky = new.assign(lyrics=new["lyrics"] + " embed shantysite")
    found = faults(leaky)
    assert "embed, shantysite" in found["word leaks"]
    assert "80 songs end with 'embed shantysite'" in found["shared text"]
    found = faults(new.assign(lyrics="verse one " + new["lyrics"]))
    assert "80 songs begin with 'verse one'" in found["shared text"]


def test_copies(faults, new, course):
    words = new["lyrics"][0].split()
    new.loc[9, "lyrics"] = " ".join([*words[:-3], "sail"])
    long = course["lyrics"][course["lyrics"].str.split().str.len() > 60].iloc[0]
    new.loc[10, "lyrics"] = long + " ahoy"
    found = faults(new)["copies"]
    assert "row 11 repeats row 2" in found and "row 12 is among the course's songs" in found


def test_untreated_short_and_foreign_lyrics(faults, new):
    found = faults(new.assign(lyrics="the " + new["lyrics"]))
    assert "'the'" in found["lyrics"] and "lemmatise" in found["lyrics"]
    assert "capitals" in faults(new.assign(lyrics=new["lyrics"].str.title()))["lyrics"]
    new.loc[0, "lyrics"] = "night road"
    new.loc[1, "lyrics"] = "heute fahren wir hinaus aufs weite meer und singen laut im wind"
    found = faults(new)
    assert "row 2 " in found["length"] and "row 3 " in found["language"]


def test_the_command_counts_problems(new, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("GENRE_SONGS", "synthetic")
    new.head(20).to_csv(tmp_path / "my.csv", index=False)
    assert main(["doctor", str(tmp_path / "my.csv")]) == 1
    assert "Collect 50" in capsys.readouterr().out
    assert main(["doctor", str(tmp_path / "none.csv")]) == 2


def test_a_parquet_file_with_gaps_has_findings(new, course, tmp_path):
    gaps = new.astype({"release_date": "Int64", "energy": "Float64"})
    gaps.loc[3, ["lyrics", "release_date", "energy"]] = [None, pd.NA, pd.NA]
    gaps.to_parquet(tmp_path / "my.parquet")
    states = {finding.name: finding.state for finding in examine(tmp_path / "my.parquet", course)}
    assert states["release_date"] == "no year in row 5" and "row 5" in states["energy"]


def test_no_table_is_an_error(course, tmp_path):
    (tmp_path / "my.csv").write_text("<html>")
    with pytest.raises(SongsError, match="web page"):
        list(examine(tmp_path / "my.csv", course))


def test_a_header_without_songs_is_an_error(faults, new):
    with pytest.raises(SongsError, match=r"my\.csv has no songs: write one per row"):
        faults(new.head(0))


def test_a_single_song_and_missing_columns_are_findings(faults, new):
    assert {"songs", "artists"} <= set(faults(new.head(1)))
    assert set(faults(new[["artist_name", "genre"]])) == {"columns"}
