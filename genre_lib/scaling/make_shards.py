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
from genre_lib.files import TEMPORARY_PREFIX, write_text, written_whole

SHARD = 100_000
"""The most songs in one file."""

PIECE = 20_000
"""The most songs that are made at once: a row group of a file."""

ABOUT = "songs.json"
"""The file that says what songs a folder holds."""

ENCODED = "encoded"
"""The folder beside the shards for what is computed from them (`genre_lib.scaling.shards`)."""


def make_shards(
    folder: str | Path,
    songs: int,
    seed: int = 0,
    jobs: int | None = None,
    progress: bool = False,
) -> None:
    """Make synthetic songs in Parquet files of about 100,000, in parallel processes.

    A shard depends on the seed and its number alone. Making goes on where it was stopped: whole
    shards are kept. No artist has songs in two shards.

    Parameters
    ----------
    folder
        A new or empty folder, or one where the same songs are being made.
    songs, seed
        How many, and the number that fixes them.
    jobs
        Processes at a time; `None`: one for each core. Each takes about a gigabyte of memory.

    Raises
    ------
    GenreLibError
        When the folder holds anything else, or can't be written.
    """
    folder = Path(folder).expanduser()
    sizes = _divide(songs, SHARD)
    paths = [folder / f"shard-{number:05}.parquet" for number in range(len(sizes))]
    source = f"{songs:,} synthetic songs (seed {seed})"
    about = {"source": source, "songs": songs, "seed": seed, "shards": len(sizes)}
    parquet()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _begin(folder, about, {path.name for path in paths})
    except OSError as error:
        raise _unwritten(folder, error) from error
    tasks = [
        (path, size, seed, number)
        for number, (path, size) in enumerate(zip(paths, sizes, strict=True))
        if not _is_whole(path, size)
    ]
    in_parallel(_make_shard, tasks, jobs, "making", progress)
    for left in folder.glob(f"{TEMPORARY_PREFIX}*"):  # of a run that was killed
        shutil.rmtree(left, ignore_errors=True)


def about_folder(folder: Path) -> dict[str, Any] | None:
    """Return what `make_shards` wrote about a folder, if it did."""
    try:
        return json.loads((folder / ABOUT).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise GenreLibError(
            f"{folder / ABOUT} can't be read ({error}): delete it and make the songs again."
        ) from error


def parquet() -> ModuleType:
    """Return pyarrow's module for Parquet files.

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
    """Call `function(*task)` for every task, in `jobs` processes (`None`: one for each core).

    Raises
    ------
    GenreLibError
        When a process is ended from outside, as happens when memory is full.
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
            f"A process was ended while {doing} songs, as happens when memory is full: give the "
            "same command again, and it goes on."
        ) from error
    finally:
        if jobs > 1:
            get_reusable_executor().shutdown()  # joblib would keep the processes, and their memory


def _divide(songs: int, most: int) -> list[int]:
    """Divide songs into the fewest heaps of at most `most`, whose sizes differ by at most one."""
    heaps = math.ceil(songs / most)
    return np.diff(songs * np.arange(heaps + 1) // heaps).tolist()


def _begin(folder: Path, about: dict[str, Any], shards: set[str]) -> None:
    """Write down what the folder is for; nothing else may be in it."""
    found = about_folder(folder)
    if found not in (None, about):
        raise GenreLibError(
            f"{folder} is the folder of {found.get('source', 'other songs')}, not of "
            f"{about['source']}: give another folder."
        )
    ours = shards | {ABOUT, ENCODED} if found else set()
    others = {p.name for p in folder.iterdir() if not p.name.startswith(TEMPORARY_PREFIX)} - ours
    if others:
        raise GenreLibError(
            f"{folder} holds other files ({min(others)}): give a new or empty folder."
        )
    if not found:
        write_text(folder / ABOUT, json.dumps(about, indent=1))


def _is_whole(path: Path, songs: int) -> bool:
    try:
        return parquet().read_metadata(path).num_rows == songs
    except (OSError, ValueError):  # not there, or damaged: pyarrow's own errors are both
        return False


def _make_shard(path: Path, songs: int, seed: int, number: int) -> None:
    import pyarrow as pa

    library = parquet()
    seeds = np.random.SeedSequence((seed, number)).generate_state(math.ceil(songs / PIECE))
    writer: Any = None
    try:
        with written_whole(path) as new, open(new, "wb") as file:
            for size, own in zip(_divide(songs, PIECE), seeds.tolist(), strict=True):
                table = make_songs(size, own)
                table["artist_name"] += f" {number}"  # names are drawn: shards would share some
                table.attrs = {}
                rows = pa.Table.from_pandas(table, preserve_index=False)
                if writer is None:
                    writer = library.ParquetWriter(file, rows.schema, compression="zstd")
                writer.write_table(rows.cast(writer.schema))
            writer.close()
    except OSError as error:
        if writer is not None:
            writer.is_open = False  # or it would try, and complain, once more
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> GenreLibError:
    return GenreLibError(
        f"{path} could not be written ({error.strerror or error}): make room, or name another "
        "folder; whole shards are kept when the same command is given again."
    )
