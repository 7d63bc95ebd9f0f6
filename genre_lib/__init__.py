"""Songs, networks and training for the course *Deep Music Genre Classification*.

Each module imports only from those above it in this list: `schema`, `device`, `synthetic`, `bayes`,
`published`, `songs`, `encoding`, `making`, `mapped`, `shards`, `processes`, `models`, `scoring`,
`state`, `training`, `environment`, `stored`, `recipes`, `classifier`, `peers`, `cluster`, `study`,
`embedding`, `plots`, `doctor`, `arguments`, `cli`. The names that chapters use most are importable
from here.
"""

from genre_lib.classifier import GenreClassifier
from genre_lib.encoding import SongEncoder, SongTensors
from genre_lib.environment import describe_environment
from genre_lib.recipes import get_recipe
from genre_lib.schema import AUDIO_FEATURES, FEATURES, GENRES, TOPIC_FEATURES
from genre_lib.scoring import evaluate
from genre_lib.songs import load_songs, split_songs
from genre_lib.synthetic import make_songs
from genre_lib.training import fit

__all__ = [
    "AUDIO_FEATURES",
    "FEATURES",
    "GENRES",
    "TOPIC_FEATURES",
    "GenreClassifier",
    "SongEncoder",
    "SongTensors",
    "describe_environment",
    "evaluate",
    "fit",
    "get_recipe",
    "load_songs",
    "make_songs",
    "split_songs",
]
