"""What the Makefile itself decides: where the songs are, for chapters run in another folder."""

import os
import shutil
import subprocess

import pytest

from course_tools.notebooks.chapters import ROOT


@pytest.mark.parametrize("how", ["environment", "argument"])
@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("songs.csv", "{}/songs.csv"),
        ("my  songs' file.csv", "{}/my  songs' file.csv"),
        (" songs.csv ", "{}/songs.csv"),
        ("{}/songs.csv", "{}/songs.csv"),
        ("synthetic", "synthetic"),
        ("gone.csv", "gone.csv"),
    ],
)
def test_songs_are_found_from_every_folder(how, given, expected, tmp_path):
    folder = tmp_path / "Kurs für Müller"
    folder.mkdir()
    shutil.copy(ROOT / "Makefile", folder)
    for name in ("songs.csv", "my  songs' file.csv"):
        (folder / name).touch()
    given, expected = given.format(folder), expected.format(folder)
    show = ["make", "--silent", "--eval", 'show: ; @echo "$$GENRE_SONGS"', "show"]
    variables = {k: v for k, v in os.environ.items() if k not in ("GENRE_SONGS", "MAKEFLAGS")}
    if how == "environment":
        variables["GENRE_SONGS"] = given
    else:
        show.append(f"GENRE_SONGS={given}")
    ran = subprocess.run(
        show, cwd=folder, env=variables, capture_output=True, text=True, check=True
    )
    assert ran.stdout == f"{expected}\n" and not ran.stderr
