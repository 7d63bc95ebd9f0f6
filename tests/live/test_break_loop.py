"""The experiment of chapter 4: `live/loop.js` trains as torch does, mistakes included."""

from __future__ import annotations

import base64
import json
import math
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from course_tools.live.loop_songs import TRAIN, loop_songs
from tests.live.test_live import node_version

NODE = shutil.which("node")
DRIVER = Path(__file__).with_name("training.mjs")
STEPS = 50
MISTAKES: dict[str, dict[str, Any]] = {
    "none": {},
    "gradients kept": {"gradientsKept": True},
    "softmax twice": {"softmaxTwice": True},
    "no eval": {"noEval": True},
    "no shuffle": {"noShuffle": True},
    "padding counted": {"paddingCounted": True},
    "rate too large": {"rate": 10},
    "rate too small": {"rate": 0.1},
}

pytestmark = pytest.mark.skipif(
    node_version("node") < 18, reason="node 18 or newer is not installed"
)
songs = cache(loop_songs)


@cache
def ran(mistake: str, epochs: int, record: int = 0) -> dict[str, Any]:
    """What the page's loop does with a mistake; with the inputs of its first `record` steps."""
    question = {
        "songs": songs(), "mistakes": MISTAKES[mistake], "epochs": epochs, "record": record
    }  # fmt: skip
    done = subprocess.run(
        [str(NODE), str(DRIVER)], input=json.dumps(question), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def decoded(name: str, width: int) -> Tensor:
    numbers = np.frombuffer(base64.b64decode(songs()[name]), np.uint8).reshape(-1, width)
    return torch.tensor(numbers.astype(np.int64))


class Network(torch.nn.Module):
    """The network of `live/loop.js`."""

    def __init__(self, weights: list[float], mistakes: dict[str, Any]):
        super().__init__()
        self.mistakes = mistakes
        sizes = {"table": (songs()["words"], 4), "first": (32, 26), "firstBias": (32,)}
        sizes |= {"second": (7, 32), "secondBias": (7,)}
        parts = torch.tensor(weights, dtype=torch.float64).split(
            [math.prod(shape) for shape in sizes.values()]
        )
        for (name, shape), part in zip(sizes.items(), parts, strict=True):
            self.register_parameter(name, torch.nn.Parameter(part.clone().view(shape)))

    def forward(self, lyrics: Tensor, features: Tensor, mask: Tensor) -> Tensor:
        vectors = F.embedding(lyrics, self.table)
        counted = (lyrics != 0).double()[..., None]
        if self.mistakes.get("paddingCounted"):
            counted = torch.ones_like(counted)
        mean = (vectors * counted).sum(dim=1) / counted.sum(dim=1)
        hidden = F.relu(F.linear(torch.cat([mean, features], dim=1), self.first, self.firstBias))
        logits = F.linear(hidden * mask, self.second, self.secondBias)
        return logits.softmax(dim=1) if self.mistakes.get("softmaxTwice") else logits


@pytest.mark.parametrize("mistake", MISTAKES)
def test_the_first_steps_are_those_of_torch(mistake):
    found = ran(mistake, epochs=2, record=STEPS)
    mistakes = MISTAKES[mistake]
    lyrics, features = decoded("lyrics", songs()["tokens"]), decoded("features", 22).double() / 100
    genre = decoded("genre", 1)[:, 0]
    network = Network(found["start"], mistakes)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.003 * mistakes.get("rate", 1))
    assert len(found["batches"]) == STEPS
    for batch, mask, loss in zip(found["batches"], found["masks"], found["losses"], strict=True):
        hidden = torch.tensor(mask, dtype=torch.float64)
        assert hidden.shape == (len(batch), 32) and set(hidden.unique().tolist()) == {0, 2}
        logits = network(lyrics[batch], features[batch], hidden)
        ours = F.cross_entropy(logits, genre[batch])
        if not mistakes.get("gradientsKept"):
            optimiser.zero_grad()
        ours.backward()
        optimiser.step()
        assert loss == pytest.approx(ours.item(), rel=1e-12)
    end = torch.cat([weight.detach().flatten() for weight in network.parameters()])
    away = (torch.tensor(found["end"], dtype=torch.float64) - end).abs().max()
    assert away < 1e-12
    assert (end - torch.tensor(found["start"], dtype=torch.float64)).abs().max() > 0.01


def test_every_song_is_seen_once_an_epoch_and_in_order_only_without_shuffling():
    for mistake in ("none", "no shuffle"):
        batches = ran(mistake, epochs=2, record=64)["batches"]
        first, second = (sum(batches[i : i + 32], []) for i in (0, 32))
        assert sorted(first) == sorted(second) == list(range(TRAIN))
        assert (first == second == sorted(first)) == (mistake == "no shuffle")


def test_rewinding_brings_the_same_run():
    once, again = ran("none", epochs=3), ran.__wrapped__("none", epochs=3)
    assert once["found"] == again["found"] and once["end"] == again["end"]


def curves(mistake: str) -> dict[str, np.ndarray]:
    found = ran(mistake, epochs=40)["found"]
    return {name: np.array([epoch[name] for epoch in found]) for name in found[0]}


def test_the_page_shows_what_chapter_4_says():
    """Its fold *What to look for*, sentence by sentence."""
    right = curves("none")
    turn = right["validationLoss"].argmin()
    assert right["trainLoss"][0] > right["validationLoss"][0]  # for want of dropout
    assert 10 <= turn <= 30 and right["validationLoss"][-1] > right["validationLoss"][turn] + 0.03
    kept = curves("gradients kept")["trainLoss"]
    assert 2 <= kept.argmin() <= 12 and kept[-1] > kept.min() + 0.05
    twice = curves("softmax twice")
    assert twice["trainLoss"].min() > right["trainLoss"].min() + 0.2
    assert abs(twice["trainAccuracy"][-1] - right["trainAccuracy"][-1]) < 0.05
    without_eval = curves("no eval")
    assert (without_eval["trainLoss"] == right["trainLoss"]).all()
    assert (without_eval["validationLoss"] > right["validationLoss"]).all()
    assert curves("no shuffle")["trainLoss"][-1] > right["trainLoss"][-1] + 0.1
    counted = curves("padding counted")["validationLoss"] - right["validationLoss"]
    assert abs(counted[: turn + 1]).max() < 0.03
    large, small = curves("rate too large"), curves("rate too small")
    assert (large["trainLoss"] < right["trainLoss"]).all()
    assert large["validationLoss"].argmin() < turn / 2 and large["validationLoss"][-1] > 2.5
    assert small["validationLoss"].argmin() == 39


def test_a_mistake_begins_with_the_same_weights():
    assert all(
        ran(mistake, epochs=2, record=STEPS)["start"] == ran("none", epochs=3)["start"]
        for mistake in MISTAKES
    )
