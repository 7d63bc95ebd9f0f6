"""The course's three networks and their parts. Chapters 6 to 8."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genre_lib.data.schema import FEATURES, GENRES, TOPIC_FEATURES
from genre_lib.data.tensors import SongTensors
from genre_lib.models.form import Form, with_topic_words
from genre_lib.models.words import WordBag, WordBranches


class ScoreBins(nn.Module):
    """Piecewise-linear encoding of scores, with bins between their quantiles. Chapter 7.

    With cuts at 0.2 and 0.4, a score of 0.3 gives 1 for each bin below 0.2, 0.5 for the next and
    0 for the others; then the mean over the training songs is subtracted. Shape (batch, scores) →
    (batch, scores × bins). (Gorishniy et al. 2022, arXiv:2203.05556.)

    Examples
    --------
    >>> bins = ScoreBins(scores=1, bins=2)
    >>> bins.adapt(torch.tensor([[0.0], [0.2], [0.4]]))  # cuts 0, 0.2 and 0.4; means 2/3 and 1/3
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
        """Compute cuts and means from training scores, shape (songs, scores)."""
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
    """Several small networks that share both hidden layers. Chapter 7.

    A member multiplies the inputs by its own factors (`view`), which start as random signs, and
    the first hidden layer by others (`scale`); its output layer is its own, too. Shape (batch,
    inputs) → (batch, members, 7). (TabM: Gorishniy et al. 2024, arXiv:2410.24210.)

    Examples
    --------
    >>> SharedEnsemble(inputs=3, members=2)(torch.rand(5, 3)).shape
    torch.Size([5, 2, 7])
    """

    def __init__(self, inputs: int, width: int = 64, members: int = 8, genres: int = len(GENRES)):
        super().__init__()
        self.first, self.second = nn.Linear(inputs, width), nn.Linear(width, width)
        self.view = nn.Parameter(torch.randn(members, inputs, 1).sign())
        self.scale = nn.Parameter(torch.ones(members, 1, width))
        bound = 1 / math.sqrt(width)
        weight = torch.empty(members, width, genres).uniform_(-bound, bound)
        self.output = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(members, 1, genres))

    def forward(self, inputs: Tensor) -> Tensor:
        # first(view[m] * inputs) for all members m at once: multiplying the weights instead
        # of the inputs by the factors gives the same, with one matrix product for all members.
        weight = self.view * self.first.weight.T  # (members, inputs, width)
        members, _, width = weight.shape
        side_by_side = weight.permute(1, 0, 2).flatten(1)  # (inputs, members × width)
        hidden = (inputs @ side_by_side).view(-1, members, width)  # (batch, members, width)
        hidden = hidden.transpose(0, 1)  # (members, batch, width)
        hidden = F.relu(hidden + self.first.bias)
        hidden = F.relu(self.second(hidden * self.scale))
        logits = torch.bmm(hidden, self.output) + self.bias  # (members, batch, 7)
        return logits.transpose(0, 1)


class Head(nn.Module):
    """An ensemble that gets the word branches' log-probabilities and other inputs. Chapter 6.

    The log-probabilities enter twice, centred and in bins, so that the head can learn thresholds as
    a tree does. Multiplied by a learned trust, they are also added to each member's logits.
    """

    def __init__(self, inputs: int, width: int = 64, members: int = 8, genres: int = len(GENRES)):
        super().__init__()
        self.cuts: Tensor
        # Bins of log-probabilities, each 0.5 wide: from exp(-5) = 0.7% to exp(0) = 100%.
        self.register_buffer("cuts", torch.arange(-5.0, 0.0, 0.5))
        inputs += genres * (1 + len(self.cuts))
        self.ensemble = SharedEnsemble(inputs, width, members, genres)
        self.trust = nn.Parameter(torch.tensor(1.0))

    def forward(self, log_p: Tensor, others: Tensor) -> Tensor:
        # / 2 and - 0.5 bring both to about the scale of the other inputs.
        centred = (log_p - log_p.mean(dim=1, keepdim=True)) / 2
        binned = ((log_p.unsqueeze(-1) - self.cuts) / 0.5).clamp(0, 1).flatten(1) - 0.5
        logits = self.ensemble(torch.cat([others, centred, binned], dim=1))
        return logits + self.trust * log_p.unsqueeze(1)


class LyricsNetwork(nn.Module):
    """Word branches, and a head that also gets the form of the lyrics. Chapter 6.

    In training, the branches count as further members, so that each has its own loss: logits have
    the shape (batch, members + folds, 7). In evaluation, it is (batch, members, 7).
    """

    sees = ("lyrics",)

    def __init__(
        self,
        vocabulary: int,
        folds: int = 5,
        bins: int = 8,
        width: int = 64,
        members: int = 8,
        genres: int = len(GENRES),
    ):
        super().__init__()
        self.branches = WordBranches(vocabulary, folds, genres)
        self.form = Form(vocabulary)
        self.bins = ScoreBins(len(Form.NAMES), bins)
        self.head = Head(len(Form.NAMES) * bins, width, members, genres)

    @property
    def embedding(self) -> WordBag:
        """The words' votes, for chapter 9."""
        return self.branches.embedding

    def adapt(self, songs: SongTensors) -> None:
        """Compute the rarity of words and the bins of the form from the training songs."""
        self.branches.embedding.adapt(songs.lyrics)
        self.form.adapt(songs.lyrics)
        self.bins.adapt(self.form(songs.lyrics))

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        log_p, votes = self.branches(lyrics)
        logits = self.head(log_p, self.bins(self.form(lyrics)))
        return torch.cat([logits, votes], dim=1)


class FeaturesNetwork(nn.Module):
    """Scores in bins, then several small networks that share their hidden layers. Chapter 7.

    The first `topics` scores must be the 16 topics, unscaled: they determine N and the missing
    mass (`topic_words`), two more numbers to be binned. Unless all 16 are there, `topics` is 0.
    """

    sees = ("features",)

    def __init__(
        self,
        features: int = len(FEATURES),
        topics: int = len(TOPIC_FEATURES),
        bins: int = 12,
        width: int = 64,
        members: int = 8,
        genres: int = len(GENRES),
    ):
        super().__init__()
        self.topics = topics
        self.bins = ScoreBins(features + 2 * bool(topics), bins)
        self.ensemble = SharedEnsemble(self.bins.mean.numel(), width, members, genres)

    def adapt(self, songs: SongTensors) -> None:
        """Compute the bins from the training songs."""
        self.bins.adapt(with_topic_words(songs.features, self.topics))

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return self.ensemble(self.bins(with_topic_words(features, self.topics)))


class CombinedNetwork(nn.Module):
    """`LyricsNetwork` with a head that also gets the numbers of `FeaturesNetwork`. Chapter 8."""

    sees = ("lyrics", "features")

    def __init__(
        self,
        vocabulary: int,
        features: int = len(FEATURES),
        topics: int = len(TOPIC_FEATURES),
        folds: int = 5,
        bins: int = 4,
        width: int = 64,
        members: int = 8,
        genres: int = len(GENRES),
    ):
        super().__init__()
        self.topics = topics
        self.branches = WordBranches(vocabulary, folds, genres)
        self.form = Form(vocabulary)
        self.bins = ScoreBins(len(Form.NAMES) + features + 2 * bool(topics), bins)
        self.head = Head(self.bins.mean.numel(), width, members, genres)

    def adapt(self, songs: SongTensors) -> None:
        """Compute the rarity of words and the bins of all numbers from the training songs."""
        self.branches.embedding.adapt(songs.lyrics)
        self.form.adapt(songs.lyrics)
        self.bins.adapt(self._numbers(songs.lyrics, songs.features))

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        log_p, votes = self.branches(lyrics)
        logits = self.head(log_p, self.bins(self._numbers(lyrics, features)))
        return torch.cat([logits, votes], dim=1)

    def _numbers(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return torch.cat([self.form(lyrics), with_topic_words(features, self.topics)], dim=1)
