"""Pool: who does the work, processes of this machine or an existing Dask cluster; one interface."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imaging.errors import NodeError, TransferError, UsageError
from surveillance.workers import LocalExecutor, WorkerDied

if TYPE_CHECKING:
    from distributed import Client

CONNECT_S = 10


@dataclass(frozen=True, slots=True)
class Pool:
    """An executor of `concurrent.futures`.

    Parameters
    ----------
    room
        How many subjects can be worked on at a time, now.
    died
        What a future raises whose worker died at it.
    lost
        What a future raises when nobody does the work any more.
    patience_s
        How long it may be without any room before it is given up.
    """

    executor: Executor
    room: Callable[[], int]
    died: tuple[type[BaseException], ...]
    lost: tuple[type[BaseException], ...] = ()
    patience_s: float = 0.0


@contextmanager
def local_pool(jobs: int, memory_gb: float | None = None) -> Iterator[Pool]:
    """Give processes of this machine; they are stopped at the end."""
    executor = LocalExecutor(jobs, memory_gb)
    try:
        yield Pool(executor, lambda: jobs, (WorkerDied,))
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def cluster_pool(address: str, patience_s: float) -> Iterator[Pool]:
    """Give the workers of a Dask cluster, which stays when we leave.

    One that has none when it is met is refused; one that loses all is waited for.

    Raises
    ------
    UsageError
        Dask is not installed.
    TransferError, NodeError
        The scheduler cannot be reached; the cluster has no worker.
    """
    try:
        from distributed import Client, KilledWorker  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError("cluster_not_installed") from error
    try:
        client = Client(address, timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise TransferError("cluster_unreachable", address=address) from error
    with client:
        if not client.nthreads():
            raise NodeError("cluster_empty", address=address)
        # The same arguments must be done again after a failure: results are not to be kept.
        executor = client.get_executor(pure=False)
        try:
            yield Pool(
                executor,
                lambda: _threads(client),
                (KilledWorker,),
                (CancelledError,),
                patience_s,
            )
        finally:
            executor.shutdown(wait=False)


def _threads(client: Client) -> int:
    """Return how many threads the workers have; 0 while the scheduler does not answer either."""
    try:
        return sum(client.nthreads().values())
    except OSError:  # Dask's CommClosedError and its timeouts are such
        return 0
