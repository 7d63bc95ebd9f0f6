"""Time one epoch of the post's loop against ours, alternating, in one run.

    python benchmarks/loop_speed.py

The post's loop is rebuilt here step by step: a dataset that reads a song's lyrics, genre and 22
scores with `df.iloc`, a collate function that tokenises each song of a batch (torchtext's
`basic_english`, rebuilt, for torchtext is discontinued), looks its words up and pads it in a
tensor of its own, a `DataLoader`, `torch.optim.Adam` as it comes, and the hits of every batch read
with `.item()`. (The post itself reached about 900 songs a second.) Ours is `genre_lib.fit` on
tensors. Songs, vocabulary and network are the post's in every case: 80 % of the songs, every
word, and the lyrics network.

Building the vocabulary is left out on both sides. Ours encodes all songs once, before the first
epoch: those seconds are stated apart, and counted in the ratio for all 30 epochs. Medians
of five rounds A B C, A B C, …; writes `benchmarks/results/loop_speed.json`. About two minutes on
two cores.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

from genre_lib import FEATURES, GENRES, SongEncoder, fit, get_recipe, load_songs, split_songs
from genre_lib.data.encoding import PAD_ID, UNKNOWN_ID, SongTensors
from genre_lib.models import OriginalLyricsNetwork
from genre_lib.study.results import write_result

ROUNDS = 5
TOKENS = 100


BASIC_ENGLISH = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"'", " '  "), (r'"', ""), (r"\.", " . "), (r"<br />", " "), (r",", " , "), (r"\(", " ( "),
        (r"\)", " ) "), (r"!", " ! "), (r"\?", " ? "), (r";", " "), (r":", " "), (r"\s+", " "),
    )
]  # fmt: skip
"""What torchtext's tokeniser of that name replaces, in this order, before it splits at spaces."""


class PostDataset(Dataset):
    """One song at a time, read from the table when asked for."""

    def __init__(self, table: pd.DataFrame):
        self.table = table
        column = table.columns.get_loc
        self.lyrics, self.genre = column("lyrics"), column("genre")
        self.scores = slice(column(FEATURES[0]), column(FEATURES[-1]) + 1)

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, row: int) -> tuple[str, int, np.ndarray]:
        read = self.table.iloc
        return read[row, self.lyrics], read[row, self.genre], read[row, self.scores].values


def epoch_of_the_post(table: pd.DataFrame, ids: dict[str, int]) -> None:
    """One epoch in batches of 8, tokenising each batch; `genre` is a number in `table`."""

    def tokenise(text: str) -> list[str]:
        text = text.lower()
        for pattern, replacement in BASIC_ENGLISH:
            text = pattern.sub(replacement, text)
        return text.split()

    def encode(text: str) -> torch.Tensor:
        tokens = [ids.get(token, UNKNOWN_ID) for token in tokenise(text)][:TOKENS]
        padded = torch.zeros(TOKENS, dtype=torch.int64) + PAD_ID
        padded[: len(tokens)] = torch.tensor(tokens, dtype=torch.int64)
        return padded

    def collate(rows: list) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        lyrics, genres, scores = zip(*rows, strict=True)
        return (
            torch.stack([encode(text) for text in lyrics]),
            torch.tensor([int(genre) for genre in genres]),
            torch.stack([torch.tensor(s.astype(float), dtype=torch.float32) for s in scores]),
        )

    network = nn.Sequential(
        nn.Embedding(len(ids), 4), nn.Flatten(), nn.Linear(TOKENS * 4, len(GENRES))
    )
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_function = nn.CrossEntropyLoss()
    loader = DataLoader(PostDataset(table), batch_size=8, shuffle=True, collate_fn=collate)
    hits = 0
    for lyrics, genre, _ in loader:
        optimiser.zero_grad()
        logits = network(lyrics)
        loss = loss_function(logits, genre)
        loss.backward()
        optimiser.step()
        hits += (logits.argmax(1) == genre).sum().item()


def epoch_of_ours(songs: SongTensors, vocabulary: int, batch_size: int) -> None:
    """One epoch from tensors."""
    network = OriginalLyricsNetwork(vocabulary)
    fit(network, songs, epochs=1, batch_size=batch_size, device="cpu", progress=False)


def main() -> None:
    """Alternate the three loops, print and store medians and ratios."""
    songs = load_songs()
    split = split_songs(songs)
    train = pd.concat([split.train, split.validation])
    recipe = get_recipe("original", "lyrics")
    encoder = SongEncoder(**recipe.encoder).fit(train)
    start = time.perf_counter()
    tensors = encoder.encode(train)
    encoding = time.perf_counter() - start
    ids = {word: number for number, word in enumerate(encoder.words)}
    table = train.assign(genre=pd.Categorical(train["genre"], categories=GENRES).codes)
    large = get_recipe("course", "lyrics").training["batch_size"]
    post = "the post's loop, batch 8"
    ways: dict[str, Callable[[], None]] = {
        post: lambda: epoch_of_the_post(table, ids),
        "ours, batch 8": lambda: epoch_of_ours(tensors, len(ids), 8),
        f"ours, batch {large}": lambda: epoch_of_ours(tensors, len(ids), large),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(ROUNDS):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
            print(f"round {round_number + 1}: {name:26} {seconds[name][-1]:7.2f} s", flush=True)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    epochs = recipe.training["epochs"]
    whole = {name: epochs * median for name, median in medians.items()}
    whole = {name: s + encoding * (name != post) for name, s in whole.items()}
    print(f"encoding all songs once, for ours: {encoding:.2f} s")
    for name, median in medians.items():
        print(
            f"{name:26} {median:7.2f} s an epoch {len(train) / median:10,.0f} songs/s "
            f"×{medians[post] / median:.0f}; {epochs} epochs with encoding "
            f"×{whole[post] / whole[name]:.0f}"
        )
    write_result(
        Path(__file__).parent / "results" / "loop_speed.json",
        "python benchmarks/loop_speed.py",
        songs.attrs["source"],
        len(songs),
        training_songs=len(train),
        threads=torch.get_num_threads(),
        encoding_seconds=encoding,
        seconds=seconds,
        medians=medians,
        songs_per_second={name: len(train) / median for name, median in medians.items()},
        ratios={name: medians[post] / median for name, median in medians.items()},
        ratios_of_30_epochs={name: whole[post] / seconds for name, seconds in whole.items()},
    )


if __name__ == "__main__":
    main()
