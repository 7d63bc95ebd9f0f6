"""What the lyrics network has learned about single words. Explained in chapter 7."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA

from genre_lib.classifier.classifier import GenreClassifier
from genre_lib.data.schema import GENRES
from genre_lib.data.tensors import PAD_ID, UNKNOWN_ID
from genre_lib.errors import GenreLibError


def word_vectors(classifier: GenreClassifier) -> pd.DataFrame:
    """Return the learned embedding: a row a word, a column a dimension; `<pad>`, `<unk>` left out.

    Raises
    ------
    GenreLibError
        When the classifier's network has no layer called `embedding`.
    """
    layer = getattr(classifier.trained, "embedding", None)
    if layer is None:
        raise GenreLibError(
            f"The {classifier.recipe.task} network has no word embedding: use a lyrics network."
        )
    vectors = layer.weight.detach().cpu().numpy()
    table = pd.DataFrame(vectors, index=pd.Index(classifier.encoder.words, name="word"))
    return table.drop(table.index[[PAD_ID, UNKNOWN_ID]])


def principal_components(vectors: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Project vectors, shape (words, dimensions), on the two directions in which they vary most.

    Returns the coordinates, columns `x` and `y`, and each direction's share of all variance.
    """
    pca = PCA(n_components=2, svd_solver="full")
    plane = pca.fit_transform(vectors.to_numpy())
    # PCA leaves the sign of an axis open: fix it, so that a picture is the same on every machine.
    plane *= np.where(pca.components_.sum(axis=1) < 0, -1, 1)
    table = pd.DataFrame(plane, index=vectors.index, columns=["x", "y"])
    return table, pca.explained_variance_ratio_


def nearest_words(vectors: pd.DataFrame, word: str, n: int = 8) -> pd.Series:
    """Return the `n` words whose vectors point most nearly the way that `word`'s does.

    The values are cosines: 1 for the same direction, 0 for a right angle.

    Raises
    ------
    GenreLibError
        When the vocabulary does not know `word`.
    """
    if word not in vectors.index:
        raise GenreLibError(f"The vocabulary does not know {word!r}: try a more frequent word.")
    unit = vectors.div(np.linalg.norm(vectors, axis=1), axis=0)
    return (unit @ unit.loc[word]).drop(word).nlargest(n)


def genre_pull(classifier: GenreClassifier) -> pd.DataFrame:
    """Return each word's pull toward each genre: a row a word, a column a genre.

    A word's pull is what it adds to the genre's logit when it is a song's only word, beyond what
    a song without known words gets, less the mean over the genres (a sum that softmax ignores).
    So every row sums to 0, and a word that says nothing has a row of zeros.

    Raises
    ------
    GenreLibError
        When the classifier's network does not work on lyrics alone.
    """
    if classifier.recipe.inputs != ("lyrics",):
        raise GenreLibError("A word has a pull of its own in a lyrics network only: use one.")
    words = classifier.encoder.words
    network = classifier.trained
    device = next(network.parameters()).device
    ids = torch.zeros(len(words), classifier.encoder.settings["max_tokens"], dtype=torch.int32)
    ids[:, 0] = torch.arange(len(words))  # row 0 is a song of padding alone
    with torch.no_grad():
        logits = network(ids.to(device), torch.zeros(len(words), 0, device=device))
    if logits.dim() == 3:  # a network of several members: what they say on average
        logits = logits.mean(dim=1)
    pull = (logits - logits[PAD_ID]).cpu().numpy()
    pull -= pull.mean(axis=1, keepdims=True)
    table = pd.DataFrame(pull, index=pd.Index(words, name="word"), columns=list(GENRES))
    return table.drop(table.index[[PAD_ID, UNKNOWN_ID]])


def word_counts(classifier: GenreClassifier, songs: pd.DataFrame) -> pd.Series:
    """Return in how many of the songs each word of the vocabulary occurs."""
    encoder = classifier.encoder
    counts: Counter[int] = Counter()
    for ids in encoder.encode(songs).lyrics.numpy():
        counts.update(set(ids.tolist()))
    table = pd.Series([counts[i] for i in range(len(encoder.words))], index=encoder.words)
    return table.drop(table.index[[PAD_ID, UNKNOWN_ID]])
