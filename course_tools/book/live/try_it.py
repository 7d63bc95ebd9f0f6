"""The classifier in the page: a form for a song, and the networks' answers.

The answers to five invented songs are stored (`make live`), and are there without any script.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from html import escape
from statistics import mean
from typing import Any
from urllib.parse import urlencode

from course_tools.live import FOLDER, HEADER, RESULT, TASKS
from course_tools.notebooks.chapters import ROOT
from genre_lib.plots.style import GENRE_COLOURS
from genre_lib.study.plan import ALL_SONGS, STANDARD

STUDY = ROOT / "benchmarks/results/study.json"
SHORT = "try-it-short"
"""The kind that asks for lyrics only."""

FIRST = 1
"""The example that the form begins with."""

ASKING = "Type a line: which genre is it?"
NAMED = 9
"""How many unknown words are named."""

MOST = 4000
"""How many characters can be typed; the networks read 200 words."""


@cache
def stored() -> tuple[dict[str, Any], dict[str, Any]]:
    """What a page needs of the networks' header, and the stored results."""
    header = json.loads((FOLDER / HEADER).read_text(encoding="utf-8"))
    names = ("genres", "scores", "topics", "typical")
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    return {name: header[name] for name in names}, result


def form(kind: str) -> str:
    """The form, the answer to its first song and, unless its kind is short, the stored examples."""
    short = kind == SHORT
    header, result = stored()
    examples = result["examples"]
    task = "lyrics" if short else "combined"
    data = json.dumps(header | {"colours": [GENRE_COLOURS[genre] for genre in header["genres"]]})
    first = examples[FIRST]
    answer = zip(header["genres"], first["probabilities"][task], strict=True)
    return (
        f'<div class="live try-it{" try-it-beside" if short else ""}">'
        f'<script type="application/json">{data}</script>'
        f'<form class="pst-js-only" aria-label="A song of your own">'
        f'<label for="try-it-lyrics">{ASKING if short else "Type some lyrics"}</label>'
        f'<textarea id="try-it-lyrics" name="lyrics" rows="3" maxlength="{MOST}" '
        f'spellcheck="false" autocomplete="off">{escape(first["lyrics"])}</textarea>'
        f"{_networks(short, task)}{'' if short else _scores(header, first)}"
        f"{_buttons(examples, task) if short else ''}</form>"
        '<div class="try-it-answer"><table>'
        f"<caption>{_verdict(first, header, task)}</caption><tbody>"
        f"{''.join(_bar(genre, share) for genre, share in answer)}</tbody></table>"
        f'<p class="try-it-words">{_tinted(first, header)}</p>'
        f'<p class="try-it-note">{_note(first, header)}</p>'
        '<p role="status" class="visually-hidden"></p></div>'
        f"{'' if short else _examples(header, examples, task) + _provenance(result)}</div>"
    )


def _networks(short: bool, chosen: str) -> str:
    if short:
        return f'<input type="hidden" name="network" value="{chosen}">'
    says = {"lyrics": "the lyrics", "features": "the scores", "combined": "both"}
    options = (
        f'<label><input type="radio" name="network" value="{task}"'
        f"{' checked' if task == chosen else ''}> {says[task]}</label>"
        for task in TASKS
    )
    return f"<fieldset><legend>The network gets</legend>{''.join(options)}</fieldset>"


def _scores(header: dict[str, Any], first: dict[str, Any]) -> str:
    options = (
        f"<option{' selected' if genre == first['genre'] else ''}>{genre}</option>"
        for genre in header["genres"]
    )
    audio = zip(header["scores"], header["typical"][first["genre"]], strict=True)
    sliders = (
        f'<label>{name}<input type="range" name="{name}" min="0" max="1" step="0.01" '
        f'value="{value:.2f}" autocomplete="off"><output>{value:.2f}</output></label>'
        for name, value in list(audio)[header["topics"] :]
    )
    return (
        '<fieldset name="sound"><legend>Scores</legend><label class="try-it-from">Start from a '
        f'typical song, its topics included: <select name="from" autocomplete="off">'
        f'{"".join(options)}</select></label><div class="try-it-sliders">{"".join(sliders)}</div>'
        "</fieldset>"
    )


def _tinted(example: dict[str, Any], header: dict[str, Any]) -> str:
    """The lyrics, each word with the colour of the genre that it speaks for most."""
    text, at, parts = example["lyrics"], 0, []
    for token in example["tokens"]:
        begin = text.lower().index(token["word"], at)
        parts.append(escape(text[at:begin]))
        at = begin + len(token["word"])
        style = ' class="unknown"' if token["word"].isalnum() else ""
        if token["pull"]:
            most = max(token["pull"])
            colour = GENRE_COLOURS[header["genres"][token["pull"].index(most)]]
            style = f' style="--genre:{colour};--pull:{min(round(15 * most), 50)}%"'
        parts.append(f"<span{style}>{escape(text[begin:at])}</span>")
    return "".join(parts) + escape(text[at:])


def _verdict(example: dict[str, Any], header: dict[str, Any], task: str) -> str:
    """The same as `live/try_it.js` says; `browser/try_it.mjs` compares both, and the note."""
    shares = dict(zip(header["genres"], example["probabilities"][task], strict=True))
    first, second = (
        f"{genre}, {shares[genre]:.0%}"
        for genre in sorted(shares, key=lambda one: -shares[one])[:2]
    )
    return f"The {task} network says {first}; then {second}."


def _note(example: dict[str, Any], header: dict[str, Any]) -> str:
    known = {token["word"]: token["pull"] for token in example["tokens"] if token["pull"]}
    strongest = sorted(known, key=lambda word: -max(known[word]))[:5]
    named = (
        f"{word} ({header['genres'][known[word].index(max(known[word]))]})" for word in strongest
    )
    unknown = {t["word"]: 1 for t in example["tokens"] if not t["pull"] and t["word"].isalnum()}
    listed = ", ".join(list(unknown)[:NAMED])
    more = f" and {len(unknown) - NAMED} more" if len(unknown) > NAMED else ""
    lacks = f"which has neither rare words nor the most common ones: {listed}{more}."
    return f"Strongest: {', '.join(named)}. Not in the vocabulary, {lacks}"


def _bar(genre: str, share: float) -> str:
    return (
        f'<tr><th scope="row">{genre}</th><td><span class="bar" '
        f'style="--genre:{GENRE_COLOURS[genre]};--share:{share}"></span></td>'
        f"<td>{share:.0%}</td></tr>"
    )


def _address(example: dict[str, Any], task: str) -> str:
    """What the address of a page with this song ends in."""
    return escape(
        urlencode({"lyrics": example["lyrics"], "network": task, "from": example["genre"]})
    )


def _buttons(examples: Iterable[dict[str, Any]], task: str) -> str:
    buttons = (
        f'<button type="button" data-song="{_address(example, task)}">'
        f"{escape(example['title'])}</button>"
        for example in examples
    )
    return f'<p class="live-buttons">Or take one of ours: {" ".join(buttons)}</p>'


def _examples(header: dict[str, Any], examples: Iterable[dict[str, Any]], task: str) -> str:
    items = []
    for example in examples:
        answers = []
        for network in TASKS:
            shares = example["probabilities"][network]
            best = max(range(len(shares)), key=shares.__getitem__)
            answers.append(f"{network} network: {header['genres'][best]}, {shares[best]:.0%}")
        items.append(
            f"<li><p><strong>{escape(example['title'])}</strong>, with the scores of a typical "
            f'{example["genre"]} song <button class="pst-js-only" type="button" '
            f'data-song="{_address(example, task)}" '
            f'aria-label="Try {escape(example["title"])}">Try</button></p>'
            f'<p class="try-it-words">{_tinted(example, header)}</p>'
            f"<p>{' · '.join(answers)}</p></li>"
        )
    return f'<ul class="try-it-examples">{"".join(items)}</ul>'


def result_of_course(_: str) -> str:
    """Where the course begins and ends: accuracies from the study of *Evaluation*."""
    study = json.loads(STUDY.read_text(encoding="utf-8"))
    standard = {"split": "song", "variant": STANDARD, "collection": ALL_SONGS}
    found = {
        model: mean(
            row["accuracy"]
            for row in study["cells"]
            if standard.items() <= row.items() and row["model"] == model
        )
        for model in ("majority", "course lyrics", "course features", "course combined")
    }
    guess, lyrics, features, combined = (f"{share:.0%}" for share in found.values())
    return (
        f'<p class="course-result">Seven genres: always guessing pop is right for '
        f"<strong>{guess}</strong> of the songs. The networks that you will build are right for "
        f"<strong>{lyrics}</strong> from the words, <strong>{features}</strong> from the scores, "
        f"and <strong>{combined}</strong> from both. Genres overlap, so nobody gets them all.</p>"
    )


def _provenance(result: dict[str, Any]) -> str:
    """How good the page's networks are, beside the course's."""
    shares = [
        f"{result['networks'][task]['exported']['accuracy']:.1%} ({task}; the course's own: "
        f"{result['networks'][task]['course']['accuracy']:.1%})"
        for task in TASKS
    ]
    listed = f"{', '.join(shares[:-1])} and {shares[-1]}"
    return (
        f"<p>The networks of this page know {result['words']['live']:,} words instead of "
        f"{result['words']['course']:,}, and their weights are rounded. Of "
        f"{result['validation_songs']:,} songs of one split that they have not learned from, their "
        f"answers are right for {listed}. (The first page has means over many splits.)</p>"
    )
