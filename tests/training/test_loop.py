"""One loop, one scoring function."""

from __future__ import annotations

import inspect
import re
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.optim.optimizer import register_optimizer_step_pre_hook

from genre_lib import SongEncoder, SongTensors, evaluate, fit, split_songs
from genre_lib.errors import GenreLibError
from genre_lib.evaluation.report import predict
from genre_lib.models import DenseFeaturesNetwork, MeanLyricsNetwork
from genre_lib.training.device import MIN_FREE_MEMORY, choose_device, move
from genre_lib.training.loop import train_one_epoch

QUIET = {"device": "cpu", "progress": False}
ONE = torch.zeros(1)


@pytest.fixture
def tensors(songs):
    split = split_songs(songs)
    encoder = SongEncoder().fit(split.train)
    return encoder.encode(split.train), encoder.encode(split.validation), len(encoder.words)


def fresh(seed):
    torch.manual_seed(seed)
    return DenseFeaturesNetwork(width=32).state_dict()


def trained(tensors, seed=0, **settings):
    train, validation, _ = tensors
    network = DenseFeaturesNetwork(width=32)
    network.load_state_dict(fresh(seed))
    settings = {"epochs": 4, "batch_size": 64, "seed": seed} | QUIET | settings
    return network, fit(network, train, validation, **settings)


def test_training_lowers_the_loss_and_beats_the_base_rate(tensors):
    network, history = trained(tensors, epochs=15)
    table = history.table()
    assert table["train_loss"].iloc[-1] < table["train_loss"].iloc[0]
    report = evaluate(network, tensors[1])
    assert report.accuracy > report.base_rate + 0.05


def test_the_same_seed_gives_the_same_weights_bit_for_bit(tensors):
    (a, history_a), (b, history_b) = trained(tensors), trained(tensors)
    other, _ = trained(tensors, seed=1)
    network = DenseFeaturesNetwork(width=32)
    network.load_state_dict(fresh(seed=0))
    fit(network, *tensors[:2], epochs=4, batch_size=64, **QUIET)  # whose seed is 0 if none is given
    assert all(map(torch.equal, a.state_dict().values(), network.state_dict().values()))
    assert all(map(torch.equal, a.state_dict().values(), b.state_dict().values()))
    assert [r["train_loss"] for r in history_a.rows] == [r["train_loss"] for r in history_b.rows]
    assert not all(map(torch.equal, a.state_dict().values(), other.state_dict().values()))


def test_the_history_has_loss_and_accuracy_of_both_sets_and_seconds(tensors):
    start = time.perf_counter()
    _, history = trained(tensors)
    table = history.table()
    assert 0 < table["seconds"].sum() < time.perf_counter() - start
    assert table.index.tolist() == [1, 2, 3, 4] and table.index.name == "epoch"
    expected = {f"{s}_{m}" for s in ("train", "validation") for m in ("loss", "accuracy")}
    assert expected <= set(table.columns)
    assert table.notna().all().all()


def test_training_counts_every_song_once_as_scoring_does(tensors):
    train, _, words = tensors
    network = MeanLyricsNetwork(words, dropout=0)  # and at this rate it learns nothing
    assert len(train) % 100  # the last batch is smaller than the others
    (row,) = fit(network, train, epochs=1, batch_size=100, learning_rate=0, **QUIET).rows
    report = evaluate(network, train)
    assert row["train_accuracy"] == pytest.approx(report.accuracy, rel=1e-6)
    assert row["train_loss"] == pytest.approx(report.loss, rel=1e-5)


class Watcher(nn.Module):
    """Answers the same for every song, and writes down the mode in which it was asked."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(7))
        self.modes = []

    def forward(self, lyrics, features):
        self.modes.append(self.training)
        return self.weight.expand(len(features), 7)


def test_scoring_is_in_evaluation_mode_and_training_is_not(tensors):
    train, validation, _ = tensors
    network = Watcher()
    fit(network, train, validation, epochs=1, batch_size=len(train), **QUIET)
    assert network.modes == [True, False]
    network.train()
    evaluate(network, validation)
    assert network.modes[-1] is False and network.training


def test_dropout_makes_no_difference_to_a_score(tensors):
    network = DenseFeaturesNetwork(dropout=0.9)
    assert np.array_equal(predict(network, tensors[1]), predict(network, tensors[1]))


def test_label_smoothing_keeps_a_network_modest(tensors):
    confidence = {
        smoothing: predict(trained(tensors, epochs=15, smoothing=smoothing)[0], tensors[0])
        .max(axis=1)
        .mean()
        for smoothing in (0.0, 0.4)
    }
    assert confidence[0.4] < confidence[0.0] - 0.05


def test_the_size_of_scoring_batches_makes_no_difference(tensors):
    network = MeanLyricsNetwork(tensors[2])
    whole, pieces = predict(network, tensors[1]), predict(network, tensors[1], batch_size=7)
    assert np.allclose(whole, pieces, atol=1e-6)


def test_early_stopping_goes_back_to_the_lowest_validation_loss(tensors):
    network, history = trained(tensors, epochs=200, patience=3, learning_rate=0.02)
    losses = history.table()["validation_loss"]
    assert len(losses) < 200 and history.best_epoch == losses.idxmin() == len(losses) - 3
    assert evaluate(network, tensors[1]).loss == pytest.approx(losses.min(), rel=1e-5)


def test_of_equal_losses_the_first_is_the_lowest(tensors):
    _, history = trained(tensors, epochs=9, patience=2, learning_rate=0)
    assert (len(history.rows), history.best_epoch) == (3, 1)


def test_progress_is_shown_unless_it_is_switched_off(tensors, capsys):
    trained(tensors, epochs=2)
    assert not capsys.readouterr().err
    fit(DenseFeaturesNetwork(width=16), tensors[0], epochs=2, batch_size=64, device="cpu")
    shown = capsys.readouterr().err
    assert "2/2" in shown and "epoch" in shown and "train_loss=" in shown


def test_an_interrupt_keeps_what_was_trained(tensors):
    class Impatient(DenseFeaturesNetwork):
        calls = 0

        def forward(self, lyrics, features):
            Impatient.calls += 1
            if Impatient.calls == 40:
                raise KeyboardInterrupt
            return super().forward(lyrics, features)

    train, validation, _ = tensors
    network = Impatient(width=16)
    before = network.output.weight.clone()
    history = fit(network, train, validation, epochs=50, batch_size=64, **QUIET)
    assert history.interrupted and 1 <= len(history.rows) < 50
    assert not torch.equal(network.output.weight, before) and not network.training


def test_a_gpu_that_is_full_is_not_chosen(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (2**20, 2**34))
    with pytest.warns(UserWarning, match="memory is full, .* so the CPU is used: shut down other"):
        assert choose_device().type != "cuda"


@pytest.mark.parametrize("missing", [-1, 0, 1])
def test_a_gpu_is_chosen_if_it_has_enough_free_memory_and_works(monkeypatch, missing):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (MIN_FREE_MEMORY - missing, 2**34))
    tried = []
    monkeypatch.setattr(torch, "zeros", lambda size, device: tried.append(str(device)) or ONE)
    with warnings.catch_warnings(record=True) as warned:
        assert (choose_device().type == "cuda") == (missing <= 0)
    assert tried[0] == "cuda" and [w.filename for w in warned] == [__file__] * (missing > 0)


def test_apple_s_gpu_is_chosen_where_there_is_one(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(torch, "zeros", lambda size, device: ONE)
    assert choose_device().type == "mps"


def test_a_gpu_that_torch_can_t_use_is_not_chosen(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (2**34, 2**34))
    monkeypatch.setattr("genre_lib.training.device.MIN_FREE_MEMORY", 1)
    real = torch.zeros

    def zeros(size, device):
        if torch.device(device).type == "cuda":
            raise RuntimeError("no kernel image is available for execution on the device")
        return real(size, device=device)

    monkeypatch.setattr(torch, "zeros", zeros)
    with pytest.warns(UserWarning, match="this torch can't use it"):
        assert choose_device().type != "cuda"


@pytest.fixture
def small_gpu(tensors, monkeypatch):
    """A network that fits on a GPU, and songs that don't; settings of `fit`."""
    small = torch.device("meta")  # stands for a GPU

    def choose(name):
        return torch.device("cpu") if name == "cpu" else small

    monkeypatch.setattr("genre_lib.training.device.choose_device", choose)
    moved_to = SongTensors.to

    def to(songs, device):
        if device == small:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return moved_to(songs, device)

    monkeypatch.setattr(SongTensors, "to", to)
    network = MeanLyricsNetwork(tensors[2], dimension=4)
    monkeypatch.setattr(network, "to", lambda device: network)
    return network, *tensors[:2], {"epochs": 1, "batch_size": 64, "progress": False}


def test_songs_that_a_gpu_does_not_hold_are_learned_on_the_cpu(small_gpu):
    *inputs, settings = small_gpu
    with pytest.warns(UserWarning, match="is full: shut down other.* Using the CPU instead"):
        (row,) = fit(*inputs, **settings).rows
    assert "validation_loss" in row
    with pytest.raises(GenreLibError, match="is full: shut down other notebooks"):
        fit(*inputs, **settings, device="cuda")


def test_a_warning_names_the_line_that_called_fit(small_gpu):
    *inputs, settings = small_gpu
    with pytest.warns(UserWarning, match="Using the CPU instead") as warned:
        fit(*inputs, **settings)
    assert warned[0].filename == __file__


def test_network_and_songs_move_to_the_device(tensors, monkeypatch):
    monkeypatch.setattr("genre_lib.training.device.choose_device", torch.device)
    network, *songs = move("meta", DenseFeaturesNetwork(width=16), *tensors[:2])
    assert {t.device.type for t in [*network.parameters(), *songs[0][:], *songs[1][:]]} == {"meta"}
    assert move("cpu", DenseFeaturesNetwork(width=16), tensors[0], None)[2] is None


def test_a_gpu_that_becomes_full_is_a_sentence(tensors):
    class Greedy(DenseFeaturesNetwork):
        def forward(self, lyrics, features):
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")

    with pytest.raises(GenreLibError, match="The GPU's memory is full: .* smaller batches"):
        fit(Greedy(width=16), tensors[0], epochs=1, batch_size=64, **QUIET)


def test_a_device_that_is_not_there_is_named():
    assert choose_device("cpu").type == "cpu"
    with pytest.raises(GenreLibError, match="'warp'"):
        choose_device("warp")
    if not torch.cuda.is_available():
        with pytest.raises(GenreLibError, match="'cuda'"):
            choose_device("cuda")


def test_a_network_adapts_to_the_training_songs_alone(tensors):
    class Adapting(Watcher):
        def adapt(self, songs):
            self.adapted_to = songs

    network = Adapting()
    fit(network, *tensors[:2], epochs=1, batch_size=512, **QUIET)
    for seen, given in zip(network.adapted_to[:], tensors[0][:], strict=True):
        assert torch.equal(seen, given)


class OneWeight(nn.Module):
    """Logits are the first score times the weights: its gradient can be written down."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(-1, 1, 7))

    def forward(self, lyrics, features):
        return features[:, :1] * self.weight


@pytest.mark.parametrize("settings", [{"epsilon": 0.5}, {"weight_decay": 0.5}], ids=str)
def test_a_step_is_the_one_that_adam_s_paper_gives(tensors, settings):
    train = SongTensors(*tensors[0][:8])
    network = OneWeight()
    before = network.weight.detach().clone()
    error = network(*train[:][:2]).softmax(dim=1) - nn.functional.one_hot(train.genre, 7)
    gradient = (error * train.features[:, :1]).mean(dim=0).detach()
    fit(network, train, epochs=1, batch_size=8, learning_rate=0.1, **settings, **QUIET)
    # After one step both of Adam's means, corrected, are the gradient itself and its square.
    decayed = before * (1 - 0.1 * settings.get("weight_decay", 0))
    step = gradient / (gradient.abs() + settings.get("epsilon", 1e-8))
    torch.testing.assert_close(network.weight.detach(), decayed - 0.1 * step)


def test_one_cycle_rises_for_a_tenth_and_falls_in_a_straight_line(tensors):
    rates, momenta = [], set()

    def record(optimiser, *_):
        rates.append(optimiser.param_groups[0]["lr"])
        momenta.add(optimiser.param_groups[0]["betas"])

    watched = register_optimizer_step_pre_hook(record)
    train, settings = SongTensors(*tensors[0][:100]), {"learning_rate": 1.0, "one_cycle": True}
    try:
        fit(OneWeight(), train, epochs=10, batch_size=10, **settings, **QUIET)
    finally:
        watched.remove()
    rise, fall = np.linspace(1 / 25, 1, 10), np.linspace(1, 1 / 25e4, 91)
    assert np.allclose(rates, [*rise, *fall[1:]]) and momenta == {(0.9, 0.999)}


@pytest.mark.parametrize("steps", [1, 2, 9, 10, 11])
def test_one_cycle_of_few_steps_only_falls(tensors, steps):
    network = OneWeight()
    weight = next(network.parameters()).clone()
    train, settings = SongTensors(*tensors[0][: 10 * steps]), {"learning_rate": 1.0}
    fit(network, train, epochs=1, batch_size=10, one_cycle=True, **settings, **QUIET)
    assert not torch.equal(next(network.parameters()), weight)


def test_songs_without_a_genre_are_neither_learned_from_nor_scored(tensors):
    train, validation, _ = tensors
    nothing = torch.full_like(validation.genre, -1)
    unknown = SongTensors(validation.lyrics, validation.features, nothing)
    network = DenseFeaturesNetwork(width=8)
    with pytest.raises(GenreLibError, match="training songs have no genre"):
        fit(network, unknown, epochs=1, batch_size=64, **QUIET)
    with pytest.raises(GenreLibError, match="validation songs have no genre"):
        fit(network, train, unknown, epochs=1, batch_size=64, **QUIET)
    with pytest.raises(GenreLibError, match="have no genre to compare predictions with"):
        evaluate(network, unknown)
    assert predict(network, unknown).shape == (len(unknown), 7)


def test_inputs_that_a_network_looks_at_must_be_there(tensors):
    train, _, words = tensors
    without = SongTensors(torch.empty(len(train), 0, dtype=torch.int32), *train[:][1:])
    network = MeanLyricsNetwork(words)
    with pytest.raises(GenreLibError, match="looks at the lyrics, which these songs"):
        fit(network, without, epochs=1, batch_size=64, **QUIET)
    with pytest.raises(GenreLibError, match="looks at the lyrics, which these songs"):
        evaluate(network, without)


@pytest.mark.parametrize("part", ["training", "validation"])
def test_no_songs_are_no_training(tensors, part):
    none = SongTensors(*tensors[0][:0])
    given = (none, None) if part == "training" else (tensors[0], none)
    with pytest.raises(GenreLibError, match=f"There are no {part} songs"):
        fit(DenseFeaturesNetwork(), *given, epochs=1, batch_size=64, **QUIET)
    with pytest.raises(GenreLibError, match="no songs to evaluate"):
        evaluate(DenseFeaturesNetwork(), none)


@pytest.mark.parametrize("wrong", [0, -1, 1.5, "2"])
@pytest.mark.parametrize("name", ["epochs", "batch_size", "patience"])
def test_settings_that_count_are_whole_numbers(tensors, name, wrong):
    settings = {"epochs": 1, "batch_size": 64, name: wrong}
    with pytest.raises(GenreLibError, match=f"{wrong}: it must be a whole number, at least 1"):
        fit(DenseFeaturesNetwork(), *tensors[:2], **settings, **QUIET)


@pytest.mark.parametrize("name", ["epochs", "batch_size", "patience"])
def test_a_setting_that_allows_no_training_is_refused(tensors, name):
    settings = {"epochs": 2, "batch_size": 64} | {name: 0}
    with pytest.raises(GenreLibError, match=f"'{name.replace('_', ' ')}' is 0"):
        fit(DenseFeaturesNetwork(), *tensors[:2], **settings, **QUIET)


def test_patience_needs_songs_to_watch(tensors):
    with pytest.raises(GenreLibError, match="needs validation songs"):
        fit(DenseFeaturesNetwork(), tensors[0], epochs=2, batch_size=64, patience=1, **QUIET)


@pytest.mark.parametrize("where", ["train", "validation"])
def test_a_loss_that_is_no_number_ends_training(tensors, where):
    train, validation, _ = tensors
    spoiled = {"train": train, "validation": validation}
    features = spoiled[where].features.clone()
    features[3, 0] = float("nan")
    spoiled[where] = SongTensors(spoiled[where].lyrics, features, spoiled[where].genre)
    with pytest.raises(GenreLibError, match=f"The {where} loss is nan in epoch 1: lower"):
        fit(DenseFeaturesNetwork(), *spoiled.values(), epochs=5, batch_size=64, **QUIET)


def test_the_loop_is_that_of_chapter_3():
    """Line by line, but the library calls the loss that it is given, the chapter torch's own."""
    chapter = (Path(__file__).parents[2] / "book/04_training_loop.md").read_text(encoding="utf-8")
    printed = re.search(r"^def train_one_epoch\(.*?\n(    .*?)\n```", chapter, re.M | re.S)[1]
    printed = printed.replace("F.cross_entropy(", "cross_entropy(")
    source = inspect.getsource(train_one_epoch)
    assert source.split('"""')[-1].strip() == printed.strip()


def test_label_smoothing_spreads_a_share_of_the_target_over_all_genres(tensors):
    train = SongTensors(*tensors[0][:64])
    network = OneWeight()
    log_p = network(*train[:][:2]).log_softmax(dim=1).detach()
    target = 0.8 * nn.functional.one_hot(train.genre, 7) + 0.2 / 7
    expected = -(target * log_p).sum(dim=1).mean().item()
    (row,) = fit(
        network, train, epochs=1, batch_size=64, learning_rate=0, smoothing=0.2, **QUIET
    ).rows
    assert row["train_loss"] == pytest.approx(expected, rel=1e-5)


def test_members_are_trained_one_by_one(tensors):
    """The loss of several members is the mean of theirs, not the loss of their mean."""

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = OneWeight(), OneWeight()
            nn.init.normal_(self.two.weight, std=3)

        def forward(self, lyrics, features):
            return torch.stack([self.one(lyrics, features), self.two(lyrics, features)], dim=1)

    torch.manual_seed(0)
    train, network = SongTensors(*tensors[0][:64]), Two()
    losses = [
        nn.functional.cross_entropy(member(*train[:][:2]), train.genre).item()
        for member in (network.one, network.two)
    ]
    (row,) = fit(network, train, epochs=1, batch_size=64, learning_rate=0, **QUIET).rows
    assert row["train_loss"] == pytest.approx(np.mean(losses), rel=1e-5)


def test_without_patience_the_last_weights_are_kept(tensors):
    network, history = trained(tensors, epochs=30, learning_rate=0.05)
    losses = history.table()["validation_loss"]
    assert history.best_epoch == 30 > losses.idxmin()
    assert evaluate(network, tensors[1]).loss == pytest.approx(losses.iloc[-1], rel=1e-5)


def test_a_hook_sees_the_start_and_every_epoch(tensors):
    seen = []

    class Hook:
        def before_training(self, state, train, validation, settings):
            seen.append((state.epochs, len(train), len(validation), settings["seed"]))

        def after_epoch(self, state):
            seen.append(state.history.rows[-1]["validation_loss"])

    _, history = trained(tensors, epochs=2, hooks=[Hook()])
    losses = history.table()["validation_loss"].tolist()
    assert seen == [(0, len(tensors[0]), len(tensors[1]), 0), *losses]
