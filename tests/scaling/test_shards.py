"""Songs in Parquet shards: made in parallel, encoded once, learned from like any others."""

from __future__ import annotations

import dataclasses
import json
import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from genre_lib import GenreClassifier, SongEncoder, SongTensors, fit, get_recipe
from genre_lib.cli.main import main
from genre_lib.data.schema import FEATURES
from genre_lib.errors import GenreLibError, SongsError
from genre_lib.files import TEMPORARY_PREFIX
from genre_lib.scaling import make_shards as making
from genre_lib.scaling import mapped
from genre_lib.scaling.checkpoint import Checkpoint
from genre_lib.scaling.make_shards import make_shards
from genre_lib.scaling.mapped import MappedSongs
from genre_lib.scaling.shards import SongShards, evaluate_shards, fit_shards

parquet = pytest.importorskip("pyarrow.parquet", reason="needs pyarrow")
BOTH = ("lyrics", *FEATURES)


@pytest.fixture(autouse=True)
def small_shards(monkeypatch):
    monkeypatch.setattr(making, "SONGS_PER_SHARD", 400)


@pytest.fixture
def folder(tmp_path):
    make_shards(tmp_path / "songs", 1000, seed=3, jobs=1)
    return tmp_path / "songs"


def write(folder: Path, *tables: pd.DataFrame) -> Path:
    """Write somebody's own files."""
    folder.mkdir()
    for number, table in enumerate(tables):
        table.to_parquet(folder / f"part-{number}.parquet")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


# --- making --------------------------------------------------------------------------------------


def test_shards_are_the_same_for_any_number_of_processes(folder, tmp_path):
    make_shards(tmp_path / "two", 1000, seed=3, jobs=2)
    assert contents(folder) == contents(tmp_path / "two")
    assert [len(pd.read_parquet(p)) for p in sorted(folder.glob("*.parquet"))] == [333, 333, 334]
    make_shards(tmp_path / "other", 1000, seed=4, jobs=1)
    assert contents(folder) != contents(tmp_path / "other")


def test_no_artist_and_no_song_is_in_two_shards(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "SONGS_PER_ROW_GROUP", 150)
    folder = tmp_path / "songs"
    make_shards(folder, 1000, jobs=1)
    tables = [pd.read_parquet(path) for path in folder.glob("*.parquet")]
    artists = [set(table["artist_name"]) for table in tables]
    assert sum(map(len, artists)) == len(set.union(*artists))
    assert not pd.concat(tables).duplicated(["lyrics"]).any()


def test_making_goes_on_where_it_was_stopped(folder):
    whole = contents(folder)
    kept, damaged, lost = sorted(folder.glob("*.parquet"))
    lost.unlink()
    damaged.write_bytes(damaged.read_bytes()[:500])
    (folder / f"{TEMPORARY_PREFIX}shard-00002.parquet-1").mkdir()
    before = kept.stat().st_mtime_ns
    with pytest.raises(SongsError, match="part|damaged|can't be read"):
        SongShards(folder)
    make_shards(folder, 1000, seed=3, jobs=1)
    assert contents(folder) == whole and kept.stat().st_mtime_ns == before


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_a_killed_run_leaves_whole_shards_alone(tmp_path):
    folder = tmp_path / "songs"
    process = get_context("fork").Process(target=make_shards, args=(folder, 400_000, 0, 1))
    process.start()
    deadline = time.time() + 60
    while len(list(folder.glob("*.parquet"))) < 2 and time.time() < deadline:
        time.sleep(0.01)
    process.kill()
    process.join()
    shards = list(folder.glob("*.parquet"))
    assert len(shards) >= 2 and {len(pd.read_parquet(path)) for path in shards} == {400}
    with pytest.raises(SongsError, match="of 400,000 songs: make the others with genre-lib synth"):
        SongShards(folder)


@pytest.mark.parametrize(
    ("songs", "seed", "message"),
    [(1100, 3, "is the folder of 1,000 synthetic songs"), (1000, 4, r"not of 1,000 .* \(seed 4\)")],
)
def test_a_folder_of_other_songs_is_refused(folder, songs, seed, message):
    with pytest.raises(GenreLibError, match=message):
        make_shards(folder, songs, seed, jobs=1)


def test_a_folder_of_other_files_is_refused_and_left_alone(folder, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("all I have")
    with pytest.raises(GenreLibError, match=r"has other files \(thesis.txt\)"):
        make_shards(tmp_path / "mine", 1000, jobs=1)
    assert list(contents(tmp_path / "mine")) == ["thesis.txt"]
    (folder / "more.parquet").write_bytes(b"")
    with pytest.raises(GenreLibError, match=r"has other files \(more.parquet\)"):
        make_shards(folder, 1000, seed=3, jobs=1)


def test_a_full_disk_is_one_sentence_and_leaves_no_half_file(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parquet.ParquetWriter, "write_table", full)
    with pytest.raises(GenreLibError, match=r"could not be written \(No space left on device\)"):
        make_shards(tmp_path / "songs", 1000, jobs=1)
    assert list(contents(tmp_path / "songs")) == ["songs.json"]


def test_without_pyarrow_one_sentence_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(GenreLibError, match="pip install pyarrow"):
        make_shards(tmp_path / "songs", 1000, jobs=1)


# --- dividing and checking -----------------------------------------------------------------------


def all_songs(split, columns=("track_name", "artist_name", "lyrics")):
    return [pd.concat(part.tables(columns)) for part in split]


@pytest.mark.parametrize("by", ["song", "artist"])
def test_every_song_falls_to_one_part(folder, by):
    split = SongShards(folder).split(by, seed=1)
    tables = all_songs(split)
    assert [len(part) for part in split] == [len(table) for table in tables]
    assert len(pd.concat(tables).drop_duplicates()) == 1000
    shares = [len(part) / 1000 for part in split]
    assert shares == pytest.approx([0.7, 0.1, 0.2], abs=0.005 if by == "song" else 0.1)
    again, other = SongShards(folder).split(by, seed=1), SongShards(folder).split(by, seed=2)
    assert all_songs(again)[2].equals(tables[2]) and not all_songs(other)[2].equals(tables[2])


def test_a_split_by_song_keeps_genre_shares(folder):
    shards = SongShards(folder)
    parts = [part["genre"].value_counts().sort_index() for part in all_songs(shards.split())]
    # In each file, a genre's songs are counted off by ten, beginning anywhere.
    for part, share in zip(parts, (0.7, 0.1, 0.2), strict=True):
        assert (part - share * sum(parts)).abs().max() <= 2 * len(shards.paths)


def test_an_artist_in_several_files_stays_on_one_side(tmp_path, songs):
    mine = write(tmp_path / "mine", songs[::2], songs[1::2])
    artists = [set(t["artist_name"]) for t in all_songs(SongShards(mine).split("artist"))]
    assert len(set.union(*artists)) == sum(map(len, artists)) == songs["artist_name"].nunique()


def test_without_a_test_its_songs_are_left_for_training(folder):
    split = SongShards(folder).split(test=False)
    assert [len(part) for part in split] == pytest.approx([900, 100, 0], abs=3)


def test_columns_of_categories_are_read(tmp_path, songs):
    mine = write(tmp_path / "mine", songs.astype({"genre": "category", "artist_name": "category"}))
    assert sum(map(len, SongShards(mine).split("artist"))) == len(songs)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda s: s.drop(columns="lyrics"), "part-1.parquet has no column 'lyrics'"),
        (lambda s: s.assign(genre="polka"), "part-1.parquet, column 'genre', row 1: 'polka'"),
        (lambda s: s.assign(energy=1.5), "column 'energy', row 1: '1.5' is outside 0 to 1"),
        (lambda s: s.assign(lyrics=None), "column 'lyrics', row 1: '' is empty"),
        (lambda s: pd.concat([s, s[:1]]), "has the same song twice, in rows 1 and 201"),
        (lambda s: s[:0], "part-1.parquet has a header but no songs"),
    ],
)
def test_every_file_is_checked_like_a_csv_file(tmp_path, songs, spoil, message):
    mine = write(tmp_path / "mine", songs[:200], spoil(songs[200:400]))
    with pytest.raises(SongsError, match=message):
        SongShards(mine).split().train.fit(SongEncoder(), BOTH)


def test_folders_that_are_none_are_refused(tmp_path, songs):
    with pytest.raises(SongsError, match="has no Parquet files"):
        SongShards(tmp_path)
    (tmp_path / "a.parquet").write_text("artist_name,genre\n" * 20)
    with pytest.raises(SongsError, match="a.parquet can't be read as a Parquet file"):
        SongShards(tmp_path)
    one = write(tmp_path / "one", songs[songs["genre"] == "rock"])
    with pytest.raises(SongsError, match="All songs here are rock"):
        SongShards(one).split()
    few = write(tmp_path / "few", songs[:4])
    with pytest.raises(SongsError, match="few has too few songs"):
        SongShards(few).split()


# --- encoding ------------------------------------------------------------------------------------


def test_pieces_teach_an_encoder_what_one_table_does(songs):
    whole = SongEncoder().fit(songs)
    pieces = SongEncoder().fit_tables([songs[:100], songs[100:900], songs[900:]])
    assert pieces.words == whole.words
    np.testing.assert_allclose(pieces.mean, whole.mean, rtol=1e-12)
    np.testing.assert_allclose(pieces.deviation, whole.deviation, rtol=1e-12)


def test_encoded_songs_are_those_that_memory_would_hold(folder):
    split = SongShards(folder).split(seed=5)
    encoder = split.train.fit(SongEncoder(), BOTH)
    assert encoder.words == SongEncoder().fit(all_songs(split, BOTH)[0]).words
    for part, table in zip(split, all_songs(split, BOTH), strict=True):
        found, expected = part.encode(encoder, BOTH).sample(10**9), encoder.encode(table)
        assert all(map(torch.equal, found[:], expected[:]))


def test_songs_are_encoded_once(folder, monkeypatch):
    split = SongShards(folder).split()
    encoder = split.train.fit(SongEncoder(), BOTH)
    split.train.encode(encoder, BOTH)
    made = sorted((folder / "encoded").rglob("*"))
    assert not [path for path in made if TEMPORARY_PREFIX in path.name]
    with monkeypatch.context() as patch:
        patch.setattr(
            "genre_lib.scaling.shards._read_checked", None
        )  # would fail if it were called
        again = SongShards(folder).split()
        encoder = again.train.fit(SongEncoder(), BOTH)
        for part in again:
            part.encode(encoder, BOTH)
    assert sorted((folder / "encoded").rglob("*")) == made
    os.utime(folder / "shard-00000.parquet")
    SongShards(folder).split().train.fit(SongEncoder(), BOTH)
    assert len(sorted((folder / "encoded").rglob("*"))) > len(made)


def test_encoding_that_is_stopped_leaves_nothing_half_written(folder, monkeypatch):
    split = SongShards(folder).split()
    encoder = split.train.fit(SongEncoder(), BOTH)

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(MappedSongs, "write", full)
        with pytest.raises(GenreLibError, match=r"could not be written in .*No space left"):
            split.train.encode(encoder, BOTH)
    assert [path.suffix for path in (folder / "encoded").iterdir()] == [".json"]
    assert len(split.train.encode(encoder, BOTH)) == len(split.train)


# --- handing out ---------------------------------------------------------------------------------


@pytest.fixture
def numbered(tmp_path, monkeypatch):
    """1,000 mapped songs whose only token is their number, in memory 64 at a time."""
    monkeypatch.setattr(mapped, "BLOCK", 16)
    monkeypatch.setattr(mapped, "POOL", 64)
    songs = MappedSongs.create(tmp_path / "numbered", 1000, 1, 0)
    number = torch.arange(1000)
    songs.write(0, SongTensors(number[:, None].int(), torch.empty(1000, 0), number % 7))
    return songs


def numbers(batches):
    return [lyrics[:, 0].tolist() for lyrics, _, _ in batches]


@pytest.mark.parametrize("size", [1, 10, 64, 100, 999, 5000])
def test_each_song_comes_once_in_batches_of_one_size(numbered, size):
    for order in (numbered.batches, numbered.in_order):
        batches = numbers(order(size))
        assert {len(batch) for batch in batches[:-1]} <= {size} and 0 < len(batches[-1]) <= size
        assert sorted(sum(batches, [])) == list(range(1000))
    assert sum(numbers(numbered.in_order(size)), []) == list(range(1000))


def test_the_order_is_new_each_epoch_and_fixed_by_the_global_seed(numbered):
    def two_epochs(draws):
        torch.manual_seed(4)
        epochs = []
        for _ in range(2):
            epoch = []
            for batch in numbered.batches(100):
                torch.rand(draws)  # dropout takes numbers between batches
                epoch.append(batch)
            epochs.append(sum(numbers(epoch), []))
        return epochs

    first, second = two_epochs(0)
    assert first != second and two_epochs(0) == [first, second] and two_epochs(3)[0] == first
    # Blocks are drawn from everywhere, and their songs mixed.
    assert np.corrcoef(first, range(1000))[0, 1] < 0.3
    assert np.mean(np.abs(np.diff(first)) == 1) < 0.1


def test_a_sample_is_every_kth_song(numbered):
    assert len(numbered) == 1000 and torch.equal(numbered.genre, torch.arange(1000) % 7)
    assert numbered.sample(10).lyrics[:, 0].tolist() == list(range(0, 1000, 100))
    assert numbered.sample(300).lyrics[:, 0].tolist() == list(range(0, 1000, 4))
    assert len(numbered.sample(5000)) == 1000


class Killed(Exception):
    """Stands for a process that is gone in the middle of an epoch."""


def test_a_killed_training_on_mapped_songs_goes_on_to_the_same_weights(numbered, tmp_path):
    def train(checkpoint=None, kill_at=None):
        torch.manual_seed(0)
        network = get_recipe("course", "lyrics").build(1000)
        steps = iter(range(1000))

        def count(*_):
            if next(steps) == kill_at:
                raise Killed

        network.register_forward_pre_hook(count)
        settings = {"epochs": 3, "batch_size": 100, "learning_rate": 0.01, "device": "cpu"}
        hooks = [Checkpoint(checkpoint)] if checkpoint else []
        fit(network, numbered, **settings, hooks=hooks, progress=False)
        return network.state_dict()

    whole = train()
    for kill_at in (15, 5):  # in the second epoch, then in the middle of the same once more
        with pytest.raises(Killed):
            train(tmp_path / "c", kill_at)
    resumed = train(tmp_path / "c")
    assert all(torch.equal(resumed[name], whole[name]) for name in whole)


# --- learning ------------------------------------------------------------------------------------


def test_networks_learn_from_shards_what_they_learn_from_a_table(tmp_path, monkeypatch):
    monkeypatch.setattr(making, "SONGS_PER_SHARD", 2_000)
    monkeypatch.setattr(mapped, "BLOCK", 64)
    monkeypatch.setattr(mapped, "POOL", 2_048)
    make_shards(tmp_path / "songs", 8_000, seed=1, jobs=1)
    split = SongShards(tmp_path / "songs").split()
    tables = all_songs(split, BOTH)
    recipe, quiet = get_recipe("first", "features"), {"device": "cpu", "progress": False}
    recipe = dataclasses.replace(recipe, training=recipe.training | {"epochs": 8})
    streamed, held = GenreClassifier(recipe), GenreClassifier(recipe)
    fit_shards(streamed, split, **quiet)
    held.fit(tables[0], tables[1], **quiet)
    report = evaluate_shards(streamed, split.test)
    assert report.accuracy > report.base_rate + 0.05
    assert report.accuracy == pytest.approx(held.evaluate(tables[2]).accuracy, abs=0.02)
    # The same network scores the same songs alike, whichever way they come.
    assert report.accuracy == streamed.evaluate(tables[2]).accuracy


def test_the_command_line_makes_songs_and_trains_on_them(tmp_path, capsys):
    songs, run = str(tmp_path / "songs"), str(tmp_path / "run")
    assert main(["synth", "--songs", "1_000", "--jobs", "1", "--out", songs]) == 0
    assert "1,000 synthetic songs (seed 0)" in capsys.readouterr().out
    options = ["--data", songs, "--split", "artist", "--device", "cpu", "--json"]
    assert main(["train", "lyrics", "--out", run, *options]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["data"] == "1,000 synthetic songs (seed 0)"
    assert result["validation"]["songs"] + result["test"]["songs"] < 500
    assert main(["train", "lyrics", "--out", run, "--all", *options]) == 0
    assert "test" not in json.loads(capsys.readouterr().out)
    assert main(["evaluate", run, "--data", songs]) == 2
    assert "only `genre-lib train` reads all the Parquet files" in capsys.readouterr().err
