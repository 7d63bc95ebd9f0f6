"""One loop that trains every network. Explained in chapter 3, *The training loop*."""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass, field

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from genre_lib.encoding import SongTensors
from genre_lib.schema import GenreLibError
from genre_lib.scoring import evaluate, mean_probabilities


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
        weights still move, and their loss is that of smoothed labels; the validation figures are
        taken after the epoch, in evaluation mode, with the labels as they are.
        """
        return pd.DataFrame(self.rows, index=pd.RangeIndex(1, len(self.rows) + 1, name="epoch"))


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
        torch.zeros(1, device=device).item()
    # torch built without CUDA asserts; the rest are its rarer devices.
    except (RuntimeError, AssertionError, ImportError, NotImplementedError):
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
    epsilon: float = 1e-8,
    smoothing: float = 0.0,
    one_cycle: bool = False,
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
    learning_rate, weight_decay, epsilon
        Settings of `torch.optim.AdamW`; without weight decay it is Adam.
    smoothing
        Label smoothing: the share of the answer asked for that is spread evenly over the genres,
        as some labels are wrong (Szegedy et al. 2016, arXiv:1512.00567). 0: the label as it is.
    one_cycle
        Whether the learning rate rises over the first tenth of the steps and then falls in a
        straight line to almost 0. Training then ends by itself, and needs no early stopping.
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
        eps=epsilon,
        fused=device.type in ("cpu", "cuda"),  # one call a step: 4 times as fast for small batches
    )
    schedule = None
    if one_cycle:
        steps = epochs * math.ceil(len(train) / batch_size)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            learning_rate,
            total_steps=steps,
            pct_start=0.1,
            anneal_strategy="linear",
            cycle_momentum=False,
        )
    if hasattr(network, "adapt"):
        network.adapt(train)
    torch.manual_seed(seed)

    history = History()
    lowest, best_weights = float("inf"), None
    bar = tqdm(range(1, epochs + 1), unit="epoch", disable=not progress)
    try:
        for epoch in bar:
            start = time.perf_counter()
            loss, accuracy = _train_one_epoch(
                network, train, batch_size, optimiser, schedule, smoothing
            )
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
    network: nn.Module,
    songs: SongTensors,
    batch_size: int,
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler | None,
    smoothing: float,
) -> tuple[float, float]:
    network.train()
    # Kept on the device until the epoch is over: reading them here would make a GPU wait.
    losses, hits = [], []
    shuffled = songs[torch.randperm(len(songs)).to(songs.genre.device)]
    for lyrics, features, genre in zip(*(t.split(batch_size) for t in shuffled), strict=True):
        logits = network(lyrics, features)
        loss = _cross_entropy(logits, genre, smoothing)
        network.zero_grad()
        loss.backward()
        optimiser.step()
        if schedule is not None:
            schedule.step()
        losses.append(loss.detach())
        hits.append(mean_probabilities(logits.detach()).argmax(dim=1) == genre)
    sizes = torch.tensor([len(hit) for hit in hits], device=losses[0].device)
    total_loss = (torch.stack(losses) * sizes).sum()
    return total_loss.item() / len(songs), torch.cat(hits).float().mean().item()


def _cross_entropy(logits: Tensor, genre: Tensor, smoothing: float) -> Tensor:
    """Mean loss of logits (batch, 7), or of every member's where they are (batch, members, 7)."""
    if logits.dim() == 3:
        genre = genre.unsqueeze(1).expand(logits.shape[:2])
    return F.cross_entropy(logits.flatten(0, -2), genre.flatten(), label_smoothing=smoothing)
