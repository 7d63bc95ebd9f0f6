"""Figures of differences and distances. Used from chapter 7 on."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from genre_lib.plots.style import ACCENT, GENRE_COLOURS, MUTED, TEXT_COLOUR, finish

MARKS = [(colour, symbol) for colour in (ACCENT, GENRE_COLOURS["rock"]) for symbol in (0, 100)]
"""Colour and symbol (a dot, a circle) of up to four groups."""


def differences(groups: Mapping[str, pd.DataFrame], title: str, label: str) -> go.Figure:
    """Plot differences as dots beside a line at 0, with their intervals where there are some.

    Each table in `groups`, at most four, has the column `difference` and may have `half_width`. A
    row is shown under its name in the index; `label` is the title of the axis.
    """
    names = list(dict.fromkeys(name for table in groups.values() for name in table.index))
    step = 1 / (len(groups) + 1)
    figure = go.Figure()
    sentences = []
    for number, (group, table) in enumerate(groups.items()):
        colour, symbol = MARKS[number]
        half = table.get("half_width")
        figure.add_scatter(
            x=table["difference"].round(3),
            y=[names.index(name) + (number + 1) * step for name in table.index],
            error_x=None if half is None else {"array": half.round(3), "thickness": 1.2},
            mode="markers",
            marker={"color": colour, "symbol": symbol, "size": 8},
            name=group,
            text=table.index,
            customdata=None if half is None else half,
            showlegend=len(groups) > 1,
            hovertemplate="%{text}: %{x:+.2f}"
            + ("" if half is None else " ± %{customdata:.2f}")
            + ("<extra></extra>" if len(groups) == 1 else f"<br>{group}<extra></extra>"),
        )
        values = [f"{name} {value:+.2f}" for name, value in table["difference"].items()]
        if half is not None:
            values = [f"{one} ± {width:.2f}" for one, width in zip(values, half, strict=True)]
        sentences.append((f"{group}: " if len(groups) > 1 else "") + ", ".join(values))
    for place, name in enumerate(names):  # above its marks, where a phone has room for it
        figure.add_annotation(
            x=0, xref="paper", y=place, text=name, showarrow=False, xanchor="left", yanchor="middle"
        )
    figure.add_vline(x=0, line_color=TEXT_COLOUR, line_width=1)
    figure.update_yaxes(range=[len(names) - step / 2, -0.4], visible=False)
    figure.update_xaxes(title=label)
    height = 130 + len(names) * (22 + 16 * len(groups))
    if len(groups) > 2:  # the legend may take two rows: the title stands above both
        figure.update_layout(title={"y": 1, "yanchor": "top", "pad": {"t": 14}})
    alt = f"{title}, in {label}, as dots beside a line at 0. {'; '.join(sentences)}"
    return finish(figure, title, alt, height=height).update_layout(
        margin_t=100 if len(groups) > 2 else 70
    )


def way_covered(ceiling: pd.DataFrame, base_rate: float) -> go.Figure:
    """Plot how far models get from the base rate towards the best possible accuracy.

    `ceiling` has one row per model, and the accuracies `network` and `ceiling` in [0, 1].
    """
    figure = go.Figure()
    sentences: list[str] = []
    for name, row in ceiling[::-1].iterrows():
        for end, colour, width in (("ceiling", MUTED, 2), ("network", ACCENT, 6)):
            figure.add_scatter(
                x=[base_rate, round(row[end], 4)],
                y=[name, name],
                mode="lines",
                line={"color": colour, "width": width},
                showlegend=False,
                hoverinfo="skip",
            )
        sentences.insert(0, f"{name} {row['network']:.1%} of {row['ceiling']:.1%}")
    for end, colour, symbol in (("network", ACCENT, "circle"), ("ceiling", MUTED, "line-ns-open")):
        figure.add_scatter(
            x=ceiling[end].round(4),
            y=ceiling.index,
            mode="markers+text",
            text=[f"{share:.1%}" for share in ceiling[end]],
            textposition="bottom center" if end == "network" else "top center",
            marker={"color": colour, "symbol": symbol, "size": 13},
            name={"network": "network", "ceiling": "best possible"}[end],
            hovertemplate=f"%{{y}}, {end}: %{{x:.1%}}<extra></extra>",
        )
    figure.add_vline(x=base_rate, line_dash="dash", line_color=TEXT_COLOUR)
    figure.update_xaxes(title="accuracy; dashed: base rate", tickformat=".0%")
    figure.update_yaxes(range=[-0.6, len(ceiling) - 0.3])
    alt = (
        f"Accuracy of each network and the best possible, from a base rate of {base_rate:.1%}: "
        + ", ".join(sentences)
    )
    return finish(figure, "How close to the ceiling?", alt, height=130 + 60 * len(ceiling))
