"""Studies: cells that are run once, baselines, intervals, stored results."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from genre_lib import FEATURES, GENRES, GenreClassifier
from genre_lib.classifier.recipes import RECIPES
from genre_lib.cli.arguments import parser
from genre_lib.cli.main import main
from genre_lib.data.schema import TOPIC_FEATURES
from genre_lib.data.songs import strip_footer
from genre_lib.data.splits import split_songs
from genre_lib.errors import GenreLibError
from genre_lib.study import baselines
from genre_lib.study import plan as plan_module
from genre_lib.study import run as study
from genre_lib.study.baselines import BASELINES, full_stack, stack, words_and_form
from genre_lib.study.plan import Cell, plan
from genre_lib.study.results import read_result, write_result
from genre_lib.study.run import run_study
from genre_lib.study.tables import markdown_table, paired


@pytest.mark.parametrize("name", BASELINES)
def test_a_peer_answers_with_distributions(songs, name):
    pytest.importorskip({"fastText": "fasttext"}.get(name, "lightgbm"))
    split = split_songs(songs)
    probabilities = BASELINES[name][1](split.train, split.test)
    assert probabilities.shape == (len(split.test), 7)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-3)


def test_peers_learn(songs):
    rows = pd.DataFrame(
        [study.run_cell(songs, Cell(name, "artist", 0)) for name in BASELINES if name != "fastText"]
    ).set_index("model")
    weak = rows.loc["majority", "accuracy"]
    assert rows.loc["majority", "accuracy"] == pytest.approx(rows.loc["majority", "base_rate"])
    assert (rows.drop(index="majority")["accuracy"] > weak).all()


STACKS = [name for name, (_, f) in BASELINES.items() if f in (stack, full_stack, words_and_form)]


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_divides_by_artist_when_the_test_does(songs, monkeypatch, name):
    pytest.importorskip("lightgbm")
    seen = []
    monkeypatch.setattr(
        "genre_lib.study.baselines.cross_val_predict",
        lambda model, x, y, groups, cv, method: seen.append(groups) or np.full((len(y), 7), 1 / 7),
    )
    for by in ("song", "artist"):
        study.run_cell(songs, Cell(name, by, 0))
    assert seen[0] is None and seen[-1] is not None


def test_the_product_is_that_of_both_models_probabilities(songs):
    songs["lyrics"] = strip_footer(songs["lyrics"])
    split = split_songs(songs)
    lyrics, genre = split.train["lyrics"], split.train["genre"]
    first, second = (m.fit(lyrics, genre) for m in baselines._word_models())
    assert list(first.classes_) == list(second.classes_) == list(GENRES)
    expected = first.predict_proba(split.test["lyrics"]) * second.predict_proba(
        split.test["lyrics"]
    )
    expected /= expected.sum(axis=1, keepdims=True)
    assert np.allclose(baselines.product(split.train, split.test), expected)


def test_trees_with_n_get_it_from_the_topics(songs, monkeypatch):
    seen = trees_that_listen(monkeypatch)
    baselines.boosting_with_n(songs, songs[:1])
    inputs, _ = seen.pop()
    assert inputs.shape[1] == len(FEATURES) + 2
    smallest = songs[list(TOPIC_FEATURES)].min(axis=1)
    assert np.allclose(inputs[:, -2], 1 / (19 * smallest) - 1, rtol=1e-4)
    assert np.allclose(inputs[:, -1], 1 - songs[list(TOPIC_FEATURES)].sum(axis=1), atol=1e-6)


def test_trees_with_form_get_that_of_lyrics_without_footer(songs, monkeypatch):
    pytest.importorskip("lightgbm")
    seen = trees_that_listen(monkeypatch)
    songs["lyrics"] = strip_footer(songs["lyrics"])
    footer = songs.assign(lyrics=songs["lyrics"] + " lyric commercial")
    for function in (words_and_form, full_stack):
        function(songs, songs[:1])
        function(footer, footer[:1])
        with_footer, without = seen.pop()[0], seen.pop()[0]
        assert np.array_equal(with_footer, without)
        assert np.array_equal(without[:, 14], songs["lyrics"].str.split().str.len())


def test_a_stopped_study_goes_on_where_it_was(songs, tmp_path, monkeypatch):
    cells = [Cell("majority", "song", seed) for seed in range(3)]
    path = tmp_path / "study.json"
    real, calls = study.run_cell, []

    def run_cell(table, cell, device):
        calls.append(cell.seed)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(table, cell, device)

    monkeypatch.setattr(study, "run_cell", run_cell)
    with pytest.raises(KeyboardInterrupt):
        run_study(songs, cells, path, "command", progress=False)
    assert len(json.loads(path.read_text())["cells"]) == 2
    rows = run_study(songs, cells, path, "command", progress=False)
    assert calls == [0, 1, 2, 2] and rows["seed"].tolist() == [0, 1, 2]
    assert markdown_table(rows).count("\n") == 2


def test_a_study_is_not_mixed_with_other_songs(songs, tmp_path):
    path = tmp_path / "study.json"
    run_study(songs, [Cell("majority", "song", 0)], path, "command", progress=False)
    others = songs.head(len(songs) - 1)
    with pytest.raises(GenreLibError, match="choose another file"):
        run_study(others, [Cell("majority", "song", 1)], path, "command", progress=False)
    path.write_text("{}")
    with pytest.raises(GenreLibError, match="not a study's file"):
        run_study(songs, [], path, "command", progress=False)


def test_the_plan_holds_every_model_split_and_seed():
    cells = plan()
    standard = [c for c in cells if c.variant == "standard"]
    assert len(standard) == len(set(standard)) == (len(BASELINES) + 6) * 2 * 5
    assert {c.variant for c in cells} == {"standard", *plan_module.VARIANTS}
    recipes = [plan_module.cell_recipe(c) for c in cells if c.model not in BASELINES]
    lyrics = torch.randint(0, 50, (3, 20), dtype=torch.int32)
    for recipe in recipes:  # each variant's changes fit its network
        logits = recipe.build(50)(lyrics, torch.rand(3, len(recipe.features)))
        assert logits.shape[-1] == 7


def test_a_paired_difference_leaves_the_splits_out_of_it():
    rows = pd.DataFrame(
        [
            {"model": m, "split": "song", "seed": s, "variant": "standard", "accuracy": a}
            for s, base in enumerate([0.3, 0.5, 0.7])
            for m, a in (("ours", base + 0.01), ("theirs", base))
        ]
    )
    mean, half = paired(rows, "ours", "theirs", "song")
    assert mean == pytest.approx(0.01) and half == pytest.approx(0, abs=1e-9)


def test_a_stored_result_carries_its_circumstances(tmp_path):
    path = tmp_path / "results" / "mine.json"
    write_result(path, "python mine.py", "3 songs", 3, accuracy=0.5)
    stored = json.loads(path.read_text())
    assert {"command", "date", "data", "rows", "device", "versions", "accuracy"} <= set(stored)
    with pytest.raises(TypeError):
        write_result(path, "python mine.py", "3 songs", 3, accuracy=object())
    assert json.loads(path.read_text()) == stored
    with pytest.raises(GenreLibError, match="did you mean 'original'"):
        read_result("orignal")


LEARNERS = [" ".join(name) for name in RECIPES if name[0] != "original"]


@pytest.mark.parametrize("model", [*BASELINES, *LEARNERS])
@pytest.mark.parametrize("by", ["song", "artist"])
def test_nothing_in_a_cell_learns_from_its_test_songs(songs, monkeypatch, model, by):
    learned = []
    fit = GenreClassifier.fit

    def fit_a_recorded_table(classifier, train, validation=None, **settings):
        learned.extend([train, *([validation] if validation is not None else [])])
        return fit(classifier, train, validation, **settings)

    def recorded(train, scored, **settings):
        learned.append(train)
        return np.full((len(scored), 7), 1 / 7)

    monkeypatch.setattr(GenreClassifier, "fit", fit_a_recorded_table)
    if model in BASELINES:
        monkeypatch.setitem(BASELINES, model, (BASELINES[model][0], recorded))
    study.run_cell(songs, Cell(model, by, 3), "cpu")
    split = split_songs(songs, by, 3)
    seen = pd.concat(learned).index
    assert not set(seen) & set(split.test.index)
    assert sorted(seen) == sorted([*split.train.index, *split.validation.index])


@pytest.mark.parametrize("name", BASELINES)
def test_a_peer_learns_nothing_from_the_songs_that_it_scores(songs, name):
    pytest.importorskip({"fastText": "fasttext"}.get(name, "lightgbm"))
    split, peer = split_songs(songs), BASELINES[name][1]
    unlabelled = split.test.drop(columns="genre")
    assert np.allclose(peer(split.train, unlabelled)[:40], peer(split.train, unlabelled[:40]))


def trees_that_listen(monkeypatch):
    """Put trees that learn nothing in place of LightGBM; return the list of what they hear."""
    heard = []

    class Trees:
        classes_ = sorted(GENRES)

        def fit(self, inputs, genre):
            heard.append((inputs, genre))
            return self

        def predict_proba(self, inputs):
            return np.full((len(inputs), 7), 1 / 7)

    monkeypatch.setattr(baselines, "_boosting_model", Trees)
    return heard


@pytest.mark.parametrize("name", STACKS)
def test_a_stack_s_trees_hear_of_a_song_only_from_models_that_did_not_see_it(
    songs, monkeypatch, name
):
    songs["genre"] = songs["genre"].sample(frac=1, random_state=0).to_numpy()  # nothing to learn
    heard = trees_that_listen(monkeypatch)
    for by in ("song", "artist"):
        BASELINES[name][1](songs, songs[:1], by=by)
        inputs, genre = heard.pop()
        for start in range(0, 7 if name == "LightGBM stack" else 14, 7):
            said = np.array(sorted(GENRES))[inputs[:, start : start + 7].argmax(axis=1)]
            right = (said == genre).mean()
            assert right < songs["genre"].value_counts(normalize=True).max() + 0.05


@pytest.mark.parametrize("column", ["genre", "lyrics", *FEATURES])
def test_the_identity_of_songs_depends_on_all_that_is_learned_from(songs, column):
    other = songs.copy()
    other.loc[7, column] = {"genre": "jazz", "lyrics": "other words"}.get(column, 0.123456)
    assert study.songs_identity(other) != study.songs_identity(songs)


def test_the_identity_of_songs_depends_on_all_that_splits_are_made_by(songs):
    same = study.songs_identity(songs.copy())
    assert same == study.songs_identity(songs)
    for column, value in (("artist_name", "another"), ("release_date", 1950)):
        assert study.songs_identity(songs.assign(**{column: value})) != same
    assert study.songs_identity(songs[::-1]) != same


def test_a_study_s_file_has_the_command_that_makes_it_again(songs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    songs.to_csv("my songs.csv", index=False)
    monkeypatch.setattr(plan_module, "plan", lambda *_, **__: [Cell("majority", "song", 0)])
    given = ["--split", "artist", "--split", "song", "--seeds", "3", "--no-ablations"]
    given += ["--device", "cpu", "--data", "my songs.csv", "--out", "study.json"]
    assert main(["study", *given]) == 0
    command = json.loads(Path("study.json").read_text())["command"]
    asked, stored = parser().parse_args(["study", *given]), shlex.split(command)
    assert stored[0] == "genre-lib" and parser().parse_args(stored[1:]) == asked


def test_a_cell_is_repeatable_and_its_seed_is_that_of_split_and_run(songs):
    cells = [Cell("course features", "song", seed) for seed in (1, 1, 2)]
    first, again, other = (study.run_cell(songs, cell, "cpu") for cell in cells)
    for row in (first, again, other):
        assert row.pop("seconds") > 0
    assert first == again != other | {"seed": 1}
    assert (first["model"], first["split"], first["variant"]) == (
        "course features",
        "song",
        "standard",
    )


@pytest.mark.parametrize("variant", plan_module.VARIANTS)
def test_a_variant_changes_what_it_says_and_nothing_else(variant):
    tasks, *changes = plan_module.VARIANTS[variant]
    for task in tasks:
        plain = plan_module.cell_recipe(Cell(f"course {task}", "song", 0))
        changed = plan_module.cell_recipe(Cell(f"course {task}", "song", 0, variant))
        assert changed != plain and changed.network is plain.network
        for part, change in zip(("encoder", "layers", "training"), changes, strict=True):
            assert getattr(changed, part) == getattr(plain, part) | change


def test_the_table_of_a_study_has_means_and_deviations_over_seeds():
    measures = {"macro_f1": 0.4, "top2_accuracy": 0.6, "calibration_error": 0.1, "seconds": 2.0}
    rows = pd.DataFrame(
        [
            {"model": "ours", "split": "song", "seed": s, "variant": "standard", "accuracy": a}
            | measures
            | {"base_rate": 0.2}
            for s, a in enumerate([0.3, 0.5])
        ]
    )
    (row,) = markdown_table(rows).splitlines()[2:]
    assert row == (
        "| song | standard | ours | 40.0 ± 14.1 | 40.0 ± 0.0 | 60.0 ± 0.0 | 10.0 ± 0.0 | 2.0 |"
    )
