"""Running a study on a Dask cluster. Explained in chapter *Scaling*."""

from __future__ import annotations

import asyncio
import logging
import pickle
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from typing import TYPE_CHECKING, Any

import pandas as pd

from genre_lib.environment import versions
from genre_lib.errors import GenreLibError
from genre_lib.scaling import LOCAL

if TYPE_CHECKING:
    from distributed import Client

TIMEOUT = 5
"""Seconds to wait for a scheduler or its first worker."""


def run_on_cluster(
    run: Callable[..., dict[str, Any]],
    songs: pd.DataFrame,
    cells: Sequence[Any],
    device: str,
    *,
    address: str,
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield each cell with its row, `run(songs, cell, device)`, as workers finish them.

    If a worker dies, another one runs its cell again. The songs are sent to the cluster once, as
    the result of a task instead of by Dask's `scatter`, so that they too can be computed again if
    the workers that store them die.

    Raises
    ------
    GenreLibError
        When `distributed` is missing, no scheduler or worker answers at `address`, a worker has
        other versions, a cell has crashed several workers, or the scheduler has stopped.
    """
    try:
        import dask
        from distributed import as_completed
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise GenreLibError(
            "Dask, which runs studies in several processes, is missing: pip install "
            "'genre-lib[scale]'."
        ) from error
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # replaced by our messages
    with (
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}),
        _connect(address) as client,
    ):
        _check_versions(client)
        table = client.submit(pickle.loads, pickle.dumps(songs), pure=False)
        pending = {client.submit(run, table, cell, device, pure=False): cell for cell in cells}
        try:
            # Release finished cells at once, or Dask would run them again if their worker died.
            for future in as_completed(list(pending)):
                cell = pending.pop(future)
                yield cell, future.result()
        except CancelledError as error:
            raise GenreLibError(
                f"The Dask scheduler {address} has stopped: start it again and repeat the command; "
                "the study then resumes."
            ) from error
        except KilledWorker as error:
            raise GenreLibError(
                f"Each worker that ran the cell {cell!s} died, so the study ends: give them "
                "more memory and repeat the command; the study then resumes."
            ) from error


def _connect(address: str) -> Client:
    from distributed import Client

    if address == LOCAL:
        # Dask limits the libraries in its workers to one thread, so more tasks would compete.
        return Client(threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL)
    try:
        client = Client(address, timeout=TIMEOUT)
    except Exception as error:  # Dask raises various errors if what answers isn't a scheduler
        raise GenreLibError(
            f"No Dask scheduler answers at {address!r}: start one with `dask scheduler`, and use "
            "the address that it prints."
        ) from error
    try:
        client.wait_for_workers(1, timeout=TIMEOUT)
    except asyncio.TimeoutError as error:  # another than the built-in one before Python 3.11
        client.close()
        raise GenreLibError(
            f"The Dask scheduler {address} has no workers: start some with `dask worker {address} "
            "--nthreads 1`."
        ) from error
    return client


def _check_versions(client: Client) -> None:
    for worker, found in client.run(versions).items():
        for package, here in versions().items():
            if found[package] != here:
                raise GenreLibError(
                    f"The worker {worker} has {package} {found[package]}, but this machine has "
                    f"{here}: install the same version, so that results are comparable."
                )
