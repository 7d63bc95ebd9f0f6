"""The archive of the built book."""

import zipfile

import pytest

from course_tools.book.offline import NAME, pack


@pytest.fixture
def site(tmp_path):
    site = tmp_path / "html"
    for name in (
        "index.html",
        "404.html",
        ".buildinfo",
        "_static/live/networks.bin",
        "book/a.html",
    ):
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return site


def test_archive_has_the_pages_and_a_note_in_one_folder(site, tmp_path):
    assert pack(site, tmp_path / "a.zip") == 3
    with zipfile.ZipFile(tmp_path / "a.zip") as zipped:
        names = [f"{NAME}/{name}" for name in ("README.txt", "book/a.html", "index.html")]
        assert zipped.namelist() == names
        assert "open index.html" in zipped.read(names[0]).decode()


def test_same_book_makes_the_same_archive(site, tmp_path):
    pack(site, tmp_path / "a.zip")
    (site / "index.html").write_text("index.html")  # another time, nothing else
    pack(site, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_book_that_is_not_built_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="make book"):
        pack(tmp_path, tmp_path / "a.zip")
