"""The search box of chapter 9: what it shows without scripts, and what `live/network.js` finds."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import pytest
from bs4 import BeautifulSoup

from course_tools.book.live.words import FIRST, search
from course_tools.live import FOLDER, HEADER
from course_tools.live.words import look_up
from genre_lib import GENRES
from genre_lib.plots.words import mask_slur
from tests.live.test_live import DRIVER, NODE, node_version

needs_node = pytest.mark.skipif(
    node_version("node") < 18, reason="node 18 or newer is not installed"
)


def looked_up(*words: str) -> dict[str, Any]:
    """What the page's script finds for these words."""
    question = {"folder": str(FOLDER), "songs": [], "words": words}
    ran = subprocess.run(
        [str(NODE), str(DRIVER)],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ran.stdout)["lookedUp"]


@needs_node
def test_pulls_and_neighbours_are_those_of_the_stored_network():
    words = json.loads((FOLDER / HEADER).read_text(encoding="utf-8"))["words"].split(" ")
    asked = words[2:2000:100]
    for word, got in looked_up(*asked).items():
        want = look_up(word)
        assert got["shown"] == want["shown"] and got["known"]
        assert got["pull"] == pytest.approx(want["pull"], abs=1e-3)
        cosines = [[one["cosine"] for one in found["near"]] for found in (got, want)]
        assert cosines[0] == pytest.approx(cosines[1], abs=1e-4)
        assert cosines[0] == sorted(cosines[0], reverse=True) and len(cosines[0]) == 8
        assert word not in [one["word"] for one in got["near"]]
        for mine, theirs in zip(got["near"], want["near"], strict=True):
            if mine["word"] == theirs["word"]:
                assert mine["pull"] == pytest.approx(theirs["pull"], abs=1e-3)
    assert sum(abs(sum(look_up(word)["pull"])) for word in asked) < 1e-3


@needs_node
def test_unknown_words_case_and_slurs():
    slur = "n" + "igga"
    found = looked_up("qqzx", "", "<unk>", "<pad>", " Road ", slur)
    for word in ("qqzx", "", "<unk>", "<pad>"):
        assert not found[word]["known"] and found[word]["near"] == []
    assert found[" Road "] == looked_up("road")["road"]
    assert found[slur]["shown"] == mask_slur(slur) != slur


def test_the_first_word_is_answered_without_a_script():
    page, found = BeautifulSoup(search(""), "html.parser"), look_up(FIRST)
    assert page.input["value"] == FIRST
    pulls, near = page("table")
    assert [row.th.text for row in pulls("tr")] == list(GENRES)
    assert [row("td")[-1].text for row in pulls("tr")] == [f"{pull:+.2f}" for pull in found["pull"]]
    shares = [float(re.search("share:([0-9.]+)", bar["style"])[1]) for bar in pulls("span")]
    longest = max(range(7), key=lambda g: abs(found["pull"][g]))
    assert shares[longest] == max(shares) > 0.2
    assert [row.th.text for row in near.tbody("tr")] == [one["shown"] for one in found["near"]]
