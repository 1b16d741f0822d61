"""Retry: trying again what broke off, after waits that grow, until nothing moves any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from imaging.errors import TransferError
from imaging.messages import text
from surveillance.pacs.configuration import RetryPolicy

Answer = TypeVar("Answer")


def no_progress() -> int:
    """Return 0: an attempt that moves nothing, such as a question."""
    return 0


@dataclass(frozen=True, slots=True)
class Retry:
    """A policy, and what it needs of the world: how to sleep, and whom to tell.

    Parameters
    ----------
    sleep
        Waits for so many seconds.
    tell
        Is given one sentence before each wait.
    """

    policy: RetryPolicy
    sleep: Callable[[float], None]
    tell: Callable[[str], None]

    def until_done(
        self, attempt: Callable[[], Answer], moved: Callable[[], int] = no_progress
    ) -> Answer:
        """Return the answer of the first attempt that does not break off.

        Attempts count in a row without progress: a transfer that breaks off a hundred times and
        each time gets further is not given up. The wait doubles from `first_wait_s` up to
        `longest_wait_s`.

        Parameters
        ----------
        moved
            How much has been moved so far.

        Raises
        ------
        TransferError
            The last of `policy.attempts` attempts in a row that moved nothing.
        """
        failures, reached = 0, moved()
        while True:
            try:
                return attempt()
            except TransferError as error:
                failures = 1 if moved() > reached else failures + 1
                reached = moved()
                if failures >= self.policy.attempts:
                    raise
                wait_s = self.wait_s(failures)
                self.tell(text("pacs.again", error=error, wait_s=f"{wait_s:g}"))
                self.sleep(wait_s)

    def wait_s(self, failures: int) -> float:
        """Return how long to wait after so many failures in a row (1 or more)."""
        doubled = self.policy.first_wait_s * 2.0 ** min(failures - 1, 60)
        return min(doubled, self.policy.longest_wait_s)
