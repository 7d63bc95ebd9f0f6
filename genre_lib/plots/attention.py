"""A figure of what a network with attention looks at. Used in chapter 15."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from genre_lib.plots.style import ACCENT, finish
from genre_lib.plots.words import mask_slur

TITLE, ROW = 40, 18
"""Heights in pixels: two heads and a dozen words fit a sheet of paper."""


def attention(weights: np.ndarray, words: Sequence[str]) -> go.Figure:
    """Draw which words each word of a song attends to, one panel per head. Chapter *Attention*.

    `weights` has the shape (heads, words, words): each row adds up to 1.
    """
    shown = [f"{number} {mask_slur(word)}" for number, word in enumerate(words, start=1)]
    heads = len(weights)
    panels = heads * (TITLE + ROW * len(words))
    figure = make_subplots(
        rows=heads,
        cols=1,
        subplot_titles=[f"head {head}" for head in range(1, heads + 1)],
        shared_xaxes=True,
        vertical_spacing=TITLE / panels,
    )
    sentences = []
    for head, matrix in enumerate(np.round(weights, 3), start=1):
        figure.add_heatmap(
            z=matrix,
            x=shown,
            y=shown,
            colorscale=[[0, "rgba(128, 128, 128, 0.08)"], [1, ACCENT]],
            zmin=0,
            zmax=float(weights.max()),
            xgap=1,
            ygap=1,
            showscale=False,
            hovertemplate=f"head {head}: %{{y}} looks at %{{x}}: %{{z:.0%}}<extra></extra>",
            row=head,
            col=1,
        )
        received = matrix.mean(axis=0)
        most = int(received.argmax())
        sentences.append(
            f"in head {head}, word {shown[most]} gets the largest share, {received[most]:.0%} of "
            "what all words look at"
        )
    figure.update_xaxes(tickangle=-60, showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    alt = f"Heat maps of which words each of {len(words)} words attends to: {'; '.join(sentences)}"
    return finish(figure, "Which words does each word attend to?", alt, height=160 + panels)
