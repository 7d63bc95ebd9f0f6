"""Models other than networks, for comparison. Explained in chapter *Baselines*.

Each baseline is a function of training songs and n other songs, and returns their probabilities,
shape (n, 7). All settings are fixed, so that all comparisons use the same baselines. LightGBM and
fastText are installed by the extra `bench`: `pip install 'genre-lib[bench]'`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
from sklearn.base import ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits

from genre_lib.data.schema import FEATURES, GENRES
from genre_lib.data.songs import strip_footer
from genre_lib.errors import GenreLibError

PACKAGES = ("lightgbm", "fasttext-wheel")
"""The packages that the extra `bench` installs."""

Baseline = Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]


def majority(train: pd.DataFrame, songs: pd.DataFrame) -> np.ndarray:
    """Predict the genre shares of the training songs for every song."""
    shares = train["genre"].value_counts(normalize=True).reindex(GENRES, fill_value=0.0)
    return np.tile(shares.to_numpy(), (len(songs), 1))


def tfidf(train: pd.DataFrame, songs: pd.DataFrame) -> np.ndarray:
    """Train logistic regression on TF-IDF weights of the words, and predict."""
    with threadpool_limits(1):  # faster, as the matrix products are small
        return _predict_all_genres(
            _tfidf_model().fit(_lyrics(train), train["genre"]), _lyrics(songs)
        )


def fasttext(train: pd.DataFrame, songs: pd.DataFrame) -> np.ndarray:
    """Train fastText: a mean of word vectors with a Linear layer (Joulin et al. 2017)."""
    library = _import("fasttext")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        # fastText reads songs in file order, with a falling learning rate.
        shuffled = train.sample(frac=1, random_state=0)
        lines = zip(shuffled["genre"].map(GENRES.index), _lyrics(shuffled), strict=True)
        path.write_text("".join(f"__label__{g} {text}\n" for g, text in lines), encoding="utf-8")
        # Several threads update the weights in random order: only one is reproducible.
        model = library.train_supervised(
            str(path), dim=32, minCount=2, epoch=5, lr=0.2, thread=1, verbose=0
        )
    probabilities = np.zeros((len(songs), len(GENRES)))
    for row, text in enumerate(_lyrics(songs)):
        # The package's `predict` fails with numpy 2; this is the call inside it.
        for probability, label in model.f.predict(f"{text}\n", len(GENRES), 0.0, "strict"):
            probabilities[row, int(label.removeprefix("__label__"))] = probability
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def boosting(
    train: pd.DataFrame, songs: pd.DataFrame, features: Sequence[str] = FEATURES
) -> np.ndarray:
    """Train LightGBM's boosted trees on scores, and predict."""
    names = list(features)
    model = _boosting_model().fit(train[names].to_numpy(), train["genre"])
    return _predict_all_genres(model, songs[names].to_numpy())


def stack(train: pd.DataFrame, songs: pd.DataFrame, by: str = "song") -> np.ndarray:
    """Train LightGBM on the 22 scores and the log-probabilities of the TF-IDF model, and predict.

    The log-probabilities of training songs come from models that haven't seen them (in five
    folds, `by` song or artist, like the test songs): otherwise, the trees would rely too much on
    a model that has memorised its songs.
    """
    folds = {"song": StratifiedKFold(5, shuffle=True, random_state=0), "artist": GroupKFold(5)}[by]
    with threadpool_limits(1):
        unseen = cross_val_predict(
            _tfidf_model(),
            _lyrics(train),
            train["genre"],
            groups=train["artist_name"] if by == "artist" else None,
            cv=folds,
            method="predict_proba",
        )
        lyrics_model = _tfidf_model().fit(_lyrics(train), train["genre"])

    def inputs(table: pd.DataFrame, probabilities: np.ndarray) -> np.ndarray:
        return np.column_stack([table[list(FEATURES)].to_numpy(), np.log(probabilities)])

    model = _boosting_model().fit(inputs(train, unseen), train["genre"])
    return _predict_all_genres(model, inputs(songs, lyrics_model.predict_proba(_lyrics(songs))))


BASELINES: dict[str, tuple[str, Baseline]] = {
    "majority": ("none", majority),
    "TF-IDF + logistic regression": ("lyrics", tfidf),
    "fastText": ("lyrics", fasttext),
    "LightGBM": ("features", boosting),
    "LightGBM stack": ("combined", stack),
}
"""By name: the baseline's inputs (`none`, `lyrics`, `features`, `combined`) and its function."""


def _tfidf_model() -> Pipeline:
    return make_pipeline(
        TfidfVectorizer(min_df=3, sublinear_tf=True), LogisticRegression(C=0.5, max_iter=1000)
    )


def _boosting_model() -> ClassifierMixin:
    return _import("lightgbm").LGBMClassifier(
        n_estimators=250,
        learning_rate=0.04,
        num_leaves=31,
        subsample=0.8,
        subsample_freq=1,
        colsample_bytree=0.6,
        random_state=0,
        verbose=-1,
        n_jobs=0,  # as many threads as OMP_NUM_THREADS says
    )


def _lyrics(songs: pd.DataFrame) -> list[str]:
    return strip_footer(songs["lyrics"]).tolist()


def _predict_all_genres(model: ClassifierMixin, inputs: Sequence[str] | np.ndarray) -> np.ndarray:
    """Return probabilities in the order of `GENRES`, 0 for a genre without training songs."""
    found = pd.DataFrame(model.predict_proba(inputs), columns=model.classes_)
    return found.reindex(columns=list(GENRES), fill_value=0.0).to_numpy()


def _import(name: str) -> ModuleType:
    try:
        return __import__(name)
    except ImportError as error:
        raise GenreLibError(
            f"This baseline needs the package {name!r}: pip install 'genre-lib[bench]'."
        ) from error
