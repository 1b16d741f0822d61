"""Workers: a function applied to many tasks in processes of their own; a dead one costs its task.

`concurrent.futures` gives up every waiting task when one process dies, and can wait for ever
for a process that was being started at that moment. Here each process has a pipe of its own,
so nothing is shared that a dead process could leave locked, and its end is seen on its pipe.
"""

from __future__ import annotations

import multiprocessing
import signal
import sys
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import Any, NoReturn, TypeAlias, TypeVar

Task = TypeVar("Task")
Answer = TypeVar("Answer")
Pipe: TypeAlias = "Connection[Any, Any]"

# Forking a process that has started SimpleITK's threads can hang it.
_SPAWN = multiprocessing.get_context("spawn")
_GRACE_S = 5.0
"""What a stopped worker gets to remove half-written files."""


@dataclass(frozen=True, slots=True)
class _Worker:
    process: SpawnProcess
    pipe: Pipe

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
