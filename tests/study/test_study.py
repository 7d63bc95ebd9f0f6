"""Studies: cells that are run once, baselines, intervals, stored results."""

from __future__ import annotations

import dataclasses
import json
import shlex
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from genre_lib import FEATURES, GENRES, GenreClassifier
from genre_lib.classifier.recipes import RECIPES
from genre_lib.cli.arguments import parser
from genre_lib.cli.main import main
from genre_lib.data.schema import FOOTER, TOPIC_FEATURES
from genre_lib.data.songs import has_footer, strip_footer
from genre_lib.data.splits import split_songs
from genre_lib.errors import GenreLibError
from genre_lib.evaluation.intervals import interval_over_splits
from genre_lib.study import baselines
from genre_lib.study import plan as plan_module
from genre_lib.study import run as study
from genre_lib.study.baselines import BASELINES, full_stack, stack, words_and_form
from genre_lib.study.plan import Cell, plan
from genre_lib.study.results import read_result, write_result
from genre_lib.study.run import run_study
from genre_lib.study.tables import compare, markdown_table, overall, summarise


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
    assert rows.loc["majority", "accuracy"] == pytest.approx(rows.loc["majority", "base_rate"])
    # Of few songs, words tell little beyond the majority; but no genre is the answer to all.
    weak = rows.loc["majority", "macro_f1"]
    assert (rows.drop(index="majority")["macro_f1"] > 2 * weak).all()


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


def test_rows_are_in_the_order_of_the_plan_after_those_that_it_does_not_have(songs, tmp_path):
    path = tmp_path / "study.json"
    cells = [Cell("majority", "song", seed) for seed in range(4)]
    run_study(songs, [cells[3], cells[2], cells[0]], path, "command", progress=False)
    rows = run_study(songs, cells[:3], path, "command", progress=False)
    assert rows["seed"].tolist() == [3, 0, 1, 2]


def test_a_finished_study_runs_nothing(songs, tmp_path):
    cells = [Cell("majority", "song", 0)]
    first = run_study(songs, cells, tmp_path / "study.json", "command", progress=False)

    def fail(*_):
        raise AssertionError("a cluster would be started for nothing")

    again = run_study(
        songs, cells, tmp_path / "study.json", "command", run_cells=fail, progress=False
    )
    assert again.equals(first)


def test_a_study_says_what_it_was_made_from_and_shows_where_it_is(songs, tmp_path, capsys):
    path = tmp_path / "study.json"
    songs.attrs["source"] = "my songs"
    run_study(songs, [Cell("majority", "song", 0)], path, "my command")
    stored = json.loads(path.read_text())
    assert (stored["command"], stored["data"], stored["rows"]) == ("my command", "my songs", 1500)
    assert stored["baseline_versions"]["lightgbm"]
    shown = capsys.readouterr().err
    assert "1/1" in shown and "cell/s" in shown and "last: majority, song 0, standard" in shown
    run_study(songs, [Cell("majority", "song", 1)], path, "my command", progress=False)
    assert not capsys.readouterr().err


def test_cells_run_on_the_device_that_was_asked_for(songs, tmp_path, monkeypatch):
    asked, run = [], study.run_cell
    monkeypatch.setattr(
        study, "run_cell", lambda *given: asked.append(given[2]) or run(*given[:2], "cpu")
    )
    run_study(
        songs, [Cell("majority", "song", 0)], tmp_path / "s.json", "command", "cpu", progress=False
    )
    assert asked == ["cpu"]


def test_a_cell_runs_on_the_fastest_device_if_none_is_named(songs, monkeypatch):
    asked, fit = [], GenreClassifier.fit

    def fit_on_the_cpu(*given, device, **settings):
        asked.append(device)
        return fit(*given, device="cpu", **settings)

    monkeypatch.setattr(GenreClassifier, "fit", fit_on_the_cpu)
    study.run_cell(songs, Cell("course features", "song", 0))
    assert asked == ["auto"]


def test_a_baseline_is_judged_by_the_right_genres_where_some_are_missing(songs, monkeypatch):
    songs = songs[songs["genre"].isin(["jazz", "rock"])]
    truth = songs["genre"].map(GENRES.index)
    monkeypatch.setitem(
        BASELINES, "majority", ("none", lambda _, scored: np.eye(7)[truth[scored.index]])
    )
    assert study.run_cell(songs, Cell("majority", "song", 0))["accuracy"] == 1


@pytest.mark.parametrize("name", ["study", "study.txt", "study.json/"])
def test_a_study_s_file_is_a_json_file(tmp_path, name):
    if name.endswith("/"):
        (tmp_path / name).mkdir()
    with pytest.raises(GenreLibError, match="ends in .json"):
        study.check_study_target(tmp_path / name)


def test_a_study_s_table_replaces_only_its_own(tmp_path):
    (tmp_path / "study.md").write_text("my notes")
    with pytest.raises(GenreLibError, match="would replace"):
        study.check_study_target(tmp_path / "study.json")
    (tmp_path / "study.json").write_text("{}")
    assert study.check_study_target(tmp_path / "study.json") == tmp_path / "study.json"


def test_a_study_s_file_with_incomplete_rows_is_refused(songs, tmp_path):
    path = tmp_path / "study.json"
    run_study(songs, [Cell("majority", "song", 0)], path, "command", progress=False)
    stored = json.loads(path.read_text())
    del stored["cells"][0]["seed"]
    path.write_text(json.dumps(stored))
    with pytest.raises(GenreLibError, match="not a study's file"):
        run_study(songs, [], path, "command", progress=False)


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
    assert len(cells) == len(set(cells))
    standard = [c for c in cells if c.variant == "standard"]
    finalists = [c for c in standard if not c.model.startswith(("first", "attention"))]
    assert len(finalists) == (len(BASELINES) + 3) * 2 * 2 * 20
    assert len(standard) - len(finalists) == 4 * 2 * 2 * 5
    assert {c.variant for c in cells} == {"standard", "plain mean", *plan_module.VARIANTS}
    changed = [c for c in cells if c.variant != "standard"]
    assert {(c.seed, c.split) for c in changed} == {(seed, "song") for seed in range(5)}


def test_the_changes_of_each_variant_fit_its_network():
    cells = {(c.model, c.variant): c for c in plan(seeds=1) if c.model not in BASELINES}
    lyrics = torch.randint(0, 50, (3, 20), dtype=torch.int32)
    for recipe in sum(map(plan_module.cell_recipes, cells.values()), []):
        logits = recipe.build(50)(lyrics, torch.rand(3, len(recipe.features)))
        assert logits.shape[-1] == 7


def invented_rows(**accuracies):
    """Rows of a study by song on all songs, from accuracies of the splits 0, 1, … by model."""
    key = {"split": "song", "collection": "all songs", "variant": "standard"}
    return pd.DataFrame(
        [
            key | {"model": model, "seed": seed, "accuracy": accuracy}
            for model, found in accuracies.items()
            for seed, accuracy in enumerate(found)
        ]
    )


def test_a_paired_difference_leaves_the_splits_out_of_it():
    rows = invented_rows(ours=[0.31, 0.51, 0.71], theirs=[0.3, 0.5, 0.7])
    (row,) = compare(rows, [("ours", "theirs")]).to_dict("records")
    assert row.pop("half_width") == pytest.approx(0, abs=1e-9)
    assert row == {
        "model": "ours",
        "other": "theirs",
        "split": "song",
        "collection": "all songs",
        "difference": pytest.approx(1),
        "splits": 3,
        "verdict": "better",
    }


def test_models_are_compared_on_the_splits_that_both_have():
    rows = invented_rows(ours=[0.31, 0.53], theirs=[0.3, 0.5, 0.9], once=[0.4])
    alone = invented_rows(theirs=[0.5, 0.6]).assign(split="artist")
    once = invented_rows(ours=[0.4], theirs=[0.5]).assign(split="year")
    rows = pd.concat([alone, once, rows])
    pairs = [("ours", "unknown"), ("ours", "once"), ("ours", "theirs")]
    (row,) = compare(rows, pairs).to_dict("records")
    mean, half = interval_over_splits([1.0, 3.0])
    assert row["split"] == "song"  # in the others, they have fewer than two splits in common
    assert (row["splits"], row["difference"]) == (2, pytest.approx(mean))
    assert row["half_width"] == pytest.approx(half) and row["verdict"] == "level"


@pytest.mark.parametrize("measure", ["loss", "calibration_error", "seconds"])
def test_less_loss_is_better(measure):
    rows = invented_rows(ours=[1.3, 1.4], theirs=[1.5, 1.6]).rename(columns={"accuracy": measure})
    (row,) = compare(rows, [("ours", "theirs")], measure).to_dict("records")
    assert row["difference"] == pytest.approx(-20) and row["verdict"] == "better"


def test_better_is_better_everywhere():
    rows = invented_rows(ours=[0.3, 0.31], theirs=[0.2, 0.21])
    worse = rows.assign(collection="without footer", accuracy=1 - rows["accuracy"])
    found = compare(pd.concat([rows, worse]), [("ours", "theirs")])["verdict"]
    assert list(found) == ["better", "worse"] and overall(found) == "level"
    everywhere = [rows.assign(collection=c, split=s) for c in plan_module.COLLECTIONS for s in "ab"]
    assert overall(compare(pd.concat(everywhere), [("ours", "theirs")])["verdict"]) == "better"
    half = compare(pd.concat(everywhere[:2]), [("ours", "theirs")])["verdict"]
    assert list(half) == ["better", "better"] and overall(half) == "level"


def test_a_cell_without_footer_neither_learns_from_nor_is_tested_on_footer_songs(
    songs, monkeypatch
):
    plain = strip_footer(songs["lyrics"])
    songs["lyrics"] = plain.where(songs.index % 3 > 0, plain + f" {FOOTER}")
    seen = []

    def recorded(train, scored):
        seen.extend([train, scored])
        return np.full((len(scored), 7), 1 / 7)

    monkeypatch.setitem(BASELINES, "majority", ("none", recorded))
    for collection in plan_module.COLLECTIONS:
        study.run_cell(songs, Cell("majority", "artist", 0, collection=collection))
    shares = [has_footer(table["lyrics"]).mean() for table in seen]
    assert min(shares[:2]) > 0.2 and shares[2:] == [0, 0]
    assert len(seen[2]) + len(seen[3]) == (~has_footer(songs["lyrics"])).sum()


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
        assert (settings["seed"], settings["device"]) == (3, "cpu")
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
    assert study.songs_identity(songs.set_axis(songs.index + 7)) == same


def test_the_identity_of_songs_stays_so_that_stored_studies_can_go_on(songs):
    one = {name: [0.5] for name in FEATURES} | {"artist_name": "a", "release_date": 1999}
    table = pd.DataFrame(one | {"genre": "jazz", "lyrics": "x"})
    assert study.songs_identity(table) == "fa6194e03a11b73c"


def test_a_study_s_file_has_the_command_that_makes_it_again(songs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    songs.to_csv("my songs.csv", index=False)
    monkeypatch.setattr(plan_module, "plan", lambda *_, **__: [Cell("majority", "song", 0)])
    given = ["--split", "artist", "--split", "song", "--seeds", "3", "--ablations", "1"]
    given += ["--device", "cpu", "--data", "my songs.csv", "--out", "study.json"]
    assert main(["study", *given]) == 0
    command = json.loads(Path("study.json").read_text())["command"]
    asked, stored = parser().parse_args(["study", *given]), shlex.split(command)
    assert stored[0] == "genre-lib" and parser().parse_args(stored[1:]) == asked


def test_a_cell_is_repeatable_and_its_seed_is_that_of_split_and_run(songs, capsys):
    cells = [Cell("course features", "song", seed) for seed in (1, 1, 2)]
    start = time.perf_counter()
    first, again, other = (study.run_cell(songs, cell, "cpu") for cell in cells)
    elapsed = time.perf_counter() - start
    assert 0 < sum(row.pop("seconds") for row in (first, again, other)) < elapsed
    assert not capsys.readouterr().err  # a study has a bar of its own
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
        (plain,) = plan_module.cell_recipes(Cell(f"course {task}", "song", 0))
        (changed,) = plan_module.cell_recipes(Cell(f"course {task}", "song", 0, variant))
        assert changed != plain and changed.network is plain.network
        for part, change in zip(("encoder", "layers", "training"), changes, strict=True):
            assert getattr(changed, part) == getattr(plain, part) | change


def test_the_plain_mean_is_that_of_the_two_other_networks_probabilities(songs, monkeypatch):
    reports, evaluate = [], GenreClassifier.evaluate

    def recorded(classifier, table):
        reports.append(evaluate(classifier, table))
        return reports[-1]

    monkeypatch.setattr(GenreClassifier, "evaluate", recorded)
    monkeypatch.setattr(study, "cell_recipes", with_one_epoch)
    row = study.run_cell(songs, Cell("course combined", "song", 0, plan_module.PLAIN_MEAN), "cpu")
    mean = (reports[0].probabilities + reports[1].probabilities) / 2
    assert row["accuracy"] == (mean.argmax(axis=1) == reports[0].genre).mean()
    assert row["loss"] == pytest.approx(-np.log(mean[range(300), reports[0].genre]).mean())


def with_one_epoch(cell):
    """A cell's recipes, to be trained for one epoch only."""
    recipes = plan_module.cell_recipes(cell)
    assert [recipe.task for recipe in recipes] == ["lyrics", "features"]
    return [dataclasses.replace(r, training=r.training | {"epochs": 1}) for r in recipes]


def test_the_table_of_a_study_has_means_and_deviations_over_seeds():
    measures = {"macro_f1": 0.4, "top2_accuracy": 0.6, "calibration_error": 0.1, "seconds": 2.0}
    rows = invented_rows(ours=[0.3, 0.5]).assign(**measures, base_rate=0.2)
    (row,) = markdown_table(rows).splitlines()[2:]
    assert row == (
        "| song | all songs | standard | ours | 2 | 40.0 ± 14.1 | 40.0 ± 0.0 | 60.0 ± 0.0 "
        "| 10.0 ± 0.0 | 2.0 |"
    )
    (once,) = markdown_table(rows[:1]).splitlines()[2:]
    assert once.endswith("| ours | 1 | 30.0 | 40.0 | 60.0 | 10.0 | 2.0 |")


def test_the_table_of_a_study_is_in_the_order_of_its_rows():
    measures = {"macro_f1": 0.4, "top2_accuracy": 0.6, "calibration_error": 0.1, "seconds": 2.0}
    rows = invented_rows(zebra=[0.3], ant=[0.5]).assign(**measures, base_rate=[0.2, 0.3])
    title, line, *models = markdown_table(rows).splitlines()
    assert title.count("|") == line.count("|") and set(line) == {"|", "-"}
    assert ["zebra" in models[0], "ant" in models[1]] == [True, True]
    assert summarise(rows)["base_rate"].tolist() == [0.2, 0.3]
