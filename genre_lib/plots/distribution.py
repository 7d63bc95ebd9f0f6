"""Figures of how one number is distributed. Used in chapter 1 and in *Know your data*."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from genre_lib.plots.style import ACCENT, DIVERGING, GENRE_COLOURS, TEXT_COLOUR, finish


def lyrics_lengths(words: pd.Series, genre: pd.Series, cut: int = 100) -> go.Figure:
    """Plot a histogram of words per song, with a line where the original post truncates.

    `words`, a word count, and `genre` have one entry per song.
    """
    share = float((words > cut).mean())
    counts, edges = np.histogram(words, bins=np.arange(0, 211, 10))
    figure = go.Figure(
        go.Bar(
            x=edges[:-1] + 5,
            y=counts,
            marker_color=ACCENT,
            hovertemplate="%{x:.0f} ± 5 words: %{y:,} songs<extra></extra>",
        )
    )
    figure.add_vline(x=cut, line_dash="dash", line_color=TEXT_COLOUR)
    figure.add_annotation(
        x=cut, y=1, yref="paper", xanchor="left", showarrow=False, text=f" longer: {share:.0%}"
    )
    figure.update_layout(bargap=0.05)
    figure.update_xaxes(title="words")
    figure.update_yaxes(title="songs")
    medians = words.groupby(genre).median().sort_values()
    alt = (
        f"Histogram of words per song: median {words.median():.0f}, longest {words.max()}; "
        f"{share:.0%} of the songs are longer than {cut} words. The genre with the shortest lyrics "
        f"is {medians.index[0]} (median {medians.iloc[0]:.0f}), with the longest "
        f"{medians.index[-1]} ({medians.iloc[-1]:.0f})"
    )
    return finish(figure, "Length of the lyrics", alt)


def distributions(
    values: pd.Series, groups: pd.Series, title: str, label: str, bins: int = 40
) -> go.Figure:
    """Plot how a number is distributed in each of a few groups, as shares of the group's songs.

    `values` and `groups` have one entry per song, and `label` names the values on the axis. The
    largest 1% of the values are counted in the last bin.
    """
    edges = np.linspace(values.min(), values.quantile(0.99), bins + 1)
    figure = go.Figure()
    other_colours = iter((DIVERGING[0][1], ACCENT))
    for group, members in values.groupby(groups):
        counts, _ = np.histogram(members.clip(upper=edges[-1]), edges)
        figure.add_scatter(
            x=((edges[:-1] + edges[1:]) / 2).round(4),
            y=(counts / len(members)).round(4),
            line={
                "shape": "hvh",
                "color": GENRE_COLOURS.get(str(group)) or next(other_colours, None),
            },
            name=str(group),
            hovertemplate=f"{group}, {label} %{{x:.2f}}: %{{y:.1%}} of the songs<extra></extra>",
        )
    figure.update_xaxes(title=label)
    figure.update_yaxes(title="share of the group's songs", tickformat=".0%")
    medians = values.groupby(groups).median()
    alt = f"Distribution of the {label} by group; medians: " + ", ".join(
        f"{group} {median:.2f}" for group, median in medians.items()
    )
    return finish(figure, title, alt)
