"""What goes over between the grader and a sandbox: plain data, and nothing else."""

from __future__ import annotations

import io
import json

import numpy as np
import pandas as pd
import pytest
import torch

from course_tools.grading.wire import HEAD, MOST_KEYS, WireError, decode, encode


def through(value):
    return decode(io.BytesIO(encode(value, lambda held: None)), lambda number: number)


def test_plain_data_goes_over_unchanged():
    value = [None, True, 3, 0.5, "ü", (1, 2), {"a": [1], 2: "b"}]
    assert through(value) == value
    assert through(np.float32(0.5)) == 0.5
    np.testing.assert_array_equal(through(np.eye(3)), np.eye(3))
    assert through(torch.tensor([[1, 2]])).tolist() == [[1, 2]]
    table = pd.DataFrame({"genre": ["pop", "jazz"], "x": [0.25, 1.0]}, index=[5, 9])
    pd.testing.assert_frame_equal(through(table), table)
    pd.testing.assert_series_equal(through(table["x"]), table["x"])
    counts = pd.Series([2, 1], index=["a b", "c"], name="count")
    pd.testing.assert_series_equal(through(counts), counts)


def test_what_is_no_data_is_refused():
    for value in (object(), np, lambda: 0):
        with pytest.raises(WireError, match="can't be sent"):
            through(value)
    fine, many = [["<f8", [1]]], [["<f8", [0]]] * 400_000
    rubbish = [b"\0" * 16 + b"rubbish", (2**40).to_bytes(8, "big") * 2, b"x" * 40]
    rubbish += [sent({"$": "series", "v": [1, 2, 3]}), sent({"$": "frame", "v": 1}), sent({"$": 1})]
    rubbish += [sent(1, [["<f8", [10**16]]]), sent(1, [["<f8", [-1]]]), sent(1, [["O", [1]]])]
    rubbish += [sent(1, [["<V99999999", [1]]]), sent(1, [["<f8", [0] * 99]]), sent(1, many)]
    rubbish += [sent({"$": "array", "v": 5}, fine), sent({"$": "dict", "v": [[[], 1]]})]
    rubbish += [sent({"$": "dict", "v": [[i, 1] for i in range(MOST_KEYS + 1)]})]
    rubbish += [HEAD.pack(25_000_000, 0) + b"[" * 25_000_000]  # a list of a hundred bytes a letter
    for raw in rubbish:
        with pytest.raises((WireError, EOFError)) as error:
            decode(io.BytesIO(raw), lambda number: number)
        assert not any(letter.isdigit() for letter in str(error.value))


def sent(tree, arrays=()):
    text = json.dumps({"arrays": arrays, "value": tree}).encode()
    return HEAD.pack(len(text), 8) + text + bytes(8)


def test_a_set_arrives_as_a_sorted_list():
    assert through({3, 1, 2}) == [1, 2, 3]
    assert through(frozenset({"b", "a"})) == ["a", "b"]
    assert sorted(map(str, through({1, "a"}))) == ["1", "a"]


def test_arrays_keep_their_kind_and_can_be_written_to():
    for kind in ("int8", "uint16", "float16", "bool", "complex64", "datetime64[ns]"):
        array = (
            np.zeros((2, 0, 3), kind) if kind == "int8" else np.ones((2, 3), "int8").astype(kind)
        )
        there = through(array)
        assert there.dtype == array.dtype and there.shape == array.shape
        there[...] = 0
    assert through(torch.ones(2, 3).t()).shape == (3, 2)
    assert through(np.array(["a", "b"])).tolist() == ["a", "b"]
