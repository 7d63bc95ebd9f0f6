"""The game of the first page: songs that nobody picked, and answers that models gave."""

from __future__ import annotations

import json

import numpy as np
import pytest
from bs4 import BeautifulSoup

from course_tools.book.live.guess import game
from course_tools.live import GUESSES, guess_songs
from genre_lib import AUDIO_FEATURES, GENRES, make_songs


@pytest.fixture(scope="module")
def stored():
    return json.loads(GUESSES.read_text(encoding="utf-8"))


def right(songs: list[dict], model: str) -> list[bool]:
    return [GENRES[int(np.argmax(song[model]))] == song["genre"] for song in songs]


def check(songs: list[dict]) -> None:
    """What must hold for the songs of any run."""
    assert len(songs) == guess_songs.SHOWN
    for song in songs:
        assert len(set(song["words"])) == guess_songs.WORDS
        assert guess_songs.ENGLISH.issuperset(song["words"])
        assert tuple(song["scores"]) == AUDIO_FEATURES and len(song["topics"]) == 3
        for model in ("network", "best"):
            assert sum(song[model]) == pytest.approx(1, abs=1e-3)
    of_label = [song["best"][GENRES.index(song["genre"])] for song in songs]
    assert of_label == sorted(of_label, reverse=True)


def test_the_command_stores_songs_with_answers(tmp_path):
    path = tmp_path / "guess.json"
    guess_songs.main(["--result", str(path), "--songs", "1500"])
    made = json.loads(path.read_text(encoding="utf-8"))
    check(made["songs"])
    assert made["command"] == "make live" and 250 < made["accuracy"]["songs"] < 350
    assert made["accuracy"]["best"] > made["accuracy"]["network"]


def test_the_book_s_songs_are_those_of_the_command(stored):
    check(stored["songs"])
    assert stored["rows"] == guess_songs.SONGS
    assert stored["accuracy"]["best"] > stored["accuracy"]["network"] > 0.4


def test_songs_are_not_chosen_by_their_label_or_their_answers():
    songs = make_songs(800, seed=2)
    relabelled = songs.assign(genre=songs["genre"].to_numpy()[::-1])
    first, second = (
        guess_songs.choose(table, 10, np.random.default_rng(0)).index
        for table in (songs, relabelled)
    )
    assert first.equals(second)


def test_the_page_shows_each_song_with_its_answer_folded(stored):
    page = BeautifulSoup(game(""), "html.parser")
    shown = page("article")
    assert [one["data-genre"] for one in shown] == [song["genre"] for song in stored["songs"]]
    for model in ("network", "best"):
        counted = [one["data-genre"] == one[f"data-{model}"] for one in shown]
        assert counted == right(stored["songs"], model)
    for one, song in zip(shown, stored["songs"], strict=True):
        assert [word.text for word in one.select(".guess-words span")] == song["words"]
        assert song["genre"] not in one.select_one(".guess-words").text
        rows = one.select("details tbody tr")
        assert [row("td")[3].text for row in rows] == [f"{share:.0%}" for share in song["best"]]
    assert [button["value"] for button in page.select("[name=genre]")] == list(GENRES)
