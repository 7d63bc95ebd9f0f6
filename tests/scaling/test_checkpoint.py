"""Training that was stopped goes on to the same weights, and a checkpoint is never half-written."""

from pathlib import Path

import pytest
import torch

from genre_lib import SongEncoder, SongTensors, fit, get_recipe, make_songs
from genre_lib.errors import GenreLibError
from genre_lib.models import DenseFeaturesNetwork
from genre_lib.scaling.checkpoint import Checkpoint


class Killed(Exception):
    """Stands for a process that is gone in the middle of a step."""


def train(name, task, checkpoint=None, kill_at=None, **changes):
    """A short training; killed before its step number `kill_at`."""
    recipe = get_recipe(name, task)
    encoder = SongEncoder(**recipe.encoder)
    songs = encoder.fit_encode(make_songs(300, seed=1))
    torch.manual_seed(0)
    network = recipe.build(len(encoder.words))
    steps = iter(range(10_000))

    def count(*_):
        if network.training and next(steps) == kill_at:
            raise Killed

    network.register_forward_pre_hook(count)
    settings = recipe.training | {"epochs": 6, "batch_size": 100} | changes
    hooks = [Checkpoint(checkpoint)] if checkpoint else []
    history = fit(network, songs, songs, **settings, device="cpu", hooks=hooks, progress=False)
    return history, network.state_dict()


@pytest.mark.parametrize(
    ("recipe", "changes"),
    [
        ("course lyrics", {}),
        ("course combined", {}),
        ("original combined", {}),
        ("first features", {"learning_rate": 0.3, "patience": 2}),  # stops early, goes back
    ],
)
def test_a_killed_training_goes_on_to_the_same_weights(recipe, changes, tmp_path):
    checkpoint = tmp_path / "run.checkpoint"
    whole, weights = train(*recipe.split(), **changes)
    for kill_at in (1, 5, 4, 1):  # before the first epoch is over, in the second, ...
        with pytest.raises(Killed):
            train(*recipe.split(), checkpoint, kill_at, **changes)
    history, resumed = train(*recipe.split(), checkpoint, **changes)
    assert all(torch.equal(resumed[name], weights[name]) for name in weights)
    same = whole.table().columns.drop("seconds")
    assert history.table()[same].equals(whole.table()[same])
    assert history.best_epoch == whole.best_epoch


def test_a_finished_checkpoint_is_the_finished_network(tmp_path):
    _, weights = train("course", "features", tmp_path / "c")
    history, again = train("course", "features", tmp_path / "c", kill_at=0)
    assert len(history.rows) == 6 and all(torch.equal(again[n], weights[n]) for n in weights)


def test_a_checkpoint_of_another_training_is_refused_and_kept(tmp_path):
    train("course", "features", tmp_path / "c")
    before = (tmp_path / "c").read_bytes()
    with pytest.raises(GenreLibError, match=r"a training run that differs in seed: delete it"):
        train("course", "features", tmp_path / "c", seed=1)
    assert (tmp_path / "c").read_bytes() == before


CHANGES = {
    "smoothing": {"smoothing": 0.3},
    "optimiser": {"weight_decay": 0.1},
    "epochs": {"epochs": 7},
    "batch size": {"batch_size": 50},
    "patience": {"patience": 2},
    "schedule": {"one_cycle": False},
}


@pytest.mark.parametrize("changed", [*CHANGES, "epsilon", "learning rate"])
def test_a_checkpoint_of_other_settings_is_refused(tmp_path, changed):
    train("course", "features", tmp_path / "c")
    changes = CHANGES.get(changed, {changed.replace(" ", "_"): 0.123})
    name = changed if changed in CHANGES else "optimiser"
    with pytest.raises(GenreLibError, match=f"a training run that differs in {name}: delete it"):
        train("course", "features", tmp_path / "c", **changes)


SPOILED = {
    "lyrics": lambda t: SongTensors(t.lyrics.flip(1), t.features, t.genre),
    "scores": lambda t: SongTensors(t.lyrics, t.features + 1e-6, t.genre),
    "genres": lambda t: SongTensors(t.lyrics, t.features, t.genre.flip(0)),
    "order": lambda t: SongTensors(*(x.flip(0) for x in t[:])),
    "number": lambda t: SongTensors(*t[:-1]),
}


@pytest.mark.parametrize("part", ["training", "validation"])
@pytest.mark.parametrize("spoiled", SPOILED)
def test_a_checkpoint_of_other_songs_is_refused(tmp_path, part, spoiled):
    songs = SongEncoder().fit_encode(make_songs(300, seed=1))

    def train_on(train, validation):
        torch.manual_seed(0)
        settings = {"epochs": 2, "batch_size": 100, "device": "cpu", "progress": False}
        hooks = [Checkpoint(tmp_path / "c")]
        fit(nn_of_both(), train, validation, **settings, hooks=hooks)

    train_on(songs, songs)
    other = SPOILED[spoiled](songs)
    with pytest.raises(GenreLibError, match=f"a training run that differs in {part} songs"):
        train_on(*((other, songs) if part == "training" else (songs, other)))


def nn_of_both():
    """A network whose first weights do not depend on the songs."""
    return get_recipe("first", "combined").build(5000)


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    songs = SongEncoder().fit_encode(make_songs(300, seed=1))
    settings = {"epochs": 2, "batch_size": 100, "device": "cpu", "progress": False}
    for layers, other in (({}, "first weights"), ({"dropout": 0.1}, "network")):
        torch.manual_seed(1 if other == "first weights" else 0)
        network = DenseFeaturesNetwork(**layers)
        if not (tmp_path / "c").exists():
            torch.manual_seed(0)
            fit(DenseFeaturesNetwork(), songs, **settings, hooks=[Checkpoint(tmp_path / "c")])
        with pytest.raises(GenreLibError, match=f"that differs in {other}: delete it"):
            fit(network, songs, **settings, hooks=[Checkpoint(tmp_path / "c")])


def test_a_damaged_checkpoint_is_named(tmp_path):
    (tmp_path / "c").write_bytes(b"half")
    with pytest.raises(GenreLibError, match="not a complete checkpoint: delete it"):
        train("course", "features", tmp_path / "c")


def test_a_checkpoint_that_can_not_be_written_leaves_the_older_one(tmp_path, monkeypatch):
    checkpoint = tmp_path / "c"
    with pytest.raises(Killed):
        train("course", "features", checkpoint, kill_at=4)
    before = checkpoint.read_bytes()

    def full(path, content):
        with open(path, "wb") as file:
            file.write(content[:15])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(GenreLibError, match=r"could not be written \(No space left.*: free some"):
        train("course", "features", checkpoint)
    assert checkpoint.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["c"]


def test_a_checkpoint_needs_a_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(GenreLibError, match="could not be written"):
        train("course", "features", Path(tmp_path, "file", "c"))
