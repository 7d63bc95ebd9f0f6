"""Synthetic songs whose genre is encoded in the order of their words. Chapter *Attention*.

Every word belongs to one of seven classes, one per genre. A song's words are put in order one after
the other, each drawn from those that remain: a word of the genre's own class is `strength` times
as likely to be drawn next as any other (the Plackett-Luce model: Plackett 1975,
doi 10.2307/2346567). So words of the genre's class tend to come early. Which words a song has does
not depend on its genre; only their order does. Its probability is known for each genre, so
`genre_lib.data.bayes.bayes_of_order` can compute the best possible answer.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from genre_lib.data.schema import GENRES


def reorder(
    lyrics: Iterable[str],
    genre: np.ndarray,
    classes: dict[str, int],
    strength: float,
    rng: np.random.Generator,
) -> list[str]:
    """Return the same lyrics with the words of each song in an order that depends on its genre.

    `genre` are positions in `GENRES`, shape (n,).
    """
    reordered = []
    for text, own in zip(lyrics, genre, strict=True):
        words = text.split()
        weight = np.where([classes[word] == own for word in words], strength, 1.0)
        # Exponential waiting times: drawing without replacement, in one step.
        order = np.argsort(rng.exponential(size=len(words)) / weight)
        reordered.append(" ".join(words[i] for i in order))
    return reordered


def order_log_likelihood(
    lyrics: Iterable[str], classes: dict[str, int], strength: float
) -> np.ndarray:
    """Return log P(order of a song's words | genre) for each song and genre, shape (n, 7)."""
    log_p = []
    for text in lyrics:
        of_word = np.array([classes[word] for word in text.split()])
        weight = np.where(of_word[:, None] == np.arange(len(GENRES)), strength, 1.0)
        left = weight[::-1].cumsum(axis=0)[::-1]  # of a word and all that come after it
        log_p.append(np.log(weight / left).sum(axis=0))
    return np.array(log_p)
