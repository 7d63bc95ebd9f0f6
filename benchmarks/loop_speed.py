"""Time one epoch of the post's loop against ours, alternating, in one run.

    python benchmarks/loop_speed.py

The post's loop is rebuilt here from its description: a dataset that reads each of a song's three
values with `df.iloc`, a collate function that tokenises each song of a batch (torchtext's
`basic_english`, rebuilt, for torchtext is discontinued) and pads it in a tensor of its own, a
`DataLoader`, `torch.optim.Adam`. (The post itself reached about 900 songs a second.) Ours is
`genre_lib.fit` on tensors. The network is the post's lyrics network in every case.

Building the vocabulary is left out on both sides. Ours encodes all songs once, before the first
epoch: those seconds are stated apart, and counted in the ratio for all 30 epochs. Medians
of three rounds A B C, A B C, A B C; writes `benchmarks/results/loop_speed.json`. About three
minutes on two cores.
"""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import torch
from torch.utils.data import DataLoader, Dataset

from genre_lib import FEATURES, GENRES, SongEncoder, fit, get_recipe, load_songs, split_songs
from genre_lib.encoding import SongTensors
from genre_lib.models import PostLyricsNetwork
from genre_lib.stored import write_result

ROUNDS = 3
TOKENS = 100
POST_EPOCHS = 30


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

    def __len__(self) -> int:
        return len(self.table)

    def __getitem__(self, index: int) -> tuple[str, str, torch.Tensor]:
        lyrics = self.table.iloc[index]["lyrics"]
        genre = self.table.iloc[index]["genre"]
        features = self.table.iloc[index][list(FEATURES)]
        return lyrics, genre, torch.tensor(features.to_numpy(dtype="float32"))


def epoch_of_the_post(table: pd.DataFrame, ids: dict[str, int]) -> None:
    """One epoch in batches of 8, tokenising each batch."""

    def tokenise(text: str) -> list[str]:
        text = text.lower()
        for pattern, replacement in BASIC_ENGLISH:
            text = pattern.sub(replacement, text)
        return text.split()

    def encode(text: str) -> torch.Tensor:
        tokens = tokenise(text)[:TOKENS]
        padded = torch.zeros(TOKENS, dtype=torch.int64)
        padded[: len(tokens)] = torch.tensor([ids.get(t, 1) for t in tokens], dtype=torch.int64)
        return padded

    def collate(rows: list) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        lyrics, genres, features = zip(*rows, strict=True)
        return (
            torch.stack([encode(text) for text in lyrics]),
            torch.tensor([GENRES.index(genre) for genre in genres]),
            torch.stack(features),
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


def epoch_of_ours(songs: SongTensors, vocabulary: int, batch_size: int) -> None:
    """One epoch from tensors."""
    network = PostLyricsNetwork(vocabulary)
    fit(network, songs, epochs=1, batch_size=batch_size, device="cpu", progress=False)


def main() -> None:
    """Alternate the three loops, print and store medians and ratios."""
    songs = load_songs()
    train = split_songs(songs).train
    encoder = SongEncoder(min_frequency=1, max_tokens=TOKENS, scale=False).fit(train)
    start = time.perf_counter()
    tensors = encoder.encode(train)
    encoding = time.perf_counter() - start
    ids = {word: number for number, word in enumerate(encoder.words)}
    large = get_recipe("course", "lyrics").training["batch_size"]
    post = "the post's loop, batch 8"
    ways: dict[str, Callable[[], None]] = {
        post: lambda: epoch_of_the_post(train, ids),
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
    whole = {name: POST_EPOCHS * median for name, median in medians.items()}
    whole = {name: s + encoding * (name != post) for name, s in whole.items()}
    print(f"encoding all songs once, for ours: {encoding:.2f} s")
    for name, median in medians.items():
        print(
            f"{name:26} {median:7.2f} s an epoch {len(train) / median:10,.0f} songs/s "
            f"×{medians[post] / median:.0f}; {POST_EPOCHS} epochs with encoding "
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
