"""The course's three networks and the parts that they are made of. Chapters 4 to 6."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genre_lib.data.schema import FEATURES, GENRES
from genre_lib.data.tensors import PAD_ID, UNKNOWN_ID, SongTensors


class WordBag(nn.Module):
    """TF-IDF inside a network: the sum of the vectors of a song's words, rare words counting more.

    A word counts by its rarity, 1 + log((1 + songs) / (1 + songs with the word)), and the weights
    of a song are scaled to length 1; where a song has each word once, that is what scikit-learn's
    `TfidfVectorizer` does. In training each word is left out with probability `drop`. Shape
    (batch, tokens) → (batch, width). Chapter 4.
    """

    def __init__(self, vocabulary: int, width: int, drop: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(vocabulary, width))
        self.rarity: Tensor
        self.register_buffer("rarity", torch.zeros(vocabulary))
        self.drop = nn.Dropout(drop)

    def adapt(self, lyrics: Tensor) -> None:
        """Learn the words' rarity from training lyrics in which a song has each word once."""
        songs_with = torch.bincount(lyrics.flatten(), minlength=len(self.rarity))
        self.rarity.copy_(1 + torch.log((1 + len(lyrics)) / (1 + songs_with)))
        self.rarity[[PAD_ID, UNKNOWN_ID]] = 0.0

    def forward(self, lyrics: Tensor) -> Tensor:
        # Dropout also makes the words that it leaves count more, which the length of 1 undoes.
        counts = F.normalize(self.drop(self.rarity[lyrics]), dim=1)
        return F.embedding_bag(
            lyrics, self.weight, mode="sum", per_sample_weights=counts, padding_idx=PAD_ID
        )


class LyricsNetwork(nn.Module):
    """Every word has seven votes and some traits, a set of its own for each member. Chapter 4.

    Votes add up to logits, as in logistic regression. Traits add up too, but then pass a ReLU and
    a table of weights, so that they can say what only words together mean. (Wide and deep: Cheng
    et al. 2016, arXiv:1606.07792.)
    """

    sees = ("lyrics",)

    def __init__(
        self,
        vocabulary: int,
        members: int = 2,
        traits: int = 32,
        drop_words: float = 0.3,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.sizes = [len(GENRES), traits]
        self.embedding = WordBag(vocabulary, members * sum(self.sizes), drop_words)
        by_member = self.embedding.weight.view(vocabulary, members, sum(self.sizes))
        nn.init.normal_(by_member[:, :, len(GENRES) :], std=0.1)
        self.threshold = nn.Parameter(torch.zeros(members, traits))
        self.dropout = nn.Dropout(dropout)
        bound = 1 / math.sqrt(traits)
        weight = torch.empty(members, traits, len(GENRES)).uniform_(-bound, bound)
        self.output = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(members, len(GENRES)))

    def adapt(self, songs: SongTensors) -> None:
        """Learn the words' rarity from the training songs."""
        self.embedding.adapt(songs.lyrics)

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        bag = self.embedding(lyrics).view(len(lyrics), -1, sum(self.sizes))
        votes, traits = bag.split(self.sizes, dim=2)
        hidden = self.dropout(F.relu(traits + self.threshold))
        return votes + torch.einsum("nmt,mtg->nmg", hidden, self.output) + self.bias


class ScoreBins(nn.Module):
    """Piecewise-linear scores: each is cut at its quantiles, each piece filled from 0 to 1.

    A score of 0.3 with cuts at 0.2 and 0.4 fills the pieces below 0.2, half of the next, and none
    of the others; the mean over the training songs is taken off. Shape (batch, scores) → (batch,
    scores × bins). (Gorishniy et al. 2022, arXiv:2203.05556.) Chapter 5.
    """

    def __init__(self, scores: int, bins: int):
        super().__init__()
        self.start: Tensor
        self.size: Tensor
        self.mean: Tensor
        self.register_buffer("start", torch.zeros(scores, bins))
        self.register_buffer("size", torch.ones(scores, bins))
        self.register_buffer("mean", torch.zeros(scores * bins))

    def adapt(self, features: Tensor) -> None:
        """Learn cuts and means from training scores, at most 100,000 songs of them."""
        features = features[:: math.ceil(len(features) / 100_000)]
        steps = torch.linspace(0, 1, self.start.shape[1] + 1).to(features)
        cuts = torch.quantile(features, steps, dim=0).T
        self.start.copy_(cuts[:, :-1])
        self.size.copy_(cuts.diff(dim=1).clamp(min=1e-6))
        self.mean.zero_()
        self.mean.copy_(self(features).mean(dim=0))

    def forward(self, features: Tensor) -> Tensor:
        filled = ((features.unsqueeze(-1) - self.start) / self.size).clamp(0, 1)
        return filled.flatten(1) - self.mean


class SharedEnsemble(nn.Module):
    """Several small networks in one: they share both hidden layers, and differ in how they look.

    Each member sees the inputs through weights of its own, which start as random signs, scales the
    hidden numbers in its own way, and has its own last layer. Shape (batch, inputs) →
    (batch, members, 7). (TabM: Gorishniy et al. 2024, arXiv:2410.24210.) Chapter 5.
    """

    def __init__(self, inputs: int, width: int = 64, members: int = 8):
        super().__init__()
        self.first, self.second = nn.Linear(inputs, width), nn.Linear(width, width)
        self.view = nn.Parameter(torch.randn(members, inputs, 1).sign())
        self.scale = nn.Parameter(torch.ones(members, 1, width))
        bound = 1 / math.sqrt(width)
        weight = torch.empty(members, width, len(GENRES)).uniform_(-bound, bound)
        self.output = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(members, 1, len(GENRES)))

    def forward(self, inputs: Tensor) -> Tensor:
        # Signs on the weights instead of on the inputs: the same, in one product for all members.
        weight = self.view * self.first.weight.T
        members, _, width = weight.shape
        hidden = inputs @ weight.permute(1, 0, 2).flatten(1)
        hidden = hidden.view(-1, members, width).transpose(0, 1)
        hidden = F.relu(hidden + self.first.bias)
        hidden = F.relu(self.second(hidden * self.scale))
        return (torch.bmm(hidden, self.output) + self.bias).transpose(0, 1)


class FeaturesNetwork(nn.Module):
    """Scores in pieces, read by several small networks that share their layers. Chapter 5."""

    sees = ("features",)

    def __init__(
        self, features: int = len(FEATURES), bins: int = 12, width: int = 64, members: int = 8
    ):
        super().__init__()
        self.bins = ScoreBins(features, bins)
        self.ensemble = SharedEnsemble(features * bins, width, members)

    def adapt(self, songs: SongTensors) -> None:
        """Learn where to cut the scores from the training songs."""
        self.bins.adapt(songs.features)

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return self.ensemble(self.bins(features))


class CombinedNetwork(nn.Module):
    """Lyrics and scores, joined so that neither is trusted more than it deserves. Chapter 6.

    A network learns songs by heart faster from their words than from their scores; a head that
    listened to such a branch in training would trust it too much. So there are several word
    branches, each of `LyricsNetwork`'s votes alone: a song belongs to one fold, and branch m never
    learns from fold m. In training the head hears, of each song, only the branch that did not
    learn from it; in use, the mean of all branches' log-probabilities. (Cross-fitting, as in
    stacking: Wolpert 1992, doi 10.1016/S0893-6080(05)80023-1.) The head gets these numbers as they
    are and cut in pieces like the scores, so that it can ask of both what a tree would ask.
    """

    sees = ("lyrics", "features")

    def __init__(
        self,
        vocabulary: int,
        features: int = len(FEATURES),
        folds: int = 5,
        bins: int = 4,
        width: int = 64,
        members: int = 8,
    ):
        super().__init__()
        self.folds = folds
        self.embedding = WordBag(vocabulary, folds * len(GENRES))
        self.bias = nn.Parameter(torch.zeros(folds, len(GENRES)))
        self.bins = ScoreBins(features, bins)
        self.cuts: Tensor
        self.register_buffer("cuts", torch.arange(-5.0, 0.0, 0.5))  # of log-probabilities
        heard = len(GENRES) * (1 + len(self.cuts))
        self.ensemble = SharedEnsemble(features * bins + heard, width, members)
        self.trust = nn.Parameter(torch.tensor(1.0))

    def adapt(self, songs: SongTensors) -> None:
        """Learn rarity of words and cuts of scores from the training songs."""
        self.embedding.adapt(songs.lyrics)
        self.bins.adapt(songs.features)

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        votes = self.embedding(lyrics).view(-1, self.folds, len(GENRES)) + self.bias
        said = votes.log_softmax(dim=-1)
        if not self.training:
            return self._head(said.mean(dim=1), features)
        fold = lyrics.long().sum(dim=1) % self.folds  # any rule will do that is fixed for a song
        own = F.one_hot(fold, self.folds).bool().unsqueeze(-1)
        said = said.detach()
        logits = self._head((said * own).sum(dim=1), features)
        # The branches answer too, to be trained; a branch gets no gradient from its own fold.
        return torch.cat([logits, torch.where(own, said, votes)], dim=1)

    def _head(self, words: Tensor, features: Tensor) -> Tensor:
        hint = (words - words.mean(dim=1, keepdim=True)) / 2
        pieces = ((words.unsqueeze(-1) - self.cuts) / 0.5).clamp(0, 1).flatten(1) - 0.5
        logits = self.ensemble(torch.cat([self.bins(features), hint, pieces], dim=1))
        return logits + self.trust * words.unsqueeze(1)
