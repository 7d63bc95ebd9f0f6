"""How good a network is: its probabilities, and the measures computed from them. Chapter 4."""

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
    """How well predicted probabilities fit the true genres of n songs.

    Examples
    --------
    >>> report = Report(np.eye(7)[[6, 6, 0]], np.array([6, 5, 0]))
    >>> round(report.accuracy, 3), round(report.macro_f1, 3)
    (0.667, 0.556)
    """

    probabilities: np.ndarray
    """Shape (n, genres); each row sums to 1."""
    genre: np.ndarray
    """The true genre numbers, shape (n,)."""
    genres: tuple[str, ...] = GENRES
    """The names of the genres, in the order of their numbers."""

    @property
    def songs(self) -> int:
        """The number of songs, n."""
        return len(self.genre)

    @property
    def predicted(self) -> np.ndarray:
        """The number of each song's most probable genre, shape (n,)."""
        return self.probabilities.argmax(axis=1)

    @property
    def loss(self) -> float:
        """Mean cross-entropy in nats."""
        likelihood = self.probabilities[np.arange(self.songs), self.genre]
        return float(-np.log(np.maximum(likelihood, 1e-12)).mean())

    @property
    def accuracy(self) -> float:
        """The share of songs whose most probable genre is the true one."""
        return float((self.predicted == self.genre).mean())

    @property
    def base_rate(self) -> float:
        """The accuracy of always predicting the most frequent genre of these songs."""
        return float(np.bincount(self.genre).max() / self.songs)

    @property
    def macro_f1(self) -> float:
        """The mean F1 (harmonic mean of precision and recall) of the genres that occur."""
        present = np.unique(self.genre)
        return float(
            f1_score(self.genre, self.predicted, labels=present, average="macro", zero_division=0)
        )

    @property
    def top2_accuracy(self) -> float:
        """The share of songs whose true genre is among the two most probable ones."""
        top_two = np.argsort(-self.probabilities, axis=1)[:, :2]
        return float((top_two == self.genre[:, None]).any(axis=1).mean())

    @property
    def calibration_error(self) -> float:
        """The expected calibration error, a distance between confidence and accuracy.

        It is the mean over all songs of the distance in their bin of `reliability` (Guo et al.
        2017, arXiv:1706.04599).
        """
        bins = self.reliability()
        gaps = (bins["confidence"] - bins["accuracy"]).abs()
        return float((gaps * bins["songs"]).sum() / self.songs)

    def reliability(self) -> pd.DataFrame:
        """Return ten bins of songs by their largest probability, without the empty ones.

        The columns are `songs`, a count, mean `confidence` and `accuracy`.
        """
        confidence = self.probabilities.max(axis=1)
        table = pd.DataFrame({"confidence": confidence, "right": self.predicted == self.genre})
        groups = table.groupby(np.minimum((confidence * 10).astype(int), 9))
        bins = groups.agg(songs=("right", "size"), confidence=("confidence", "mean"))
        return bins.assign(accuracy=groups["right"].mean())

    @property
    def confusion(self) -> pd.DataFrame:
        """The number of songs by true genre (rows) and predicted genre (columns)."""
        counts = confusion_matrix(self.genre, self.predicted, labels=range(len(self.genres)))
        return pd.DataFrame(counts, index=self.genres, columns=self.genres)

    def summary(self) -> dict[str, float]:
        """Return all measures by name, as the command line and stored results use them."""
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
    """Return probabilities, shape (batch, 7); for several members, their mean.

    Examples
    --------
    >>> mean_probabilities(torch.zeros(3, 2, 7)).shape  # 3 songs, 2 members
    torch.Size([3, 7])
    """
    probabilities = F.softmax(logits, dim=-1)
    return probabilities.mean(dim=1) if logits.dim() == 3 else probabilities


def answers(logits: Tensor) -> Tensor:
    """Return the number of each song's most probable genre, shape (batch,).

    Examples
    --------
    >>> answers(torch.eye(7)[[6, 0]]).tolist()
    [6, 0]
    """
    return mean_probabilities(logits).argmax(dim=1)


def check_inputs(network: nn.Module, songs: Songs) -> None:
    """Raise `GenreLibError` if songs lack what the network looks at (its attribute `sees`)."""
    some = songs.sample(1)
    for name in getattr(network, "sees", ()):
        if len(some) and not getattr(some, name).shape[1]:
            raise GenreLibError(
                f"This network looks at the {name}, which these songs were encoded without: "
                "give the encoder a table that has them."
            )


@torch.no_grad()
def predict(network: nn.Module, songs: Songs, batch_size: int = 4096) -> np.ndarray:
    """Return the probability of each genre, shape (n, 7), computed in evaluation mode.

    Raises
    ------
    GenreLibError
        When the songs lack what the network looks at.

    Examples
    --------
    >>> from genre_lib import SongEncoder, get_recipe, make_songs
    >>> songs = SongEncoder().fit_encode(make_songs(200))
    >>> predict(get_recipe("first", "features").build(0), songs).shape
    (200, 7)
    """
    check_inputs(network, songs)
    mode = network.training
    network.eval()
    device = next(network.parameters()).device
    try:
        batches = [
            mean_probabilities(network(lyrics.to(device), features.to(device))).cpu()
            for lyrics, features, _ in songs.in_order(batch_size)
        ]
    finally:
        network.train(mode)
    return torch.cat(batches).double().numpy()


def evaluate(network: nn.Module, songs: Songs) -> Report:
    """Evaluate `network` on `songs`, always in evaluation mode (dropout off).

    Raises
    ------
    GenreLibError
        When there are no songs, one has no genre, they lack what the network looks at, or the
        network was made for another number of genres.

    Examples
    --------
    >>> from genre_lib import SongEncoder, get_recipe, make_songs
    >>> songs = SongEncoder().fit_encode(make_songs(200))
    >>> evaluate(get_recipe("first", "features").build(0), songs).songs
    200
    """
    genre = songs.genre.cpu().numpy()
    if not len(genre):
        raise GenreLibError("There are no songs to evaluate the network on: give some.")
    if (genre < 0).any():
        raise GenreLibError(
            "Some of these songs have no genre to compare predictions with: encode a table with "
            "the column 'genre', or compute probabilities only (predict)."
        )
    probabilities = predict(network, songs)
    if probabilities.shape[1] != len(songs.genres):
        raise GenreLibError(
            f"This network has {probabilities.shape[1]} outputs, but these songs have "
            f"{len(songs.genres)} genres: encode them with the network's own encoder."
        )
    return Report(probabilities, genre, songs.genres)
