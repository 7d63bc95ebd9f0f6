"""A word's pulls and neighbours in the page's lyrics network, for chapter 9 without scripts."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from course_tools.live import FOLDER, HEADER, NUMBERS
from course_tools.live.packing import unpack
from genre_lib.data.tensors import UNKNOWN_ID
from genre_lib.plots.words import mask_slur


@cache
def _branches() -> tuple[list[str], Tensor, Tensor]:
    """The words, their votes of shape (words, folds, genres), and the biases (folds, genres)."""
    header = json.loads((FOLDER / HEADER).read_text(encoding="utf-8"))
    tensors = unpack(header["tensors"], (FOLDER / NUMBERS).read_bytes())
    bias = tensors["branches.bias"]
    return (
        header["words"].split(" "),
        tensors["branches.embedding.weight"].view(-1, *bias.shape),
        bias,
    )


def look_up(word: str, n: int = 8) -> dict[str, Any]:
    """What `lookUp` in `live/network.js` returns for a word of the vocabulary."""
    words, votes, bias = _branches()
    pull = F.log_softmax(votes + bias, dim=2) - F.log_softmax(bias, dim=1)
    pull = pull.mean(dim=1)
    pull -= pull.mean(dim=1, keepdim=True)
    unit = F.normalize(votes.flatten(1), dim=1)
    own = words.index(word)
    cosines = unit @ unit[own]
    cosines[: UNKNOWN_ID + 1] = cosines[own] = -2
    return {
        "shown": mask_slur(word),
        "known": True,
        "pull": pull[own].tolist(),
        "near": [
            {
                "word": words[other],
                "shown": mask_slur(words[other]),
                "cosine": float(cosines[other]),
                "pull": pull[other].tolist(),
            }
            for other in cosines.topk(n).indices.tolist()
        ],
    }
