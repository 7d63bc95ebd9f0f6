"""Where to compute. Explained in chapter 3, *The training loop*."""

from __future__ import annotations

import os
import warnings

import torch

from genre_lib.schema import GenreLibError

LEAST_MEMORY = 2**30
"""Bytes that must be free on a GPU to begin there; all chapters need less."""


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name` ("cpu", "cuda", "mps", …), or the fastest one for "auto".

    Raises
    ------
    GenreLibError
        When there is no such device here.
    """
    if name == "auto":
        name = "mps" if torch.backends.mps.is_available() else "cpu"
        if torch.cuda.is_available() and _has_room():
            name = "cuda"
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        # Of several processes on a machine (chapter *Scaling*), each has a GPU of its own.
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    # torch built without CUDA asserts; the rest are its rarer devices.
    except (RuntimeError, AssertionError, ImportError, NotImplementedError):
        raise GenreLibError(f"There is no device {name!r} here: use 'cpu' or 'auto'.") from None
    return device


def _has_room() -> bool:
    """Whether the GPU has memory left for us; it may be in use by another notebook."""
    try:
        free, _ = torch.cuda.mem_get_info()
        torch.zeros(1, device="cuda").item()
    # Not even room for asking, or a GPU that this torch has no code for.
    except (RuntimeError, AssertionError):
        free = 0
    if free < LEAST_MEMORY:
        warnings.warn(
            "The GPU's memory is full, or this torch can't use it, so the CPU computes: end other "
            "notebooks that use the GPU, then start this one again.",
            stacklevel=3,
        )
    return free >= LEAST_MEMORY


class OutOfMemory(GenreLibError):
    """A GPU has no memory left; the message says what to do."""

    def __init__(self, device: torch.device):
        super().__init__(
            f"The memory of the device {device} is full: end other notebooks that use it, take "
            "smaller batches, or compute on the CPU (device 'cpu')."
        )
