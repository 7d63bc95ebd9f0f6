"""What a lyrics network has learned about single words. Explained in chapter 9."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import torch
from sklearn.decomposition import PCA

from genre_lib.classifier.classifier import GenreClassifier
from genre_lib.data.tensors import PAD_ID, UNKNOWN_ID
from genre_lib.errors import GenreLibError


def word_vectors(classifier: GenreClassifier) -> pd.DataFrame:
    """Return the learned embedding, one row per word, without `<pad>` and `<unk>`.

    Raises
    ------
    GenreLibError
        When the classifier's network has no layer called `embedding`.

    Examples
    --------
    >>> from genre_lib import get_recipe, make_songs
    >>> classifier = GenreClassifier(get_recipe("first", "lyrics"))
    >>> _ = classifier.fit(make_songs(200), epochs=1, patience=None, progress=False)
    >>> word_vectors(classifier).shape[1]
    64
    """
    layer = getattr(classifier.trained, "embedding", None)
    if layer is None:
        raise GenreLibError(
            f"This {classifier.recipe.task} network has no layer called 'embedding', from which to "
            "read the words' vectors: use a lyrics network."
        )
    vectors = layer.weight.detach().cpu().numpy()
    table = pd.DataFrame(vectors, index=pd.Index(classifier.encoder.words, name="word"))
    return table.drop(table.index[[PAD_ID, UNKNOWN_ID]])


def principal_components(vectors: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Project vectors, shape (words, dimensions), onto the two directions of largest variance.

    Returns
    -------
    plane
        The coordinates, columns `x` and `y`, one row per word.
    shares
        Each direction's share of the total variance, shape (2,).

    Examples
    --------
    >>> plane, shares = principal_components(pd.DataFrame([[0, 0], [3, 4], [6, 8]]))
    >>> [round(float(x)) for x in plane["x"]], [round(float(share), 2) for share in shares]
    ([-5, 0, 5], [1.0, 0.0])
    """
    pca = PCA(n_components=2, svd_solver="full")
    plane = pca.fit_transform(vectors.to_numpy())
    # PCA doesn't determine the sign of an axis: fix it, so that plots look the same everywhere.
    plane *= np.where(pca.components_.sum(axis=1) < 0, -1, 1)
    table = pd.DataFrame(plane, index=vectors.index, columns=["x", "y"])
    return table, pca.explained_variance_ratio_


def nearest_words(vectors: pd.DataFrame, word: str, n: int = 8) -> pd.Series:
    """Return the `n` words whose vectors are most similar to that of `word`.

    The values are cosine similarities: 1 for the same direction, 0 for a right angle.

    Raises
    ------
    GenreLibError
        When the vocabulary does not have `word`.

    Examples
    --------
    >>> vectors = pd.DataFrame([[1, 0], [2, 1], [0, 1]], index=["night", "moon", "truck"])
    >>> nearest_words(vectors, "night", n=2).round(2).to_dict()
    {'moon': 0.89, 'truck': 0.0}
    """
    if word not in vectors.index:
        raise GenreLibError(f"The vocabulary does not have {word!r}: try a more frequent word.")
    unit = vectors.div(np.linalg.norm(vectors, axis=1), axis=0)
    return (unit @ unit.loc[word]).drop(word).nlargest(n)


def genre_pull(classifier: GenreClassifier) -> pd.DataFrame:
    """Return each word's pull towards each genre: one row per word, one column per genre.

    A word's pull is the genre's logit for a song with only this word, minus that for a song
    without known words, minus the mean over the genres (a constant that softmax ignores). So
    every row sums to 0, and a word without influence has a row of zeros. If the network has word
    branches, the logits are the mean of theirs: the form of such a song means nothing.

    Raises
    ------
    GenreLibError
        When the classifier's network looks at anything but the lyrics.

    Examples
    --------
    >>> from genre_lib import get_recipe, make_songs
    >>> classifier = GenreClassifier(get_recipe("course", "lyrics"))
    >>> _ = classifier.fit(make_songs(200), epochs=1, progress=False)
    >>> list(genre_pull(classifier).columns)[:3]
    ['blues', 'country', 'hip hop']
    """
    if classifier.recipe.inputs != ("lyrics",):
        raise GenreLibError("Only a lyrics network gives each word a pull: use one.")
    words = classifier.encoder.words
    network = classifier.trained
    device = next(network.parameters()).device
    ids = torch.zeros(len(words), classifier.encoder.settings["max_tokens"], dtype=torch.int32)
    ids[:, 0] = torch.arange(len(words))  # row 0 is a song with only padding
    with torch.no_grad():
        if (branches := getattr(network, "branches", None)) is not None:
            logits, _ = branches(ids.to(device))
        else:
            logits = network(ids.to(device), torch.zeros(len(words), 0, device=device))
    if logits.dim() == 3:  # a network of several members: their mean
        logits = logits.mean(dim=1)
    pull = (logits - logits[PAD_ID]).cpu().numpy()
    pull -= pull.mean(axis=1, keepdims=True)
    table = pd.DataFrame(
        pull, index=pd.Index(words, name="word"), columns=list(classifier.encoder.genres)
    )
    return table.drop(table.index[[PAD_ID, UNKNOWN_ID]])


def word_counts(classifier: GenreClassifier, songs: pd.DataFrame) -> pd.Series:
    """Return the number of songs with each word of the vocabulary, without `<pad>` and `<unk>`.

    Words beyond the encoder's `max_tokens` don't count.

    Raises
    ------
    GenreLibError
        When the network doesn't look at the lyrics, or the table has none.
    """
    words = classifier.encoder.words
    if not words or "lyrics" not in songs:
        raise GenreLibError(
            "Words are counted in a table with lyrics, for a network that looks at them: this "
            f"{'table has no lyrics' if words else 'network has learned no words'}."
        )
    counts: Counter[int] = Counter()
    for ids in classifier.encoder.encode(songs[["lyrics"]]).lyrics.numpy():
        counts.update(set(ids.tolist()))
    table = pd.Series([counts[i] for i in range(len(words))], index=words)
    return table.drop(table.index[[PAD_ID, UNKNOWN_ID]])
