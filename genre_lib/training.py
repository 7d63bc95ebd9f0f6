"""One loop that trains every network. Explained in chapter 3, *The training loop*."""

from __future__ import annotations

import math
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from genre_lib.device import OutOfMemory, choose_device
from genre_lib.encoding import Batch, SongTensors
from genre_lib.processes import join, others_may_end, parallel, share
from genre_lib.scoring import evaluate, mean_probabilities
from genre_lib.state import History, TrainingState


class Songs(Protocol):
    """What `fit` learns from: `SongTensors`, or anything else that hands out batches like it."""

    genre: Tensor

    def __len__(self) -> int: ...

    def to(self, device: torch.device) -> Songs:
        """Return the same songs, to be handed out on `device`."""

    def sample(self, most: int) -> SongTensors:
        """Return every k-th song, `most` of them at the most."""

    def batches(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, in a new random order by torch's global seed."""

    def in_order(self, size: int) -> Iterator[Batch]:
        """Yield all songs, `size` at a time, as they lie."""


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
    bfloat16: bool = False,
    compile: bool = False,
    checkpoint: str | Path | None = None,
    progress: bool = True,
) -> History:
    """Train `network` in place by Adam on the cross-entropy; it stays on `device` afterwards.

    Parameters
    ----------
    train, validation
        Songs as tensors, or as mapped files (`genre_lib.shards`). The validation songs are scored
        after every epoch.
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
    bfloat16, compile
        Whether to multiply in 16 bits (torch's autocast), and to let `torch.compile` rewrite the
        network, which takes a minute before the first step. Both are for large work on a GPU.
    checkpoint
        A file that is written after every epoch. When it is there at the start, training goes on
        after the last epoch in it, to the same weights that it would have had without a stop.
    progress
        Whether to show a bar.

    Interrupting it (Ctrl-C, or the stop button of a notebook) ends training and keeps the weights
    so far; `History.interrupted` says so. Started by `torchrun`, several processes share every
    batch (`genre_lib.processes`).

    Raises
    ------
    GenreLibError
        When the device's memory is full, a checkpoint can't be written or is of another training,
        or another process of this training is gone.
    """
    asked, device = device, choose_device(device)
    join(device)
    try:
        network.to(device)
        train = train.to(device)
        validation = validation.to(device) if validation is not None else None
    except torch.cuda.OutOfMemoryError as error:
        if asked != "auto" or share.of > 1:
            raise OutOfMemory(device) from error
        warnings.warn(f"{OutOfMemory(device)} The CPU computes now.", stacklevel=2)
        device = torch.device("cpu")
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
        network.adapt(train.sample(100_000))
    torch.manual_seed(seed)
    forward = parallel(network)
    if compile:
        # On a GPU the calls of a step are recorded once, as a CUDA graph, and then replayed.
        mode = "reduce-overhead" if device.type == "cuda" else "default"
        forward = torch.compile(forward, mode=mode)
    state = TrainingState(network, optimiser, schedule)
    settings = {
        "network": type(network).__name__,
        "songs": len(train),
        "words": int(train.sample(1000).lyrics.sum()),
        "epochs": epochs,
        "batch size": batch_size,
        "learning rate": learning_rate,
        "patience": patience,
        "seed": seed,
    }
    if checkpoint is not None:
        with others_may_end():
            state.resume(Path(checkpoint), settings)

    history = state.history
    bar = tqdm(total=epochs, initial=state.epochs, unit="epoch", disable=not progress)
    try:
        while state.epochs < epochs and not state.has_run_out(patience):
            start = time.perf_counter()
            with others_may_end():
                row = _train_one_epoch(
                    forward, state, train, batch_size, smoothing=smoothing, bfloat16=bfloat16
                )
            if validation is not None:
                report = evaluate(network, validation)
                row |= {"validation_loss": report.loss, "validation_accuracy": report.accuracy}
            history.rows.append(row | {"seconds": time.perf_counter() - start})
            if validation is not None and patience is not None:
                state.keep_if_best(row["validation_loss"])
            if checkpoint is not None:
                state.write(Path(checkpoint), settings)
            bar.update()
            bar.set_postfix({name: f"{value:.3f}" for name, value in row.items()})
    except KeyboardInterrupt:
        if share.of > 1:
            raise  # processes may have stopped at different steps
        history.interrupted = True
    except torch.cuda.OutOfMemoryError as error:
        raise OutOfMemory(device) from error
    bar.close()
    state.go_back_to_best()
    network.eval()
    return history


def _train_one_epoch(
    forward: nn.Module,
    state: TrainingState,
    songs: Songs,
    batch_size: int,
    *,
    smoothing: float,
    bfloat16: bool,
) -> dict[str, float]:
    """Pass over all songs once; return mean loss and accuracy on the way."""
    state.network.train()
    device = state.device
    # Kept on the device until the epoch is over: reading them here would make a GPU wait. Made
    # beforehand: small tensors in a list lie between the large ones, and memory would grow.
    steps = math.ceil(len(songs) / batch_size)
    losses = torch.zeros(steps, device=device)
    hits = torch.zeros(steps, dtype=torch.int64, device=device)
    for step, batch in enumerate(songs.batches(batch_size)):
        lyrics, features, genre = share.part(batch)
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            logits = forward(lyrics, features)
        loss = _cross_entropy(logits.float(), genre, smoothing)
        state.network.zero_grad()
        # Processes average their gradients, so each loss counts by how many songs it is of.
        (loss * (share.counted * share.of / share.songs)).backward()
        state.optimiser.step()
        if state.schedule is not None:
            state.schedule.step()
        losses[step] = loss.detach() * share.counted
        right = mean_probabilities(logits.detach()).argmax(dim=1) == genre
        hits[step] = right[: share.counted].sum()
    loss, right = share.sum(losses.sum(), hits.sum())
    return {
        "train_loss": loss.item() / len(songs),
        "train_accuracy": right.item() / len(songs),
    }


def _cross_entropy(logits: Tensor, genre: Tensor, smoothing: float) -> Tensor:
    """Mean loss of logits (batch, 7), or of every member's where they are (batch, members, 7)."""
    if logits.dim() == 3:
        genre = genre.unsqueeze(1).expand(logits.shape[:2])
    return F.cross_entropy(logits.flatten(0, -2), genre.flatten(), label_smoothing=smoothing)
