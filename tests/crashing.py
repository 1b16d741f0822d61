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
    """Return how long a call takes in a process of its own, once the fork server is warm."""
    _finished(CONTEXT.Process(target=int))
    began = time.monotonic()
    _finished(CONTEXT.Process(target=function, args=arguments))
    return time.monotonic() - began


def _finished(process):
    process.start()
    process.join(LONGEST_S)
    assert process.exitcode == 0


class Aim:
    """Kills at instants within the time that the work was last seen to take at most.

    One that ends before its instant is no kill, and says that the work takes less.
    """

    def __init__(self, rng, longest_s):
        self._rng, self._longest_s = rng, longest_s

    def kills(self, share, function, *arguments):
        """Call in a process of its own, a share of the work being left; return whether it died."""
        began = time.monotonic()
        at_work = killed_after(self._rng.uniform(0, self._longest_s * share), function, *arguments)
        if not at_work:
            self._longest_s = min(self._longest_s, (time.monotonic() - began) / share)
        return at_work
