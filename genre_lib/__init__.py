"""Songs, networks and training for the course *Deep Music Genre Classification*.

The core, in reading order, and the chapters that explain each part:

    data/schema            names: genres, scores, columns                  1  The songs
    data/songs             where songs come from                           1
    data/splits            training, validation and test songs             1
    data/tensors           the data set that networks learn from           3  Tensors
    data/encoding          words and scores become numbers                 3
    models/__init__        what every network has                          4  The training loop
    evaluation/report      accuracy, F1, calibration                       4
    training/strategy      how processes share a run; default: one         4
    training/history       losses, and the best epoch                      4
    training/loop          one loop for every network                      4
    models/parts, original   the networks of the original post             6  The lyrics network
    models/first           the simple ideas, done right                    6 to 8
    models/form            form: length and repeats; N: words in topics    6, 7
    models/words           words that vote for genres                      6
    models/course          the course's networks                           6 to 8
    classifier/recipes     settings for each network                       6 to 8
    classifier/classifier  encoder and network in one object               8  The combined network
    evaluation/intervals   how precise a mean is                           10  Evaluation

On a first reading, look up only what you need in the others:

    errors, data/checks, csv_file, file_kinds   error messages and input checks   1
    data/published, files  the download, and files that are never half-written
    training/device, environment   CPU or GPU; versions                    4
    classifier/run_folder  a trained network on disk                       8
    classifier/words       what it has learned about single words          9
    classifier/model_card  a page about it, for its users                  12

And some need more probability and NumPy than the course:

    plots/                 every figure
    data/synthetic, data/bayes   made-up songs, and their best classifier  11  The ceiling

The last chapters add these, which nothing else in the core uses:

    models/attention, data/order   a block of a transformer; songs for it  15  Attention
    classifier/pretrained  a pretrained sentence encoder                   16  Borrowed knowledge
    data/genres, data/song_file    genres other than the seven             17  Your own genre

Three more packages use the core, which never imports them: `scaling/` (chapter 14),
`study/` (chapters 5 and 10) and the command line, `cli/`. The names that chapters use most
can be imported from here; each is loaded when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from genre_lib import plots as plots
    from genre_lib.classifier.classifier import GenreClassifier as GenreClassifier
    from genre_lib.classifier.recipes import get_recipe as get_recipe
    from genre_lib.data.encoding import SongEncoder as SongEncoder
    from genre_lib.data.genres import add_songs as add_songs
    from genre_lib.data.genres import with_genres as with_genres
    from genre_lib.data.schema import AUDIO_FEATURES as AUDIO_FEATURES
    from genre_lib.data.schema import FEATURES as FEATURES
    from genre_lib.data.schema import GENRES as GENRES
    from genre_lib.data.schema import TOPIC_FEATURES as TOPIC_FEATURES
    from genre_lib.data.songs import load_songs as load_songs
    from genre_lib.data.splits import split_songs as split_songs
    from genre_lib.data.synthetic import make_songs as make_songs
    from genre_lib.data.tensors import SongTensors as SongTensors
    from genre_lib.environment import describe_environment as describe_environment
    from genre_lib.evaluation.report import evaluate as evaluate
    from genre_lib.training.loop import fit as fit

_MODULES = {
    "AUDIO_FEATURES": "data.schema",
    "FEATURES": "data.schema",
    "GENRES": "data.schema",
    "TOPIC_FEATURES": "data.schema",
    "add_songs": "data.genres",
    "GenreClassifier": "classifier.classifier",
    "SongEncoder": "data.encoding",
    "SongTensors": "data.tensors",
    "describe_environment": "environment",
    "evaluate": "evaluation.report",
    "fit": "training.loop",
    "get_recipe": "classifier.recipes",
    "load_songs": "data.songs",
    "make_songs": "data.synthetic",
    "plots": "plots",
    "split_songs": "data.splits",
    "with_genres": "data.genres",
}
"""The module of each name that can be imported from here."""

__all__ = sorted(_MODULES)


def __getattr__(name: str) -> Any:
    """Load a name when it is first used (PEP 562), as importing torch takes seconds."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_MODULES[name]}")
    value = module if name == "plots" else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
