"""Concurrency: an executor for parts of one subject, threads or none."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Inline(Executor):
    """Does each task when it is submitted: no thread, and an interrupt stops it at once."""

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """Call `fn`; what it raises is raised by the future."""
        done: Future[Answer] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - raised again by the future
            done.set_exception(error)
        return done


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def at_a_time(threads: int) -> Iterator[Executor]:
    """Give an executor of so many threads; on leaving, what has not begun is dropped.

    Tasks begin in the order they are submitted, so one may wait for those before it. The same
    values come out at any number: tasks share frozen values only.
    """
    pool: Executor = ThreadPoolExecutor(threads) if threads > 1 else Inline()
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
