"""Plain data as bytes and back, between the grader and a sandbox: JSON, and arrays beside it.

Nothing is pickled: whatever a sandbox sends is data, or an error. Values are None, bool, int,
float, str, list, tuple, dict, NumPy arrays, torch tensors, pandas Series and DataFrames, and
handles, which stand for things that stay on the other side.
"""

from __future__ import annotations

import io
import json
import struct
import sys
from collections.abc import Callable
from typing import Any, BinaryIO

import numpy as np
import pandas as pd

MOST_BYTES = 200_000_000
MOST_TEXT = 20_000_000  # as Python's lists it takes many times as much
DEEPEST = 50
HEAD = struct.Struct(">QQ")


class WireError(ValueError):
    """A message that is no message."""


def encode(value: Any, handle: Callable[[Any], int | None]) -> bytes:
    """`value` as bytes; `handle` numbers what is no plain data, or says None."""
    arrays: list[np.ndarray] = []
    tree = _pack(value, arrays, handle, 0)
    packed = io.BytesIO()
    np.savez(packed, *arrays)
    text = json.dumps(tree).encode()
    return HEAD.pack(len(text), packed.tell()) + text + packed.getvalue()


def decode(stream: BinaryIO, handle: Callable[[int], Any]) -> Any:
    """The next value of `stream`; `handle` gives back what a number stands for.

    Raises:
        EOFError: the other side is gone.
        WireError: it sent something else, or too much.
    """
    json_bytes, array_bytes = HEAD.unpack(_exactly(stream, HEAD.size))
    if json_bytes > MOST_TEXT or json_bytes + array_bytes > MOST_BYTES:
        raise WireError(f"a message of {json_bytes + array_bytes:,} bytes is too long")
    text, packed = _exactly(stream, json_bytes), _exactly(stream, array_bytes)
    try:
        with np.load(io.BytesIO(packed), allow_pickle=False) as archive:
            if sum(info.file_size for info in archive.zip.infolist()) > MOST_BYTES:
                raise WireError("arrays that are too large")
            arrays = [archive[f"arr_{i}"] for i in range(len(archive.files))]
        return _unpack(json.loads(text), arrays, handle, 0)
    except Exception as error:  # whatever it is, the fault lies in what was sent
        raise WireError(f"a message that can't be read ({type(error).__name__})") from None


def _exactly(stream: BinaryIO, size: int) -> bytes:
    parts = []
    while size > 0:
        part = stream.read(min(size, 1 << 20))
        if not part:
            raise EOFError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


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
        if value.dtype.kind in "OUS":
            return {"$": "objects", "v": inner(value.tolist())}
        arrays.append(value)
        return {"$": "array", "v": len(arrays) - 1}
    if isinstance(value, pd.Series):
        words = value.dtype.kind in "OUT"
        column = _words(value) if words else inner(value.to_numpy())
        return {"$": "series", "v": [column, inner(value.index.tolist()), inner(value.name)]}
    if isinstance(value, pd.DataFrame):
        columns = [inner(value[name]) for name in value.columns]
        return {"$": "frame", "v": [inner(value.columns.tolist()), columns]}
    if isinstance(value, dict):
        return {"$": "dict", "v": [[inner(k), inner(v)] for k, v in value.items()]}
    if type(value) in (list, tuple, set):
        items = [inner(part) for part in value]
        return items if type(value) is list else {"$": type(value).__name__, "v": items}
    number = handle(value)
    if number is None:
        raise WireError(f"a {type(value).__name__} can't be sent")
    return {"$": "handle", "v": number}


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
        return {inner(k): inner(v) for k, v in value}
    if kind in ("tuple", "set"):
        return {"tuple": tuple, "set": set}[kind](inner(value))
    if kind == "handle":
        return handle(value)
    raise WireError(f"data of an unknown kind {kind!r}")
