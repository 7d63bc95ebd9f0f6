"""The networks: sizes stated by hand, and what each must and must not notice."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest
import torch
from sklearn.feature_extraction.text import TfidfVectorizer

from genre_lib import AUDIO_FEATURES, FEATURES, SongEncoder, SongTensors, models
from genre_lib.classifier.recipes import RECIPES, get_recipe
from genre_lib.errors import GenreLibError
from genre_lib.models import count_parameters

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
    assert logits.shape in {(5, 7), (5, 8, 7), (5, 8 + 5, 7)} and torch.isfinite(logits).all()


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda r: f"{r.name}-{r.task}")
def test_a_network_looks_at_its_inputs_and_at_nothing_else(recipe):
    torch.manual_seed(0)
    network = recipe.build(V).eval()
    tokens = recipe.encoder.get("max_tokens", 200)
    lyrics = torch.randint(2, V, (2, 5, tokens), dtype=torch.int32)
    features = torch.rand(2, 5, 22)
    for parameter in network.parameters():  # some begin at zero and would notice nothing
        torch.nn.init.normal_(parameter)
    if hasattr(network, "adapt"):
        network.adapt(SongTensors(lyrics.flatten(0, 1), features.flatten(0, 1), torch.zeros(10)))
    base = network(lyrics[0], features[0])
    other_lyrics, other_features = network(lyrics[1], features[0]), network(lyrics[0], features[1])
    assert torch.equal(base, other_lyrics) == ("lyrics" not in recipe.inputs)
    assert torch.equal(base, other_features) == ("energy" not in recipe.inputs)


def test_the_quick_lookup_finds_and_learns_what_an_embedding_does():
    ids = torch.randint(0, 9, (3000, 20), dtype=torch.int32)  # so many that words repeat often
    quick, plain = models.Lookup(9, 4), torch.nn.Embedding(9, 4)
    plain.load_state_dict(quick.state_dict())
    target = torch.randn(3000, 20, 4)
    for table in (quick, plain):
        (table(ids) - target).square().sum().backward()
    assert torch.equal(quick(ids), plain(ids))
    torch.testing.assert_close(quick.weight.grad, plain.weight.grad, rtol=1e-4, atol=1e-2)
    before = quick.weight.grad.clone()
    quick.zero_grad()
    (quick(ids) - target).square().sum().backward()
    assert torch.equal(quick.weight.grad, before)  # bit for bit


def test_the_mean_ignores_order_and_padding():
    torch.manual_seed(0)
    network = models.MeanLyricsNetwork(V).eval()
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
        (models.OriginalCombinedNetwork(V).head, 14, True),
        (models.LateCombinedNetwork(V).eval().head, 64 + 256, False),
    ):
        a, b, zero = torch.randn(8, inputs), torch.randn(8, inputs), torch.zeros(8, inputs)
        additive = torch.allclose(head(a + b), head(a) + head(b) - head(zero), atol=1e-4)
        assert additive == linear


def test_a_word_bag_is_scikit_learns_tf_idf():
    lines = ["road love road home", "love night", "night train home", "love"]
    encoder = SongEncoder(min_frequency=1, max_tokens=6)
    ids = encoder.fit(pd.DataFrame({"lyrics": lines})).encode(pd.DataFrame({"lyrics": lines}))
    bag = models.WordBag(len(encoder.words), len(encoder.words)).eval()
    bag.adapt(ids.lyrics)
    torch.nn.init.eye_(bag.weight)  # each word's vector is the word itself
    vectoriser = TfidfVectorizer(binary=True, vocabulary=encoder.words[2:])
    expected = torch.tensor(vectoriser.fit_transform(lines).toarray(), dtype=torch.float32)
    assert torch.allclose(bag(ids.lyrics)[:, 2:], expected, atol=1e-6)


def test_a_song_without_known_words_gets_an_answer():
    bag = models.WordBag(10, 3)
    bag.adapt(torch.randint(2, 10, (20, 5)))
    torch.nn.init.normal_(bag.weight)
    assert torch.equal(bag(torch.tensor([[0, 0], [1, 1]])), torch.zeros(2, 3))


def test_bins_are_filled_from_the_left():
    bins = models.ScoreBins(scores=1, bins=2)
    bins.adapt(torch.tensor([[0.0], [0.2], [1.0]]))
    assert torch.allclose(bins.start, torch.tensor([[0.0, 0.2]]))
    filled = bins(torch.tensor([[0.1], [0.6], [9.0]])) + bins.mean
    assert torch.allclose(filled, torch.tensor([[0.5, 0.0], [1.0, 0.5], [1.0, 1.0]]), atol=1e-6)
    assert torch.allclose(bins.mean, torch.tensor([2 / 3, 1 / 3]))


def test_members_of_an_ensemble_are_networks_of_their_own():
    torch.manual_seed(0)
    ensemble = models.SharedEnsemble(inputs=5, width=4, members=3)
    x = torch.randn(6, 5)
    together = ensemble(x)
    for member in range(3):
        hidden = torch.relu(ensemble.first(x * ensemble.view[member].T))
        hidden = torch.relu(ensemble.second(hidden * ensemble.scale[member]))
        alone = hidden @ ensemble.output[member] + ensemble.bias[member]
        assert torch.allclose(together[:, member], alone, atol=1e-5)


JOINED = pytest.mark.parametrize("network_class", [models.LyricsNetwork, models.CombinedNetwork])


def joined(network_class):
    """A network with word branches in training mode, 64 songs, and the songs' folds."""
    torch.manual_seed(0)
    network = network_class(vocabulary=50, folds=5).train()
    lyrics = torch.randint(2, 50, (64, 10), dtype=torch.int32)
    features = torch.rand(64, 22)
    network.adapt(SongTensors(lyrics, features, torch.zeros(64)))
    torch.nn.init.normal_(network.branches.embedding.weight)
    return network, lyrics, features, lyrics.long().sum(dim=1) % 5


@JOINED
def test_a_branch_never_learns_from_its_own_fold(network_class):
    network, lyrics, features, fold = joined(network_class)
    for branch in range(5):
        network.zero_grad()
        logits = network(lyrics[fold == branch], features[fold == branch])
        logits.logsumexp(dim=-1).sum().backward()
        weight = network.branches.embedding.weight
        gradient = weight.grad.view(50, 5, 7).abs().sum(dim=(0, 2))
        assert gradient[branch] == 0 and (gradient.sum() - gradient[branch]) > 0


def test_an_unknown_recipe_gets_the_nearest_name():
    with pytest.raises(GenreLibError, match="did you mean 'course lyrics'"):
        get_recipe("course", "lyric")


@JOINED
def test_the_head_hears_of_a_song_only_the_branch_that_did_not_learn_from_it(network_class):
    network, lyrics, features, fold = joined(network_class)

    def answers():
        return network(lyrics, features)[:, :-5].detach()  # the last five are the branches' own

    before = answers()
    for branch in range(5):
        with torch.no_grad():
            network.branches.bias[branch, 0] += 1
        changed = (answers() != before).flatten(1).any(dim=1)
        assert torch.equal(changed, fold == branch)
        before = answers()


def test_without_folds_the_branch_learns_from_all_songs_and_the_head_hears_it():
    branches = models.WordBranches(vocabulary=50, folds=1).train()
    lyrics = torch.randint(2, 50, (8, 10), dtype=torch.int32)
    branches.embedding.adapt(lyrics)
    torch.nn.init.normal_(branches.embedding.weight)
    log_p, votes = branches(lyrics)
    assert torch.equal(log_p, votes[:, 0].log_softmax(dim=-1)) and not log_p.requires_grad
    for song in range(8):
        (gradient,) = torch.autograd.grad(votes[song].sum(), branches.bias, retain_graph=True)
        assert torch.equal(gradient, torch.ones(1, 7))


@JOINED
def test_the_head_hears_the_mean_of_all_branches_in_evaluation(network_class):
    network, lyrics, features, _ = joined(network_class)
    before = network.eval()(lyrics, features)
    assert before.shape == (64, 8, 7)  # the branches' own answers are for training only
    log_p, _ = network.branches(lyrics)
    votes = network.branches.embedding(lyrics).view(64, 5, 7)
    assert torch.allclose(log_p, votes.log_softmax(dim=-1).mean(dim=1), atol=1e-6)
    for branch in range(5):
        with torch.no_grad():
            network.branches.bias[branch, 0] += 1
        after = network(lyrics, features)
        assert (after != before).flatten(1).any(dim=1).all()
        before = after


@JOINED
def test_lyrics_count_with_their_form_and_without_their_padding(network_class):
    network, _, features, _ = joined(network_class)
    network.eval()
    words = torch.tensor([[5, 9, 7, 8]], dtype=torch.int32)
    once, padded = network(words, features[:1]), torch.nn.functional.pad(words, (0, 9))
    assert torch.allclose(network(padded, features[:1]), once, atol=1e-5)
    twice = words.repeat(1, 2)  # the same bag of words
    assert torch.equal(network.branches(twice)[0], network.branches(words)[0])
    assert not torch.allclose(network(twice, features[:1]), once, atol=1e-5)


def test_a_bag_counts_each_word_once():
    bag = models.WordBag(10, 3)
    bag.adapt(torch.randint(2, 10, (20, 5)))
    torch.nn.init.normal_(bag.weight)
    chorus, words = torch.tensor([[2, 3, 2, 3, 3, 0]]), torch.tensor([[2, 3]])
    assert torch.allclose(bag(chorus), bag(words), atol=1e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"features": FEATURES[::-1]},
        {"features": AUDIO_FEATURES},
        {"scale": True},
    ],
)
def test_n_is_not_computed_from_other_numbers_than_unscaled_topics(change):
    recipe = get_recipe("course", "features")
    changed = dataclasses.replace(recipe, encoder=recipe.encoder | change)
    with pytest.raises(GenreLibError, match="needs the 16 topics as its first scores"):
        changed.build(V)
    dataclasses.replace(changed, layers={"topics": 0}).build(V)
