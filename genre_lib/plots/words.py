"""Figures of the word embedding. Used in chapter 9."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from genre_lib.plots.style import colour_of, finish, symbol_of

NAMED = 25
SLURS = re.compile(r"nigg|fagg?ot|fags?$|kike|tranny", re.IGNORECASE)


def mask_slur(word: str) -> str:
    """Return a word as figures show it: for a slur, only the first and last letter (chapter 9).

    The word keeps its position in the figure, so that no result is hidden.

    Examples
    --------
    >>> mask_slur("night")
    'night'
    """
    return f"{word[0]}{'∗' * (len(word) - 2)}{word[-1]}" if SLURS.match(word) else word


def word_map(plane: pd.DataFrame, pull: pd.DataFrame, shares: Sequence[float]) -> go.Figure:
    """Plot words by two coordinates, coloured by the genre towards which each pulls most.

    It names `NAMED` words: those that pull most and whose names fit.

    Parameters
    ----------
    plane
        Columns `x` and `y`, one row per word.
    pull
        One column per genre, one row per word (`genre_lib.classifier.words.genre_pull`).
    shares
        Each axis's share of the variance, for its title.
    """
    favourite = pull.loc[plane.index].idxmax(axis=1)
    strength = pull.loc[plane.index].max(axis=1)
    named = _with_room(plane.loc[strength.sort_values(ascending=False).index])
    figure = go.Figure()
    for genre in map(str, pull):
        words = plane.index[favourite == genre]
        figure.add_scatter(
            x=plane.loc[words, "x"].round(3).tolist(),  # the book's search box reads these
            y=plane.loc[words, "y"].round(3).tolist(),
            mode="markers+text",
            name=genre,
            text=[mask_slur(word) if word in named else "" for word in words],
            textposition="top center",
            textfont_size=11,
            hovertext=words.map(mask_slur),
            customdata=strength[words].round(2),
            marker={
                "color": colour_of(genre),
                "symbol": symbol_of(genre),
                "size": 7,
                "opacity": 0.9,
            },
            hovertemplate=f"%{{hovertext}}, pull to {genre}: %{{customdata:.2f}}<extra></extra>",
        )
    for axis, share in zip("xy", shares, strict=True):
        figure.update_layout({f"{axis}axis_title": f"{share:.0%} of the variance"})
    examples = ", ".join(
        f"{genre}: {', '.join(strength[favourite == genre].nlargest(3).index.map(mask_slur))}"
        for genre in pull
        if (favourite == genre).any()
    )
    alt = (
        f"Map of {len(plane):,} words; the two axes cover {sum(shares):.0%} of the variance of the "
        f"embedding. Words with the strongest pull towards each genre: {examples}"
    )
    return finish(figure, "The words of the lyrics network", alt, height=560)


def _with_room(plane: pd.DataFrame) -> list[str]:
    """Return the first `NAMED` words, in this order, whose names would not overlap."""
    across, up = (plane[axis] / (plane[axis].max() - plane[axis].min()) for axis in "xy")
    kept: list[str] = []
    for word in plane.index:
        near = ((across[kept] - across[word]).abs() < 0.12) & ((up[kept] - up[word]).abs() < 0.04)
        if len(kept) < NAMED and not near.any():
            kept.append(word)
    return kept


def strongest_words(pull: pd.DataFrame, n: int = 8) -> go.Figure:
    """Plot bars of the `n` words that pull most towards each genre, one panel per genre."""
    rows = math.ceil(len(pull.columns) / 2)
    figure = make_subplots(
        rows=rows,
        cols=2,
        subplot_titles=list(pull),
        vertical_spacing=0.08,
        horizontal_spacing=0.28,  # room for the words, even on a phone
    )
    for position, genre in enumerate(map(str, pull)):
        top = pull[genre].nlargest(n)[::-1]
        figure.add_bar(
            x=top.round(3),
            y=top.index.map(mask_slur),
            orientation="h",
            marker_color=colour_of(genre),
            showlegend=False,
            hovertemplate="%{y}: %{x:.2f}<extra></extra>",
            row=position // 2 + 1,
            col=position % 2 + 1,
        )
    figure.update_yaxes(tickfont_size=11)
    alt = "Bars, the words that pull most towards each genre. " + "; ".join(
        f"{genre}: {', '.join(pull[genre].nlargest(5).index.map(mask_slur))}" for genre in pull
    )
    return finish(
        figure,
        "The strongest words of each genre",
        alt,
        height=205 * math.ceil(len(pull.columns) / 2),
    )
