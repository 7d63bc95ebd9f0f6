"""The networks: sizes stated by hand, and what each must and must not notice."""

from __future__ import annotations

import pytest
import torch

from genre_lib import models
from genre_lib.models import count_parameters
from genre_lib.recipes import RECIPES, get_recipe
from genre_lib.schema import GenreLibError

V = 1000


def test_the_posts_networks_have_the_posts_parameter_counts():
    lyrics = V * 4 + 400 * 7 + 7
    features = (22 * 128 + 128) + (128 * 64 + 64) + (64 * 32 + 32) + (32 * 16 + 16) + (16 * 7 + 7)
    combined = (
        (V * 3 + 300 * 7 + 7)
        + (22 * 512 + 512) + (512 * 128 + 128) + (128 * 32 + 32) + (32 * 7 + 7)
        + (14 * 512 + 512) + (512 * 256 + 256) + (256 * 64 + 64) + (64 * 7 + 7)
    )  # fmt: skip
    assert features == 13927
    for task, count in {"lyrics": lyrics, "features": features, "combined": combined}.items():
        assert count_parameters(get_recipe("original", task).build(V)) == count


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda r: f"{r.name}-{r.task}")
def test_every_network_answers_the_same_call(recipe):
    tokens = recipe.encoder.get("max_tokens", 200)
    lyrics = torch.randint(0, V, (5, tokens), dtype=torch.int32)
    logits = recipe.build(V)(lyrics, torch.rand(5, 22))
    assert logits.shape == (5, 7) and torch.isfinite(logits).all()


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda r: f"{r.name}-{r.task}")
def test_a_network_looks_at_its_inputs_and_at_nothing_else(recipe):
    torch.manual_seed(0)
    network = recipe.build(V).eval()
    tokens = recipe.encoder.get("max_tokens", 200)
    lyrics = torch.randint(2, V, (2, 5, tokens), dtype=torch.int32)
    features = torch.rand(2, 5, 22)
    base = network(lyrics[0], features[0])
    other_lyrics, other_features = network(lyrics[1], features[0]), network(lyrics[0], features[1])
    assert torch.equal(base, other_lyrics) == ("lyrics" not in recipe.inputs)
    assert torch.equal(base, other_features) == ("energy" not in recipe.inputs)


def test_the_mean_ignores_order_and_padding():
    torch.manual_seed(0)
    network = models.LyricsNetwork(V).eval()
    words = torch.tensor([[5, 9, 7, 0, 0, 0]], dtype=torch.int32)
    shuffled = torch.tensor([[0, 7, 0, 5, 9, 0]], dtype=torch.int32)
    features = torch.empty(1, 0)
    assert torch.allclose(network(words, features), network(words[:, :3], features), atol=1e-6)
    assert torch.allclose(network(words, features), network(shuffled, features), atol=1e-6)
    by_hand = network.embedding.weight[[5, 9, 7]].mean(dim=0)
    assert torch.allclose(network.embedding(words)[0], by_hand, atol=1e-6)
    nothing = torch.zeros(1, 6, dtype=torch.int32)
    assert torch.isfinite(network(nothing, features)).all()


def test_the_posts_head_is_one_linear_layer_in_disguise_and_ours_is_not():
    torch.manual_seed(0)
    for head, inputs, linear in (
        (models.PostCombinedNetwork(V).head, 14, True),
        (models.CombinedNetwork(V).eval().head, 64 + 256, False),
    ):
        a, b, zero = torch.randn(8, inputs), torch.randn(8, inputs), torch.zeros(8, inputs)
        additive = torch.allclose(head(a + b), head(a) + head(b) - head(zero), atol=1e-4)
        assert additive == linear


def test_an_unknown_recipe_gets_the_nearest_name():
    with pytest.raises(GenreLibError, match="did you mean 'course lyrics'"):
        get_recipe("course", "lyric")
