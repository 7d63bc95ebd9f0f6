"""The course's three networks and their parts. Chapters 4 to 6."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genre_lib.data.schema import FEATURES, GENRES
from genre_lib.data.tensors import PAD_ID, UNKNOWN_ID, SongTensors


class WordBag(nn.Module):
    """TF-IDF as a layer: a weighted sum of the vectors of a song's words. Chapter 4.

    A word's weight is its rarity, 1 + log((1 + songs) / (1 + songs with the word)); the weights
    of a song are scaled to length 1. If a song has each word once, scikit-learn's
    `TfidfVectorizer` does the same. In training, each word is dropped with probability `drop`.
    Shape (batch, tokens) → (batch, width).

    Examples
    --------
    >>> WordBag(vocabulary=50, width=4)(torch.ones(3, 20).int()).shape
    torch.Size([3, 4])
    """

    def __init__(self, vocabulary: int, width: int, drop: float = 0.0):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(vocabulary, width))
        self.rarity: Tensor
        self.register_buffer("rarity", torch.zeros(vocabulary))
        self.drop = nn.Dropout(drop)

    def adapt(self, lyrics: Tensor) -> None:
        """Compute the words' rarity from training lyrics in which a song has each word once."""
        songs_with = torch.bincount(lyrics.flatten(), minlength=len(self.rarity))
        self.rarity.copy_(1 + torch.log((1 + len(lyrics)) / (1 + songs_with)))
        self.rarity[[PAD_ID, UNKNOWN_ID]] = 0.0

    def forward(self, lyrics: Tensor) -> Tensor:
        # Dropout also scales up the words that it keeps, which normalising undoes.
        weights = F.normalize(self.drop(self.rarity[lyrics]), dim=1)
        return F.embedding_bag(
            lyrics, self.weight, mode="sum", per_sample_weights=weights, padding_idx=PAD_ID
        )


class LyricsNetwork(nn.Module):
    """Every word has seven votes and some traits, separate for each member. Chapter 4.

    Votes add up to logits, as in logistic regression. Traits add up too, but then pass through a
    ReLU and a Linear layer, which can express meaning that arises only from combinations of words
    (a wide and deep network: Cheng et al. 2016, arXiv:1606.07792).
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
        """Compute the words' rarity from the training songs."""
        self.embedding.adapt(songs.lyrics)

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        bag = self.embedding(lyrics).view(len(lyrics), -1, sum(self.sizes))
        votes, traits = bag.split(self.sizes, dim=2)
        hidden = self.dropout(F.relu(traits + self.threshold))
        return votes + torch.einsum("nmt,mtg->nmg", hidden, self.output) + self.bias


class ScoreBins(nn.Module):
    """Piecewise-linear encoding of scores, with bins between their quantiles. Chapter 5.

    With cuts at 0.2 and 0.4, a score of 0.3 gives 1 for each bin below 0.2, 0.5 for the next and
    0 for the others; then the mean over the training songs is subtracted. Shape (batch, scores) →
    (batch, scores × bins). (Gorishniy et al. 2022, arXiv:2203.05556.)

    Examples
    --------
    >>> bins = ScoreBins(scores=1, bins=2)
    >>> bins.adapt(torch.tensor([[0.0], [0.2], [0.4]]))  # cuts at 0, 0.2 and 0.4; means are 0.5
    >>> [round(x, 2) for x in bins(torch.tensor([[0.3]])).flatten().tolist()]
    [0.33, 0.17]
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
        """Compute cuts and means from the training scores of up to 100,000 songs."""
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
    """Several small networks that share both hidden layers. Chapter 5.

    Each member has its own output layer and its own factors for the inputs, which start as random
    signs, and for the first hidden layer. Shape (batch, inputs) → (batch, members, 7). (TabM:
    Gorishniy et al. 2024, arXiv:2410.24210.)
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
        # Scaling the weights instead of the inputs is equivalent, in one product for all members.
        weight = self.view * self.first.weight.T
        members, _, width = weight.shape
        hidden = inputs @ weight.permute(1, 0, 2).flatten(1)
        hidden = hidden.view(-1, members, width).transpose(0, 1)
        hidden = F.relu(hidden + self.first.bias)
        hidden = F.relu(self.second(hidden * self.scale))
        return (torch.bmm(hidden, self.output) + self.bias).transpose(0, 1)


class FeaturesNetwork(nn.Module):
    """Scores in bins, then several small networks that share their hidden layers. Chapter 5."""

    sees = ("features",)

    def __init__(
        self, features: int = len(FEATURES), bins: int = 12, width: int = 64, members: int = 8
    ):
        super().__init__()
        self.bins = ScoreBins(features, bins)
        self.ensemble = SharedEnsemble(features * bins, width, members)

    def adapt(self, songs: SongTensors) -> None:
        """Compute the bins of the scores from the training songs."""
        self.bins.adapt(songs.features)

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return self.ensemble(self.bins(features))


class CombinedNetwork(nn.Module):
    """Lyrics and scores, joined by a head that relies on neither too much. Chapter 6.

    A network memorises songs faster from their words than from their scores, so a head trained on
    such a branch would rely on it too much. Therefore there are several word branches, each with
    only the votes of `LyricsNetwork`: a song belongs to one fold, and branch m never learns from
    fold m. In training, the head gets the log-probabilities of the one branch that doesn't learn
    from the song; in evaluation, their mean over all branches. (This is cross-fitting, as in
    stacking: Wolpert 1992, doi 10.1016/S0893-6080(05)80023-1.) The head gets these numbers both
    as they are and in bins, like the scores, so that it can learn thresholds as a tree does.
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
        word_inputs = len(GENRES) * (1 + len(self.cuts))
        self.ensemble = SharedEnsemble(features * bins + word_inputs, width, members)
        self.trust = nn.Parameter(torch.tensor(1.0))

    def adapt(self, songs: SongTensors) -> None:
        """Compute the rarity of words and the bins of scores from the training songs."""
        self.embedding.adapt(songs.lyrics)
        self.bins.adapt(songs.features)

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        votes = self.embedding(lyrics).view(-1, self.folds, len(GENRES)) + self.bias
        log_p = votes.log_softmax(dim=-1)
        if not self.training:
            return self._head(log_p.mean(dim=1), features)
        fold = lyrics.long().sum(dim=1) % self.folds  # any fixed rule would do
        in_fold = F.one_hot(fold, self.folds).bool().unsqueeze(-1)
        log_p = log_p.detach()
        logits = self._head((log_p * in_fold).sum(dim=1), features)
        # The branches' logits train them; a branch gets no gradient from its own fold.
        return torch.cat([logits, torch.where(in_fold, log_p, votes)], dim=1)

    def _head(self, log_p: Tensor, features: Tensor) -> Tensor:
        centred = (log_p - log_p.mean(dim=1, keepdim=True)) / 2
        binned = ((log_p.unsqueeze(-1) - self.cuts) / 0.5).clamp(0, 1).flatten(1) - 0.5
        logits = self.ensemble(torch.cat([self.bins(features), centred, binned], dim=1))
        return logits + self.trust * log_p.unsqueeze(1)
