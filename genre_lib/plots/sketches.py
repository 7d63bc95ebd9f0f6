"""Sketches of ideas, drawn from a chapter's own numbers. Used in chapters 3, 4, 6 and 7."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from genre_lib.plots.style import (
    ACCENT,
    DIVERGING,
    GENRE_COLOURS,
    MUTED,
    TEXT_COLOUR,
    colour_of,
    finish,
)

LINES = [ACCENT, GENRE_COLOURS["rock"], GENRE_COLOURS["reggae"], MUTED]


def chain(steps: Mapping[str, str], title: str, back: Sequence[str] = ()) -> go.Figure:
    """Draw steps as boxes, one below the other, each with its name and a text.

    `back` has a text for each arrow that leads back up, from the last step to the one before it
    and so on: what backpropagation computes there.
    """
    names = list(steps)
    texts = [f"<b>{name}</b><br>{text}" for name, text in steps.items()]
    figure = go.Figure(
        go.Scatter(
            x=[0] * len(names),
            y=list(range(len(names))),
            text=texts,
            mode="markers",
            marker={"opacity": 0, "size": 40},
            hovertemplate="%{text}<extra></extra>",
        )
    )
    # A box is narrower where there are texts beside it.
    width, centre = (0.55, -0.4) if back else (0.95, 0.0)
    arrow = {
        "text": "", "showarrow": True, "arrowhead": 2, "xref": "x", "yref": "y", "axref": "x",
        "ayref": "y",
    }  # fmt: skip
    for row, text in enumerate(texts):
        box = {"x0": centre - width, "x1": centre + width, "y0": row - 0.32, "y1": row + 0.32}
        figure.add_shape(line_color=ACCENT, fillcolor="rgba(61, 127, 217, 0.1)", **box)
        figure.add_annotation(x=centre, y=row, text=text, showarrow=False, font_size=12)
        if row:
            x = centre - 0.15 if back else centre
            figure.add_annotation(
                x=x, ax=x, y=row - 0.32, ay=row - 0.68, arrowcolor=TEXT_COLOUR, **arrow
            )
    for number, text in enumerate(back):
        row, x = len(names) - 1 - number, centre + 0.15
        colour = GENRE_COLOURS["rock"]
        figure.add_annotation(x=x, ax=x, y=row - 0.68, ay=row - 0.32, arrowcolor=colour, **arrow)
        figure.add_annotation(
            x=x + 0.08, y=row - 0.5, text=text, showarrow=False, xanchor="left", font_size=12
        )
    figure.update_xaxes(visible=False, range=[-1, 1], title="x", fixedrange=True)
    figure.update_yaxes(
        visible=False, range=[len(names) - 0.6, -0.4], title="step", fixedrange=True
    )
    alt = "Diagram, step by step: " + "; ".join(f"{name}: {text}" for name, text in steps.items())
    if back:
        alt += f". Back from the last step: {'; '.join(back)}"
    return finish(
        figure, title, alt.replace("<br>", ", "), height=80 + (100 if back else 76) * len(names)
    )


def lookup_and_mean(vectors: pd.DataFrame, logits: pd.Series, title: str) -> go.Figure:
    """Draw a song's word vectors, one row per word, their mean below, and the logits beside them.

    `vectors` has the words as index, `logits` the genres.
    """
    mean = vectors.mean()
    rows = pd.concat([vectors, mean.to_frame("mean").T])
    limit = float(np.abs(rows.to_numpy()).max())
    figure = make_subplots(
        rows=2,
        cols=1,
        row_heights=[len(rows), len(logits)],
        vertical_spacing=0.18,
        subplot_titles=["a row for each word, and the mean", "the logits"],
    )
    figure.add_heatmap(
        z=rows.round(3),
        x=list(range(vectors.shape[1])),
        y=[f"{number} {word}" for number, word in enumerate(vectors.index, start=1)] + ["mean"],
        colorscale=DIVERGING,
        zmin=-limit,
        zmax=limit,
        showscale=False,
        ygap=2,
        hovertemplate="%{y}, dimension %{x}: %{z:.2f}<extra></extra>",
        row=1,
        col=1,
    )
    figure.add_bar(
        x=logits.round(3),
        y=logits.index,
        orientation="h",
        marker_color=[colour_of(genre) for genre in logits.index],
        showlegend=False,
        hovertemplate="%{y}: logit %{x:.2f}<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_annotations(font_size=13, x=0, xanchor="left")
    figure.update_xaxes(showgrid=False, row=1)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    ranked = logits.sort_values(ascending=False)
    alt = (
        f"The vectors of the words {', '.join(map(str, vectors.index))}, of {vectors.shape[1]} "
        f"numbers each, and their mean as a heat map; below, the logits that a Linear layer makes "
        f"of the mean: {', '.join(f'{genre} {value:+.2f}' for genre, value in ranked.items())}"
    )
    return finish(figure, title, alt, height=200 + 26 * (len(rows) + len(logits)))


def descent(
    loss: Callable[[np.ndarray], np.ndarray], paths: Mapping[str, Sequence[float]], title: str
) -> go.Figure:
    """Draw a loss of one weight, and the weights that some series of steps pass through."""
    weights = np.concatenate([np.asarray(path, float) for path in paths.values()])
    room = 0.1 * (weights.max() - weights.min())
    grid = np.linspace(weights.min() - room, weights.max() + room, 101)
    figure = go.Figure(
        go.Scatter(
            x=grid.round(3),
            y=loss(grid).round(3),
            mode="lines",
            line_color=MUTED,
            name="loss",
            hovertemplate="weight %{x:.2f}: loss %{y:.2f}<extra></extra>",
        )
    )
    sentences = []
    for (name, path), colour in zip(paths.items(), LINES, strict=False):
        at = np.asarray(path, float)
        figure.add_scatter(
            x=at.round(3),
            y=loss(at).round(3),
            mode="lines+markers",
            marker_size=8,
            line={"color": colour, "width": 1, "dash": "dot"},
            name=name,
            text=[f"{name}, step {step}" for step in range(len(at))],
            hovertemplate="%{text}: weight %{x:.2f}, loss %{y:.2f}<extra></extra>",
        )
        sentences.append(f"{name}: from {at[0]:.2f} to {at[-1]:.2f} in {len(at) - 1} steps")
    figure.update_xaxes(title="weight")
    figure.update_yaxes(title="loss")
    alt = f"A loss against its one weight, and steps against the gradient. {'; '.join(sentences)}"
    return finish(figure, title, alt, height=380)


def functions_of_score(
    values: Mapping[str, pd.Series], title: str, score: str, measured: str
) -> go.Figure:
    """Draw series against a score, their index: data as dots, and models of them as lines.

    The first series is the data; `score` and `measured` name the axes.
    """
    figure = go.Figure()
    sentences = []
    for number, (name, series) in enumerate(values.items()):
        figure.add_scatter(
            x=np.round(series.index.to_numpy(float), 4),
            y=series.round(4),
            mode="lines" if number else "markers",
            marker_color=MUTED,
            line_color=LINES[number - 1] if number else None,
            name=name,
            hovertemplate=f"{name}, {score} %{{x:.2f}}: %{{y:.2f}}<extra></extra>",
        )
        sentences.append(
            f"{name}: {series.iloc[0]:.2f} at the left, {series.iloc[-1]:.2f} at the right"
        )
    figure.update_xaxes(title=score)
    figure.update_yaxes(title=measured)
    alt = f"{measured.capitalize()} against {score}. {'; '.join(sentences)}"
    return finish(figure, title, alt, height=380)
