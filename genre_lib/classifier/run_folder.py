"""The folder that a trained classifier is kept in. Explained in chapter 6.

It holds the weights (safetensors), the encoder and the settings (JSON): nothing in it is code, and
reading it runs none.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load_file, save
from torch import Tensor, nn

from genre_lib.classifier.recipes import Recipe
from genre_lib.data.encoding import SongEncoder
from genre_lib.data.schema import GENRES
from genre_lib.environment import versions
from genre_lib.errors import GenreLibError, did_you_mean
from genre_lib.files import written_whole

FORMAT = 2
"""Raised when a run folder of an older library could not be read by a newer one."""

RUN, ENCODER, WEIGHTS = "run.json", "encoder.json", "network.safetensors"


class Run(NamedTuple):
    """What a run folder holds."""

    recipe: Recipe
    encoder: SongEncoder
    network: nn.Module
    notes: dict[str, Any]


def write_run(folder: str | Path, run: Run) -> None:
    """Write a run folder; an older run in its place is replaced, but only by a whole new one.

    Raises
    ------
    GenreLibError
        When `folder` holds something that is not a run, or can't be written.
    """
    folder = check_run_target(folder)
    about = {
        "format": FORMAT,
        "recipe": run.recipe.to_json(),
        "vocabulary": len(run.encoder.words),
        "genres": GENRES,
        "versions": versions(),
        "notes": run.notes,
    }
    weights = {name: w.cpu().contiguous() for name, w in run.network.state_dict().items()}
    try:
        with written_whole(folder) as new:
            new.mkdir()
            (new / WEIGHTS).write_bytes(save(weights))  # save_file has errors of its own
            (new / ENCODER).write_text(run.encoder.to_json(), encoding="utf-8")
            (new / RUN).write_text(json.dumps(about, indent=1), encoding="utf-8")
    except OSError as error:
        raise GenreLibError(
            f"The run could not be written to {folder} ({error.strerror or error}): choose "
            "another folder."
        ) from error


def read_run(folder: str | Path, network: type[nn.Module] | None = None) -> Run:
    """Read a run folder.

    Parameters
    ----------
    folder
        The folder.
    network
        The class of the network, where it is not one of the course's.

    Raises
    ------
    GenreLibError
        When the folder is not a run, lacks a file, is damaged, or is of another format.
    """
    folder = Path(folder)
    about = _read_about(folder)
    name = RUN
    try:
        recipe = Recipe.from_json(about["recipe"], network)
        built = recipe.build(about["vocabulary"])
        name = ENCODER
        encoder = SongEncoder.from_json((folder / ENCODER).read_text(encoding="utf-8"))
        if encoder.settings != SongEncoder(**recipe.encoder).settings:
            raise ValueError("it belongs to another recipe")
        if len(encoder.words) != about["vocabulary"]:
            raise ValueError("it belongs to another run")
        name = WEIGHTS
        weights: dict[str, Tensor] = load_file(folder / WEIGHTS)
        built.load_state_dict(weights)
        if not all(weight.isfinite().all() for weight in weights.values()):
            raise ValueError("it holds values that are not numbers")
    except GenreLibError:  # of a network that is not known
        raise
    # The JSON library, safetensors, tokenizers and torch each have errors of their own, and
    # tokenizers raises plain exceptions.
    except Exception as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(":")
        raise GenreLibError(
            f"The run folder {folder} is damaged ({name}: {reason}): train again, or copy it anew."
        ) from error
    return Run(recipe, encoder, built, about["notes"])


def check_run_target(folder: str | Path) -> Path:
    """Return `folder` as a path if a run may be written there, so that nothing else is lost.

    Raises
    ------
    GenreLibError
        When it is a file, the folder you are in, or one that can't be written or that holds
        something other than an earlier run.
    """
    folder = Path(folder).expanduser().resolve()
    if folder == Path.cwd():
        raise GenreLibError("The run can't replace the folder that you are in: name another.")
    existing = next(parent for parent in folder.parents if parent.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK)):
        raise GenreLibError(f"Nothing can be written in {existing}: choose another folder.")
    if folder.exists() and not folder.is_dir():
        raise GenreLibError(f"{folder} is a file: give a folder for the run.")
    if folder.is_dir() and {p.name for p in folder.iterdir()} - {RUN, ENCODER, WEIGHTS}:
        raise GenreLibError(f"{folder} holds other files: give a new or empty folder for the run.")
    return folder


def _read_about(folder: Path) -> dict[str, Any]:
    if folder.is_file():
        raise GenreLibError(f"{folder} is a file: give the folder of a run.")
    if not folder.is_dir():
        siblings = [p.name for p in folder.parent.glob("*/")] if folder.parent.is_dir() else []
        hint = did_you_mean(folder.name, siblings, "train first, or check the path.")
        raise GenreLibError(f"There is no run folder {folder}: {hint}")
    if not any((folder / name).exists() for name in (RUN, ENCODER, WEIGHTS)):
        raise GenreLibError(f"{folder} is not the folder of a run: train first, or check the path.")
    for name in (RUN, ENCODER, WEIGHTS):
        if not (folder / name).is_file():
            raise GenreLibError(
                f"The run folder {folder} is incomplete, {name} is missing: train again, or copy "
                "the whole folder."
            )
    try:
        about: dict[str, Any] = json.loads((folder / RUN).read_text(encoding="utf-8"))
        found, genres = about["format"], tuple(about["genres"])
        _ = about["recipe"]["network"], about["vocabulary"], about["notes"]
    except (ValueError, KeyError, TypeError, RecursionError, OSError) as error:
        raise GenreLibError(f"{folder / RUN} does not describe a run: train again.") from error
    if found != FORMAT or genres != GENRES:
        raise GenreLibError(
            f"The run folder {folder} was written by another version of genre-lib (format "
            f"{found!r}, this one reads {FORMAT!r}): train again with this version."
        )
    return about
