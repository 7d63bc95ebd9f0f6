"""Where to compute. Explained in chapter 3, *The training loop*."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from genre_lib.data.tensors import Songs
from genre_lib.errors import GenreLibError

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


def move(
    name: str, network: nn.Module, train: Songs, validation: Songs | None
) -> tuple[nn.Module, Songs, Songs | None]:
    """Return network and songs on the device called `name`; "auto" falls back to the CPU.

    Raises
    ------
    GenreLibError
        When there is no such device, or its memory does not hold them.
    """
    device = choose_device(name)
    try:
        with full_memory_named():
            network, train = network.to(device), train.to(device)
            return network, train, None if validation is None else validation.to(device)
    except OutOfMemory as error:
        if name != "auto":
            raise
        warnings.warn(f"{error} The CPU computes now.", stacklevel=3)
    return move("cpu", network, train, validation)


class OutOfMemory(GenreLibError):
    """A device has no memory left; the message says what to do."""


@contextmanager
def full_memory_named() -> Iterator[None]:
    """Say what to do where the memory of a device is full within this block.

    Raises
    ------
    OutOfMemory
        In place of torch's error.
    """
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise OutOfMemory(
            "The GPU's memory is full: end other notebooks that use it, take smaller batches, or "
            "compute on the CPU (device 'cpu')."
        ) from error
