"""The course's first three networks: the simple ideas, done right. Chapters 6 to 8."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genre_lib.data.schema import FEATURES, GENRES
from genre_lib.data.tensors import PAD_ID
from genre_lib.models.parts import hidden_layer


class MeanLyricsNetwork(nn.Module):
    """The mean of the embeddings of a song's words, then one Linear layer. Chapter 6.

    The mean ignores padding, so neither a word's position nor the length of the lyrics matters.
    `nn.EmbeddingBag` does lookup and mean in one step.
    """

    sees = ("lyrics",)

    def __init__(
        self,
        vocabulary: int,
        dimension: int = 64,
        dropout: float = 0.5,
        genres: int = len(GENRES),
    ):
        super().__init__()
        self.embedding = nn.EmbeddingBag(vocabulary, dimension, mode="mean", padding_idx=PAD_ID)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(dimension, genres)

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return self.output(self.dropout(self.embedding(lyrics)))


class DenseFeaturesNetwork(nn.Module):
    """Two hidden layers on standardised scores, with dropout. Chapter 7."""

    sees = ("features",)

    def __init__(
        self,
        features: int = len(FEATURES),
        width: int = 256,
        dropout: float = 0.3,
        genres: int = len(GENRES),
    ):
        super().__init__()
        self.hidden = nn.Sequential(
            *hidden_layer(features, width, dropout), *hidden_layer(width, width, dropout)
        )
        self.output = nn.Linear(width, genres)

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return self.output(self.hidden(features))


class LateCombinedNetwork(nn.Module):
    """The lyrics' mean vector and the features' hidden layer, and a head on both. Chapter 8.

    The parts come from the two other networks, whose dropout and output layers are not used here.
    """

    sees = ("lyrics", "features")

    def __init__(
        self,
        vocabulary: int,
        features: int = len(FEATURES),
        dimension: int = 64,
        width: int = 256,
        dropout: float = 0.5,
        genres: int = len(GENRES),
    ):
        super().__init__()
        self.lyrics_branch = MeanLyricsNetwork(vocabulary, dimension, dropout, genres)
        self.features_branch = DenseFeaturesNetwork(features, width, dropout, genres)
        self.head = nn.Sequential(
            *hidden_layer(dimension + width, width, dropout), nn.Linear(width, genres)
        )

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        hidden = [self.lyrics_branch.embedding(lyrics), self.features_branch.hidden(features)]
        return self.head(torch.cat(hidden, dim=1))
