"""Every figure draws, says in words what it shows, and fits a light and a dark page."""

from __future__ import annotations

import json
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from genre_lib import GENRES, GenreClassifier, get_recipe, plots, split_songs
from genre_lib.classifier.words import (
    genre_pull,
    nearest_words,
    principal_components,
    word_counts,
    word_vectors,
)
from genre_lib.errors import GenreLibError
from genre_lib.plots.style import OWN_COLOUR, OWN_SYMBOL


@pytest.fixture(scope="module")
def trained(session_songs):
    split = split_songs(session_songs)
    classifier = GenreClassifier(get_recipe("course", "lyrics"))
    history = classifier.fit(split.train, split.validation, device="cpu", progress=False)
    return classifier, history, split


def figures(songs, trained):
    classifier, history, split = trained
    pull = genre_pull(classifier)
    plane, shares = principal_components(word_vectors(classifier))
    words = songs["lyrics"].str.split().str.len()
    yield plots.genre_shares(songs)
    yield plots.genre_plane(songs, "energy", "valence")
    yield plots.features_by_genre(songs)
    yield plots.lyrics_lengths(words, songs["genre"])
    yield plots.distributions(words, words > 50, "Words", "number of words")
    yield plots.distributions(words, songs["genre"], "Words", "number of words")
    yield plots.score_over_time(songs, "danceability", "pop")
    yield plots.scores_of_genres(songs, ["valence", "energy"])
    yield plots.density(songs, "acousticness", "instrumentalness")
    yield plots.learning_curves(history.table())
    yield plots.confusion(classifier.evaluate(split.test).confusion)
    yield plots.calibration(classifier.evaluate(split.test).reliability())
    yield plots.word_map(plane, pull, shares)
    yield plots.strongest_words(pull)
    few = classifier.encode(split.test.head(2))
    yield plots.folds(classifier.trained.branches)
    yield plots.network_diagram(classifier.trained, few, "The lyrics network")
    yield plots.accuracies({"ours": [0.4, 0.5], "theirs": [0.3]}, 0.2)
    points = pd.DataFrame({"difference": [0.5, -2.0], "half_width": [1.0, 0.5]}, ["ours", "theirs"])
    yield plots.differences({"by song": points, "by artist": points[:1]}, "Gains", "points")
    yield plots.differences({"lost": points[["difference"]]}, "Shuffled", "points")
    ceiling = pd.DataFrame({"network": [0.4, 0.5], "ceiling": [0.5, 0.7]}, ["lyrics", "both"])
    yield plots.way_covered(ceiling, 0.2)
    yield plots.genres_by_decade(songs)
    yield plots.chain({"table": "600 songs", "tensors": "(600, 22)"}, "From a table to tensors")
    yield plots.chain({"x": "(5, 4)", "loss": "a number"}, "And back", back=["(5, 4)"])
    rates = {"small": [0.0, 0.1], "large": [0.0, 6.0, 0.0]}
    yield plots.descent(lambda weight: (weight - 3) ** 2, rates, "Two rates")
    vectors = pd.DataFrame([[1.0, 0.0], [0.0, -2.0]], ["whiskey", "road"])
    yield plots.lookup_and_mean(vectors, pd.Series([1.0, -1.0], ["blues", "pop"]), "Two words")
    shares = pd.Series([0.2, 0.4], [0.0, 1.0])
    yield plots.functions_of_score({"data": shares, "line": shares}, "Shares", "energy", "share")
    yield plots.speeds({"slow": 900.0, "fast": 90000.0})
    fall = pd.Series([0.2, -0.1, 0.3], index=[0.001, 0.01, 0.1])
    yield plots.loss_against({"one": fall, "two": 2 * fall}, "learning rate", "Losses")
    curve = pd.Series([900.0, 90000.0], index=[8, 1024])
    yield plots.throughput({"one": curve, "two": 2 * curve}, "songs in a batch", limit=4096)


def test_every_figure_has_an_alternative_and_no_background(songs, trained):
    for figure in figures(songs, trained):
        content = json.loads(figure.to_json())["layout"]
        assert len(content["meta"]["alt"]) > 40 and "nan" not in content["meta"]["alt"]
        assert content["title"]["text"]
        assert content["paper_bgcolor"] == content["plot_bgcolor"] == "rgba(0, 0, 0, 0)"


def linear(colour: str) -> np.ndarray:
    """A colour's red, green and blue as amounts of light, each in [0, 1]; shape (3,)."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def contrast(colour: str, background: float) -> float:
    """Contrast ratio by WCAG 2.2 between a colour and a grey of the given luminance."""
    luminance = float(linear(colour) @ [0.2126, 0.7152, 0.0722])
    return (max(luminance, background) + 0.05) / (min(luminance, background) + 0.05)


WITH_OWN = plots.GENRE_COLOURS | {"an own genre": OWN_COLOUR}


def test_genre_colours_stand_out_from_light_and_dark():
    assert set(plots.GENRE_COLOURS) == set(plots.GENRE_SYMBOLS) == set(GENRES)
    assert len({*plots.GENRE_SYMBOLS.values(), OWN_SYMBOL}) == len(GENRES) + 1
    for colour in WITH_OWN.values():
        assert contrast(colour, 1.0) >= 3 and contrast(colour, 0.0085) >= 3  # #14171c


SEEN_BY = {  # Machado, Oliveira and Fernandes 2009: light as seen by the fully colour-blind
    "most": np.eye(3),
    "protanopes": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopes": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopes": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def oklab(light: np.ndarray) -> np.ndarray:
    """Linear light in OKLab (Ottosson 2020), where distances are as large as they look."""
    cones = np.cbrt(
        np.array(
            [
                [0.4122214708, 0.5363325363, 0.0514459929],
                [0.2119034982, 0.6806995451, 0.1073969566],
                [0.0883024619, 0.2817188376, 0.6299787005],
            ]
        )
        @ np.clip(light, 0, 1)
    )
    return (
        np.array(
            [
                [0.2104542553, 0.7936177850, -0.0040720468],
                [1.9779984951, -2.4285922050, 0.4505937099],
                [0.0259040371, 0.7827717662, -0.8086757660],
            ]
        )
        @ cones
    )


@pytest.mark.parametrize("reader", SEEN_BY)
def test_genre_colours_are_told_apart(reader):
    seen = {g: oklab(SEEN_BY[reader] @ linear(c)) for g, c in WITH_OWN.items()}
    near = {(a, b): np.linalg.norm(seen[a] - seen[b]) for a, b in combinations(seen, 2)}
    pair = min(near, key=near.get)
    assert near[pair] >= 0.07, f"{reader} hardly tell {' from '.join(pair)}: {near[pair]:.3f}"


def test_slurs_are_masked_where_words_are_shown(trained):
    classifier, _, _ = trained
    pull = genre_pull(classifier).iloc[:20]
    slur = "n" + "igga"
    pull = pull.rename(index={pull["hip hop"].idxmax(): slur})
    drawn = plots.strongest_words(pull).to_json()
    assert slur not in drawn and json.dumps("n∗∗∗a")[1:-1] in drawn
    assert plots.mask_slur("night") == "night"


def test_a_words_pull_is_what_it_does_to_a_song(trained):
    classifier, _, split = trained
    pull = genre_pull(classifier)
    assert np.allclose(pull.sum(axis=1), 0, atol=1e-4)
    for genre in GENRES:
        word = pull[genre].idxmax()
        assert classifier.predict_lyrics(word)[genre] > classifier.predict_lyrics("")[genre]


def test_neighbours_are_by_cosine(trained):
    vectors = word_vectors(trained[0])
    word = vectors.index[0]
    near = nearest_words(vectors, word, n=3)
    assert word not in near.index and near.is_monotonic_decreasing
    a, b = vectors.loc[word].to_numpy(), vectors.loc[near.index[0]].to_numpy()
    assert near.iloc[0] == pytest.approx(a @ b / np.linalg.norm(a) / np.linalg.norm(b), rel=1e-4)
    with pytest.raises(GenreLibError, match="does not have 'xyzzy'"):
        nearest_words(vectors, "xyzzy")


def test_components_hold_the_stated_share_of_the_variance(trained):
    vectors = word_vectors(trained[0])
    plane, shares = principal_components(vectors)
    kept = plane.var(ddof=0).sum() / vectors.var(ddof=0).sum()
    assert kept == pytest.approx(sum(shares), rel=1e-4)


def test_a_word_is_counted_once_a_song(trained):
    classifier, _, split = trained
    counts = word_counts(classifier, split.train)
    word = counts.idxmax()
    by_hand = split.train["lyrics"].str.split().map(lambda words: word in words).sum()
    assert counts[word] == by_hand
    others = split.train[["lyrics"]].assign(genre="schlager", energy=0.5)  # of no interest here
    assert word_counts(classifier, others).equals(counts)
    with pytest.raises(GenreLibError, match="this table has no lyrics"):
        word_counts(classifier, split.train[["energy"]])


def test_a_network_without_words_has_no_map(songs):
    classifier = GenreClassifier(get_recipe("course", "features"))
    with pytest.raises(GenreLibError, match="has not been trained"):
        word_vectors(classifier)
    classifier.network = classifier.recipe.build(vocabulary=0)
    with pytest.raises(GenreLibError, match="This features network has no layer called"):
        word_vectors(classifier)
    with pytest.raises(GenreLibError, match="this network has learned no words"):
        word_counts(classifier, songs)


def test_differences_are_drawn_with_their_intervals():
    ours = pd.DataFrame({"difference": [0.5, -2.0], "half_width": [1.0, 0.5]}, ["a", "b"])
    theirs = pd.DataFrame({"difference": [3.0], "half_width": [0.25]}, ["b"])
    figure = plots.differences({"by song": ours, "by artist": theirs}, "Gains", "points")
    first, second = figure.data
    assert list(first.x) == [0.5, -2.0] and list(first.error_x.array) == [1.0, 0.5]
    assert list(second.x) == [3.0] and list(second.error_x.array) == [0.25]
    assert 0 < first.y[0] < 1 < first.y[1] < second.y[0] < 2  # each below its name, none on another
    names = {note.text: note.y for note in figure.layout.annotations}
    assert names == {"a": 0, "b": 1}
    assert "a +0.50 ± 1.00" in figure.layout.meta["alt"]


def test_shares_of_a_decade_sum_to_one(songs):
    figure = plots.genres_by_decade(songs)
    shares = np.sum([np.asarray(bar.y, float) for bar in figure.data], axis=0)
    assert np.allclose(shares, 1, atol=1e-3)
    counted = sum(np.asarray(bar.customdata, float).sum() for bar in figure.data)
    assert counted == len(songs)


def test_steps_lie_on_the_loss():
    figure = plots.descent(lambda weight: (weight - 3) ** 2, {"small": [0.0, 0.5]}, "One rate")
    assert list(figure.data[1].x) == [0.0, 0.5] and list(figure.data[1].y) == [9.0, 6.25]


def test_the_row_below_the_words_is_their_mean():
    vectors = pd.DataFrame([[1.0, 0.0], [0.0, -2.0]], ["whiskey", "road"])
    figure = plots.lookup_and_mean(vectors, pd.Series([1.0, -1.0], ["blues", "pop"]), "Two words")
    assert np.allclose(figure.data[0].z, [[1, 0], [0, -2], [0.5, -1]])
    assert list(figure.data[1].x) == [1.0, -1.0]


def test_a_way_begins_at_the_base_rate_and_ends_at_the_ceiling():
    ceiling = pd.DataFrame({"network": [0.4], "ceiling": [0.5]}, ["lyrics"])
    lines = [list(trace.x) for trace in plots.way_covered(ceiling, 0.2).data]
    assert lines[:2] == [[0.2, 0.5], [0.2, 0.4]] and lines[2:] == [[0.4], [0.5]]


def test_a_map_names_words_that_do_not_cover_each_other(trained):
    classifier, _, _ = trained
    pull = genre_pull(classifier)
    plane, shares = principal_components(word_vectors(classifier))
    named = [
        (word, x, y)
        for trace in plots.word_map(plane, pull, shares).data
        for word, x, y in zip(trace.text, trace.x, trace.y, strict=True)
        if word
    ]
    across, up = (np.ptp(plane[axis]) for axis in "xy")
    for (_, x, y), (_, other_x, other_y) in combinations(named, 2):
        assert abs(x - other_x) > 0.119 * across or abs(y - other_y) > 0.039 * up
    assert len(named) == 25
    strongest = pull.max(axis=1).idxmax()
    assert plots.mask_slur(strongest) in [word for word, _, _ in named]


def test_attention_has_a_panel_for_each_head_and_names_who_is_looked_at_most():
    weights = np.full((2, 3, 3), 0.1)
    weights[0, :, 1] = weights[1, :, 2] = 0.8
    figure = plots.attention(weights, ["love", "whiskey", "fagot"])
    assert [panel.z[0][at] for panel, at in zip(figure.data, (1, 2), strict=True)] == [0.8, 0.8]
    alt = figure.layout.meta["alt"]
    assert "head 1, word 2 whiskey gets the largest share, 80%" in alt
    assert "fagot" not in str(figure) and "head 2, word 3 f" in alt
