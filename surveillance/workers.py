"""Workers: tasks done in processes of their own; a dead process costs the task it had in hand.

`in_workers` applies one function to many tasks; `LocalExecutor` is an executor of
`concurrent.futures`, so that its user need not know whether a cluster does the work.

`concurrent.futures` gives up every waiting task when one process dies, and can wait for ever
for a process that was being started at that moment. Here each process has a pipe of its own,
so nothing is shared that a dead process could leave locked, and its end is seen on its pipe.
"""

from __future__ import annotations

import multiprocessing
import resource
import signal
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any, NoReturn, TypeAlias, TypeVar, cast

Task = TypeVar("Task")
Answer = TypeVar("Answer")
Pipe: TypeAlias = "Connection[Any, Any]"

# Forking a process that has started SimpleITK's threads can hang it.
_SPAWN = multiprocessing.get_context("spawn")
_GRACE_S = 5.0
"""What a stopped worker gets to remove half-written files."""


class WorkerDied(Exception):  # noqa: N818 - it is an event of the outside world
    """A process ended with its task undone: of memory, or by a signal."""


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Pipe

    def ask(self, task: Any) -> Any:
        """Return the answer to a task, None when the process has died."""
        with suppress(OSError):  # it has died, as its pipe will tell
            self.pipe.send(task)
        return _received(self.pipe)

    def stop(self) -> None:
        self.process.terminate()
        self.process.join(_GRACE_S)
        self.process.kill()
        self.process.join()
        self.pipe.close()


def in_workers(
    function: Callable[[Task], Answer], tasks: Sequence[Task], jobs: int
) -> Iterator[tuple[Task, Answer | None]]:
    """Yield each task with its answer as it comes, None for one whose process died.

    Parameters
    ----------
    function
        Importable by name; tasks and answers can be pickled. What it raises is raised here.
    jobs
        Processes at a time. They are stopped when the iteration ends or is given up.
    """
    waiting = deque(tasks)
    idle: list[_Worker] = []
    busy: dict[Pipe, tuple[_Worker, Task]] = {}
    try:
        while waiting or busy:
            while waiting and len(busy) < jobs:
                worker = idle.pop() if idle else _started(function)
                busy[worker.pipe] = worker, waiting.popleft()
                with suppress(OSError):  # it has died, as its pipe will tell
                    worker.pipe.send(busy[worker.pipe][1])
            for pipe in [pipe for pipe in wait(list(busy)) if isinstance(pipe, Connection)]:
                answer = _received(pipe)
                worker, task = busy.pop(pipe)
                if answer is None:
                    worker.stop()
                else:
                    idle.append(worker)
                yield task, answer
    finally:
        for worker in (*idle, *(worker for worker, _ in busy.values())):
            worker.stop()


class LocalExecutor(Executor):
    """Processes on this machine, each with at most so much memory, asked by a thread each.

    What a submitted function raises is raised by its future; `WorkerDied` where its process died.
    """

    def __init__(self, jobs: int, memory_gb: float | None = None) -> None:
        """Make an executor of `jobs` processes; they are started when there is work."""
        limit = None if memory_gb is None else int(memory_gb * 2**30)
        self._function = partial(_call, limit)
        self._threads = ThreadPoolExecutor(jobs)
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._started: set[_Worker] = set()
        self._closed = False

    def submit(self, fn: Callable[..., Answer], /, *args: Any, **kwargs: Any) -> Future[Answer]:
        """Let `fn`, importable by name, be called in a process."""
        return self._threads.submit(self._in_process, (fn, args, kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Stop the processes; with `cancel_futures` whatever they are doing."""
        # What waits is cancelled before its turn comes by the end of what is running.
        self._threads.shutdown(wait=wait and not cancel_futures, cancel_futures=cancel_futures)
        with self._lock:
            self._closed = True
            workers = list(self._started)
        for worker in workers:
            worker.stop()
        self._threads.shutdown(wait=wait)

    def _in_process(self, task: tuple[Callable[..., Answer], tuple[Any, ...], Any]) -> Answer:
        worker = self._worker()
        answer = worker.ask(task)
        if answer is None:
            self._mine.worker = None
            with self._lock:
                self._started.discard(worker)
                if not self._closed:  # else it is being stopped
                    worker.stop()
            raise WorkerDied
        return cast(Answer, answer[0])

    def _worker(self) -> _Worker:
        mine: _Worker | None = getattr(self._mine, "worker", None)
        if mine is not None:
            return mine
        with self._lock:
            if self._closed:
                raise WorkerDied
            self._mine.worker = mine = _started(self._function)
            self._started.add(mine)
        return mine


def _call(
    limit_bytes: int | None, task: tuple[Callable[..., Answer], tuple[Any, ...], Any]
) -> tuple[Answer]:
    """Do a task in a worker; past the limit there is a MemoryError and not a dead machine."""
    if limit_bytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (limit_bytes, limit_bytes))
    function, args, kwargs = task
    return (function(*args, **kwargs),)


def _started(function: Callable[[Task], Answer]) -> _Worker:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_work, args=(function, theirs), daemon=True)
    # Ctrl-C reaches the whole group; only the parent answers it, and stops its workers.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    theirs.close()  # so that the pipe ends with the process
    return _Worker(process, ours)


def _received(pipe: Pipe) -> Any:
    """Return what a worker answered, None when it has died; raise what its function raised."""
    try:
        answer, error = pipe.recv()
    except (EOFError, OSError):
        return None
    if error is not None:
        raise error
    return answer


def _work(function: Callable[[Task], Answer], pipe: Pipe) -> None:
    """Answer tasks until the other end closes."""
    signal.signal(signal.SIGTERM, _leave)
    while True:
        try:
            task = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send((function(task), None))
        except Exception as error:  # noqa: BLE001 - raised again where the task came from
            error.add_note(traceback.format_exc())
            pipe.send((None, error))


def _leave(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit()
