"""Recipes whose settings were searched for are what the stored search found."""

from genre_lib import get_recipe
from genre_lib.study.results import read_result


def test_the_attention_recipe_has_the_best_settings_that_were_drawn():
    search = read_result("attention")
    best = min(search["draws"], key=lambda row: row["loss"])
    recipe = get_recipe("attention", "lyrics")
    settings = recipe.encoder | {"positions": True} | recipe.layers | recipe.training
    assert {name: settings[name] for name in search["best"]} == search["best"]
    assert {name: best[name] for name in search["best"]} == search["best"]
