"""CPU or GPU. Explained in chapter 4, *The training loop*."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from genre_lib.data.tensors import Songs
from genre_lib.errors import GenreLibError

MIN_FREE_MEMORY = 2**30
"""Bytes of a GPU's memory that must be free to train there; every chapter needs less."""


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name` ("cpu", "cuda", "mps", …); "auto" is the fastest one.

    Raises
    ------
    GenreLibError
        When this machine has no such device.

    Examples
    --------
    >>> choose_device("cpu").type
    'cpu'
    """
    if name == "auto":
        name = "mps" if torch.backends.mps.is_available() else "cpu"
        if torch.cuda.is_available() and _has_free_memory():
            name = "cuda"
    try:
        device = torch.device(name)
        torch.zeros(1, device=device).item()
    # A torch built without CUDA raises AssertionError; the others come from rarer devices.
    except (RuntimeError, AssertionError, ImportError, NotImplementedError):
        raise GenreLibError(f"There is no device {name!r} here: use 'cpu' or 'auto'.") from None
    return device


def _has_free_memory() -> bool:
    """Return whether the GPU has enough free memory; another notebook may be using it."""
    try:
        free, _ = torch.cuda.mem_get_info()
        torch.zeros(1, device="cuda").item()
    # The memory is too full even for this test, or this torch does not support the GPU.
    except (RuntimeError, AssertionError):
        free = 0
    if free < MIN_FREE_MEMORY:
        warnings.warn(
            "The GPU's memory is full, or this torch can't use it, so the CPU is used: shut down "
            "other notebooks that use the GPU, then restart this one.",
            stacklevel=3,
        )
    return free >= MIN_FREE_MEMORY


def move(
    name: str, network: nn.Module, train: Songs, validation: Songs | None
) -> tuple[nn.Module, Songs, Songs | None]:
    """Return network and songs on the device called `name`; "auto" falls back to the CPU.

    Raises
    ------
    GenreLibError
        When there is no such device, or its memory is too small.
    """
    device = choose_device(name)
    try:
        with explain_full_memory():
            network, train = network.to(device), train.to(device)
            return network, train, None if validation is None else validation.to(device)
    except OutOfMemory as error:
        if name != "auto":
            raise
        warnings.warn(f"{error} Using the CPU instead.", stacklevel=3)
    return move("cpu", network, train, validation)


class OutOfMemory(GenreLibError):
    """A device has no memory left; the message says what to do."""


@contextmanager
def explain_full_memory() -> Iterator[None]:
    """Raise `OutOfMemory` in place of torch's error if a device's memory is full in this block."""
    try:
        yield
    except torch.cuda.OutOfMemoryError as error:
        raise OutOfMemory(
            "The GPU's memory is full: shut down other notebooks that use it, use smaller batches, "
            "or use the CPU (device 'cpu')."
        ) from error
