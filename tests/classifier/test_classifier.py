"""A classifier on disk, and what is said of a folder that is not one."""

from __future__ import annotations

import dataclasses
import json
import os

import numpy as np
import pytest
import torch

from genre_lib import GENRES, GenreClassifier, get_recipe, split_songs
from genre_lib.classifier.recipes import Recipe
from genre_lib.classifier.run_folder import CARD, ENCODER, RUN, WEIGHTS
from genre_lib.errors import GenreLibError, SongsError

QUIET = {"device": "cpu", "progress": False}


@pytest.fixture(scope="module")
def run(session_songs, tmp_path_factory):
    """A lyrics classifier, and the folder that it was saved in."""
    split = split_songs(session_songs)
    classifier = GenreClassifier(get_recipe("course", "lyrics"))
    classifier.fit(split.train, split.validation, **QUIET)
    folder = tmp_path_factory.mktemp("runs") / "lyrics"
    classifier.save(folder)
    return classifier, folder


@pytest.fixture
def folder(run, tmp_path):
    """A copy of the run folder, so that a test may spoil it."""
    run[0].save(tmp_path / "run")
    return tmp_path / "run"


def test_a_run_is_at_home_in_any_folder(run, tmp_path, monkeypatch):
    """A name from a disk with another encoding; a home folder that no shell has expanded."""
    classifier, _ = run
    monkeypatch.setenv("HOME", str(tmp_path))
    odd = os.fsdecode(b"L\xe4der")
    monkeypatch.setitem(classifier.notes, "data", f"3 songs from the file {odd}.csv")
    for folder in (tmp_path / odd, "~/run"):
        classifier.save(folder)
        assert GenreClassifier.load(folder, "cpu").encoder.words == classifier.encoder.words
    assert (tmp_path / "run").is_dir()
    with pytest.raises(GenreLibError, match="/ has other files"):
        classifier.save("/")


def test_what_is_loaded_predicts_what_was_saved(run, songs):
    classifier, folder = run
    twin = GenreClassifier.load(folder, device="cpu")
    expected, found = classifier.predict(songs), twin.predict(songs)
    assert np.array_equal(expected[list(GENRES)], found[list(GENRES)])
    assert twin.recipe == classifier.recipe
    assert sorted(p.name for p in folder.iterdir()) == sorted([RUN, ENCODER, WEIGHTS, CARD])


def test_the_card_says_how_good_the_network_is_or_that_nobody_noted_it(run, songs, tmp_path):
    classifier, folder = run
    card = (folder / CARD).read_text()
    assert "`course lyrics`" in card and "No accuracy is recorded" in card
    report = classifier.evaluate(songs)
    noted = GenreClassifier.load(folder, device="cpu")
    noted.notes = {"data": "my songs", "split": "artist", "seed": 3, "test": report.summary()}
    noted.save(tmp_path / "noted")
    card = (tmp_path / "noted" / CARD).read_text()
    assert "Trained on: my songs." in card and "songs by new artists" in card
    assert f"| test | 1,500 | {report.accuracy:.1%} | {report.base_rate:.1%} |" in card
    (folder / CARD).unlink()  # not needed to load the run
    assert GenreClassifier.load(folder, device="cpu").recipe == classifier.recipe
    classifier.save(folder)


def test_a_prediction_is_a_distribution_and_its_largest_part(run, songs):
    table = run[0].predict(songs[["lyrics"]].sample(50, random_state=0))
    assert np.allclose(table[list(GENRES)].sum(axis=1), 1)
    assert (table["predicted"] == table[list(GENRES)].idxmax(axis=1)).all()
    assert table.index.equals(songs.sample(50, random_state=0).index)


@pytest.mark.parametrize("text", ["love me tonight", "xyzzy qwertz", "", "🎵 ♫", "лирика 가사"])
def test_any_typed_line_gets_a_prediction(run, text):
    answer = run[0].predict_lyrics(text)
    assert set(answer.index) == set(GENRES)
    assert answer.sum() == pytest.approx(1) and answer.is_monotonic_decreasing


def test_a_network_that_needs_scores_says_so(songs):
    classifier = GenreClassifier(get_recipe("course", "features"))
    with pytest.raises(SongsError, match="needs the scores of a song"):
        classifier.predict_lyrics("love")
    with pytest.raises(SongsError, match="'energy'"):
        classifier.fit(songs.drop(columns="energy"))
    with pytest.raises(GenreLibError, match="not been trained"):
        classifier.predict(songs)


@pytest.mark.parametrize("name", [RUN, ENCODER, WEIGHTS])
def test_an_incomplete_folder_names_what_is_missing(folder, name):
    (folder / name).unlink()
    with pytest.raises(GenreLibError, match=f"incomplete, {name}"):
        GenreClassifier.load(folder)


@pytest.mark.parametrize("name", [RUN, ENCODER, WEIGHTS])
def test_a_damaged_file_is_noticed(folder, name):
    path = folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(GenreLibError, match="train again"):
        GenreClassifier.load(folder)


def test_another_version_is_noticed(folder):
    run = json.loads((folder / RUN).read_text())
    (folder / RUN).write_text(json.dumps(run | {"format": 99}))
    with pytest.raises(GenreLibError, match="another version"):
        GenreClassifier.load(folder)
    with pytest.raises(GenreLibError, match="no run folder"):
        GenreClassifier.load(folder / "nowhere")


def test_an_encoder_of_another_run_is_noticed(folder):
    encoder = json.loads((folder / ENCODER).read_text())
    encoder["words"].append("onewordmore")
    (folder / ENCODER).write_text(json.dumps(encoder))
    with pytest.raises(GenreLibError, match="belongs to another run"):
        GenreClassifier.load(folder)


def test_saving_replaces_a_run_but_nothing_else(run, folder, tmp_path):
    run[0].save(folder)
    GenreClassifier.load(folder)
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(GenreLibError, match="other files"):
        run[0].save(folder)
    assert (folder / "thesis.txt").read_text() == "mine"
    with pytest.raises(GenreLibError, match="is a file"):
        run[0].save(folder / "thesis.txt")
    assert not list(tmp_path.glob(".run-*"))


def test_nothing_but_safetensors_and_json_is_written(folder):
    json.loads((folder / RUN).read_text())
    json.loads((folder / ENCODER).read_text())
    assert (folder / WEIGHTS).read_bytes()[8:9] == b"{"


def test_a_loaded_network_answers_and_does_not_learn(folder):
    assert not GenreClassifier.load(folder, device="cpu").network.training


@pytest.mark.parametrize("task", ["lyrics", "features", "combined"])
def test_vocabulary_and_scaling_are_learned_from_the_training_songs_alone(songs, task):
    split = split_songs(songs)
    spoiled = split.validation.copy()
    spoiled["lyrics"] += " validationword"
    spoiled["energy"] = 1.0
    classifiers = []
    for validation in (split.validation, spoiled):
        classifiers.append(GenreClassifier(get_recipe("first", task)))
        classifiers[-1].fit(split.train, validation, **QUIET)
    plain, other = (classifier.encoder for classifier in classifiers)
    assert plain.words == other.words
    assert np.array_equal(plain.mean, other.mean)
    assert np.array_equal(plain.deviation, other.deviation)


class MyNetwork(torch.nn.Module):
    """A student's own network."""

    sees = ("features",)

    def __init__(self, features, width=4):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(features, width), torch.nn.ReLU(), torch.nn.Linear(width, 7)
        )

    def forward(self, lyrics, features):
        return self.layers(features)


def test_a_network_of_one_s_own_is_trained_saved_and_loaded(songs, tmp_path):
    recipe = Recipe("mine", "features", MyNetwork, layers={"width": 5})
    recipe.training.update(epochs=1, batch_size=100)
    classifier = GenreClassifier(recipe)
    classifier.fit(songs, **QUIET)
    classifier.save(tmp_path / "mine")
    with pytest.raises(GenreLibError, match="run is a MyNetwork: give that class"):
        GenreClassifier.load(tmp_path / "mine")
    with pytest.raises(GenreLibError, match="run is a MyNetwork: give that class"):
        GenreClassifier.load(tmp_path / "mine", network=torch.nn.Linear)
    twin = GenreClassifier.load(tmp_path / "mine", "cpu", network=MyNetwork)
    assert twin.recipe == recipe and twin.predict(songs).equals(classifier.predict(songs))


def test_a_network_that_does_not_say_what_it_looks_at_is_refused():
    with pytest.raises(GenreLibError, match="Linear does not say what it looks at"):
        Recipe("mine", "features", torch.nn.Linear)
    blind = type("Blind", (MyNetwork,), {"sees": ()})
    with pytest.raises(GenreLibError, match="Blind does not say what it looks at"):
        Recipe("mine", "features", blind)


def test_a_network_of_one_s_own_is_not_taken_for_one_of_the_course_s():
    twin = type("FeaturesNetwork", (MyNetwork,), {})
    with pytest.raises(GenreLibError, match="The course has a network FeaturesNetwork: give"):
        Recipe("mine", "features", twin)


def test_a_network_gets_the_sizes_of_what_the_encoder_makes(songs):
    recipe = get_recipe("original", "combined")
    encoder = recipe.encoder | {"max_tokens": 30, "features": ("energy", "valence")}
    classifier = GenreClassifier(dataclasses.replace(recipe, encoder=encoder))
    classifier.fit(songs, epochs=1, batch_size=500, **QUIET)
    assert classifier.predict(songs).shape == (1500, 8)


def test_an_old_network_is_not_used_with_a_new_vocabulary(songs):
    classifier = GenreClassifier(get_recipe("course", "lyrics"))
    classifier.fit(songs, epochs=1, **QUIET)
    with pytest.raises(SongsError, match="needs the column 'lyrics'"):
        classifier.fit(songs.head(700), songs[["genre"]], epochs=1, **QUIET)
    with pytest.raises(GenreLibError, match="has not been trained"):
        classifier.predict(songs)


def test_songs_of_an_unknown_genre_can_be_predicted(run, songs):
    unknown = songs.head(3).assign(genre="schlager")
    assert run[0].predict(unknown).equals(run[0].predict(songs.head(3)))
