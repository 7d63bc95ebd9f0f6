"""Synthetic songs by the million, in a folder of Parquet files. Explained in chapter *Scaling*."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from joblib import Parallel, cpu_count, delayed
from joblib.externals.loky import get_reusable_executor
from tqdm import tqdm

from genre_lib.data.synthetic import make_songs
from genre_lib.errors import GenreLibError
from genre_lib.files import TEMPORARY_PREFIX, expand, reason, write_text, written_whole

SONGS_PER_SHARD = 100_000
"""The maximum number of songs in a file."""

SONGS_PER_ROW_GROUP = 20_000
"""The maximum number of songs in memory: a row group of a file."""

DESCRIPTION = "songs.json"
"""The file that describes the songs in a folder."""

ENCODED_FOLDER = "encoded"
"""The folder next to the shards for their encoded songs (`genre_lib.scaling.shards`)."""


def make_shards(
    folder: str | Path,
    songs: int,
    seed: int = 0,
    jobs: int | None = None,
    progress: bool = False,
) -> None:
    """Make synthetic songs in Parquet files of about 100,000 songs, in parallel processes.

    A shard depends only on the seed and its number. If a call was stopped, the same call
    resumes it and keeps complete shards. No artist has songs in two shards.

    Parameters
    ----------
    folder
        A new or empty folder, or one with some shards of the same songs.
    songs, seed
        The number of songs, and the number that fixes them.
    jobs
        The number of processes; `None`: one per core. Each uses about 1 GB of memory.
    progress
        Whether to show a progress bar.

    Raises
    ------
    GenreLibError
        When the folder has other files, or can't be written.
    """
    folder = expand(folder)
    sizes = _equal_parts(songs, SONGS_PER_SHARD)
    paths = [folder / f"shard-{number:05}.parquet" for number in range(len(sizes))]
    source = f"{songs:,} synthetic songs (seed {seed})"
    description = {"source": source, "songs": songs, "seed": seed, "shards": len(sizes)}
    import_parquet()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _prepare_folder(folder, description, {path.name for path in paths})
    except OSError as error:
        raise _write_error(folder, error) from error
    tasks = [
        (path, size, seed, number)
        for number, (path, size) in enumerate(zip(paths, sizes, strict=True))
        if not _is_complete(path, size)
    ]
    in_parallel(_make_shard, tasks, jobs, "making", progress)
    for old in folder.glob(f"{TEMPORARY_PREFIX}*"):  # of a killed process
        shutil.rmtree(old, ignore_errors=True)


def read_description(folder: Path) -> dict[str, Any] | None:
    """Return the description that `make_shards` wrote to a folder, or `None`."""
    try:
        return json.loads((folder / DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise GenreLibError(
            f"{folder / DESCRIPTION} is damaged ({error}): delete it and make the songs again."
        ) from error


def import_parquet() -> ModuleType:
    """Import and return pyarrow's module for Parquet files.

    Raises
    ------
    GenreLibError
        When pyarrow is not installed.
    """
    try:
        import pyarrow.parquet
    except ImportError:
        raise GenreLibError(
            "Songs in Parquet files need the package pyarrow: pip install pyarrow."
        ) from None
    return pyarrow.parquet


def in_parallel(
    function: Callable[..., None],
    tasks: Sequence[tuple[Any, ...]],
    jobs: int | None,
    doing: str,
    progress: bool,
) -> None:
    """Call `function(*task)` for every task, in `jobs` processes (`None`: one per core).

    `doing` is the word for this in the progress bar and in messages, such as "making".

    Raises
    ------
    GenreLibError
        When a process is killed, as happens when memory is full.
    """
    if not tasks:
        return
    jobs = min(jobs or cpu_count(), len(tasks))
    run = Parallel(jobs, return_as="generator_unordered", pre_dispatch=jobs)
    try:
        done = run(delayed(function)(*task) for task in tasks)
        for _ in tqdm(done, doing, len(tasks), unit="shard", disable=not progress):
            pass
    except BrokenProcessPool as error:
        raise GenreLibError(
            f"A process was killed while {doing} songs, as happens when memory is full: repeat the "
            "command to resume."
        ) from error
    finally:
        if jobs > 1:
            get_reusable_executor().shutdown()  # otherwise joblib keeps processes and memory


def _equal_parts(songs: int, limit: int) -> list[int]:
    """Return the sizes of the fewest parts of up to `limit` songs; they differ by 1 at most."""
    parts = math.ceil(songs / limit)
    return np.diff(songs * np.arange(parts + 1) // parts).tolist()


def _prepare_folder(folder: Path, description: dict[str, Any], shards: set[str]) -> None:
    """Write the description to the folder; raise an error if it has other files."""
    found = read_description(folder)
    if found not in (None, description):
        raise GenreLibError(
            f"{folder} is the folder of {found.get('source', 'other songs')}, not of "
            f"{description['source']}: choose another folder."
        )
    expected = shards | {DESCRIPTION, ENCODED_FOLDER} if found else set()
    others = {
        p.name for p in folder.iterdir() if not p.name.startswith(TEMPORARY_PREFIX)
    } - expected
    if others:
        raise GenreLibError(
            f"{folder} has other files ({min(others)}): choose a new or empty folder."
        )
    if not found:
        write_text(folder / DESCRIPTION, json.dumps(description, indent=1))


def _is_complete(path: Path, songs: int) -> bool:
    try:
        return import_parquet().read_metadata(path).num_rows == songs
    except (OSError, ValueError):  # missing or damaged: pyarrow's errors are subclasses
        return False


def _make_shard(path: Path, songs: int, seed: int, number: int) -> None:
    import pyarrow as pa

    library = import_parquet()
    seeds = np.random.SeedSequence((seed, number)).generate_state(
        math.ceil(songs / SONGS_PER_ROW_GROUP)
    )
    writer: Any = None
    try:
        with written_whole(path) as new, open(new, "wb") as file:
            for size, own_seed in zip(
                _equal_parts(songs, SONGS_PER_ROW_GROUP), seeds.tolist(), strict=True
            ):
                table = make_songs(size, own_seed)
                table["artist_name"] += f" {number}"  # drawn names could occur in several shards
                table.attrs = {}
                rows = pa.Table.from_pandas(table, preserve_index=False)
                if writer is None:
                    writer = library.ParquetWriter(file, rows.schema, compression="zstd")
                writer.write_table(rows.cast(writer.schema))
            writer.close()
    except OSError as error:
        if writer is not None:
            writer.is_open = False  # otherwise it tries again and prints an error
        raise _write_error(path, error) from error


def _write_error(path: Path, error: OSError) -> GenreLibError:
    return GenreLibError(
        f"{path} could not be written {reason(error, 'folder')}; repeating the command keeps "
        "complete shards."
    )
