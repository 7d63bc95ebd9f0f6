"""The form of lyrics: how long they are, and how much they repeat. Chapters 6 and 7."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genre_lib.data.tensors import PAD_ID
from genre_lib.errors import GenreLibError


def repeats(ids: Tensor) -> Tensor:
    """Return whether each number of a row occurs earlier in that row, shape (batch, tokens).

    Examples
    --------
    >>> repeats(torch.tensor([[5, 7, 5, 5]])).tolist()
    [[False, False, True, True]]
    """
    # 5 7 5 5, sorted: 5 5 5 7, from positions 0 2 3 1. Equal numbers keep their order, so a number
    # that equals the one before it occurred earlier: here, those from positions 2 and 3.
    ordered, position = ids.sort(dim=1, stable=True)
    same = ordered[:, 1:] == ordered[:, :-1]
    return torch.zeros_like(ids, dtype=torch.bool).scatter(1, position[:, 1:], same)


def longest_run(flags: Tensor) -> Tensor:
    """Return the length of the longest run of true values in each row, shape (batch,).

    Examples
    --------
    >>> longest_run(torch.tensor([[True, False, True, True]])).tolist()
    [2]
    """
    # true false true true: positions 1 2 3 4, the last false so far 0 2 2 2, differences 1 0 1 2.
    position = torch.arange(1, flags.shape[1] + 1, device=flags.device)
    last_false = torch.where(flags, 0, position).cummax(dim=1).values
    return (position - last_false).amax(dim=1)


def word_rarity(lyrics: Tensor, vocabulary: int) -> Tensor:
    """Return 1 + log((1 + songs) / (1 + songs with the word)) for each id, shape (vocabulary,).

    Examples
    --------
    >>> lyrics = torch.tensor([[2, 2, 3], [2, 4, 0]])
    >>> [round(rarity, 2) for rarity in word_rarity(lyrics, vocabulary=5)[2:].tolist()]
    [1.0, 1.41, 1.41]
    """
    songs_with = torch.bincount(lyrics[~repeats(lyrics)], minlength=vocabulary)
    return 1 + torch.log((1 + len(lyrics)) / (1 + songs_with))


class Form(nn.Module):
    """Six numbers about the form of lyrics, whatever the words mean. Shape (batch, 6). Chapter 6.

    They are listed in `NAMES`. A word, a pair or a triple of neighbouring words is repeated if it
    occurs earlier in the same song. The longest repeat is the longest passage, in words, whose
    triples are all repeated, such as a chorus. All unknown words count as one word. Padding must be
    at the end.

    Examples
    --------
    >>> form = Form(vocabulary=5)
    >>> form.adapt(torch.tensor([[2, 3, 4], [2, 0, 0]]))
    >>> numbers = form(torch.tensor([[2, 3, 4, 2, 3, 4, 2, 0]])).flatten().tolist()
    >>> [round(number, 2) for number in numbers]
    [7.0, 0.43, 0.5, 0.4, 4.0, 1.23]
    """

    NAMES = (
        "words",
        "distinct share",
        "share of repeated pairs",
        "share of repeated triples",
        "longest repeat",
        "mean rarity",
    )

    def __init__(self, vocabulary: int):
        super().__init__()
        self.rarity: Tensor  # a buffer: saved and moved with the network, but not trained
        self.register_buffer("rarity", torch.zeros(vocabulary))

    def adapt(self, lyrics: Tensor) -> None:
        """Compute the words' rarity from training lyrics."""
        self.rarity.copy_(word_rarity(lyrics, len(self.rarity)))

    def forward(self, lyrics: Tensor) -> Tensor:
        ids = F.pad(lyrics.long(), (0, 2), value=PAD_ID)  # at least one triple
        present = ids != PAD_ID
        words = present.sum(dim=1)
        # Each pair and each triple becomes one number, like the three digits of 123.
        base = len(self.rarity)
        pairs = ids[:, :-1] * base + ids[:, 1:]
        triples = pairs[:, :-1] * base + ids[:, 2:]
        # Padding is at the end, so a pair or triple has none if its last word is not padding.
        word_again = repeats(ids) & present
        pair_again = repeats(pairs) & present[:, 1:]
        triple_again = repeats(triples) & present[:, 2:]
        run = longest_run(triple_again)
        return torch.stack(
            [
                words,
                1 - word_again.sum(dim=1) / words.clamp(min=1),
                pair_again.sum(dim=1) / (words - 1).clamp(min=1),
                triple_again.sum(dim=1) / (words - 2).clamp(min=1),
                torch.where(run > 0, run + 2, 0),  # k triples in a row cover k + 2 words
                (self.rarity[ids] * present).sum(dim=1) / words.clamp(min=1),
            ],
            dim=1,
        )


def topic_words(topics: Tensor) -> Tensor:
    """Return N and the missing mass, which follow from the 16 topics, shape (batch, 2). Chapter 7.

    N is the number of the song's words that the topic model counted. The model has 19 topics and
    weighs each by (n + 1/19) / (N + 1), where n of the N words belong to the topic. A topic without
    words has the smallest weight, 1 / (19 (N + 1)), so N can be computed if the 16 include such a
    topic. The missing mass is that of the three topics that are not in the file: 1 minus the
    others' sum.

    Examples
    --------
    >>> topics = torch.full((1, 16), 1 / (19 * (40 + 1)))
    >>> topics[0, 0] = 0.5
    >>> [round(number, 2) for number in topic_words(topics).flatten().tolist()]
    [40.0, 0.48]
    """
    smallest = topics.amin(dim=1).clamp(min=1e-5)  # at most 5,262 words
    return torch.stack([1 / (19 * smallest) - 1, 1 - topics.sum(dim=1)], dim=1)


def with_topic_words(features: Tensor, topics: int) -> Tensor:
    """Append `topic_words` to scores whose first `topics` columns are the topics, unless that is 0.

    Raises
    ------
    GenreLibError
        When there are fewer scores than topics.

    Examples
    --------
    >>> features = torch.full((3, 22), 0.01)
    >>> with_topic_words(features, 16).shape, with_topic_words(features, 0).shape
    (torch.Size([3, 24]), torch.Size([3, 22]))
    """
    if not topics:
        return features
    if features.shape[1] < topics:
        raise GenreLibError(
            f"There are only {features.shape[1]} scores, so they can't begin with the {topics} "
            "topics: give the network the argument topics=0."
        )
    return torch.cat([features, topic_words(features[:, :topics])], dim=1)
