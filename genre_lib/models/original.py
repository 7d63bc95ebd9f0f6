"""The original post's three networks, layer by layer. Explained in chapters 6 to 8."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from genre_lib.data.schema import FEATURES, GENRES
from genre_lib.models.parts import Lookup, hidden_layer


class OriginalLyricsNetwork(nn.Module):
    """The flattened lyrics network: a separate weight for every position and dimension.

    Embedding(V, 4) → flatten to 100 × 4 → Linear(400, 7). Chapter 6.
    """

    sees = ("lyrics",)

    def __init__(
        self, vocabulary: int, tokens: int = 100, dimension: int = 4, genres: int = len(GENRES)
    ):
        super().__init__()
        self.embedding = Lookup(vocabulary, dimension)
        self.flatten = nn.Flatten()
        self.output = nn.Linear(tokens * dimension, genres)

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return self.output(self.flatten(self.embedding(lyrics)))


class OriginalFeaturesNetwork(nn.Module):
    """The narrowing features network: 22 → 128 → 64 → 32 → 16 → 7. Chapter 7."""

    sees = ("features",)

    def __init__(self, features: int = len(FEATURES), genres: int = len(GENRES)):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            *hidden_layer(features, 128, 0.2),
            *hidden_layer(128, 64, 0.2),
            *hidden_layer(64, 32, 0.2),
            *hidden_layer(32, 16, 0.2),
            nn.Linear(16, genres),
        )

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        return self.layers(features)


class OriginalCombinedNetwork(nn.Module):
    """Two branches with 7 outputs each, then four Linear layers. Chapter 8.

    Without activations between them, the four layers are equivalent to a single Linear layer.
    """

    sees = ("lyrics", "features")

    def __init__(
        self,
        vocabulary: int,
        features: int = len(FEATURES),
        tokens: int = 100,
        dimension: int = 3,
        genres: int = len(GENRES),
    ):
        super().__init__()
        self.lyrics_branch = nn.Sequential(
            Lookup(vocabulary, dimension),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(tokens * dimension, genres),
        )
        self.features_branch = nn.Sequential(
            nn.Flatten(),
            *hidden_layer(features, 512, 0.2),
            *hidden_layer(512, 128, 0.2),
            *hidden_layer(128, 32, 0.2),
            nn.Linear(32, genres),
        )
        self.head = nn.Sequential(
            nn.Linear(2 * genres, 512),
            nn.Linear(512, 256),
            nn.Linear(256, 64),
            nn.Linear(64, genres),
        )

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        branches = [self.lyrics_branch(lyrics), self.features_branch(features)]
        return self.head(torch.cat(branches, dim=1))
