"""What students call has a short example in its docstring, which `--doctest-modules` runs."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest

import genre_lib

STUDENTS_CALL = {
    "classifier.words": "word_vectors nearest_words genre_pull principal_components",
    "data.bayes": "bayes_probabilities",
    "data.checks": "check_songs",
    "data.csv_file": "read_songs",
    "data.songs": "strip_footer",
    "data.splits": "hold_out",
    "errors": "nearest did_you_mean",
    "evaluation.intervals": "interval_over_splits interval_over_songs verdict",
    "evaluation.report": "Report predict mean_probabilities answers",
    "files": "written_whole",
    "models": "count_parameters WordBag WordBranches ScoreBins Form topic_words",
    "training.device": "choose_device",
}
"""By module: what is not in `genre_lib.__all__`."""


def examples(documented: object) -> str:
    return "".join(e.source for e in doctest.DocTestParser().get_examples(documented.__doc__ or ""))


@pytest.mark.parametrize("name", genre_lib.__all__)
def test_what_is_imported_from_the_top_has_an_example(name):
    value = getattr(genre_lib, name)
    if isinstance(value, tuple):  # a constant has no docstring of its own
        assert name in examples(import_module("genre_lib.data.schema"))
    else:
        assert examples(value)


@pytest.mark.parametrize(
    ("module", "name"),
    [(module, name) for module, names in STUDENTS_CALL.items() for name in names.split()],
)
def test_what_students_call_has_an_example(module, name):
    assert examples(getattr(import_module(f"genre_lib.{module}"), name))


def test_pytest_runs_the_examples(request):
    """Without an option, so that `pytest genre_lib` and `make test` both do."""
    assert request.config.getoption("doctestmodules")
