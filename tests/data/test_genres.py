"""Tables that know an eighth genre, or three: from the file to the network and back."""

from __future__ import annotations

import pandas as pd
import pytest

from genre_lib import (
    FEATURES,
    GENRES,
    GenreClassifier,
    SongEncoder,
    add_songs,
    evaluate,
    get_recipe,
    plots,
    with_genres,
)
from genre_lib.classifier.recipes import RECIPES
from genre_lib.classifier.words import genre_pull
from genre_lib.data.genres import genres_of
from genre_lib.errors import GenreLibError, SongsError
from genre_lib.study.baselines import majority, tfidf


def new_songs(songs: pd.DataFrame) -> pd.DataFrame:
    """Sixty songs of another genre, with words of their own."""
    new = songs[songs["genre"] == "reggae"].head(60).assign(genre="shanty")
    return new.assign(lyrics=new["lyrics"] + " anchor harbour sail anchor")


@pytest.fixture
def eight(songs, tmp_path) -> pd.DataFrame:
    new_songs(songs).to_csv(tmp_path / "my.csv", index=False)
    return add_songs(songs.head(300), tmp_path / "my.csv", "shanty")


def trained(songs, name="course", task="lyrics"):
    classifier = GenreClassifier(get_recipe(name, task))
    settings = {"patience": None} if "patience" in classifier.recipe.training else {}
    classifier.fit(songs, epochs=1, device="cpu", progress=False, **settings)
    return classifier


def test_a_new_genre_comes_after_the_seven_and_stays_with_the_table(eight):
    assert genres_of(eight) == (*GENRES, "shanty") and len(eight) == 360
    assert genres_of(eight[eight["genre"] == "pop"][["genre", "lyrics"]]) == genres_of(eight)
    assert genres_of(pd.concat([eight.head(5), eight.tail(5)])) == genres_of(eight)
    assert eight.attrs["source"].endswith("and 60 songs from the file my.csv")


@pytest.mark.parametrize(("name", "task"), RECIPES)
@pytest.mark.parametrize("count", [8, 3])
def test_every_recipe_learns_saves_and_answers(eight, tmp_path, name, task, count):
    songs = eight if count == 8 else with_genres(eight, ["rock", "shanty", "jazz"])
    genres = genres_of(songs)
    classifier = trained(songs, name, task)
    report = classifier.evaluate(songs)
    assert report.probabilities.shape == (len(songs), count)
    assert tuple(report.confusion.columns) == genres and report.confusion.to_numpy().sum() == len(
        songs
    )
    classifier.save(tmp_path / "run")
    loaded = GenreClassifier.load(tmp_path / "run", "cpu")
    assert loaded.encoder.genres == genres
    predicted = loaded.predict(songs.head(7))
    assert list(predicted.columns) == ["predicted", *genres]
    pd.testing.assert_frame_equal(predicted, classifier.predict(songs.head(7)))
    assert ", ".join(genres) in (tmp_path / "run" / "README.md").read_text()


def test_words_and_figures_know_the_new_genre(eight):
    pull = genre_pull(trained(eight))
    assert list(pull.columns) == [*GENRES, "shanty"]
    drawn = [plots.strongest_words(pull), plots.genre_shares(eight), plots.genres_by_decade(eight)]
    assert all("shanty" in figure.layout.meta["alt"] for figure in drawn)
    assert "shanty" in [a.text for a in drawn[0].layout.annotations]


def test_baselines_answer_for_the_new_genre(eight):
    assert majority(eight, eight).shape == (360, 8)
    found = tfidf(eight, eight)
    assert found.shape == (360, 8) and found[300:, 7].mean() > found[:300, 7].mean()


# From the library before genres became data; the same settings, songs and seed.
BEFORE = {
    ("original", "combined"): 1.843634,
    ("first", "combined"): 1.855577,
    ("course", "lyrics"): 1.921493,
    ("course", "features"): 1.942739,
    ("course", "combined"): 1.915275,
}


@pytest.mark.parametrize(("name", "task"), BEFORE)
def test_seven_genres_give_the_numbers_that_they_gave(name, task):
    from genre_lib import make_songs

    songs = make_songs(400, seed=3)
    classifier = GenreClassifier(get_recipe(name, task))
    settings = {"patience": None} if name == "first" else {}
    classifier.fit(songs[:300], epochs=2, seed=1, device="cpu", progress=False, **settings)
    assert classifier.evaluate(songs[300:]).loss == pytest.approx(BEFORE[name, task], abs=2e-4)


def test_a_typo_never_becomes_a_genre(songs, tmp_path):
    new = new_songs(songs)
    new.assign(genre=["shnty", *new["genre"][1:]]).to_csv(tmp_path / "my.csv", index=False)
    with pytest.raises(SongsError, match="row 1: 'shnty' .* did you mean 'shanty'"):
        add_songs(songs, tmp_path / "my.csv", "shanty")
    with pytest.raises(SongsError, match="too close to 'hip hop'"):
        add_songs(songs, tmp_path / "my.csv", "hiphop")
    songs.loc[0, "genre"] = "hiphop"
    with pytest.raises(SongsError, match="did you mean 'hip hop'"):
        SongEncoder().fit_encode(songs)


def test_a_song_that_is_there_already_or_is_of_no_new_genre_is_named(songs, tmp_path):
    path = tmp_path / "my.csv"
    new = new_songs(songs)
    pd.concat([new, songs.iloc[[7]]]).to_csv(path, index=False)
    with pytest.raises(SongsError, match=r"my.csv, row 61: this song is in the table already"):
        add_songs(songs, path, "shanty")
    new.assign(genre="pop").to_csv(path, index=False)
    with pytest.raises(SongsError, match=r"my.csv has no song of the genre 'shanty'"):
        add_songs(songs, path, "shanty")


def test_songs_may_be_added_to_a_table_with_few_columns(songs, tmp_path):
    new_songs(songs).to_csv(tmp_path / "my.csv", index=False)
    lean = songs[["genre", "lyrics"]]
    assert len(add_songs(lean, tmp_path / "my.csv", "shanty")) == len(songs) + 60


def test_missing_scores_leave_the_lyrics_network(songs, tmp_path):
    new_songs(songs).drop(columns=list(FEATURES)).to_csv(tmp_path / "my.csv", index=False)
    eight = add_songs(songs.head(300), tmp_path / "my.csv", "shanty")
    assert trained(eight).evaluate(eight).songs == 360
    with pytest.raises(SongsError, match="nan for 'dating': correct it"):
        trained(eight, "course", "features")


def test_a_network_for_other_genres_is_named(eight, songs):
    seven = trained(songs.head(300))
    encoded = SongEncoder().fit_encode(eight)
    with pytest.raises(GenreLibError, match="7 outputs, but these songs have 8"):
        evaluate(seven.trained, encoded)


def test_three_genres_must_be_known_and_two(songs):
    with pytest.raises(SongsError, match="no genre 'jaz'"):
        with_genres(songs, ["jaz", "pop"])
    with pytest.raises(SongsError, match="two or more"):
        with_genres(songs, ["pop"])
