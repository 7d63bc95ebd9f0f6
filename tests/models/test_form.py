"""The form of lyrics against a count in plain Python; N against the formula of the topic model."""

from __future__ import annotations

import math

import pytest
import torch

from genre_lib import FEATURES, make_songs, models
from genre_lib.data.schema import TOPIC_FEATURES
from genre_lib.data.tensors import PAD_ID
from genre_lib.errors import GenreLibError
from genre_lib.models.form import repeats, with_topic_words, word_rarity

V = 12


def songs_of_few_words(n=300, tokens=40):
    """Ids of songs with 0 to `tokens` words, so few different ones that many passages repeat."""
    torch.manual_seed(0)
    lyrics = torch.randint(1, V, (n, tokens), dtype=torch.int32)
    lyrics[::2, 20:] = lyrics[::2, :20]  # a second verse like the first
    lengths = torch.arange(n) % (tokens + 1)
    return lyrics.masked_fill(torch.arange(tokens) >= lengths[:, None], PAD_ID)


def counted(words, rarity):
    """The six numbers of one song, from a list of its ids."""
    shares = []
    for n in (1, 2, 3):
        sequences = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
        again = [sequence in sequences[:i] for i, sequence in enumerate(sequences)]
        shares.append(sum(again) / max(1, len(again)))
    longest = run = 0
    for repeated in again:  # of triples
        run = run + 1 if repeated else 0
        longest = max(longest, run)
    mean = sum(rarity[word] for word in words) / max(1, len(words))
    return [len(words), 1 - shares[0], shares[1], shares[2], longest + 2 * (longest > 0), mean]


def test_form_is_what_a_naive_count_gives():
    lyrics = songs_of_few_words()
    form = models.Form(V)
    form.adapt(lyrics)
    rows = [[word for word in row if word != PAD_ID] for row in lyrics.tolist()]
    rarity = [
        1 + math.log((1 + len(rows)) / (1 + sum(word in row for row in rows))) for word in range(V)
    ]
    expected = torch.tensor([counted(row, rarity) for row in rows])
    assert torch.allclose(form(lyrics), expected, atol=1e-5)
    assert expected[:, 4].max() > 15 and len(form.NAMES) == expected.shape[1]


@pytest.mark.parametrize("more", [0, 1, 7])
def test_padding_does_not_change_the_form(more):
    form = models.Form(V)
    lyrics = songs_of_few_words()
    form.adapt(lyrics)
    assert torch.equal(form(torch.nn.functional.pad(lyrics, (0, more))), form(lyrics))
    assert torch.equal(form(lyrics[:, :1]), form(lyrics[:, :1].repeat(1, 1)))


def test_the_shortest_songs_have_a_form():
    form = models.Form(V)
    for tokens in (1, 2, 3):
        numbers = form(torch.full((2, tokens), 5, dtype=torch.int32))
        assert numbers[0, 0] == tokens and torch.isfinite(numbers).all()
    assert torch.isfinite(form(torch.zeros(2, 4, dtype=torch.int32))).all()


def test_order_matters_to_repeated_passages_and_not_to_words():
    form = models.Form(V)
    verse, mixed = torch.tensor([[2, 3, 4, 2, 3, 4]]), torch.tensor([[2, 3, 4, 4, 3, 2]])
    ordered, shuffled = form(verse)[0], form(mixed)[0]
    assert torch.equal(ordered[:2], shuffled[:2])
    assert (ordered[2:5] > shuffled[2:5]).all()


def test_rarity_counts_songs_and_not_words():
    lyrics = torch.tensor([[2, 2, 2], [3, 2, 0], [4, 0, 0]])
    assert word_rarity(lyrics, 6)[2] == pytest.approx(1 + math.log(4 / 3))
    assert word_rarity(lyrics, 6)[3] == pytest.approx(1 + math.log(4 / 2))
    assert repeats(lyrics).sum() == 3  # twice 2, and once the padding


def test_n_and_missing_mass_are_those_of_the_topic_model():
    counts = torch.zeros(3, 19)
    counts[0, 0], counts[1, 5], counts[1, 18], counts[2, 17] = 50, 20, 60, 7
    n = counts.sum(dim=1, keepdim=True)
    weights = (counts + 1 / 19) / (n + 1)
    found = models.topic_words(weights[:, :16])
    assert torch.allclose(found[:, 0], n[:, 0], rtol=1e-4)
    assert torch.allclose(found[:, 1], weights[:, 16:].sum(dim=1), atol=1e-6)
    assert found[1, 1] > 0.7 > found[0, 1]


def test_n_of_a_song_is_at_most_its_number_of_words():
    songs = make_songs(200)
    found = models.topic_words(torch.tensor(songs[list(TOPIC_FEATURES)].to_numpy()))
    words = torch.tensor(songs["lyrics"].str.split().str.len().to_numpy())
    assert torch.allclose(found[:, 0], found[:, 0].round(), atol=1e-4)
    assert ((found[:, 0] < words + 0.5) & (found[:, 0] > -1e-6)).all()
    zero = models.topic_words(torch.zeros(1, 16))
    assert torch.isfinite(zero).all()


def test_the_features_network_computes_n_only_from_all_topics():
    torch.manual_seed(0)
    songs = torch.rand(30, len(FEATURES)) / 20
    assert with_topic_words(songs, 16).shape == (30, 24)
    year = torch.cat([songs, torch.rand(30, 1)], dim=1)
    assert torch.equal(with_topic_words(year, 16)[:, 23:], models.topic_words(songs[:, :16]))
    assert with_topic_words(songs[:, 16:], 0).shape == (30, 6)
    with pytest.raises(GenreLibError, match="only 6 scores.*topics=0"):
        with_topic_words(songs[:, 16:], 16)
