"""On a GPU: the same code, no waiting inside an epoch, the same accuracy. `make test` skips these
where there is none."""

import pandas as pd
import pytest
import torch

from genre_lib import GenreClassifier, SongEncoder, fit, get_recipe, make_songs, split_songs
from genre_lib.classifier.recipes import RECIPES
from genre_lib.scaling.checkpoint import Checkpoint

pytestmark = pytest.mark.skipif(
    not torch.cuda.is_available(), reason="needs a GPU that torch can use"
)
ALL = [" ".join(key) for key in RECIPES]


def prepared(name, n=2000):
    recipe = get_recipe(*name.split())
    encoder = SongEncoder(**recipe.encoder)
    songs = encoder.fit_encode(make_songs(n))
    torch.manual_seed(0)
    # Patience needs validation songs.
    settings = {name: value for name, value in recipe.training.items() if name != "patience"}
    return recipe.build(len(encoder.words)), songs, settings | {"epochs": 2}


@pytest.mark.parametrize("name", ALL)
def test_a_network_learns_on_the_gpu(name):
    network, songs, settings = prepared(name)
    history = fit(network, songs, **settings, device="cuda", progress=False)
    assert next(network.parameters()).device.type == "cuda"
    assert history.rows[1]["train_loss"] < history.rows[0]["train_loss"]


@pytest.mark.parametrize("name", ALL)
def test_nothing_waits_for_the_gpu_inside_an_epoch(name):
    network, songs, settings = prepared(name)
    steps = -(-len(songs) // settings["batch_size"])
    seen = iter(range(10**6))

    def watch(*_):
        step = next(seen) % steps
        # From the second step to the last, any wait is an error; the epoch's end reads the losses.
        torch.cuda.set_sync_debug_mode("error" if 0 < step < steps - 1 else "default")

    network.register_forward_pre_hook(watch)
    try:
        fit(network, songs, **settings, device="cuda", progress=False)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_checkpoint_goes_on_on_the_gpu(tmp_path):
    weights = []
    for hooks in ([], [Checkpoint(tmp_path / "c")]):
        network, songs, settings = prepared("course lyrics")
        if hooks:
            first, _, _ = prepared("course lyrics")
            stop = iter([None] * 3)

            def interrupt(*_, stop=stop):
                if next(stop, True):
                    raise KeyboardInterrupt

            first.register_forward_pre_hook(interrupt)
            fit(first, songs, **settings, device="cuda", hooks=hooks, progress=False)
        fit(network, songs, **settings, device="cuda", hooks=hooks, progress=False)
        weights.append(network.embedding.weight.cpu())
    torch.testing.assert_close(*weights, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("task", ["lyrics", "features", "combined"])
def test_cpu_and_gpu_agree_within_half_a_point(task):
    songs = make_songs(8000, seed=5)
    accuracy = {"cpu": 0.0, "cuda": 0.0}
    for seed in range(5):
        split = split_songs(songs, seed=seed)
        for device in accuracy:
            classifier = GenreClassifier(get_recipe("course", task))
            learn = pd.concat([split.train, split.validation])
            classifier.fit(learn, seed=seed, device=device, progress=False)
            accuracy[device] += classifier.evaluate(split.test).accuracy / 5
    assert abs(accuracy["cpu"] - accuracy["cuda"]) < 0.005
