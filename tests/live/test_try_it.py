"""The classifier in the page: what a page holds before, and without, any script."""

from __future__ import annotations

import json
from html import unescape
from urllib.parse import parse_qs

import pytest
from bs4 import BeautifulSoup

from course_tools.book.live.places import PARTS, PLACE, scripts
from course_tools.book.live.try_it import SHORT, form
from course_tools.live import FOLDER, HEADER, NUMBERS, RESULT, TASKS
from course_tools.live.examples import EXAMPLES
from course_tools.notebooks.chapters import ROOT
from genre_lib import AUDIO_FEATURES, GENRES


@pytest.fixture(params=[False, True], ids=["whole", "short"])
def short(request):
    return request.param


@pytest.fixture
def page(short):
    return BeautifulSoup(form(SHORT if short else ""), "html.parser")


@pytest.fixture(scope="module")
def examples():
    return json.loads(RESULT.read_text(encoding="utf-8"))["examples"]


def test_every_part_has_its_pages():
    found = {}
    for path in sorted((ROOT / "book").glob("*.md")):
        for line in path.read_text(encoding="utf-8").splitlines():
            place = PLACE.fullmatch(line)
            if place:
                assert place[1] in PARTS, f"{path.name} has a place for {place[1]}"
                found.setdefault(place[1], []).append((path.stem, place[2]))
    assert found == {
        "break-loop": [("04_training_loop", None)],
        "guess": [("index", None)],
        "memory": [("index", None)],
        "result": [("index", None)],
        "try-it": [("index", SHORT), ("try_it", None)],
        "words": [("09_word_embeddings", None)],
    }


def test_the_first_song_is_answered_without_a_script(page, short, examples):
    first = next(one for one in examples if one["lyrics"] == page.textarea.text)
    assert page.select_one(".try-it-words").text == first["lyrics"]
    rows = [(row.th.text, row("td")[-1].text) for row in page.select("tbody tr")]
    task = "lyrics" if short else "combined"
    shares = [f"{share:.0%}" for share in first["probabilities"][task]]
    assert rows == list(zip(GENRES, shares, strict=True))
    second, first = sorted((float(share[:-1]), genre) for genre, share in rows)[-2:]
    said = f"{first[1]}, {first[0]:.0f}%; then {second[1]}, {second[0]:.0f}%"
    assert page.caption.text == f"The {task} network says {said}."


def test_five_songs_are_stored_with_what_each_network_answers(examples):
    assert [one["lyrics"] for one in examples] == [one.lyrics for one in EXAMPLES]
    shown = BeautifulSoup(form(""), "html.parser").select(".try-it-examples li")
    for item, example in zip(shown, examples, strict=True):
        assert item.select_one(".try-it-words").text == example["lyrics"]
        for task in TASKS:
            shares = example["probabilities"][task]
            assert sum(shares) == pytest.approx(1, abs=1e-3)
            best = GENRES[shares.index(max(shares))]
            assert f"{task} network: {best}, {max(shares):.0%}" in item.text


def test_each_button_holds_a_song(page, examples):
    songs = [parse_qs(unescape(one["data-song"])) for one in page.select("button[data-song]")]
    assert [song["lyrics"] for song in songs] == [[one["lyrics"]] for one in examples]
    assert [song["from"] for song in songs] == [[one.genre] for one in EXAMPLES]


def test_every_control_has_a_name(page, short):
    for control in page.select("textarea, select, input:not([type=hidden])"):
        assert control.find_parent("label") or page.find("label", attrs={"for": control["id"]})
    names = [slider["name"] for slider in page.select("input[type=range]")]
    assert names == ([] if short else list(AUDIO_FEATURES))


def test_scripts_and_networks_keep_their_weight():
    """25 kB and 600 kB, so that a phone has an answer in the first seconds."""
    written = scripts()
    assert sum(len(written[name].encode()) for name in ("try_it.js", "engine.js")) <= 25_000
    assert sum((FOLDER / name).stat().st_size for name in (HEADER, NUMBERS)) <= 600_000
