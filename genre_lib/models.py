"""The networks. Every one is called as `network(lyrics, features)` and takes what it needs.

`lyrics` are token ids of shape (batch, tokens), `features` scores of shape (batch, 22); the
answer is a tensor of logits, shape (batch, 7). The attribute `sees` names what a network looks at,
so that one training loop and one command serve all of them.

The post's three are rebuilt layer for layer; chapters 4 to 6 explain them and ours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genre_lib.encoding import PAD_ID
from genre_lib.schema import FEATURES, GENRES


class PostLyricsNetwork(nn.Module):
    """The post's lyrics network: every (position, dimension) pair has a weight of its own.

    Embedding(V, 4) → flatten to 100 × 4 → Linear(400, 7). Explained in chapter 4.
    """

    sees = ("lyrics",)

    def __init__(self, vocabulary: int, tokens: int = 100, dimension: int = 4):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, dimension)
        self.flatten = nn.Flatten()
        self.output = nn.Linear(tokens * dimension, len(GENRES))

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return self.output(self.flatten(self.embedding(lyrics)))


class PostFeaturesNetwork(nn.Module):
    """The post's features network: 22 → 128 → 64 → 32 → 16 → 7. Explained in chapter 5."""

    sees = ("features",)

    def __init__(self, features: int = len(FEATURES)):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            *_hidden(features, 128, 0.2),
            *_hidden(128, 64, 0.2),
            *_hidden(64, 32, 0.2),
            *_hidden(32, 16, 0.2),
            nn.Linear(16, len(GENRES)),
        )

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return self.layers(features)


class PostCombinedNetwork(nn.Module):
    """The post's combined network: two branches of 7 numbers each, then four Linear layers.

    With nothing between them the four layers are one Linear layer in disguise, which chapter 6
    proves.
    """

    sees = ("lyrics", "features")

    def __init__(
        self,
        vocabulary: int,
        features: int = len(FEATURES),
        tokens: int = 100,
        dimension: int = 3,
    ):
        super().__init__()
        self.lyrics_branch = nn.Sequential(
            nn.Embedding(vocabulary, dimension),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(tokens * dimension, len(GENRES)),
        )
        self.features_branch = nn.Sequential(
            nn.Flatten(),
            *_hidden(features, 512, 0.2),
            *_hidden(512, 128, 0.2),
            *_hidden(128, 32, 0.2),
            nn.Linear(32, len(GENRES)),
        )
        self.head = nn.Sequential(
            nn.Linear(2 * len(GENRES), 512),
            nn.Linear(512, 256),
            nn.Linear(256, 64),
            nn.Linear(64, len(GENRES)),
        )

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        branches = [self.lyrics_branch(lyrics), self.features_branch(features)]
        return self.head(torch.cat(branches, dim=1))


class LyricsNetwork(nn.Module):
    """The mean of the embeddings of a song's words, then one Linear layer. Chapter 4.

    The mean leaves the padding out, so neither a word's position nor the length of the lyrics
    matters. `nn.EmbeddingBag` looks the words up and averages them in one step.
    """

    sees = ("lyrics",)

    def __init__(self, vocabulary: int, dimension: int = 64, dropout: float = 0.5):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocabulary, dimension, mode="mean", padding_idx=PAD_ID)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(dimension, len(GENRES))

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return self.output(self.dropout(self.embedding(lyrics)))


class FeaturesNetwork(nn.Module):
    """Two hidden layers on standardised scores, with dropout. Chapter 5."""

    sees = ("features",)

    def __init__(self, features: int = len(FEATURES), width: int = 256, dropout: float = 0.3):
        super().__init__()
        self.hidden = nn.Sequential(
            *_hidden(features, width, dropout), *_hidden(width, width, dropout)
        )
        self.output = nn.Linear(width, len(GENRES))

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return self.output(self.hidden(features))


class CombinedNetwork(nn.Module):
    """Both branches, joined late: what each understood meets in a non-linear head. Chapter 6."""

    sees = ("lyrics", "features")

    def __init__(
        self,
        vocabulary: int,
        features: int = len(FEATURES),
        dimension: int = 64,
        width: int = 256,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.lyrics_branch = LyricsNetwork(vocabulary, dimension, dropout)
        self.features_branch = FeaturesNetwork(features, width, dropout)
        self.head = nn.Sequential(
            *_hidden(dimension + width, width, dropout), nn.Linear(width, len(GENRES))
        )

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        understood = [
            self.lyrics_branch.embedding(lyrics),
            self.features_branch.hidden(features),
        ]
        return self.head(torch.cat(understood, dim=1))


def _hidden(inputs: int, outputs: int, dropout: float) -> tuple[nn.Module, ...]:
    return nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)


def count_parameters(network: nn.Module) -> int:
    """Return how many numbers training may change."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
