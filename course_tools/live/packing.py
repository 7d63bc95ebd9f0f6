"""Named tensors as one string of bytes and a description in JSON types, for `live/network.js`."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from genre_lib.errors import GenreLibError

ALIGNMENT = 4
"""JavaScript's typed arrays must begin at a multiple of their numbers' size."""

DTYPES = {"int8": np.dtype("i1"), "float16": np.dtype("<f2"), "float32": np.dtype("<f4")}


def pack(tensors: Mapping[str, tuple[Tensor, str]]) -> tuple[dict[str, Any], bytes]:
    """Pack tensors as the types given with them; `GenreLibError` if a number is too large.

    A matrix as int8 has one scale per column: its largest absolute value divided by 127.
    """
    described: dict[str, Any] = {}
    content = bytearray()
    for name, (tensor, kind) in tensors.items():
        values = tensor.detach().cpu().float().numpy()
        content += bytes(-len(content) % ALIGNMENT)
        entry: dict[str, Any] = {"type": kind, "shape": list(values.shape), "offset": len(content)}
        if kind == "int8":
            largest = np.abs(values).max(axis=0)
            scale = np.where(largest > 0, largest / 127, 1.0).astype(np.float32)
            values = np.rint(values / scale)
            entry["scale"] = scale.tolist()
        with np.errstate(over="ignore"):
            stored = values.astype(DTYPES[kind])
        if not np.isfinite(stored.astype(np.float32)).all():
            raise GenreLibError(
                f"The tensor {name} has numbers that {kind} can't store: choose another type."
            )
        content += stored.tobytes()
        described[name] = entry
    return described, bytes(content)


def unpack(described: Mapping[str, Any], content: bytes) -> dict[str, Tensor]:
    """Return the packed tensors as float32, with the rounding that packing caused."""
    tensors = {}
    for name, entry in described.items():
        count, dtype = prod(entry["shape"]), DTYPES[entry["type"]]
        stored = np.frombuffer(content, dtype, count, entry["offset"])
        values = stored.astype(np.float32).reshape(entry["shape"])
        if "scale" in entry:
            values *= np.array(entry["scale"], np.float32)
        tensors[name] = torch.from_numpy(values)
    return tensors
