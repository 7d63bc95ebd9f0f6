"""Ten songs to guess: a handful of words and scores, and folded what two models answer."""

from __future__ import annotations

import json
from html import escape
from typing import Any

from course_tools.live import GUESSES
from genre_lib.data.schema import GENRES
from genre_lib.plots.style import GENRE_COLOURS


def game(_: str) -> str:
    """The songs, one button per genre, and room for the score."""
    songs = json.loads(GUESSES.read_text(encoding="utf-8"))["songs"]
    shown = "".join(_song(number, len(songs), song) for number, song in enumerate(songs, start=1))
    choices = " ".join(
        f'<button type="button" name="genre" value="{genre}">{genre}</button>' for genre in GENRES
    )
    return (
        f'<div class="live guess">{shown}<form class="pst-js-only" aria-label="Your guess">'
        f'<p class="live-buttons" role="group" aria-label="Genre">{choices}</p>'
        '<p class="live-buttons"><button type="button" name="next" hidden>Next song</button>'
        '<button type="button" name="again" hidden>Start again</button></p></form>'
        '<p role="status" class="live-status"></p></div>'
    )


def _song(number: int, of: int, song: dict[str, Any]) -> str:
    answers = {model: GENRES[song[model].index(max(song[model]))] for model in ("network", "best")}
    topics = ", ".join(f"{name} {share:.0%}" for name, share in song["topics"].items())
    scores = "".join(_bar(name, share, "") for name, share in song["scores"].items())
    bold = {song["genre"]: f"<strong>{song['genre']}</strong>"}
    rows = "".join(
        f'<tr><th scope="row">{bold.get(genre, genre)}</th>'
        f"{_cell(ours, genre)}{_cell(best, genre)}</tr>"
        for genre, ours, best in zip(GENRES, song["network"], song["best"], strict=True)
    )
    return (
        f'<article class="guess-song" data-genre="{song["genre"]}" '
        f'data-network="{answers["network"]}" data-best="{answers["best"]}" '
        f'aria-label="Song {number} of {of}"><p class="guess-number">Song {number} of {of}</p>'
        f'<p class="guess-words">{" ".join(f"<span>{escape(w)}</span>" for w in song["words"])}</p>'
        f"<p>What its words are about, by a topic model: {escape(topics)}, and others.</p>"
        f"<table><caption>How it sounds</caption><tbody>{scores}</tbody></table>"
        f"<details><summary>Answer</summary><p>Its label is <strong>{song['genre']}</strong>. "
        "This is how probable the genres are to a network that got all words and all scores, and "
        "to the best possible model, which knows the rule by which the song was made:</p>"
        '<table><colgroup><col class="name"><col><col class="number"><col><col class="number">'
        '</colgroup><thead><tr><th scope="col">genre</th><th scope="col" colspan="2">network</th>'
        f'<th scope="col" colspan="2">best possible</th></tr></thead><tbody>{rows}</tbody></table>'
        "</details></article>"
    )


def _bar(name: str, share: float, genre: str) -> str:
    colour = GENRE_COLOURS.get(genre, "var(--pst-color-text-muted)")
    return (
        f'<tr><th scope="row">{name}</th><td><span class="bar" '
        f'style="--share:{share};--genre:{colour}"></span></td><td>{share:.2f}</td></tr>'
    )


def _cell(share: float, genre: str) -> str:
    return (
        f'<td><span class="bar" style="--share:{share};--genre:{GENRE_COLOURS[genre]}"></span></td>'
        f"<td>{share:.0%}</td>"
    )
