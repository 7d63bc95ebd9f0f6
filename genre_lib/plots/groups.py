"""Figures that compare a number between groups of songs. Used in *Know your data*."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from genre_lib.plots.style import ACCENT, DIVERGING, GENRE_COLOURS, finish


def distributions(
    values: pd.Series, groups: pd.Series, title: str, label: str, bins: int = 40
) -> go.Figure:
    """Plot how a number is distributed in each of a few groups, as shares of the group's songs.

    `values` and `groups` have one entry per song, and `label` names the values on the axis. The
    largest hundredth of the values is counted in the last bin.
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
