"""Synthetic songs for the experiment of chapter 4, *Break the loop yourself*, as text."""

from __future__ import annotations

import base64
from collections import Counter
from typing import Any

import numpy as np

from genre_lib.data.schema import FEATURES, GENRES
from genre_lib.data.synthetic import make_songs
from genre_lib.data.tensors import PAD_ID, UNKNOWN_ID

TRAIN, VALIDATION = 1000, 300
WORDS = 250
"""Size of the vocabulary, special tokens included: an id is a byte."""
TOKENS = 50


def loop_songs() -> dict[str, Any]:
    """Sizes, and bytes in base64: ids of words, scores in hundredths, and genres.

    The training songs come first, sorted by genre, so that it matters whether they are shuffled.
    """
    songs = make_songs(TRAIN + VALIDATION, seed=1)
    genre = songs["genre"].map(GENRES.index).to_numpy()
    order = np.concatenate(
        [np.argsort(genre[:TRAIN], kind="stable"), np.arange(TRAIN, TRAIN + VALIDATION)]
    )
    lyrics = [text.split()[:TOKENS] for text in songs["lyrics"]]
    counts = Counter(word for words in lyrics[:TRAIN] for word in words)
    known = [word for word, _ in counts.most_common(WORDS - 2)]
    ids = {word: number for number, word in enumerate(known, start=UNKNOWN_ID + 1)}
    padded = np.full((len(songs), TOKENS), PAD_ID)
    for row, words in enumerate(lyrics):
        padded[row, : len(words)] = [ids.get(word, UNKNOWN_ID) for word in words]
    scores = songs[list(FEATURES)].to_numpy() * 100
    return {
        "words": WORDS,
        "tokens": TOKENS,
        "scores": len(FEATURES),
        "genres": len(GENRES),
        "train": TRAIN,
        "lyrics": _as_text(padded[order]),
        "features": _as_text(scores.round()[order]),
        "genre": _as_text(genre[order]),
    }


def _as_text(numbers: np.ndarray) -> str:
    return base64.b64encode(numbers.astype(np.uint8).tobytes()).decode()
