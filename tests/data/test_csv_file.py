"""Files of songs as programs and people write them: read as they are meant, or named."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import pickle
import zipfile

import pandas as pd
import pytest

from genre_lib.data.csv_file import TEXT_COLUMNS, read_songs
from genre_lib.data.songs import load_songs
from genre_lib.errors import SongsError


def zip_of(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(name, "genre,lyrics\npop,love\n")
    return file.getvalue()


TEXT = "genre,lyrics\npop,love\n"
BAD_FILES = {
    "empty": (b"", "is empty"),
    "blank": (b" \n\n", "is empty"),
    "web page": (b"\n<!DOCTYPE html><html><body>404</body></html>", "web page"),
    "latin 1": ("genre,lyrics\npop,café\n".encode("latin-1"), "byte 0xe9 in line 2"),
    "utf 16": (TEXT.encode("utf-16"), "UTF-16: save it"),
    "utf 16 without a mark": (TEXT.encode("utf-16-le"), "UTF-16: save it"),
    "utf 16, high byte first": (TEXT.encode("utf-16-be"), "UTF-16: save it"),
    "utf 32": (TEXT.encode("utf-32"), "UTF-32: save it"),
    "utf 32 without a mark": (TEXT.encode("utf-32-be"), "UTF-32: save it"),
    "semicolons": (b"genre;lyrics\npop;love\n", "separated by ';'"),
    "gzip": (gzip.compress(TEXT.encode()), "a gzip archive: unpack"),
    "bzip2": (bz2.compress(TEXT.encode()), "a bzip2 archive: unpack"),
    "xz": (lzma.compress(TEXT.encode()), "an xz archive: unpack"),
    "zip": (zip_of("songs.csv"), "a zip archive: unpack"),
    "excel": (zip_of("xl/workbook.xml"), "an Excel file: export"),
    "open document": (zip_of("content.xml"), "an OpenDocument file: export"),
    "half an archive": (b"PK\x03\x04\xff\xfe\x00\x00", "a damaged zip archive or Excel file"),
    "old excel": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Excel file: export"),
    "pickle": (pickle.dumps({"genre": ["pop"]}), "a pickle: read it with pandas"),
    "feather": (b"ARROW1\0\0\xff\xff", "a Feather file: read it with pandas"),
    "half a parquet file": (b"PAR1\x15\x04", "is damaged"),
    "no header": (b"elvis,love me tender,1956\nabba,waterloo,1974\n", "line of column names"),
    "ragged": (b"a,b\n1,2\n1,2,3\n", "line 3"),
    "two names short": (
        b"genre\npop,love,1\n",
        "line 2 has 3 instead of 1 values: name",
    ),
    "a name short in one row": (
        b"genre,len\npop,1,2\npop,1\n",
        "line 2 has 3 instead of 2 values: name",
    ),
    "excel's semicolons, with decimal commas": (b"genre;energy\npop;0,4\n", "separated by ';'"),
    "excel's first line, with commas": (b"sep=,\ngenre,lyrics\npop,love\n", "line of column names"),
    "a remark in the first line": (b"# mine\ngenre,lyrics\npop,love\n", "line of column names"),
    "excel's first line": (b"sep=;\ngenre;lyrics\npop;love\n", "separated by ';'"),
    "tabs, and texts with commas": (b"genre\tlyrics\npop\tlove, love, love\n", "separated by"),
    "a comma in a text": (
        b"genre,lyrics\npop,oh, love\npop,love\n",
        "line 2 has 3 instead of 2 values.* quotation marks",
    ),
    "half a download": (
        b"genre,lyrics\npop,love\nrock",
        "line 3 has 1 instead of 2 values: complete it",
    ),
    "two files in one": (
        b"genre,lyrics\npop,love\ngenre,lyrics\nrock,road\n",
        "line 3 repeats the column names",
    ),
    "xml": (b'<?xml version="1.0"?><Workbook/>', "XML"),
    "binary": (b"\x89\xff\xfe\x00\x00", "not UTF-8"),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_bad_file_is_named_as_such_whatever_its_name(fault, tmp_path):
    content, expected = BAD_FILES[fault]
    path = tmp_path / "songs.csv"
    path.write_bytes(content)
    with pytest.raises(SongsError, match=expected) as raised:
        read_songs(path)
    assert "songs.csv" in str(raised.value) and "\n" not in str(raised.value)


def test_an_address_is_offered_as_a_download():
    for address in ("https://example.org/songs.csv", " http://example.org/a b.csv"):
        with pytest.raises(SongsError, match=r"not a file: download it first.*curl.*published"):
            load_songs(address)


def test_a_link_that_leads_nowhere_is_named_as_such(tmp_path):
    (tmp_path / "songs.csv").symlink_to(tmp_path / "gone.csv")
    with pytest.raises(SongsError, match=r"songs\.csv is a link to \S+gone\.csv, where there is"):
        read_songs(tmp_path / "songs.csv")


@pytest.mark.parametrize("first_column", ["", "Unnamed: 0"])
def test_both_spellings_of_the_row_id_are_accepted(first_column, songs, tmp_path):
    path = tmp_path / "songs.csv"
    songs.head(20).to_csv(path, index_label=first_column)
    read = read_songs(path)
    pd.testing.assert_frame_equal(read, songs.head(20), check_dtype=False)
    assert read.attrs["source"] == "20 songs from the file songs.csv"


@pytest.mark.parametrize(
    "spelling", [str.title, str.upper, "{} ".format, " {}".format], ids=["Aa", "AA", "a_", "_a"]
)
def test_column_names_may_have_capital_letters_and_outer_spaces(spelling, songs, tmp_path):
    path = tmp_path / "songs.csv"
    songs = songs.head(20)
    songs.rename(columns=spelling).to_csv(path, index=False)
    pd.testing.assert_frame_equal(read_songs(path), songs, check_dtype=False)


def test_a_table_of_r_has_row_names_without_a_column_name(songs, tmp_path):
    path = tmp_path / "songs.csv"
    songs = songs.head(20)
    header, *rows = songs.to_csv(index=False).splitlines()
    path.write_text("\n".join([header, *(f'"{i}",{row}' for i, row in enumerate(rows, 1))]))
    pd.testing.assert_frame_equal(read_songs(path), songs, check_dtype=False)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_very_long_lyrics_and_any_line_end_hide_no_missing_name(songs, tmp_path, end):
    songs = songs.head(20).copy()
    songs.loc[3, "lyrics"] = "love " * 50_000
    header, *rows = songs.to_csv(index=False).splitlines()
    named = end.join(f"{number},{row}" for number, row in enumerate(rows))
    path = tmp_path / "songs.csv"
    path.write_text(f"{header}{end}{named}{end}", newline="")
    read = read_songs(path)
    pd.testing.assert_frame_equal(read[songs.columns], songs, check_dtype=False)


def test_what_a_spreadsheet_leaves_out_or_dos_adds_is_no_fault(songs, tmp_path):
    path = tmp_path / "songs.csv"
    songs = songs.head(20)
    rows = songs.assign(remark="").to_csv(index=False).splitlines()
    path.write_text("\n".join(row.removesuffix(",") for row in rows) + "\n   \n\n\x1a")
    assert len(read_songs(path)) == 20


def test_commas_after_the_last_value_are_no_column(songs, tmp_path, recwarn):
    path = tmp_path / "songs.csv"
    songs = songs.head(20)
    header, *rows = songs.to_csv(index=False).splitlines()
    path.write_text("\n".join([header, *(f"{row}," for row in rows)]))
    pd.testing.assert_frame_equal(read_songs(path), songs, check_dtype=False)
    assert not recwarn
    path.write_text("\n".join([header, *(f"{row}," for row in rows)]) + "1")
    with pytest.raises(SongsError, match="line 21 has 31 instead of 30 values: name"):
        read_songs(path)


NAMES = (
    "007", "0.10", "1e5", "1_000", "0x1F", "+1", "NA", "N/A", "None", "null", "nan", "NaN", "inf",
    "True", "false", " lead", "trail ", "1/2", "2001-12-31", "12:30", "10,000", 'a "quote"', 
    "#NAME", "１２", "-",
)  # fmt: skip


@pytest.mark.parametrize("all_alike", [True, False])
def test_text_is_read_as_it_is_written(all_alike, songs, tmp_path):
    """A column of numbers alone, and one of which only some look like numbers."""
    path = tmp_path / "songs.csv"
    for name in NAMES:
        few = songs.head(4).copy()
        for column in ("artist_name", "track_name", "lyrics"):
            few[column] = [name if all_alike or row == 1 else few[column][row] for row in range(4)]
        few.to_csv(path, index=False)
        read = read_songs(path)
        for column in TEXT_COLUMNS:
            assert read[column].tolist() == few[column].tolist()


def test_the_same_song_twice_is_found_under_a_row_id(songs, tmp_path):
    path = tmp_path / "songs.csv"
    twice = pd.concat([songs.head(30), songs.iloc[[10]]], ignore_index=True)
    for name in ("id", "Unnamed: 0.1", "index"):
        twice.rename_axis(name).to_csv(path)
        with pytest.raises(SongsError, match="the same song twice, in rows 11 and 31: remove one"):
            read_songs(path)
    twice.to_csv(path)
    pd.read_csv(path).to_csv(path)  # saved twice: a row id without a name, and Unnamed: 0
    with pytest.raises(SongsError, match="the same song twice, in rows 11 and 31: remove one"):
        read_songs(path)
    missing = twice.assign(track_name=float("nan"))  # a gap equals a gap
    missing.rename_axis("id").to_csv(path)
    with pytest.raises(SongsError, match="the same song twice, in rows 11 and 31: remove one"):
        read_songs(path, ("genre", "lyrics"))


def test_noise_of_rescaled_scores_is_rounded(songs, tmp_path):
    path = tmp_path / "songs.csv"
    songs = songs.head(20).assign(energy=1.0000000000000002, valence=-1e-17)
    songs.to_csv(path)
    read = read_songs(path)
    assert (read["energy"] == 1).all() and (read["valence"] == 0).all()


def test_a_parquet_file_is_read(songs, tmp_path):
    path = tmp_path / "songs.csv"
    songs = songs.head(20).astype({"genre": "category"})
    songs.to_parquet(path)
    pd.testing.assert_frame_equal(read_songs(path), songs.astype({"genre": str}), check_dtype=False)


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda s: s.assign(lyrics=s["lyrics"].str.split()), "'lyrics', row 1.* not text"),
        (lambda s: s.assign(lyrics=s["lyrics"].str.encode("utf-8")), "'lyrics', row 1.* not text"),
        (lambda s: s.assign(release_date=s["release_date"].astype("Int64").mask(s.index == 2)),
         "'release_date', row 3"),
        (lambda s: s.assign(artist_name=s["release_date"].astype("Int64").mask(s.index == 4)),
         "'artist_name', row 5.*empty"),
    ],
)  # fmt: skip
def test_what_only_a_parquet_file_can_have_is_named(songs, tmp_path, spoil, named):
    spoil(songs.head(20)).to_parquet(tmp_path / "songs.parquet")
    with pytest.raises(SongsError, match=named):
        read_songs(tmp_path / "songs.parquet")
