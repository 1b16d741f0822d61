"""Crashing: real processes killed by SIGKILL at random instants, forked from one that is warm.

The fork server has imported the program but started no thread, so a process is at work at once.
"""

import multiprocessing
import os
import signal
import time

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(
    ["surveillance.batching.run", "surveillance.batching.sources", "batches"]
)
LONGEST_S = 300


def killed_after(seconds, function, *arguments):
    """Call in a process of its own and kill it; return whether it was still at work."""
    process = CONTEXT.Process(target=function, args=arguments)
    process.start()
    process.join(seconds)
    at_work = process.is_alive()
    if at_work:
        os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert at_work or process.exitcode == 0, process.exitcode
    return at_work


def seconds_of(function, *arguments):
    """Return how long a call takes in a process of its own."""
    began = time.monotonic()
    process = CONTEXT.Process(target=function, args=arguments)
    process.start()
    process.join(LONGEST_S)
    assert process.exitcode == 0
    return time.monotonic() - began
