"""Diagrams show the parts that a network has, in the order in which it uses them."""

from __future__ import annotations

from inspect import signature

import numpy as np
import pytest
import torch

from genre_lib import SongEncoder, models, plots
from genre_lib.errors import GenreLibError
from genre_lib.plots import diagrams
from genre_lib.plots.diagrams import FLOWS, LAYOUTS, network_diagram


@pytest.fixture(scope="module")
def tensors(session_songs):
    return SongEncoder(max_tokens=100, scale=False).fit_encode(session_songs.head(50))


def build(name):
    network_class = getattr(models, name)
    words = {"vocabulary": 5000} if "vocabulary" in signature(network_class).parameters else {}
    return network_class(**words)


@pytest.mark.parametrize("name", LAYOUTS)
def test_every_part_is_drawn_with_what_it_returns(tensors, name):
    network = build(name).train()
    figure = network_diagram(network, tensors, "A network")
    (marks,) = figure.data
    drawn = {text.split("<br>")[0][3:-4].replace(" ", "_"): text for text in marks.text}
    parts = {part for part, _ in network.named_children()}
    assert set(drawn) == parts | set(network.sees) | {"logits"}
    assert network.training
    logits = network.eval()(tensors.lyrics, tensors.features)
    shape = ", ".join(map(str, logits.shape[1:]))
    assert drawn["logits"].endswith(f"(songs, {shape})")
    weights = f"{models.count_parameters(network):,}"
    assert len(parts) > 1 or f"{weights} weights" in "".join(marks.text)


@pytest.mark.parametrize("name", LAYOUTS)
def test_arrows_lead_down_from_the_inputs_to_the_logits(name):
    rows = {part: row for part, (_, row) in LAYOUTS[name].items()}
    arrows = {
        (start, end)
        for chain in FLOWS[name]
        for start, end in zip(chain.split(), chain.split()[1:], strict=False)
    }
    assert all(rows[start] < rows[end] for start, end in arrows)
    starts, ends = ({arrow[i] for arrow in arrows} for i in (0, 1))
    assert set(rows) == starts | ends
    assert starts - ends == set(build(name).sees) and ends - starts == {"logits"}


@pytest.mark.parametrize("name", ["LyricsNetwork", "CombinedNetwork"])
def test_arrows_are_the_ways_that_numbers_take(tensors, name):
    """A part that gets other numbers returns others; only what lies behind it may change."""
    network = build(name).eval()
    network.adapt(tensors)
    behind = {
        part: {end for chain in FLOWS[name] for end in after(chain.split(), part)}
        for part in ("branches", "form")
    }
    for part, others in behind.items():
        seen = {}

        hooks = [
            child.register_forward_hook(noting(seen.setdefault(key, [])))
            for key, child in network.named_children()
        ]
        network(tensors.lyrics, tensors.features)
        noise = getattr(network, part).register_forward_hook(
            lambda m, i, o: (o[0] + 1, o[1]) if isinstance(o, tuple) else o + 1
        )
        network(tensors.lyrics, tensors.features)
        for hook in (*hooks, noise):
            hook.remove()
        changed = {key for key, (one, two) in seen.items() if not torch.equal(one, two)}
        assert changed - {part} == others - {"logits"}


def noting(found):
    """A hook that adds what a part returns to a list."""

    def hook(_module, _inputs, output):
        found.append((output[0] if isinstance(output, tuple) else output).clone())

    return hook


def after(chain, part):
    return chain[chain.index(part) + 1 :] if part in chain else []


def test_folds_are_drawn_as_the_branches_use_them():
    figure = plots.folds(models.WordBranches(vocabulary=50, folds=4))
    learns, heard, used = (np.array(trace.z) for trace in figure.data)
    assert (heard == np.eye(4)).all() and (learns == 1 - np.eye(4)).all() and (used == 1).all()
    assert "all folds but one" in figure.layout.meta["alt"]
    for trace in plots.folds(models.WordBranches(vocabulary=50, folds=1)).data:
        assert np.array(trace.z).tolist() == [[1]]


def test_what_has_no_layout_is_refused(tensors, monkeypatch):
    with pytest.raises(GenreLibError, match="There is no diagram of a Linear: use Original"):
        network_diagram(torch.nn.Linear(2, 2), tensors, "A layer")
    monkeypatch.setitem(diagrams.LAYOUTS, "FeaturesNetwork", {})
    with pytest.raises(GenreLibError, match="doesn't fit its parts \\(bins, ensemble, f"):
        network_diagram(build("FeaturesNetwork"), tensors, "A network")
