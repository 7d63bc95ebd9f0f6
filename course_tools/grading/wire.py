"""Plain data as bytes and back, between the grader and a sandbox: JSON, and arrays after it.

Nothing is pickled or unpacked: whatever a sandbox sends is data, or an error. Values are None,
bool, int, float, str, list, tuple, dict, NumPy arrays, torch tensors, pandas Series and DataFrames,
and handles, which stand for things that stay on the other side. A set arrives as a sorted list: a
set of numbers chosen to collide takes time that grows with the square of their number. What else
may take long happens in a process that can be ended (`examiner.py`).

A message is two lengths, a JSON text and the bytes of its arrays one after another; their types and
shapes stand in the text.
"""

from __future__ import annotations

import json
import math
import re
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

MOST_BYTES = 100_000_000
MOST_TEXT = 20_000_000  # as Python's lists it takes many times as much
MOST_ARRAYS = 50_000
MOST_KEYS = 20_000  # of one dictionary: keys may collide, too
DEEPEST = 50
HEAD = struct.Struct(">QQ")
TYPE = re.compile(r"[<>|]([biufc]\d{1,2}|[mM]8\[(ns|us|ms|s|m|h|D)\])")


class WireError(ValueError):
    """A message that is no message."""


def encode(value: Any, handle: Callable[[Any], int | None]) -> bytes:
    """`value` as bytes; `handle` numbers what is no plain data, or says None."""
    arrays: list[np.ndarray] = []
    tree = _pack(value, arrays, handle, 0)
    heads = [[array.dtype.str, array.shape] for array in arrays]
    try:
        text = json.dumps({"arrays": heads, "value": tree}).encode()
    except ValueError as error:  # a number with thousands of digits
        raise WireError(str(error)) from None
    packed = b"".join(array.tobytes() for array in arrays)
    return HEAD.pack(len(text), len(packed)) + text + packed


def decode(stream: BinaryIO, handle: Callable[[int], Any]) -> Any:
    """The next value of `stream`; `handle` gives back what a number stands for.

    Raises:
        EOFError: the other side is gone.
        WireError: it sent something else, or too much. The message says nothing of what was sent:
            a student may read it, and what was sent may hold a hidden test's input.
    """
    text_bytes, array_bytes = HEAD.unpack(_exactly(stream, HEAD.size))
    if text_bytes > MOST_TEXT or text_bytes + array_bytes > MOST_BYTES:
        raise WireError("gave an answer that is too long")
    text, packed = _exactly(stream, text_bytes), _exactly(stream, array_bytes)
    try:
        message = json.loads(text)
        arrays = _arrays(message["arrays"], packed)
        return _unpack(message["value"], arrays, handle, 0)
    except Exception:  # whatever it is, the fault lies in what was sent
        raise WireError("gave an answer that can't be read") from None


def _exactly(stream: BinaryIO, size: int) -> bytes:
    parts = []
    while size > 0:
        part = stream.read(min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _arrays(heads: list, packed: bytes) -> list[np.ndarray]:
    if len(heads) > MOST_ARRAYS:
        raise WireError("too many arrays")
    arrays, start = [], 0
    for kind, shape in heads:
        if not TYPE.fullmatch(kind) or not all(type(n) is int and n >= 0 for n in shape):
            raise WireError("an array of no known kind")
        dtype, count = np.dtype(kind), math.prod(shape)
        part = np.frombuffer(packed, dtype, count, start) if count else np.empty(0, dtype)
        arrays.append(part.reshape(shape).copy())  # else it could not be written to
        start += count * dtype.itemsize
    return arrays


def _pack(value: Any, arrays: list, handle: Callable, depth: int) -> Any:
    if depth > DEEPEST:
        raise WireError("data that is nested too deeply")

    def inner(part: Any) -> Any:
        return _pack(part, arrays, handle, depth + 1)

    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, np.generic):
        return inner(value.item())
    tensor = getattr(sys.modules.get("torch"), "Tensor", None)  # none while it is being imported
    if tensor is not None and isinstance(value, tensor):
        return {"$": "tensor", "v": inner(value.detach().cpu().numpy())}
    if isinstance(value, np.ndarray):
        if not TYPE.fullmatch(value.dtype.str):
            return {"$": "objects", "v": inner(value.tolist())}
        arrays.append(value)
        return {"$": "array", "v": len(arrays) - 1}
    if isinstance(value, pd.Series):
        words = value.dtype.kind in "OUT"
        column = _words(value) if words else inner(value.to_numpy())
        return {"$": "series", "v": [column, inner(value.index.tolist()), inner(value.name)]}
    if isinstance(value, pd.DataFrame):
        columns = [inner(value.iloc[:, i]) for i in range(value.shape[1])]
        return {"$": "frame", "v": [inner(value.columns.tolist()), columns]}
    if isinstance(value, dict):
        return {"$": "dict", "v": [[inner(k), inner(v)] for k, v in value.items()]}
    if type(value) in (set, frozenset):
        return [inner(part) for part in _sorted(value)]
    if type(value) in (list, tuple):
        items = [inner(part) for part in value]
        return items if type(value) is list else {"$": "tuple", "v": items}
    number = handle(value)
    if number is None:
        raise WireError(f"a {type(value).__name__} can't be sent")
    return {"$": "handle", "v": number}


def _sorted(items: set | frozenset) -> list:
    try:
        return sorted(items)
    except TypeError:  # of several kinds
        return sorted(items, key=repr)


def _words(series: pd.Series) -> dict:
    return {"$": "objects", "v": [None if pd.isna(x) else str(x) for x in series]}


def _unpack(tree: Any, arrays: list, handle: Callable, depth: int) -> Any:
    if depth > DEEPEST:
        raise WireError("data that is nested too deeply")

    def inner(part: Any) -> Any:
        return _unpack(part, arrays, handle, depth + 1)

    if isinstance(tree, list):
        return [inner(part) for part in tree]
    if not isinstance(tree, dict):
        return tree
    kind, value = tree["$"], tree["v"]
    if kind == "array":
        return arrays[value]
    if kind == "tensor":
        import torch  # seconds, which a notebook without tensors need not wait

        return torch.from_numpy(np.array(inner(value)))
    if kind == "objects":
        return np.array(inner(value), dtype=object)
    if kind == "series":
        values, index, name = inner(value)
        return pd.Series(values if values.dtype != object else list(values), index=index, name=name)
    if kind == "frame":
        names, columns = inner(value)
        return pd.DataFrame(dict(zip(names, columns, strict=True)))
    if kind == "dict":
        if len(value) > MOST_KEYS:
            raise WireError("a dictionary with too many keys")
        return {inner(k): inner(v) for k, v in value}
    if kind == "tuple":
        return tuple(inner(value))
    if kind == "handle":
        return handle(value)
    raise WireError(f"data of an unknown kind {kind!r}")
