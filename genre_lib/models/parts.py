"""What several networks are made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Lookup(nn.Embedding):
    """`nn.Embedding`, learning several times as fast on a CPU. The chapter *Speed* times it.

    Going back, `nn.Embedding` adds up the gradients of a batch's words one by one; `torch.gather`
    sorts the words first. A GPU sorts in both, so there it is left alone. Shape (…) → (…, width).
    """

    def forward(self, ids: Tensor) -> Tensor:
        if ids.device.type != "cpu":
            return super().forward(ids)
        rows = ids.flatten().long().unsqueeze(1).expand(-1, self.embedding_dim)
        return torch.gather(self.weight, 0, rows).view(*ids.shape, self.embedding_dim)


def hidden_layer(inputs: int, outputs: int, dropout: float) -> tuple[nn.Module, ...]:
    """Linear, ReLU and dropout, to be unpacked into an `nn.Sequential`."""
    return nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)


def count_parameters(network: nn.Module) -> int:
    """Return how many numbers training may change."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
