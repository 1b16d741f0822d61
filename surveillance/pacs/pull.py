"""Pull: studies from an archive into a folder; what is there and whole is not fetched again."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from surveillance.pacs.node import Instance, Node, Query
from surveillance.pacs.retry import Retry
from surveillance.pacs.stock import Stock

ROUNDS_MAX = 10
"""How often a study may have grown since it was last asked for."""


@dataclass(frozen=True, slots=True)
class Pulled:
    """What came of it.

    Parameters
    ----------
    listed
        All instances that the archive listed when it was last asked.
    missing
        Those of them that it did not deliver whole.
    growing
        The studies still grew when `ROUNDS_MAX` was reached.
    """

    listed: tuple[Instance, ...]
    fetched: int
    there_before: int
    missing: tuple[Instance, ...]
    growing: bool = False

    @property
    def studies(self) -> int:
        """How many studies they belong to."""
        return len({one.study for one in self.listed})


def pull(
    node: Node, query: Query, stock: Stock, retry: Retry, classes: Container[str] | None = None
) -> Pulled:
    """Fetch all instances of the studies that the query finds, or those of some SOP classes.

    The archive is asked again after each transfer: a study that grows meanwhile is fetched to
    its end. A query that finds nothing gives a result with no studies.

    Raises
    ------
    TransferError
        The node cannot be reached any more; what came so far is kept, and the next call goes on.
    NodeError
        It refuses.
    OutputError
        The folder cannot be written.
    """
    transfer = _Transfer(node, query, stock, retry, classes)
    listed = before = transfer.listed()
    there_before = sum(map(stock.holds, listed))
    for _ in range(ROUNDS_MAX):
        transfer.fetch(listed)
        before, listed = listed, transfer.listed()
        if set(listed) <= set(before):
            break
    missing = tuple(one for one in listed if not stock.holds(one))
    return Pulled(
        listed=listed,
        fetched=transfer.fetched,
        there_before=there_before,
        missing=missing,
        growing=not set(listed) <= set(before),
    )


def listing(
    node: Node, query: Query, retry: Retry, classes: Container[str] | None = None
) -> tuple[Instance, ...]:
    """Return all instances that `pull` would fetch, sorted.

    Raises
    ------
    TransferError, NodeError
        As `pull`.
    """

    def ask() -> tuple[Instance, ...]:
        studies = node.studies(query)
        found = node.instances(studies) if studies else ()
        return tuple(one for one in found if classes is None or one.sop_class in classes)

    return retry.until_done(ask)


@dataclass(slots=True)
class _Transfer:
    node: Node
    query: Query
    stock: Stock
    retry: Retry
    classes: Container[str] | None
    fetched: int = 0

    def listed(self) -> tuple[Instance, ...]:
        """Ask which instances there are."""
        return listing(self.node, self.query, self.retry, self.classes)

    def fetch(self, listed: tuple[Instance, ...]) -> None:
        """Fetch what is not here yet, going on where a broken transfer stopped."""
        self.retry.until_done(lambda: self._fetch_missing(listed), lambda: self.fetched)

    def _fetch_missing(self, listed: tuple[Instance, ...]) -> None:
        wanted = {one.sop: one for one in listed if not self.stock.holds(one)}

        def keep(sop: str, content: bytes) -> bool:
            kept = sop in wanted and self.stock.keep(wanted[sop], content)
            self.fetched += kept
            return kept

        if wanted:
            self.node.fetch(tuple(wanted.values()), keep)
