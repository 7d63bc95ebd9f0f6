"""Diagrams of networks, drawn from the networks themselves. Used in chapters 6 to 8, and 15."""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np
import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots
from torch import Tensor, nn

from genre_lib.data.tensors import SongTensors
from genre_lib.errors import GenreLibError
from genre_lib.models import WordBranches, count_parameters
from genre_lib.plots.style import ACCENT, TEXT_COLOUR, finish

LAYOUTS: dict[str, dict[str, tuple[float, int]]] = {
    "OriginalLyricsNetwork": {
        "lyrics": (0, 0), "embedding": (0, 1), "flatten": (0, 2), "output": (0, 3),
        "logits": (0, 4),
    },
    "MeanLyricsNetwork": {
        "lyrics": (0, 0), "embedding": (0, 1), "dropout": (0, 2), "output": (0, 3),
        "logits": (0, 4),
    },
    "AttentionNetwork": {
        "lyrics": (0, 0), "embedding": (0, 1), "block": (0, 2), "norm": (0, 3), "dropout": (0, 4),
        "output": (0, 5), "logits": (0, 6),
    },
    "LyricsNetwork": {
        "lyrics": (0, 0), "branches": (-0.5, 1), "form": (0.5, 1), "bins": (0.5, 2), "head": (0, 3),
        "logits": (0, 4),
    },
    "OriginalFeaturesNetwork": {"features": (0, 0), "layers": (0, 1), "logits": (0, 2)},
    "FeaturesNetwork": {
        "features": (0, 0), "bins": (0, 1), "ensemble": (0, 2), "logits": (0, 3),
    },
    "OriginalCombinedNetwork": {
        "lyrics": (-0.5, 0), "features": (0.5, 0), "lyrics_branch": (-0.5, 1),
        "features_branch": (0.5, 1), "head": (0, 2), "logits": (0, 3),
    },
    "CombinedNetwork": {
        "lyrics": (-0.5, 0), "features": (1, 0), "branches": (-1, 1), "form": (0, 1),
        "bins": (0.5, 2), "head": (0, 3), "logits": (0, 4),
    },
}  # fmt: skip
"""The column and the row of each part's box; columns are counted from the middle."""

FLOWS = {
    "OriginalLyricsNetwork": ("lyrics embedding flatten output logits",),
    "MeanLyricsNetwork": ("lyrics embedding dropout output logits",),
    "AttentionNetwork": ("lyrics embedding block norm dropout output logits",),
    "LyricsNetwork": ("lyrics branches head logits", "lyrics form bins head"),
    "OriginalFeaturesNetwork": ("features layers logits",),
    "FeaturesNetwork": ("features bins ensemble logits",),
    "OriginalCombinedNetwork": (
        "lyrics lyrics_branch head logits", "features features_branch head",
    ),
    "CombinedNetwork": (
        "lyrics branches head logits", "lyrics form bins head", "features bins",
    ),
}  # fmt: skip
"""The paths through the parts, each a chain of arrows."""

WIDTH, HEIGHT = 0.45, 0.36
"""Half the size of a box, of a column and of a row."""


def network_diagram(network: nn.Module, songs: SongTensors, title: str) -> go.Figure:
    """Draw the parts of one of the course's networks, and the shape of what each returns.

    Parameters
    ----------
    network, songs
        A network, and some songs that fit it, of which the first two are used.
    title
        The figure's title.

    Raises
    ------
    GenreLibError
        When there is no layout for the network's class, or it doesn't fit its parts.
    """
    name = type(network).__name__
    if name not in LAYOUTS:
        raise GenreLibError(f"There is no diagram of a {name}: use {', '.join(LAYOUTS)}.")
    shapes = _shapes(network, songs)
    places = LAYOUTS[name]
    if set(places) != set(shapes):
        parts = ", ".join(sorted(set(places) ^ set(shapes)))
        raise GenreLibError(f"The layout of {name} doesn't fit its parts ({parts}): change it.")
    texts = {part: _text(network, part, shape) for part, shape in shapes.items()}
    figure = go.Figure(
        go.Scatter(
            x=[x for x, _ in places.values()],
            y=[y for _, y in places.values()],
            text=[texts[part] for part in places],
            mode="markers",
            marker={"opacity": 0, "size": 40},
            hovertemplate="%{text}<extra></extra>",
        )
    )
    for chain in FLOWS[name]:
        parts_of = chain.split()
        for start, end in zip(parts_of, parts_of[1:], strict=False):
            (ax, ay), (x, y) = places[start], places[end]
            figure.add_annotation(
                x=x, y=y - HEIGHT, ax=ax, ay=ay + HEIGHT, text="", showarrow=True, arrowhead=2,
                xref="x", yref="y", axref="x", ayref="y", arrowcolor=TEXT_COLOUR,
            )  # fmt: skip
    for part, (x, y) in places.items():
        box = {"x0": x - WIDTH, "x1": x + WIDTH, "y0": y - HEIGHT, "y1": y + HEIGHT}
        figure.add_shape(line_color=ACCENT, fillcolor="rgba(61, 127, 217, 0.1)", **box)
        figure.add_annotation(x=x, y=y, text=texts[part], showarrow=False, font_size=11)
    widest = max(1.0, *(abs(x) + 0.5 for x, _ in places.values()))
    rows = 1 + max(y for _, y in places.values())
    figure.update_xaxes(visible=False, range=[-widest, widest], title="column", fixedrange=True)
    figure.update_yaxes(visible=False, range=[rows - 0.5, -0.5], title="row", fixedrange=True)
    ways = "; ".join(" → ".join(chain.split()) for chain in FLOWS[name])
    told = ", ".join(text.replace("<br>", " ").replace("<b>", "").replace("</b>", "")
                     for text in texts.values())  # fmt: skip
    return finish(figure, title, f"Diagram: {ways}. The parts: {told}", height=80 + 96 * rows)


def folds(branches: WordBranches) -> go.Figure:
    """Draw which songs each branch learns from, and which branches' answers a head gets, by fold.

    This is determined by experiment: songs of each fold go through the branches; the gradients,
    and the effect of changing a branch, show which branches contribute to the answer.
    """
    count = branches.folds
    songs = torch.arange(2, 2 + count).unsqueeze(1)  # of one word each, each in a different fold
    songs = songs[(songs[:, 0] % count).argsort()]
    branches = copy.deepcopy(branches)
    learns = np.zeros((count, count))
    _, votes = branches.train()(songs)
    for fold in range(count):
        (gradient,) = torch.autograd.grad(votes[fold].sum(), branches.bias, retain_graph=True)
        learns[:, fold] = gradient.abs().sum(dim=1) > 0
    panels = {
        "1. In training, which branches learn": learns,
        "2. In training, whose answer the head gets": _parts_in_answer(branches.train(), songs),
        "3. In use, whose answers the head gets": _parts_in_answer(branches.eval(), songs),
    }
    figure = make_subplots(rows=3, cols=1, subplot_titles=list(panels), vertical_spacing=0.12)
    for row, found in enumerate(panels.values(), start=1):
        figure.add_heatmap(
            x=[f"fold {fold + 1}" for fold in range(count)],
            y=[f"branch {branch + 1}" for branch in range(count)],
            z=found,
            text=np.where(found > 0, "yes", ""),
            texttemplate="%{text}",
            hovertemplate="songs of %{x}, %{y}: %{text}<extra></extra>",
            colorscale=[[0, "rgba(128, 128, 128, 0.08)"], [1, "rgba(61, 127, 217, 0.35)"]],
            zmin=0,
            zmax=1,
            xgap=3,
            ygap=3,
            showscale=False,
            row=row,
            col=1,
        )
    figure.update_annotations(font_size=13, x=0, xanchor="left")
    own = all((learns[:, fold] == 0).sum() == 1 for fold in range(count))
    alt = (
        f"Three tables of {count} branches and {count} folds. In training, each branch learns from "
        f"all folds {'but one' if own else ''}; of a song, the head gets only the answer of the "
        "branch that does not learn from it. In use, it gets the mean of all branches"
    )
    figure = finish(figure, "The songs of each fold", alt, height=120 + 3 * 40 * (count + 1))
    figure.update_xaxes(showgrid=False)
    return figure.update_yaxes(showgrid=False, autorange="reversed").update_layout(margin_t=90)


@torch.no_grad()
def _parts_in_answer(branches: WordBranches, songs: Tensor) -> np.ndarray:
    """Return 1 where changing a branch's bias (row) changes the answer for a song (column)."""
    before, _ = branches(songs)
    parts = np.zeros((branches.folds, len(songs)))
    for branch in range(branches.folds):
        branches.bias[branch, 0] += 1
        parts[branch] = (branches(songs)[0] != before).any(dim=1)
        branches.bias[branch, 0] -= 1
    return parts


@torch.no_grad()
def _shapes(network: nn.Module, songs: SongTensors) -> dict[str, tuple[int, ...]]:
    """Return the shape of the inputs, of what each part returns, and of the logits."""
    lyrics, features, _ = songs[:2]
    shapes = {
        seen: tuple({"lyrics": lyrics, "features": features}[seen].shape)
        for seen in getattr(network, "sees", ())
    }

    def note(part: str) -> Callable[..., None]:
        def hook(_module: nn.Module, _inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
            shapes[part] = tuple((output[0] if isinstance(output, tuple) else output).shape)

        return hook

    hooks = [part.register_forward_hook(note(name)) for name, part in network.named_children()]
    mode = network.training
    try:
        device = next(network.parameters()).device
        logits = network.eval()(lyrics.to(device), features.to(device))
    finally:
        network.train(mode)
        for hook in hooks:
            hook.remove()
    return shapes | {"logits": tuple(logits.shape)}


def _text(network: nn.Module, part: str, shape: tuple[int, ...]) -> str:
    """Return a box's lines: the part's name, what it is, and the shape of what it returns."""
    lines = [f"<b>{part.replace('_', ' ')}</b>"]
    module = dict(network.named_children()).get(part)
    if module is not None:
        layers = [layer for layer in module.modules() if isinstance(layer, nn.Linear)]
        sizes = [layers[0].in_features, *(layer.out_features for layer in layers)] if layers else []
        plain = isinstance(module, nn.Sequential | nn.Linear)
        lines.append(" → ".join(map(str, sizes)) if plain else type(module).__name__)
        if weights := count_parameters(module):
            lines.append(f"{weights:,} weights")
    lines.append(f"({', '.join(['songs', *map(str, shape[1:])])})")
    return "<br>".join(lines)
