"""One loop that trains every network, and one function that scores it. Explained in chapter 3."""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from sklearn.metrics import confusion_matrix, f1_score
from torch import nn
from tqdm import tqdm

from genre_lib.encoding import SongTensors
from genre_lib.schema import GENRES, GenreLibError


@dataclass
class History:
    """What happened in training: a row an epoch, and which epoch's weights were kept."""

    rows: list[dict[str, float]] = field(default_factory=list)
    best_epoch: int = 0
    """The epoch whose weights the network has now, counted from 1."""
    interrupted: bool = False

    def table(self) -> pd.DataFrame:
        """One row an epoch: loss and accuracy of both sets, and seconds.

        The training figures are means over the epoch's batches, so dropout is on in them and the
        weights still move; the validation figures are taken after the epoch, in evaluation mode.
        """
        return pd.DataFrame(self.rows, index=pd.RangeIndex(1, len(self.rows) + 1, name="epoch"))


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
        confidence = self.probabilities.max(axis=1)
        right = self.predicted == self.genre
        bins = np.minimum((confidence * 10).astype(int), 9)
        gaps = np.bincount(bins, confidence - right, minlength=10)
        return float(np.abs(gaps).sum() / self.songs)

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


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name` ("cpu", "cuda", "mps", …), or the fastest one for "auto".

    Raises
    ------
    GenreLibError
        When there is no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError):  # torch built without CUDA asserts
        raise GenreLibError(f"There is no device {name!r} here: use 'cpu' or 'auto'.") from None
    return device


def fit(
    network: nn.Module,
    train: SongTensors,
    validation: SongTensors | None = None,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float = 1e-3,
    weight_decay: float = 0.0,
    patience: int | None = None,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
) -> History:
    """Train `network` in place by Adam on the cross-entropy; it stays on `device` afterwards.

    Parameters
    ----------
    validation
        Scored after every epoch.
    epochs, batch_size
        Passes over all training songs, and songs a step.
    learning_rate, weight_decay
        Settings of `torch.optim.AdamW`; without weight decay it is Adam.
    patience
        Stop when the validation loss has not fallen for this many epochs, and go back to the
        weights of its lowest point. `None`: run all epochs and keep the last weights.
    seed
        Fixes the order of the songs and the dropout. Same seed, network, songs and CPU: same
        weights, bit for bit.
    progress
        Whether to show a bar.

    Interrupting it (Ctrl-C, or the stop button of a notebook) ends training and keeps the weights
    so far; `History.interrupted` says so.
    """
    device = choose_device(device)
    network.to(device)
    train = train.to(device)
    validation = validation.to(device) if validation is not None else None
    optimiser = torch.optim.AdamW(
        network.parameters(),
        learning_rate,
        weight_decay=weight_decay,
        fused=device.type in ("cpu", "cuda"),  # one call a step: 4 times as fast for small batches
    )
    torch.manual_seed(seed)

    history = History()
    lowest, best_weights = float("inf"), None
    bar = tqdm(range(1, epochs + 1), unit="epoch", disable=not progress)
    try:
        for epoch in bar:
            start = time.perf_counter()
            loss, accuracy = _train_one_epoch(network, train, batch_size, optimiser)
            row = {"train_loss": loss, "train_accuracy": accuracy}
            if validation is not None:
                report = evaluate(network, validation)
                row |= {"validation_loss": report.loss, "validation_accuracy": report.accuracy}
                if patience is not None and report.loss < lowest:
                    lowest, history.best_epoch = report.loss, epoch
                    best_weights = copy.deepcopy(network.state_dict())
            history.rows.append(row | {"seconds": time.perf_counter() - start})
            bar.set_postfix({name: f"{value:.3f}" for name, value in row.items()})
            if best_weights is not None and epoch - history.best_epoch >= patience:
                break
    except KeyboardInterrupt:
        history.interrupted = True
    bar.close()
    if best_weights is not None:
        network.load_state_dict(best_weights)
    else:
        history.best_epoch = len(history.rows)
    network.eval()
    return history


def _train_one_epoch(
    network: nn.Module, songs: SongTensors, batch_size: int, optimiser: torch.optim.Optimizer
) -> tuple[float, float]:
    network.train()
    device = songs.genre.device
    total_loss = torch.zeros((), device=device)
    correct = torch.zeros((), device=device)
    for rows in torch.randperm(len(songs)).to(device).split(batch_size):
        lyrics, features, genre = songs[rows]
        logits = network(lyrics, features)
        loss = F.cross_entropy(logits, genre)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        # The sums stay on the device: reading them here would make a GPU wait at every step.
        total_loss += loss.detach() * len(rows)
        correct += (logits.argmax(dim=1) == genre).sum()
    return total_loss.item() / len(songs), correct.item() / len(songs)


@torch.no_grad()
def predict(network: nn.Module, songs: SongTensors, batch_size: int = 4096) -> np.ndarray:
    """Return the probability of each genre, shape (n, 7), in evaluation mode.

    The network is left in the mode in which it came.
    """
    mode = network.training
    network.eval()
    device = next(network.parameters()).device
    batches = [
        F.softmax(network(lyrics.to(device), features.to(device)), dim=1).cpu()
        for lyrics, features in zip(
            songs.lyrics.split(batch_size), songs.features.split(batch_size), strict=True
        )
    ]
    network.train(mode)
    return torch.cat(batches).double().numpy()


def evaluate(network: nn.Module, songs: SongTensors) -> Report:
    """Score `network` on `songs`, always in evaluation mode (dropout off)."""
    return Report(predict(network, songs), songs.genre.cpu().numpy())
