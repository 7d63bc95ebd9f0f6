"""Words that vote for genres. Chapter 6."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genre_lib.data.schema import GENRES
from genre_lib.data.tensors import PAD_ID, UNKNOWN_ID
from genre_lib.models.form import repeats, word_rarity


class WordBag(nn.Module):
    """TF-IDF as a layer: a weighted sum of the vectors of a song's words. Chapter 6.

    A word counts once per song, with its rarity as weight; the weights of a song are scaled to
    length 1. This is scikit-learn's `TfidfVectorizer(binary=True)`. Shape (batch, tokens) →
    (batch, width).

    Examples
    --------
    >>> WordBag(vocabulary=50, width=4)(torch.ones(3, 20).int()).shape
    torch.Size([3, 4])
    """

    def __init__(self, vocabulary: int, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(vocabulary, width))
        self.rarity: Tensor
        self.register_buffer("rarity", torch.zeros(vocabulary))

    def adapt(self, lyrics: Tensor) -> None:
        """Compute the words' rarity from training lyrics."""
        self.rarity.copy_(word_rarity(lyrics, len(self.rarity)))
        self.rarity[[PAD_ID, UNKNOWN_ID]] = 0.0

    def forward(self, lyrics: Tensor) -> Tensor:
        weights = F.normalize(self.rarity[lyrics].masked_fill(repeats(lyrics), 0.0), dim=1)
        return F.embedding_bag(
            lyrics, self.weight, mode="sum", per_sample_weights=weights, padding_idx=PAD_ID
        )


class WordBranches(nn.Module):
    """Several bags of words, each trained on the songs of all folds but one. Chapter 6.

    Every word has one vote per genre in each branch; they add up to logits, as in logistic
    regression. A network memorises songs from their words, so a head trained on the branches'
    answers to these songs would rely on them too much. Therefore each song belongs to a fold, and
    branch m never learns from fold m. In training, `forward` returns the log-probabilities, shape
    (batch, 7), of the one branch that doesn't learn from the song, for the head; in evaluation,
    their mean over all branches. (This is cross-fitting, as in stacking: Wolpert 1992, doi
    10.1016/S0893-6080(05)80023-1.) It also returns the branches' logits for their own loss, shape
    (batch, folds, 7), or (batch, 0, 7) in evaluation. The head's loss doesn't train the branches.

    With `folds=1`, the only branch learns from all songs: an ablation, to show what folds are for.

    Examples
    --------
    >>> branches, lyrics = WordBranches(vocabulary=50), torch.ones(3, 20).int()
    >>> [tuple(tensor.shape) for tensor in branches(lyrics)]
    [(3, 7), (3, 5, 7)]
    """

    def __init__(self, vocabulary: int, folds: int = 5, genres: int = len(GENRES)):
        super().__init__()
        self.folds, self.genres = folds, genres
        self.embedding = WordBag(vocabulary, folds * genres)
        self.bias = nn.Parameter(torch.zeros(folds, genres))

    def forward(self, lyrics: Tensor) -> tuple[Tensor, Tensor]:
        votes = self.embedding(lyrics).view(-1, self.folds, self.genres) + self.bias
        log_p = votes.log_softmax(dim=-1)
        if not self.training:
            return log_p.mean(dim=1), votes[:, :0]
        fold = lyrics.long().sum(dim=1) % self.folds  # any fixed rule would do
        in_fold = F.one_hot(fold, self.folds).bool().unsqueeze(-1)  # (batch, folds, 1)
        fixed = log_p.detach()
        answer = (fixed * in_fold).sum(dim=1)
        if self.folds == 1:
            return answer, votes
        # Log-probabilities are logits, too: they give this branch the same loss, but no gradient.
        return answer, torch.where(in_fold, fixed, votes)
