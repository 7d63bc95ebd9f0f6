"""Figures of results: learning curves, mistakes, accuracy, speed. Used from chapter 3 on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from genre_lib.plots.style import ACCENT, GENRE_COLOURS, MUTED, SEQUENTIAL, TEXT_COLOUR, finish


def learning_curves(table: pd.DataFrame, title: str = "Learning curves") -> go.Figure:
    """Plot loss and accuracy by epoch on training and validation songs, from `History.table()`."""
    figure = make_subplots(cols=2, subplot_titles=["loss", "accuracy"], horizontal_spacing=0.12)
    for column, measure in enumerate(("loss", "accuracy"), start=1):
        for name, colour in (("train", MUTED), ("validation", ACCENT)):
            figure.add_scatter(
                x=table.index,
                y=table[f"{name}_{measure}"].round(4),
                name=name,
                legendgroup=name,
                showlegend=column == 1,
                line={"color": colour, "dash": "dot" if name == "train" else "solid"},
                hovertemplate=f"{name}, epoch %{{x}}: %{{y:.3f}}<extra></extra>",
                col=column,
                row=1,
            )
    figure.update_xaxes(title="epoch")
    figure.update_yaxes(tickformat=".0%", col=2)
    last, lowest = table.iloc[-1], table["validation_loss"].argmin() + 1
    alt = (
        f"Learning curves over {len(table)} epochs. Training loss goes from "
        f"{table['train_loss'].iloc[0]:.2f} to {last['train_loss']:.2f}; validation loss is "
        f"lowest, {table['validation_loss'].min():.2f}, at epoch {lowest} and ends at "
        f"{last['validation_loss']:.2f}. Accuracy ends at {last['train_accuracy']:.0%} on training "
        f"and {last['validation_accuracy']:.0%} on validation songs"
    )
    return finish(figure, title, alt, height=340)


def confusion(counts: pd.DataFrame) -> go.Figure:
    """Plot `Report.confusion` as a heat map: for each true genre, the share predicted as each."""
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    figure = go.Figure(
        go.Heatmap(
            z=shares.round(4),
            x=shares.columns,
            y=shares.index,
            colorscale=SEQUENTIAL,
            showscale=False,
            texttemplate="%{z:.0%}",
            hovertemplate="%{z:.1%} of %{y} songs are predicted as %{x}<extra></extra>",
        )
    )
    figure.update_xaxes(title="predicted genre", showgrid=False)
    figure.update_yaxes(title="true genre", autorange="reversed", showgrid=False)
    right = pd.Series(np.diag(shares), index=shares.index).sort_values()
    wrong = shares.where(~np.eye(len(shares), dtype=bool), 0).stack().idxmax()
    alt = (
        f"Confusion matrix. Best recognised: {right.index[-1]} ({right.iloc[-1]:.0%}); worst: "
        f"{right.index[0]} ({right.iloc[0]:.0%}). The most frequent mistake is to predict "
        f"{wrong[1]} for {wrong[0]} ({shares.loc[wrong]:.0%} of its songs)"
    )
    return finish(figure, "True and predicted genre", alt, height=430)


def accuracies(
    results: Mapping[str, Sequence[float]], base_rate: float, part: str = "test"
) -> go.Figure:
    """Plot the accuracies of each model over seeds, their mean, and the base rate.

    `results` maps a model's name to its accuracies in [0, 1], one per seed; `part` says which
    songs they are from, "test" or "validation".
    """
    figure = go.Figure()
    names = list(results)[::-1]
    means = {name: float(np.mean(results[name])) for name in names}
    for name in names:
        figure.add_scatter(
            x=list(np.round(results[name], 4)),
            y=[name] * len(results[name]),
            mode="markers",
            marker={"color": ACCENT, "size": 7, "opacity": 0.5},
            showlegend=False,
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
    figure.add_scatter(
        x=[round(means[name], 4) for name in names],
        y=names,
        mode="markers+text",
        text=[f"{means[name]:.1%}" for name in names],
        textposition="top center",
        marker={"symbol": "line-ns-open", "size": 16, "color": ACCENT},
        showlegend=False,
        hovertemplate="%{y}: mean %{x:.1%}<extra></extra>",
    )
    figure.add_vline(x=base_rate, line_dash="dash", line_color=TEXT_COLOUR)
    figure.update_xaxes(title="dashed: base rate", tickformat=".0%")
    figure.update_yaxes(range=[-0.5, len(names) - 0.3])  # room for the top label
    alt = f"{part.capitalize()} accuracies beside the base rate of {base_rate:.1%}: " + ", ".join(
        f"{name} {means[name]:.1%}" for name in reversed(names)
    )
    return finish(figure, f"{part.capitalize()} accuracy", alt, height=120 + 48 * len(names))


def loss_against(
    lines: Mapping[str, pd.Series], counted: str, title: str, measured: str = "loss"
) -> go.Figure:
    """Plot some series of losses against their index, on a logarithmic axis.

    `counted` and `measured` name the axes; a dashed line marks 0 if some values are below it.
    """
    figure = go.Figure()
    colours = [ACCENT, GENRE_COLOURS["rock"], GENRE_COLOURS["reggae"]]
    for (name, series), colour in zip(lines.items(), colours, strict=False):
        figure.add_scatter(
            x=[float(f"{x:.3g}") for x in series.index],
            y=series.round(4),
            name=name,
            line_color=colour,
            showlegend=len(lines) > 1,
            hovertemplate=f"{name}, {counted} %{{x}}: {measured} %{{y:.3f}}<extra></extra>",
        )
    if min(series.min() for series in lines.values()) < 0:
        figure.add_hline(y=0, line_dash="dash", line_color=TEXT_COLOUR)
    figure.update_xaxes(title=f"{counted} (logarithmic)", type="log")
    figure.update_yaxes(title=measured)
    alt = f"The {measured} against {counted}. " + "; ".join(
        f"{name}: {series.iloc[0]:.3f} at {series.index[0]:.3g}, lowest {series.min():.3f} at "
        f"{series.idxmin():.3g}, {series.iloc[-1]:.3f} at {series.index[-1]:.3g}"
        for name, series in lines.items()
    )
    return finish(figure, title, alt, height=380)


def speeds(songs_per_second: Mapping[str, float]) -> go.Figure:
    """Plot songs per second of several training loops as dots on a logarithmic axis."""
    names = list(songs_per_second)[::-1]
    values = [songs_per_second[name] for name in names]
    figure = go.Figure(
        go.Scatter(  # dots: a logarithmic axis has no 0 for a bar to begin at
            x=[round(v) for v in values],
            y=names,
            mode="markers+text",
            marker={"color": ACCENT, "size": 11},
            text=[f"{v:,.0f}" for v in values],
            textposition="top center",
            hovertemplate="%{y}: %{x:,} songs per second<extra></extra>",
        )
    )
    figure.update_xaxes(title="logarithmic", type="log", dtick=1)
    figure.update_yaxes(range=[-0.5, len(names) - 0.3])  # room for the top label
    alt = "Songs per second of each loop. " + "; ".join(
        f"{name}: {speed:,.0f}" for name, speed in songs_per_second.items()
    )
    return finish(figure, "Songs per second", alt, height=120 + 50 * len(names))


def throughput(
    lines: Mapping[str, pd.Series], counted: str, limit: float | None = None
) -> go.Figure:
    """Plot songs per second against the index of some series, on logarithmic axes.

    `counted` says what the index counts, e.g. "songs in a batch"; memory is full at `limit`.
    """
    figure = go.Figure()
    colours = [ACCENT, GENRE_COLOURS["rock"], GENRE_COLOURS["reggae"]]
    for (name, series), colour in zip(lines.items(), colours, strict=False):
        figure.add_scatter(
            x=series.index,
            y=series.round(),
            name=name,
            mode="lines+markers",
            line_color=colour,
            showlegend=len(lines) > 1,
            hovertemplate=f"{name}, %{{x:,}} {counted}: %{{y:,}} songs per second<extra></extra>",
        )
    figure.update_xaxes(title=f"{counted} (logarithmic)", type="log")
    figure.update_yaxes(title="logarithmic", type="log", dtick=1)
    alt = f"Songs per second against {counted}. " + "; ".join(
        f"{name}: {series.iloc[0]:,.0f} at {series.index[0]:,}, {series.iloc[-1]:,.0f} at "
        f"{series.index[-1]:,}, most at {series.idxmax():,} ({series.max():,.0f})"
        for name, series in lines.items()
    )
    if limit is not None:
        figure.add_vline(x=limit, line_dash="dash", line_color=TEXT_COLOUR)
        figure.add_annotation(
            x=np.log10(limit), y=0.02, yref="paper", text="memory is full", showarrow=False,
            xanchor="right", xshift=-4,
        )  # fmt: skip
        alt += f". A dashed line marks where memory is full, at {limit:,.0f}"
    return finish(figure, "Songs per second", alt, height=400)


def calibration(bins: pd.DataFrame) -> go.Figure:
    """Plot accuracy against confidence, from the bins that `Report.reliability()` returns."""
    figure = go.Figure()
    figure.add_scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        name="perfectly calibrated",
        line={"color": MUTED, "dash": "dash"},
        hoverinfo="skip",
    )
    figure.add_scatter(
        x=bins["confidence"].round(4),
        y=bins["accuracy"].round(4),
        mode="lines+markers",
        name="this network",
        customdata=bins["songs"],
        line_color=ACCENT,
        marker_size=(6 + 14 * np.sqrt(bins["songs"] / bins["songs"].max())).round(1),
        hovertemplate="says %{x:.0%}, is right %{y:.0%} (%{customdata:,} songs)<extra></extra>",
    )
    figure.update_xaxes(title="stated probability of the answer", tickformat=".0%", range=[0, 1])
    figure.update_yaxes(title="share of correct answers", tickformat=".0%", range=[0, 1])
    largest = bins.iloc[bins["songs"].argmax()]
    alt = (
        "Calibration curve beside the diagonal of perfect calibration. In the fullest bin, of "
        f"{largest['songs']:,.0f} songs, the network says {largest['confidence']:.0%} and is right "
        f"{largest['accuracy']:.0%} of the time"
    )
    return finish(figure, "Stated and observed", alt, height=420)
