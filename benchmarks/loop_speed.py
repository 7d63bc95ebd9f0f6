"""Time one epoch of the post's loop against ours, alternating, in one run.

    python benchmarks/loop_speed.py

The post's loop is written here as the post wrote it: a dataset that reads rows with `df.iloc`, a
collate function that tokenises and pads each batch again, a `DataLoader`, `torch.optim.Adam`. The
network is the post's lyrics network in every case; "ours" is `genre_lib.fit`, whose one-time
encoding (tokenising, building tensors) is counted in. Medians of three rounds A B C, A B C, A B C;
writes `benchmarks/results/loop_speed.json`. About three minutes on two cores.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from genre_lib import FEATURES, GENRES, SongEncoder, fit, get_recipe, load_songs, split_songs
from genre_lib.models import PostLyricsNetwork
from genre_lib.stored import write_result

ROUNDS = 3
TOKENS = 100


class PostDataset(Dataset):
    """One song at a time, read from the table when asked for."""

    def __init__(self, table: pd.DataFrame):
        self.table = table

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int) -> tuple[str, int, list[float]]:
        lyrics = self.table.iloc[index, self.table.columns.get_loc("lyrics")]
        genre = GENRES.index(self.table.iloc[index, self.table.columns.get_loc("genre")])
        features = self.table[list(FEATURES)].iloc[index].tolist()
        return lyrics, genre, features


def epoch_of_the_post(table: pd.DataFrame, ids: dict[str, int]) -> None:
    """One epoch in batches of 8, tokenising each batch."""

    def encode(text: str) -> list[int]:
        tokens = [ids.get(token, 1) for token in text.lower().split()][:TOKENS]
        return tokens + [0] * (TOKENS - len(tokens))

    def collate(rows: list) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        lyrics, genres, features = zip(*rows, strict=True)
        return (
            torch.tensor([encode(text) for text in lyrics]),
            torch.tensor(genres),
            torch.tensor(features),
        )

    network = PostLyricsNetwork(len(ids))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    loss_function = torch.nn.CrossEntropyLoss()
    loader = DataLoader(PostDataset(table), batch_size=8, shuffle=True, collate_fn=collate)
    for lyrics, genre, features in loader:
        optimiser.zero_grad()
        loss = loss_function(network(lyrics, features), genre)
        loss.backward()
        optimiser.step()


def epoch_of_ours(table: pd.DataFrame, encoder: SongEncoder, batch_size: int) -> None:
    """Encode the whole set, then one epoch from tensors."""
    network = PostLyricsNetwork(len(encoder.words))
    songs = encoder.encode(table)
    fit(network, songs, epochs=1, batch_size=batch_size, device="cpu", progress=False)


def main() -> None:
    """Alternate the three loops, print and store medians and ratios."""
    songs = load_songs()
    train = split_songs(songs).train
    encoder = SongEncoder(min_frequency=1, max_tokens=TOKENS, scale=False).fit(train)
    ids = {word: number for number, word in enumerate(encoder.words)}
    small, large = 8, get_recipe("course", "lyrics").training["batch_size"]
    ways: dict[str, Callable[[], None]] = {
        "the post's loop, batch 8": lambda: epoch_of_the_post(train, ids),
        f"ours, batch {small}": lambda: epoch_of_ours(train, encoder, small),
        f"ours, batch {large}": lambda: epoch_of_ours(train, encoder, large),
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for round_number in range(ROUNDS):
        for name, way in ways.items():
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
            print(f"round {round_number + 1}: {name:26} {seconds[name][-1]:7.2f} s", flush=True)
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    post = medians["the post's loop, batch 8"]
    for name, median in medians.items():
        speed = len(train) / median
        print(f"{name:26} {median:7.2f} s  {speed:10,.0f} songs/s  ×{post / median:.0f}")
    write_result(
        Path(__file__).parent / "results" / "loop_speed.json",
        "python benchmarks/loop_speed.py",
        songs.attrs["source"],
        len(songs),
        training_songs=len(train),
        threads=torch.get_num_threads(),
        seconds=seconds,
        medians=medians,
        songs_per_second={name: len(train) / median for name, median in medians.items()},
        ratios={name: post / median for name, median in medians.items()},
    )


if __name__ == "__main__":
    main()
