"""One loop that trains every network. Explained in chapter 4, *The training loop*."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from tqdm import tqdm

from genre_lib.data.tensors import Batches, Songs
from genre_lib.errors import GenreLibError
from genre_lib.evaluation.report import answers, check_inputs, evaluate
from genre_lib.training.device import explain_full_memory, move
from genre_lib.training.history import EpochHook, History, TrainingState
from genre_lib.training.strategy import ALONE, Strategy


def train_one_epoch(
    network: nn.Module,
    songs: Batches,
    batch_size: int,
    optimiser: torch.optim.Optimizer,
    cross_entropy: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
) -> tuple[Tensor, Tensor]:
    """Train on all songs once, as in chapter 4; return the epoch's mean loss and accuracy."""
    network.train()
    total, right = 0.0, 0
    for lyrics, features, genre in songs.batches(batch_size):
        logits = network(lyrics, features)
        loss = cross_entropy(logits, genre)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        total += loss.detach() * len(genre)
        right += (answers(logits) == genre).sum()
    return total / len(songs), right / len(songs)


def fit(
    network: nn.Module,
    train: Songs,
    validation: Songs | None = None,
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
    strategy: Strategy = ALONE,
    hooks: Sequence[EpochHook] = (),
) -> History:
    """Train `network` in place with Adam, on `device`; Ctrl-C ends it early.

    Raises `GenreLibError` when songs or genres are missing, a loss is not finite or memory is full.

    Parameters
    ----------
    train, validation
        The songs to learn from, and those to evaluate on after every epoch.
    epochs, batch_size, learning_rate, weight_decay, epsilon
        Passes over all training songs, songs per step, and settings of `torch.optim.AdamW`.
    smoothing, one_cycle
        Label smoothing (arXiv:1512.00567); whether the learning rate first rises, then falls.
    patience
        Stop after this many epochs without a new lowest validation loss; restore the best weights.
    seed
        Fixes the songs' order and the dropout, and so, given the same weights and CPU, the result.
    strategy, hooks
        How processes share the work; what is called before and after epochs (chapter *Scaling*).

    Examples
    --------
    >>> from genre_lib import SongEncoder, get_recipe, make_songs
    >>> songs, network = SongEncoder().fit_encode(make_songs(200)), get_recipe("first", "features")
    >>> fit(network.build(0), songs, epochs=2, batch_size=50, progress=False).best_epoch
    2
    """
    settings: dict[str, Any] = {"epochs": epochs, "batch size": batch_size, "patience": patience}
    settings |= {"smoothing": smoothing, "seed": seed}  # the optimiser holds the others
    _check(network, train, validation, settings)
    network, train, validation = move(device, network, train, validation)
    if (adapt := getattr(network, "adapt", None)) is not None:
        adapt(train.sample(100_000))  # computes constants, such as how rare each word is
    torch.manual_seed(seed)
    optimiser = _adam(network, learning_rate, weight_decay, epsilon)
    steps = epochs * math.ceil(len(train) / batch_size)
    schedule = _one_cycle(optimiser, learning_rate, steps) if one_cycle else None
    state = TrainingState(network, optimiser, schedule, patience)
    for hook in hooks:
        hook.before_training(state, train, validation, settings)
    smoothed = partial(_cross_entropy, smoothing=smoothing)
    bar = tqdm(total=epochs, initial=state.epochs, unit="epoch", disable=not progress)
    try:
        with bar, explain_full_memory(), strategy.shared(network, train) as (forward, songs):
            while state.epochs < epochs and not state.patience_is_over:
                start = time.perf_counter()
                found = train_one_epoch(forward, songs, batch_size, optimiser, smoothed)
                loss, accuracy = strategy.mean(*found)
                row = {"train_loss": loss, "train_accuracy": accuracy}
                if validation is not None:
                    report = evaluate(network, validation)
                    row |= {"validation_loss": report.loss, "validation_accuracy": report.accuracy}
                state.finish_epoch(row | {"seconds": time.perf_counter() - start})
                for hook in hooks:
                    hook.after_epoch(state)
                bar.update()
                bar.set_postfix({name: f"{value:.3f}" for name, value in row.items()})
    except KeyboardInterrupt:
        state.history.interrupted = True
    state.finish()
    network.eval()
    return state.history


def _check(
    network: nn.Module, train: Songs, validation: Songs | None, settings: dict[str, Any]
) -> None:
    """Raise an error if the network can't be trained on these songs, or with these settings."""
    for name in ("epochs", "batch size", "patience"):
        given = settings[name]
        if given is not None and not (isinstance(given, Integral) and int(given) >= 1):
            raise GenreLibError(
                f"The setting {name!r} is {given}: it must be a whole number, at least 1."
            )
    if settings["patience"] is not None and validation is None:
        raise GenreLibError(
            "Early stopping needs validation songs: give some, or leave out patience."
        )
    for name, songs in (("training", train), ("validation", validation)):
        if songs is None:
            continue
        if not len(songs):
            raise GenreLibError(f"There are no {name} songs: give a table that has some.")
        if (songs.genre < 0).any():
            raise GenreLibError(
                f"Some {name} songs have no genre, so they can't be used to train or evaluate: "
                "encode a table with the column 'genre'."
            )
        check_inputs(network, songs)


def _adam(
    network: nn.Module, learning_rate: float, weight_decay: float, epsilon: float
) -> torch.optim.Optimizer:
    """Return `torch.optim.AdamW`, which is Adam if there is no weight decay."""
    # Fused, one call per step: 4 times as fast for small batches, but not on all devices.
    fused = next(network.parameters()).device.type in ("cpu", "cuda")
    return torch.optim.AdamW(
        network.parameters(), learning_rate, weight_decay=weight_decay, eps=epsilon, fused=fused
    )


def _one_cycle(optimiser: torch.optim.Optimizer, learning_rate: float, steps: int) -> OneCycleLR:
    """Return a schedule that advances with each step of the optimiser."""
    schedule = OneCycleLR(
        optimiser,
        learning_rate,
        total_steps=steps,
        pct_start=0.1 if steps > 10 else 0.0,  # at 10 steps, torch would divide by 0
        anneal_strategy="linear",
        cycle_momentum=False,
    )
    # torch calls this after every step, so the loop needn't know that there is a schedule.
    optimiser.register_step_post_hook(lambda *_: schedule.step())
    return schedule


def _cross_entropy(logits: Tensor, genre: Tensor, smoothing: float) -> Tensor:
    """Return the mean loss of logits of shape (batch, 7) or (batch, members, 7)."""
    if logits.dim() == 3:
        genre = genre.unsqueeze(1).expand(logits.shape[:2])
    return F.cross_entropy(logits.flatten(0, -2), genre.flatten(), label_smoothing=smoothing)
