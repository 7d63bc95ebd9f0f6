"""How well the pretrained encoder does when all its weights are trained on the songs.

    pip install 'genre-lib[pretrained]'
    python benchmarks/fine_tuning.py

Needs a GPU that torch can use: about a minute for each split. `--encoder FOLDER` takes the
encoder's files from a folder. The settings are those of *Borrowed knowledge*, set in advance: no
choice is made on these songs. Five splits by artist, then five by song, all songs, as in the study.
Writes `benchmarks/results/fine_tuned.json`, anew after each split, so it may be interrupted. The
chapter shows the result beside that of `borrowed.py`.
"""

from __future__ import annotations

import argparse
import copy
import sys
import time
from itertools import product
from pathlib import Path
from typing import Any

import pandas as pd
import torch

from genre_lib import SongTensors, evaluate, fit, load_songs, split_songs
from genre_lib.classifier.pretrained import (
    ENCODER,
    REVISION,
    PretrainedNetwork,
    load_encoder,
    word_pieces,
)
from genre_lib.data.schema import GENRES
from genre_lib.data.songs import strip_footer
from genre_lib.evaluation.report import Report
from genre_lib.study.plan import ALL_SONGS, STANDARD
from genre_lib.study.results import write_result
from genre_lib.study.run import songs_identity

SEEDS, MOST_PIECES = range(5), 128
SETTINGS = {
    "epochs": 3,
    "batch_size": 32,
    "learning_rate": 5e-5,
    "weight_decay": 0.01,
    "one_cycle": True,
}


def tensors(songs: pd.DataFrame, encoder: Any) -> SongTensors:
    """Return the songs' word pieces, without scores."""
    ids = word_pieces(encoder, strip_footer(songs["lyrics"]).tolist(), most=MOST_PIECES)
    genre = torch.tensor(pd.Categorical(songs["genre"], categories=GENRES).codes.copy())
    return SongTensors(ids, torch.empty(len(songs), 0), genre.long())


def fine_tune(encoder: Any, train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Report:
    """Train a copy of the encoder, with a head; return a report on the test songs."""
    torch.manual_seed(seed)
    network = PretrainedNetwork(copy.deepcopy(encoder[0].auto_model))
    fit(network, tensors(train, encoder), **SETTINGS, seed=seed, device="cuda", progress=False)
    return evaluate(network, tensors(test, encoder))


def main() -> None:
    """Measure, print, store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--encoder", default=ENCODER, help="a folder with the encoder's files")
    options = parser.parse_args()
    if not torch.cuda.is_available():
        sys.exit("There is no GPU here that torch can use: run this where there is one.")
    songs = load_songs().reset_index(drop=True)
    encoder = load_encoder(options.encoder)
    rows = []
    for by, seed in product(("artist", "song"), SEEDS):
        split = split_songs(songs, by, seed)
        start = time.perf_counter()
        found = fine_tune(encoder, pd.concat([split.train, split.validation]), split.test, seed)
        row = {"model": "fine-tuned", "split": by, "seed": seed, "variant": STANDARD}
        row |= {"collection": ALL_SONGS, "seconds": time.perf_counter() - start}
        rows.append(row | found.summary())
        print(rows[-1], flush=True)
        write_result(
            Path(__file__).parent / "results/fine_tuned.json",
            "python benchmarks/fine_tuning.py",
            songs.attrs["source"],
            len(songs),
            encoder={"name": ENCODER, "revision": REVISION, "most_pieces": MOST_PIECES},
            songs_identity=songs_identity(songs),
            settings=SETTINGS,
            cells=rows,
        )


if __name__ == "__main__":
    main()
