"""A search box for the words of chapter 9: a word's pulls and neighbours, as tables and bars."""

from __future__ import annotations

import json
from html import escape

from course_tools.live.words import look_up
from genre_lib.data.schema import GENRES
from genre_lib.plots.style import GENRE_COLOURS

FIRST = "road"
"""The word that is looked up before any script runs."""

REACH = 2
"""The pull that fills half of a bar; longer bars are cut."""


def search(_: str) -> str:
    """The search box and the answer to its first word."""
    found = look_up(FIRST)
    colours = {genre: GENRE_COLOURS[genre] for genre in GENRES}
    data = json.dumps({"colours": colours, "reach": REACH})
    pulls = zip(GENRES, found["pull"], strict=True)
    near = "".join(
        f'<tr><th scope="row">{escape(one["shown"])}</th><td>{one["cosine"]:.2f}</td>'
        f"<td>{GENRES[max(range(len(GENRES)), key=one['pull'].__getitem__)]}</td></tr>"
        for one in found["near"]
    )
    return (
        f'<div class="live words"><script type="application/json">{data}</script>'
        '<form class="pst-js-only" role="search" aria-label="Words of the network">'
        '<label for="words-word">Look up a word</label> '
        f'<input id="words-word" name="word" type="search" value="{FIRST}" maxlength="40" '
        'autocomplete="off" autocapitalize="none" spellcheck="false"> '
        '<button type="submit">Look up</button></form>'
        '<p role="status" class="live-status"></p>'
        '<div class="words-answer">'
        f"<table><caption>Pull of <em>{FIRST}</em></caption><tbody>"
        f"{''.join(_bar(genre, pull) for genre, pull in pulls)}</tbody></table>"
        "<table><caption>Nearest words</caption><thead><tr>"
        '<th scope="col">word</th><th scope="col">cosine</th><th scope="col">pulls towards</th>'
        f"</tr></thead><tbody>{near}</tbody></table></div></div>"
    )


def _bar(genre: str, pull: float) -> str:
    share = min(abs(pull) / REACH, 1)
    side = "against" if pull < 0 else "for"
    return (
        f'<tr><th scope="row">{genre}</th><td><span class="pull {side}" '
        f'style="--share:{share:.3f};--genre:{GENRE_COLOURS[genre]}"></span></td>'
        f"<td>{pull:+.2f}</td></tr>"
    )
