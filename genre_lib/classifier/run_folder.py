"""The folder in which a trained classifier is saved. Explained in chapter 8.

It contains the weights (safetensors), the encoder and the settings (JSON), a page about them
(Markdown), and no code, so that loading it is safe.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load, save
from torch import Tensor, nn

from genre_lib.classifier.model_card import model_card
from genre_lib.classifier.recipes import Recipe
from genre_lib.data.encoding import SongEncoder
from genre_lib.environment import versions
from genre_lib.errors import GenreLibError, did_you_mean
from genre_lib.files import expand, reason, written_whole

FORMAT = 4
"""Incremented whenever the library can no longer read older run folders."""

RUN, ENCODER, WEIGHTS = "run.json", "encoder.json", "network.safetensors"
"""The files of a run folder that are needed to load it."""

CARD = "README.md"
"""The page about the network."""


class Run(NamedTuple):
    """The content of a run folder."""

    recipe: Recipe
    encoder: SongEncoder
    network: nn.Module
    notes: dict[str, Any]


def write_run(folder: str | Path, run: Run) -> None:
    """Write a run folder; an older run is replaced once the new one is complete.

    Raises
    ------
    GenreLibError
        When `folder` has other files, or can't be written.
    """
    folder = check_run_target(folder)
    description = {
        "format": FORMAT,
        "recipe": run.recipe.to_json(),
        "vocabulary": len(run.encoder.words),
        "genres": run.encoder.genres,
        "versions": versions(),
        "notes": run.notes,
    }
    weights = {name: w.cpu().contiguous() for name, w in run.network.state_dict().items()}
    try:
        with written_whole(folder) as new:
            new.mkdir()
            (new / WEIGHTS).write_bytes(save(weights))  # save_file would not raise OSError
            (new / ENCODER).write_text(run.encoder.to_json(), encoding="utf-8")
            (new / RUN).write_text(json.dumps(description, indent=1), encoding="utf-8")
            card = model_card(run.recipe, len(run.encoder.words), run.notes, run.encoder.genres)
            # The data's file name may come from a disk with another encoding.
            (new / CARD).write_text(card, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise GenreLibError(
            f"The run could not be written to {folder} {reason(error, 'folder')}."
        ) from error


def read_run(folder: str | Path, network: type[nn.Module] | None = None) -> Run:
    """Read a run folder.

    Parameters
    ----------
    folder
        The folder.
    network
        The network's class, if it is not one of the course's.

    Raises
    ------
    GenreLibError
        When the folder is not a run folder, is incomplete or damaged, or has another format.
    OSError
        When a file can't be read.
    """
    folder = expand(folder)
    description = _read_description(folder)
    name = RUN
    try:
        recipe = Recipe.from_json(description["recipe"], network)
        built = recipe.build(description["vocabulary"], len(description["genres"]))
        name = ENCODER
        encoder = SongEncoder.from_json((folder / ENCODER).read_text(encoding="utf-8"))
        if encoder.settings != SongEncoder(**recipe.encoder).settings:
            raise ValueError("it belongs to another recipe")
        found = [len(encoder.words), list(encoder.genres)]
        if found != [description["vocabulary"], description["genres"]]:
            raise ValueError("it belongs to another run")
        name = WEIGHTS
        weights: dict[str, Tensor] = load((folder / WEIGHTS).read_bytes())
        built.load_state_dict(weights)
        if not all(weight.isfinite().all() for weight in weights.values()):
            raise ValueError("it has weights that are not finite")
    except (GenreLibError, OSError):  # an unknown network; no permission
        raise
    except Exception as error:  # JSON, safetensors and torch raise various errors
        what = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
        raise GenreLibError(
            f"The run folder {folder} is damaged ({name}: {what}): train again, or copy it."
        ) from error
    return Run(recipe, encoder, built, description["notes"])


def check_run_target(folder: str | Path) -> Path:
    """Return `folder` as a path if a run can be written there without losing other files.

    Raises
    ------
    GenreLibError
        When it is a file or the current folder, can't be written, or has files other than an
        earlier run.
    """
    folder = expand(folder).resolve()
    if folder == Path.cwd():
        raise GenreLibError("The run can't replace the current folder: choose another folder.")
    existing = next(path for path in (*folder.parents, folder) if path.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise GenreLibError(f"Nothing can be written in {existing}: choose another folder.")
    if folder.exists() and not folder.is_dir():
        raise GenreLibError(f"{folder} is a file: choose a folder for the run.")
    if folder.is_dir() and {p.name for p in folder.iterdir()} - {RUN, ENCODER, WEIGHTS, CARD}:
        raise GenreLibError(f"{folder} has other files: choose a new or empty folder for the run.")
    return folder


def _read_description(folder: Path) -> dict[str, Any]:
    if folder.is_file():
        raise GenreLibError(f"{folder} is a file: give a run folder.")
    if not folder.is_dir():
        siblings = [p.name for p in folder.parent.glob("*/")] if folder.parent.is_dir() else []
        hint = did_you_mean(folder.name, siblings, "train first, or check the path.")
        raise GenreLibError(f"There is no run folder {folder}: {hint}")
    if not any((folder / name).exists() for name in (RUN, ENCODER, WEIGHTS)):
        raise GenreLibError(f"{folder} is not a run folder: train first, or check the path.")
    for name in (RUN, ENCODER, WEIGHTS):
        if not (folder / name).is_file():
            raise GenreLibError(
                f"The run folder {folder} is incomplete, {name} is missing: train again, or copy "
                "the whole folder."
            )
    try:
        description: dict[str, Any] = json.loads((folder / RUN).read_text(encoding="utf-8"))
        found, _ = description["format"], list(description["genres"])
        _ = description["recipe"]["network"], description["vocabulary"], description["notes"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise GenreLibError(f"{folder / RUN} does not describe a run: train again.") from error
    if found != FORMAT:
        raise GenreLibError(
            f"The run folder {folder} was written by another version of genre-lib (format "
            f"{found!r}, this one reads {FORMAT!r}): train again with this version."
        )
    return description
