"""What several networks are made of."""

from __future__ import annotations

from torch import nn


def hidden_layer(inputs: int, outputs: int, dropout: float) -> tuple[nn.Module, ...]:
    """Linear, ReLU and dropout, to be unpacked into an `nn.Sequential`."""
    return nn.Linear(inputs, outputs), nn.ReLU(), nn.Dropout(dropout)


def count_parameters(network: nn.Module) -> int:
    """Return how many numbers training may change."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)
