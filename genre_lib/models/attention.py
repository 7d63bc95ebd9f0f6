"""One block of a transformer, for lyrics. Chapter *Attention*."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from genre_lib.data.schema import GENRES
from genre_lib.data.tensors import PAD_ID
from genre_lib.models.parts import Lookup

INITIAL = 0.1
"""Standard deviation of initial embeddings: with torch's 1, the network hardly begins to learn."""


class Attention(nn.Module):
    """Self-attention with several heads: each word takes a weighted mean of all words' values.

    The words themselves determine the weights: a word's query is compared with every word's
    key. (Vaswani et al. 2017, arXiv:1706.03762.) Shape (batch, tokens, width) → the same; `width`
    must be a multiple of `heads`.

    Examples
    --------
    >>> vectors, present = torch.rand(3, 20, 8), torch.ones(3, 20).bool()
    >>> Attention(width=8, heads=2)(vectors, present).shape
    torch.Size([3, 20, 8])
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query, self.key = nn.Linear(width, width), nn.Linear(width, width)
        self.value, self.output = nn.Linear(width, width), nn.Linear(width, width)

    def split(self, vectors: Tensor) -> Tensor:
        """(batch, tokens, width) → (batch, heads, tokens, width / heads)."""
        return vectors.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def weights(self, vectors: Tensor, present: Tensor) -> Tensor:
        """Return attention weights, shape (batch, heads, tokens, tokens); each row adds up to 1.

        `present` says which tokens are words, not padding: shape (batch, tokens).
        """
        query, key = self.split(self.query(vectors)), self.split(self.key(vectors))
        scores = query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5
        return scores.masked_fill(~present[:, None, None], -torch.inf).softmax(dim=-1)

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        # The same as weights(…) @ values, without keeping the weights of a whole batch.
        query, key, value = (
            self.split(part(vectors)) for part in (self.query, self.key, self.value)
        )
        mixed = F.scaled_dot_product_attention(query, key, value, present[:, None, None])
        return self.output(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """Attention, then a small network for each word, both with residual connections.

    Each part sees its inputs normalised (Xiong et al. 2020, arXiv:2002.04745).
    """

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.attention = Attention(width, heads)
        self.each = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, vectors: Tensor, present: Tensor) -> Tensor:
        vectors = vectors + self.dropout(self.attention(self.norm_1(vectors), present))
        return vectors + self.dropout(self.each(self.norm_2(vectors)))


class AttentionNetwork(nn.Module):
    """Embeddings of words and of their positions, one block, the mean, one Linear layer.

    With `positions=False`, the network can't tell where in a song a word is.

    Examples
    --------
    >>> network = AttentionNetwork(vocabulary=50, tokens=20)
    >>> network(torch.ones(3, 20).int(), torch.empty(3, 0)).shape
    torch.Size([3, 7])
    """

    sees = ("lyrics",)

    def __init__(
        self,
        vocabulary: int,
        tokens: int = 200,
        width: int = 64,
        heads: int = 2,
        dropout: float = 0.5,
        positions: bool = True,
        genres: int = len(GENRES),
    ):
        super().__init__()
        self.embedding = Lookup(vocabulary, width, padding_idx=PAD_ID)
        nn.init.normal_(self.embedding.weight, std=INITIAL)
        self.position = nn.Parameter(torch.randn(tokens, width) * INITIAL) if positions else None
        self.dropout = nn.Dropout(dropout)
        self.block = Block(width, heads, dropout)
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, genres)

    def embed(self, lyrics: Tensor) -> tuple[Tensor, Tensor]:
        """Vectors, shape (batch, longest, width), and which of them are words, not padding."""
        present = lyrics != PAD_ID
        present[:, 0] = True  # lyrics without a word need something to attend to
        longest = int(present.any(dim=0).sum())  # padding costs time
        vectors = self.embedding(lyrics[:, :longest])
        if self.position is not None:
            vectors = vectors + self.position[:longest]
        return self.dropout(vectors), present[:, :longest]

    def forward(self, lyrics: Tensor, features: Tensor) -> Tensor:
        vectors, present = self.embed(lyrics)
        vectors = self.norm(self.block(vectors, present))
        mask = present.unsqueeze(-1)
        mean = (vectors * mask).sum(dim=1) / mask.sum(dim=1)
        return self.output(self.dropout(mean))
