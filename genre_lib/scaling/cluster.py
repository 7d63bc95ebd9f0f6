"""Cells of a study on the workers of a Dask cluster. Explained in chapter *Scaling*."""

from __future__ import annotations

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

WAIT_SECONDS = 5
"""Seconds to wait for a scheduler, or for its first worker."""


def on_cluster(
    run: Callable[..., dict[str, Any]],
    songs: pd.DataFrame,
    cells: Sequence[Any],
    device: str,
    *,
    address: str,
) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield each cell with its row, `run(songs, cell, device)`, as workers finish them.

    A cell whose worker dies is run again by another. The songs go to the cluster once, as a task
    of their own, not by Dask's `scatter`: so they too are made again when the workers that had
    them are gone.

    Raises
    ------
    GenreLibError
        When `distributed` is missing, no scheduler or worker answers at `address`, a worker has
        other versions, a cell has ended several workers, or the scheduler is gone.
    """
    try:
        import dask
        from distributed import as_completed
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise GenreLibError(
            "Dask, which runs studies on several processes, is missing: pip install "
            "'genre-lib[scale]'."
        ) from error
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # we say it in a sentence
    with (
        dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TB"}),
        _connect(address) as client,
    ):
        _expect_same_versions(client)
        table = client.submit(pickle.loads, pickle.dumps(songs), pure=False)
        left = {client.submit(run, table, cell, device, pure=False): cell for cell in cells}
        try:
            # What is done is let go of at once: Dask would run it again if its worker died.
            for future in as_completed(list(left)):
                cell = left.pop(future)
                yield cell, future.result()
        except CancelledError as error:
            raise GenreLibError(
                f"The Dask scheduler {address} is gone: start it again and give the same command; "
                "the study goes on where it was."
            ) from error
        except KilledWorker as error:
            raise GenreLibError(
                f"Each worker that ran the cell {cell!s} died, so the study ends: give them "
                "more memory and give the same command; the study goes on where it was."
            ) from error


def _connect(address: str) -> Client:
    from distributed import Client

    if address == LOCAL:
        # A thread each, as Dask lets the libraries of its workers take one: more would fight.
        return Client(threads_per_worker=1, dashboard_address=None, silence_logs=logging.CRITICAL)
    try:
        client = Client(address, timeout=WAIT_SECONDS)
    except Exception as error:  # what answers may be no scheduler: Dask then raises anything
        raise GenreLibError(
            f"No Dask scheduler answers at {address!r}: start one with `dask scheduler`, and give "
            "the address that it prints."
        ) from error
    try:
        client.wait_for_workers(1, timeout=WAIT_SECONDS)
    except TimeoutError as error:
        client.close()
        raise GenreLibError(
            f"The Dask scheduler {address} has no workers: start some with `dask worker {address} "
            "--nthreads 1`."
        ) from error
    return client


def _expect_same_versions(client: Client) -> None:
    for worker, found in client.run(versions).items():
        for package, here in versions().items():
            if found[package] != here:
                raise GenreLibError(
                    f"The worker {worker} has {package} {found[package]}, and this machine {here}: "
                    "install the same, or the cells can't be compared."
                )
