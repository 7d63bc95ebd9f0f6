"""The experiment of chapter 4: a network that trains in the page, with switches for mistakes."""

from __future__ import annotations

from html import escape

EPOCHS = 40
MISTAKES = {
    "gradientsKept": "gradients are not cleared",
    "softmaxTwice": "softmax before the loss",
    "noEval": "no <code>eval()</code>",
    "noShuffle": "no shuffling",
    "paddingCounted": "padding is counted",
}
"""The names in `live/loop.js`, and what they are called in the page."""

RATES = {"0.1": "÷ 10", "1": "as it should be", "10": "× 10"}
COLUMNS = (
    "run",
    "epoch",
    "training loss",
    "validation loss",
    "training accuracy",
    "validation accuracy",
)


def experiment(_: str) -> str:
    """Switches, buttons, two empty figures and the table of the last two runs."""
    switches = "".join(
        f'<label><input type="checkbox" name="{name}" autocomplete="off"> {said}</label>'
        for name, said in MISTAKES.items()
    )
    rates = "".join(
        f'<label><input type="radio" name="rate" value="{rate}" autocomplete="off"'
        f"{' checked' if rate == '1' else ''}> {said}</label>"
        for rate, said in RATES.items()
    )
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in COLUMNS)
    return (
        '<noscript><p class="live">The experiment needs scripts, which are switched off.</p>'
        f'</noscript><div class="live break-loop pst-js-only" data-epochs="{EPOCHS}">'
        '<form aria-label="A training loop to break">'
        f"<fieldset><legend>Mistakes</legend>{switches}</fieldset>"
        f"<fieldset><legend>Learning rate</legend>{rates}</fieldset>"
        '<p class="live-buttons"><button type="submit">Train</button> '
        '<button type="button" name="rewind" disabled>Rewind</button></p></form>'
        '<div class="break-loop-curves"></div>'
        '<p class="break-loop-key" aria-hidden="true"><span class="train">training</span> '
        '<span class="validation">validation</span> '
        '<span class="before">a run before, to compare</span></p>'
        '<p role="status" class="live-status"></p>'
        '<div class="live-table" tabindex="0" role="region" aria-label="This run and one before">'
        f"<table><thead><tr>{head}</tr></thead><tbody></tbody></table></div></div>"
    )
