"""The synthetic songs are what they claim to be, and so is their best possible accuracy."""

import numpy as np
import pandas as pd
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.naive_bayes import MultinomialNB

from genre_lib.data.bayes import INPUTS, bayes_accuracy, bayes_probabilities
from genre_lib.data.checks import check_songs
from genre_lib.data.schema import AUDIO_FEATURES, FEATURES, FOOTER, GENRES, TOPIC_FEATURES
from genre_lib.data.synthetic import make_songs

N = 8000


@pytest.fixture(scope="module")
def songs() -> pd.DataFrame:
    return make_songs(N, seed=3)


@pytest.fixture(scope="module")
def codes(songs) -> np.ndarray:
    return songs["genre"].map(GENRES.index).to_numpy()


def test_same_seed_same_songs_and_other_seed_other_songs():
    first = make_songs(300, seed=1)
    pd.testing.assert_frame_equal(first, make_songs(300, seed=1))
    assert not first["lyrics"].equals(make_songs(300, seed=2)["lyrics"])


def test_table_has_the_columns_of_the_published_file(songs):
    head = ["artist_name", "track_name", "release_date", "genre", "lyrics", "len"]
    assert list(songs.columns) == [*head, *FEATURES, "topic", "age"]
    assert len(songs) == N
    assert songs.attrs["source"] == "8,000 synthetic songs (seed 3)"
    check_songs(songs, "synthetic songs")


@pytest.mark.parametrize("n", [1, 2, 10])
def test_few_songs(n):
    few = make_songs(n)
    assert len(few) == n
    assert bayes_probabilities(few).shape == (n, len(GENRES))


def test_no_songs_is_an_error():
    with pytest.raises(ValueError, match="at least 1"):
        make_songs(0)


def test_values_are_in_range(songs):
    scores = songs[list(FEATURES)]
    assert scores.notna().all(axis=None)
    assert scores.min().min() >= 0 and scores.max().max() <= 1
    assert (scores[list(TOPIC_FEATURES)].sum(axis=1) <= 1).all()
    assert songs["release_date"].between(1950, 2019).all()
    assert songs["len"].equals(songs["lyrics"].str.split().str.len())
    assert songs["len"].between(1, 199).all() and 55 <= songs["len"].median() <= 68
    np.testing.assert_allclose(songs["age"], (2020 - songs["release_date"]) / 70)
    assert set(songs["genre"]) == set(GENRES)


def test_artists_repeat_and_few_have_several_genres(songs):
    by_artist = songs.groupby("artist_name")["genre"]
    assert 3 < by_artist.size().mean() < 8
    assert by_artist.size().max() > 40
    assert 0.03 < (by_artist.nunique() > 1).mean() < 0.15


def test_footer_gives_the_label_away(songs):
    rate = songs["lyrics"].str.endswith(FOOTER).groupby(songs["genre"]).mean()
    assert rate["hip hop"] == pytest.approx(495 / 904, abs=0.12)
    assert rate["rock"] == pytest.approx(656 / 4034, abs=0.04)
    assert rate["pop"] == pytest.approx(263 / 7042, abs=0.02)
    assert rate["jazz"] == 0


def test_hip_hop_is_recent(songs):
    years = songs.groupby("genre")["release_date"].median()
    assert years.idxmax() == "hip hop" and years["hip hop"] > 2005


@pytest.mark.parametrize("inputs", INPUTS)
def test_bayes_probabilities_are_calibrated(songs, codes, inputs):
    """Of the songs given about p for a genre, about p have that genre: for every genre and p."""
    p = bayes_probabilities(songs, inputs)
    np.testing.assert_allclose(p.sum(axis=1), 1)
    truth = np.eye(len(GENRES))[codes]
    np.testing.assert_allclose(p.mean(axis=0), truth.mean(axis=0), atol=0.015)
    level = np.digitize(p, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    for k in range(9):
        cell = level == k
        # Songs of one artist share their label: allow more than three binomial errors.
        allowed = 0.02 + 3 * np.sqrt(0.25 / max(cell.sum(), 1))
        assert abs(p[cell].mean() - truth[cell].mean()) < allowed, f"{inputs}: level {k}"
    assert (p.argmax(axis=1) == codes).mean() == pytest.approx(p.max(axis=1).mean(), abs=0.03)


def test_bayes_beats_simple_peers_on_unseen_artists(songs, codes):
    artists = pd.factorize(songs["artist_name"])[0]
    test = artists % 4 == 0
    text = songs["lyrics"].str.removesuffix(FOOTER)
    words = CountVectorizer(min_df=3).fit_transform(text)
    scores = songs[list(FEATURES)].to_numpy()
    audio = scores[:, -len(AUDIO_FEATURES) :]

    def best(inputs: str) -> float:
        return (bayes_probabilities(songs[test], inputs).argmax(axis=1) == codes[test]).mean()

    naive = MultinomialNB().fit(words[~test], codes[~test]).score(words[test], codes[test])
    line = LinearDiscriminantAnalysis().fit(scores[~test], codes[~test])
    ears = LinearDiscriminantAnalysis().fit(audio[~test], codes[~test])
    assert naive < best("lyrics") < best("both")
    assert ears.score(audio[test], codes[test]) < best("features")
    assert line.score(scores[test], codes[test]) < best("features") < best("both")


def test_bayes_accuracy_is_repeatable_and_rises_with_the_inputs():
    lyrics, features, both = (bayes_accuracy(inputs, n=1500) for inputs in INPUTS)
    assert max(lyrics, features) < both < 1
    assert bayes_accuracy("features", n=1500) == features


def test_bayes_ignores_the_footer_and_unknown_words(songs):
    some = songs.head(200)
    clean = some.assign(lyrics=some["lyrics"].str.removesuffix(FOOTER).str.strip())
    np.testing.assert_allclose(bayes_probabilities(some), bayes_probabilities(clean))
    odd = some.head(1).assign(lyrics="words nobody knows")
    assert np.isfinite(bayes_probabilities(odd, "lyrics")).all()


def test_unknown_inputs_are_named():
    with pytest.raises(ValueError, match="'audio'"):
        bayes_probabilities(make_songs(5), "audio")
