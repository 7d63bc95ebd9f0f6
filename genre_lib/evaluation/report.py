"""How good a network is: its probabilities, and what may be counted from them. Chapter 3."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.metrics import confusion_matrix, f1_score
from torch import Tensor, nn

from genre_lib.data.schema import GENRES
from genre_lib.data.tensors import Songs
from genre_lib.errors import GenreLibError


@dataclass(frozen=True)
class Report:
    """How well probabilities fit the true genres of n songs."""

    probabilities: np.ndarray
    """Shape (n, 7), each row sums to 1."""
    genre: np.ndarray
    """The true genre numbers, shape (n,)."""

    @property
    def songs(self) -> int:
        """How many songs were scored."""
        return len(self.genre)

    @property
    def predicted(self) -> np.ndarray:
        """The most probable genre's number, shape (n,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def loss(self) -> float:
        """Mean cross-entropy in nats."""
        likely = self.probabilities[np.arange(self.songs), self.genre]
        return float(-np.log(np.maximum(likely, 1e-12)).mean())

    @property
    def accuracy(self) -> float:
        """Share of songs whose most probable genre is the true one."""
        return float((self.predicted == self.genre).mean())

    @property
    def base_rate(self) -> float:
        """The accuracy of always answering with the genre that is most frequent in these songs."""
        return float(np.bincount(self.genre).max() / self.songs)

    @property
    def macro_f1(self) -> float:
        """Mean over the genres that occur of the harmonic mean of precision and recall."""
        present = np.unique(self.genre)
        return float(
            f1_score(self.genre, self.predicted, labels=present, average="macro", zero_division=0)
        )

    @property
    def top2_accuracy(self) -> float:
        """Share of songs whose true genre is among the two most probable ones."""
        two = np.argsort(-self.probabilities, axis=1)[:, :2]
        return float((two == self.genre[:, None]).any(axis=1).mean())

    @property
    def calibration_error(self) -> float:
        """Expected calibration error: how far stated confidence is from the share of right answers.

        Songs are put into ten bins by the largest probability; the mean over songs of the distance
        between a bin's mean confidence and its accuracy (Guo et al. 2017, arXiv:1706.04599).
        """
        bins = self.reliability()
        gaps = (bins["confidence"] - bins["accuracy"]).abs()
        return float((gaps * bins["songs"]).sum() / self.songs)

    def reliability(self) -> pd.DataFrame:
        """Ten bins of songs by the largest probability: `songs`, mean `confidence`, `accuracy`.

        Bins without songs are left out.
        """
        confidence = self.probabilities.max(axis=1)
        table = pd.DataFrame({"confidence": confidence, "right": self.predicted == self.genre})
        by = table.groupby(np.minimum((confidence * 10).astype(int), 9))
        bins = by.agg(songs=("right", "size"), confidence=("confidence", "mean"))
        return bins.assign(accuracy=by["right"].mean())

    @property
    def confusion(self) -> pd.DataFrame:
        """Number of songs by true genre (rows) and predicted genre (columns)."""
        counts = confusion_matrix(self.genre, self.predicted, labels=range(len(GENRES)))
        return pd.DataFrame(counts, index=GENRES, columns=GENRES)

    def summary(self) -> dict[str, float]:
        """The figures that the command line prints and stored results keep."""
        return {
            "songs": self.songs,
            "accuracy": self.accuracy,
            "macro_f1": self.macro_f1,
            "base_rate": self.base_rate,
            "top2_accuracy": self.top2_accuracy,
            "calibration_error": self.calibration_error,
            "loss": self.loss,
        }

    def __str__(self) -> str:
        return (
            f"{self.songs:,} songs: accuracy {self.accuracy:.1%} (base rate {self.base_rate:.1%}), "
            f"macro-F1 {self.macro_f1:.1%}, loss {self.loss:.3f}"
        )


def mean_probabilities(logits: Tensor) -> Tensor:
    """Probabilities, shape (batch, 7); of several members the mean."""
    probabilities = F.softmax(logits, dim=-1)
    return probabilities.mean(dim=1) if logits.dim() == 3 else probabilities


def answers(logits: Tensor) -> Tensor:
    """The number of each song's most probable genre, shape (batch,)."""
    return mean_probabilities(logits).argmax(dim=1)


def check_inputs(network: nn.Module, songs: Songs) -> None:
    """Raise `GenreLibError` where songs lack what the network looks at (its attribute `sees`)."""
    some = songs.sample(1)
    for name in getattr(network, "sees", ()):
        if len(some) and not getattr(some, name).shape[1]:
            raise GenreLibError(
                f"This network looks at the {name}, which these songs were encoded without: "
                "give the encoder a table that has them."
            )


@torch.no_grad()
def predict(network: nn.Module, songs: Songs, batch_size: int = 4096) -> np.ndarray:
    """Return the probability of each genre, shape (n, 7), in evaluation mode.

    The network is left in the mode in which it came.

    Raises
    ------
    GenreLibError
        When the songs lack what the network looks at.
    """
    check_inputs(network, songs)
    mode = network.training
    network.eval()
    device = next(network.parameters()).device
    batches = [
        mean_probabilities(network(lyrics.to(device), features.to(device))).cpu()
        for lyrics, features, _ in songs.in_order(batch_size)
    ]
    network.train(mode)
    return torch.cat(batches).double().numpy()


def evaluate(network: nn.Module, songs: Songs) -> Report:
    """Score `network` on `songs`, always in evaluation mode (dropout off).

    Raises
    ------
    GenreLibError
        When there are no songs, one has no genre, or they lack what the network looks at.
    """
    genre = songs.genre.cpu().numpy()
    if not len(genre):
        raise GenreLibError("There are no songs to score the network on.")
    if (genre < 0).any():
        raise GenreLibError(
            "Some of these songs have no genre to compare answers with: encode a table with the "
            "column 'genre', or ask for probabilities alone (predict)."
        )
    return Report(predict(network, songs), genre)
