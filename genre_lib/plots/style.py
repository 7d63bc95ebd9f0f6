"""One look for every figure: one colour per genre, and a text alternative.

The text alternative of a figure, in `figure.layout.meta["alt"]`, is one or two sentences computed
from the plotted numbers; in the book, screen readers read it aloud. Backgrounds are transparent
and the text is grey, so that figures are legible on light and dark pages.
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
"""Each has enough contrast with white and with near-black. Hues that colour-blind readers confuse
differ in lightness."""

GENRE_SYMBOLS = {
    "blues": "circle",
    "country": "square",
    "hip hop": "diamond",
    "jazz": "cross",
    "pop": "star",
    "reggae": "triangle-up",
    "rock": "x",
}
"""Each genre's marker, which distinguishes unlabelled points in addition to its colour."""

OWN_COLOUR, OWN_SYMBOL = "#ab5eba", "hourglass"
"""The colour and marker of a genre of your own (chapter 17)."""

ACCENT, MUTED = "#3d7fd9", "#8a8f98"
TEXT_COLOUR, GRID = "#808080", "rgba(128, 128, 128, 0.25)"
DIVERGING = [[0, "#d9572b"], [0.5, "rgba(128, 128, 128, 0.08)"], [1, "#3d7fd9"]]
SEQUENTIAL = [[0, "rgba(61, 127, 217, 0.04)"], [1, "#3d7fd9"]]


def colour_of(genre: str) -> str:
    """Return a genre's colour, whether or not it is one of the course's."""
    return GENRE_COLOURS.get(genre, OWN_COLOUR)


def symbol_of(genre: str) -> str:
    """Return a genre's marker, whether or not it is one of the course's."""
    return GENRE_SYMBOLS.get(genre, OWN_SYMBOL)


def finish(figure: go.Figure, title: str, alt: str, height: int = 400) -> go.Figure:
    """Return `figure` with the course's look and its text alternative."""
    figure.update_layout(
        template="none",
        title={"text": title, "x": 0, "xref": "paper", "font_size": 16},
        meta={"alt": f"{alt}."},
        height=height,
        font={"color": TEXT_COLOUR, "size": 13},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        margin={"l": 10, "r": 10, "t": 70, "b": 10},
        legend={"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    )
    figure.update_xaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True)
    figure.update_yaxes(gridcolor=GRID, zerolinecolor=GRID, automargin=True, title_standoff=4)
    return figure
