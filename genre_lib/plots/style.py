"""One look for every figure: a colour a genre, a text alternative on each.

A figure's text alternative, a sentence or two computed from the very numbers that are drawn, is in
`figure.layout.meta["alt"]`; the book reads it out to those who can't see the figure. Backgrounds
are transparent and the lettering grey, so that a figure can be read on a light and on a dark page.
"""

from __future__ import annotations

import plotly.graph_objects as go

GENRE_COLOURS = {
    "blues": "#4f8cf5",
    "country": "#7b6417",
    "hip hop": "#8a3ae6",
    "jazz": "#08736e",
    "pop": "#cc1a78",
    "reggae": "#4b9801",
    "rock": "#dc7364",
}
"""Each stands out from white and from near-black alike, and from the others for colour-blind
readers too, who go by lightness: hues that they confuse are light and dark in turn."""

GENRE_SYMBOLS = {
    "blues": "circle",
    "country": "square",
    "hip hop": "diamond",
    "jazz": "cross",
    "pop": "star",
    "reggae": "triangle-up",
    "rock": "x",
}
"""A shape for each genre beside its colour, for points that no name stands at."""

ACCENT, MUTED = "#3d7fd9", "#8a8f98"
LETTERING, GRID = "#808080", "rgba(128, 128, 128, 0.25)"
DIVERGING = [[0, "#d9572b"], [0.5, "rgba(128, 128, 128, 0.08)"], [1, "#3d7fd9"]]
SEQUENTIAL = [[0, "rgba(61, 127, 217, 0.04)"], [1, "#3d7fd9"]]


def finish(figure: go.Figure, title: str, alt: str, height: int = 400) -> go.Figure:
    """Give a figure the course's look and its text alternative."""
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0, "xref": "paper", "font_size": 16},
        meta={"alt": f"{alt}."},
        height=height,
        font={"color": LETTERING, "size": 13},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        margin={"l": 10, "r": 10, "t": 70, "b": 10},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True, title_standoff=4)
    return figure
