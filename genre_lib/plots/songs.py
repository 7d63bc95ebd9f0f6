"""Figures of the songs themselves. Used in chapters 1 and 2 and on the first page."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from genre_lib.data.schema import FEATURES
from genre_lib.evaluation.intervals import interval_over_songs
from genre_lib.plots.style import (
    DIVERGING,
    MUTED,
    SEQUENTIAL,
    colour_of,
    finish,
    symbol_of,
)


def genre_shares(songs: pd.DataFrame) -> go.Figure:
    """Plot the number of songs of each genre as bars, the largest on top."""
    counts = songs["genre"].value_counts().sort_values()
    shares = counts / counts.sum()
    figure = go.Figure(
        go.Bar(
            x=counts,
            y=counts.index,
            orientation="h",
            marker_color=[colour_of(g) for g in counts.index],
            text=[f"{s:.1%}" for s in shares],
            textposition="outside",  # in its bar, it would be too pale on three of seven colours
            hovertemplate="%{y}: %{x:,} songs<extra></extra>",
        )
    )
    figure.update_xaxes(title="songs", range=[0, 1.25 * counts.max()])  # room for a phone's text
    figure.update_yaxes(showgrid=False)  # no line through the text
    alt = "Horizontal bars, songs per genre, from most to fewest: " + ", ".join(
        f"{g} {counts[g]:,} ({shares[g]:.1%})" for g in counts.index[::-1]
    )
    return finish(figure, "Songs by genre", alt, height=330)


def features_by_genre(songs: pd.DataFrame) -> go.Figure:
    """Plot each genre's mean scores, in standard deviations from the mean of all songs."""
    scores = songs[list(FEATURES)]
    standard = (scores - scores.mean()) / scores.std()
    means = standard.groupby(songs["genre"]).mean().T.loc[list(FEATURES)]
    figure = go.Figure(
        go.Heatmap(
            z=means.round(3),
            x=means.columns,
            y=means.index,
            colorscale=DIVERGING,
            zmin=-1,  # a few are further away; their numbers say so
            zmax=1,
            showscale=False,
            text=means.map(lambda mean: f"{mean:+.1f}" if abs(mean) >= 0.25 else ""),
            texttemplate="%{text}",
            hovertemplate="%{x}, %{y}: %{z:+.2f} standard deviations<extra></extra>",
        )
    )
    figure.update_xaxes(showgrid=False)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    strongest = means.stack()
    strongest = strongest.reindex(strongest.abs().sort_values(ascending=False).index)[:6]
    alt = "Heat map of 22 scores by seven genres. Furthest from the mean: " + ", ".join(
        f"{genre} in {feature} {value:+.1f} standard deviations"
        for (feature, genre), value in strongest.items()
    )
    return finish(figure, "Mean score of each genre, in standard deviations", alt, height=620)


def label_position(points: pd.DataFrame, name: str) -> str:
    """Return plotly's position for a point's label: on the side away from the nearest point.

    `points` has two columns, x and y, and one row per point.
    """
    others = (points.drop(index=name) - points.loc[name]) / points.std()
    x, y = others.loc[(others**2).sum(axis=1).idxmin()]
    return f"{'bottom' if y > 0 else 'top'} {'left' if x > 0 else 'right'}"


def genre_plane(songs: pd.DataFrame, x: str, y: str) -> go.Figure:
    """Plot each genre's means of two scores; crosses span the middle half of its songs."""
    by = songs.groupby("genre")[[x, y]]
    low, high = by.quantile(0.25), by.quantile(0.75)
    means = by.mean()
    figure = go.Figure()
    for genre in means.index:
        mean = means.loc[genre]
        reach = {
            score: {
                "type": "data",
                "symmetric": False,
                "array": [round(high.at[genre, score] - mean[score], 4)],
                "arrayminus": [round(mean[score] - low.at[genre, score], 4)],
                "thickness": 1,
                "width": 0,
            }
            for score in (x, y)
        }
        figure.add_scatter(
            x=[round(mean[x], 4)],
            y=[round(mean[y], 4)],
            error_x=reach[x],
            error_y=reach[y],
            mode="markers+text",
            text=[genre],
            textposition=label_position(means, genre),
            marker={"color": colour_of(genre), "symbol": symbol_of(genre), "size": 13},
            name=genre,
            showlegend=False,
            hovertemplate=f"{genre}: {x} %{{x:.2f}}, {y} %{{y:.2f}}<extra></extra>",
        )
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y)
    alt = f"{'Seven' if len(means) == 7 else len(means)} genres by mean {x} and {y}: " + ", ".join(
        f"{genre} {mean[x]:.2f} and {mean[y]:.2f}" for genre, mean in means.iterrows()
    )
    title = f"Mean {x} and {y}; crosses span the middle half of the songs"
    return finish(figure, title, alt, height=430)


def score_over_time(songs: pd.DataFrame, score: str, genre: str) -> go.Figure:
    """Plot a genre's mean score by decade with 95% intervals, and that of all songs."""
    figure = go.Figure()
    sentences = []
    for name, rows, colour in (
        ("all songs", songs, MUTED),
        (genre, songs[songs["genre"] == genre], colour_of(genre)),
    ):
        by = _mean_scores(rows, rows["release_date"] // 10 * 10, score)
        figure.add_scatter(
            x=by.index,
            y=by["mean"].round(4),
            error_y={"type": "data", "array": by["half"].round(4), "thickness": 1.2, "width": 3},
            name=name,
            line_color=colour,
            hovertemplate=f"{name}, %{{x}}s: %{{y:.3f}}<extra></extra>",
        )
        sentences.append(
            f"{name}: {by['mean'].iloc[0]:.2f} in the {by.index[0]}s, "
            f"{by['mean'].iloc[-1]:.2f} in the {by.index[-1]}s"
        )
    figure.update_xaxes(title="decade")
    figure.update_yaxes(title=score)
    alt = f"Two lines, mean {score} by decade with 95% intervals. " + "; ".join(sentences)
    return finish(figure, f"{score.capitalize()} of {genre} songs by decade", alt)


def genres_by_decade(songs: pd.DataFrame) -> go.Figure:
    """Plot the genres' shares of each decade's songs as stacked bars."""
    counts = pd.crosstab(songs["release_date"] // 10 * 10, songs["genre"])
    shares = counts.div(counts.sum(axis=1), axis=0)
    figure = go.Figure()
    for genre in shares.columns:
        figure.add_bar(
            x=[f"{decade}s" for decade in shares.index],
            y=shares[genre].round(4),
            customdata=counts[genre],
            name=genre,
            marker_color=colour_of(genre),
            hovertemplate=f"{genre}, %{{x}}: %{{y:.0%}} (%{{customdata:,}} songs)<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0.1)
    figure.update_xaxes(type="category")
    figure.update_yaxes(title="share of the decade's songs", tickformat=".0%")
    alt = "Shares of the genres by decade, as stacked bars. Of the first and the last decade: "
    alt += ", ".join(
        f"{genre} {shares[genre].iloc[0]:.0%} and {shares[genre].iloc[-1]:.0%}"
        for genre in shares.columns
    )
    return finish(figure, "Genres by decade", alt, height=430)


def scores_of_genres(songs: pd.DataFrame, scores: Sequence[str]) -> go.Figure:
    """Plot each genre's mean scores with their 95% intervals, one panel per score."""
    figure = make_subplots(cols=len(scores), shared_yaxes=True, subplot_titles=list(scores))
    order = songs.groupby("genre")[scores[0]].mean().sort_values().index
    sentences = []
    for column, score in enumerate(scores, start=1):
        by = _mean_scores(songs, songs["genre"], score).loc[order]
        figure.add_scatter(
            x=by["mean"].round(4),
            y=order,
            error_x={"type": "data", "array": by["half"].round(4), "thickness": 1.2},
            mode="markers",
            marker={"color": [colour_of(g) for g in order], "size": 10},
            hovertemplate="%{y}: %{x:.3f}<extra></extra>",
            showlegend=False,
            col=column,
            row=1,
        )
        ranked = by["mean"].sort_values(ascending=False)
        sentences.append(
            f"{score} is highest in {ranked.index[0]} ({ranked.iloc[0]:.2f}) and lowest in "
            f"{ranked.index[-1]} ({ranked.iloc[-1]:.2f})"
        )
    alt = "Dots with 95% intervals, one row per genre: " + "; ".join(sentences)
    return finish(figure, "Mean scores with 95% intervals", alt, height=360)


def _mean_scores(songs: pd.DataFrame, groups: pd.Series, score: str) -> pd.DataFrame:
    """Return each group's mean score and the half-width of its 95% interval, NaN if unknown."""
    found = {}
    for name, rows in songs.groupby(groups):
        if rows["artist_name"].nunique() > 1:
            found[name] = interval_over_songs(rows[score], rows["artist_name"])
        else:
            found[name] = (rows[score].mean(), float("nan"))
    return pd.DataFrame.from_dict(found, orient="index", columns=["mean", "half"])


def density(songs: pd.DataFrame, x: str, y: str) -> go.Figure:
    """Plot the number of songs for each pair of values of two scores as a heat map."""
    edges = np.linspace(0, 1, 21)
    counts, _, _ = np.histogram2d(songs[y], songs[x], bins=(edges, edges))
    middle = edges[:-1] + 0.025
    figure = go.Figure(
        go.Heatmap(
            z=np.log10(counts + 1).round(3),
            x=middle,
            y=middle,
            customdata=counts,
            colorscale=SEQUENTIAL,
            colorbar={
                "title": "songs",
                "thickness": 12,
                "tickvals": [0, 1, 2, 3, 4],
                "ticktext": ["0", "10", "100", "1,000", "10,000"],
            },
            hovertemplate=f"{x} %{{x:.3f}}, {y} %{{y:.3f}}: "
            "%{customdata:,.0f} songs<extra></extra>",
        )
    )
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y)
    high = songs[x] > 0.5
    alt = (
        f"Heat map of songs by {x} and {y}. Of the songs with {x} above one half, "
        f"{(songs.loc[high, y] > 0.5).mean():.0%} have {y} above one half too; of the others "
        f"{(songs.loc[~high, y] > 0.5).mean():.0%}"
    )
    return finish(figure, f"{x.capitalize()} and {y}", alt, height=430)
