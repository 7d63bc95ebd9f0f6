"""Models other than networks, for comparison. Explained in chapter *Baselines*.

Each baseline is a function of training songs and n other songs, and returns their probabilities,
shape (n, genres). All settings are fixed, so that all comparisons use the same baselines. LightGBM
and fastText are installed by the extra `bench`: `pip install 'genre-lib[bench]'`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import torch
from sklearn.base import ClassifierMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold, StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import ComplementNB
from sklearn.pipeline import Pipeline, make_pipeline
from threadpoolctl import threadpool_limits

from genre_lib.data.encoding import SongEncoder
from genre_lib.data.schema import FEATURES, TOPIC_FEATURES, genres_of
from genre_lib.data.songs import strip_footer
from genre_lib.errors import GenreLibError
from genre_lib.models import Form, topic_words

PACKAGES = ("lightgbm", "fasttext-wheel")
"""The packages that the extra `bench` installs."""

Baseline = Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]


def majority(train: pd.DataFrame, songs: pd.DataFrame) -> np.ndarray:
    """Predict the genre shares of the training songs for every song."""
    shares = train["genre"].value_counts(normalize=True).reindex(genres_of(train), fill_value=0.0)
    return np.tile(shares.to_numpy(), (len(songs), 1))


def tfidf(train: pd.DataFrame, songs: pd.DataFrame) -> np.ndarray:
    """Train logistic regression on TF-IDF weights of the words, and predict."""
    with threadpool_limits(1):  # faster, as the matrix products are small
        model = _tfidf_model().fit(_lyrics(train), train["genre"])
        return _predict_all_genres(model, _lyrics(songs), train)


def fasttext(train: pd.DataFrame, songs: pd.DataFrame) -> np.ndarray:
    """Train fastText: a mean of word vectors with a Linear layer (Joulin et al. 2017)."""
    library = _import("fasttext")
    genres = genres_of(train)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.txt"
        # fastText reads songs in file order, with a falling learning rate.
        shuffled = train.sample(frac=1, random_state=0)
        lines = zip(shuffled["genre"].map(genres.index), _lyrics(shuffled), strict=True)
        path.write_text("".join(f"__label__{g} {text}\n" for g, text in lines), encoding="utf-8")
        # Several threads update the weights in random order: only one is reproducible.
        model = library.train_supervised(
            str(path), dim=32, minCount=2, epoch=5, lr=0.2, thread=1, verbose=0
        )
    probabilities = np.zeros((len(songs), len(genres)))
    for row, text in enumerate(_lyrics(songs)):
        # The package's `predict` fails with numpy 2; this is the call inside it.
        for probability, label in model.f.predict(f"{text}\n", len(genres), 0.0, "strict"):
            probabilities[row, int(label.removeprefix("__label__"))] = probability
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def boosting(
    train: pd.DataFrame, songs: pd.DataFrame, features: Sequence[str] = FEATURES
) -> np.ndarray:
    """Train LightGBM's boosted trees on scores, and predict."""
    names = list(features)
    model = _boosting_model().fit(train[names].to_numpy(), train["genre"])
    return _predict_all_genres(model, songs[names].to_numpy(), train)


def product(train: pd.DataFrame, songs: pd.DataFrame) -> np.ndarray:
    """Multiply the probabilities of the TF-IDF model and of naive Bayes on pairs of words."""
    with threadpool_limits(1):
        models = [model.fit(_lyrics(train), train["genre"]) for model in _word_models()]
        first, second = (_predict_all_genres(model, _lyrics(songs), train) for model in models)
    return first * second / (first * second).sum(axis=1, keepdims=True)


def boosting_with_n(train: pd.DataFrame, songs: pd.DataFrame) -> np.ndarray:
    """Train LightGBM on the 22 scores, N and the missing mass (`topic_words`), and predict."""
    model = _boosting_model().fit(_scores(train), train["genre"])
    return _predict_all_genres(model, _scores(songs), train)


def stack(train: pd.DataFrame, songs: pd.DataFrame, by: str = "song") -> np.ndarray:
    """Train LightGBM on the 22 scores and the log-probabilities of the TF-IDF model, and predict.

    The log-probabilities of training songs come from models that haven't seen them (in five
    folds, `by` song or artist, like the test songs): otherwise, the trees would rely too much on
    a model that has memorised its songs.
    """
    words = _log_probabilities([_tfidf_model()], train, songs, by)
    scores = (table[list(FEATURES)].to_numpy() for table in (train, songs))
    return _boost_on(train, words, scores)


def words_and_form(train: pd.DataFrame, songs: pd.DataFrame, by: str = "song") -> np.ndarray:
    """Do the same as `stack` without scores, but with naive Bayes and the form of the lyrics."""
    words = _log_probabilities(_word_models(), train, songs, by)
    return _boost_on(train, words, _form(train, songs))


def full_stack(train: pd.DataFrame, songs: pd.DataFrame, by: str = "song") -> np.ndarray:
    """Do the same as `words_and_form`, with the 22 scores, N and the missing mass."""
    words = _log_probabilities(_word_models(), train, songs, by)
    scores = (_scores(table) for table in (train, songs))
    return _boost_on(train, words, _form(train, songs), scores)


BASELINES: dict[str, tuple[str, Baseline]] = {
    "majority": ("none", majority),
    "TF-IDF + logistic regression": ("lyrics", tfidf),
    "fastText": ("lyrics", fasttext),
    "TF-IDF × naive Bayes": ("lyrics", product),
    "LightGBM on words and form": ("lyrics", words_and_form),
    "LightGBM": ("features", boosting),
    "LightGBM with N": ("features", boosting_with_n),
    "LightGBM stack": ("combined", stack),
    "full stack": ("combined", full_stack),
}
"""By name: the baseline's inputs (`none`, `lyrics`, `features`, `combined`) and its function."""


def _log_probabilities(
    models: Sequence[Pipeline], train: pd.DataFrame, songs: pd.DataFrame, by: str
) -> tuple[np.ndarray, np.ndarray]:
    """Return the models' log-probabilities for both tables, out of fold for the training songs."""
    folds = {"song": StratifiedKFold(5, shuffle=True, random_state=0), "artist": GroupKFold(5)}[by]
    groups = train["artist_name"] if by == "artist" else None
    lyrics, genre = _lyrics(train), train["genre"]
    with threadpool_limits(1):
        unseen = [
            cross_val_predict(m, lyrics, genre, groups=groups, cv=folds, method="predict_proba")
            for m in models
        ]
        others = [m.fit(lyrics, genre).predict_proba(_lyrics(songs)) for m in models]
    return np.log(np.hstack(unseen)), np.log(np.hstack(others))


def _form(train: pd.DataFrame, songs: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return the six numbers of `genre_lib.models.Form` for both tables."""
    encoder = SongEncoder(min_frequency=1)
    encoded = [encoder.fit_encode(train[["lyrics"]]), encoder.encode(songs[["lyrics"]])]
    form = Form(len(encoder.words))
    form.adapt(encoded[0].lyrics)
    numbers = (torch.cat([form(ids) for ids, _, _ in e.in_order(4096)]).numpy() for e in encoded)
    return next(numbers), next(numbers)


def _scores(table: pd.DataFrame) -> np.ndarray:
    """Return the 22 scores, N and the missing mass, shape (n, 24)."""
    found = topic_words(torch.tensor(table[list(TOPIC_FEATURES)].to_numpy(dtype=float)))
    # Rounded, so that trees never see rounding errors, which differ from batch to batch.
    return np.column_stack([table[list(FEATURES)].to_numpy(), found.numpy().round(6)])


def _boost_on(songs: pd.DataFrame, *inputs: Iterable[np.ndarray]) -> np.ndarray:
    """Train LightGBM on pairs of inputs (of training songs, of others); predict the others."""
    train, others = map(np.column_stack, zip(*inputs, strict=True))
    return _predict_all_genres(_boosting_model().fit(train, songs["genre"]), others, songs)


def _word_models() -> list[Pipeline]:
    # Complement naive Bayes counts a word among the songs of all other genres (Rennie et al. 2003).
    pairs = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    return [_tfidf_model(), make_pipeline(pairs, ComplementNB(alpha=0.3))]


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


def _predict_all_genres(
    model: ClassifierMixin, inputs: Sequence[str] | np.ndarray, train: pd.DataFrame
) -> np.ndarray:
    """Return probabilities in the order of `genres_of(train)`, 0 for genres without songs in it."""
    found = pd.DataFrame(model.predict_proba(inputs), columns=model.classes_)
    return found.reindex(columns=list(genres_of(train)), fill_value=0.0).to_numpy()


def _import(name: str) -> ModuleType:
    try:
        return __import__(name)
    except ImportError as error:
        raise GenreLibError(
            f"This baseline needs the package {name!r}: pip install 'genre-lib[bench]'."
        ) from error
