"""Push: files to an archive; what it has already is not sent again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from imaging.errors import NodeError
from surveillance.pacs.node import Node, Parcel
from surveillance.pacs.retry import Retry

CANNOT_SAY = {"node_no_service", "node_cannot_search"}
"""A node that only stores cannot say what it has: it is sent everything."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What came of it; `refused` holds each file that the archive did not take, and why."""

    sent: int
    there_before: int
    refused: tuple[tuple[Parcel, str], ...]


def push(node: Node, parcels: Sequence[Parcel], retry: Retry) -> Pushed:
    """Send files; nothing to send gives an empty result.

    Raises
    ------
    TransferError
        The node cannot be reached any more; the next call goes on with what it has not got.
    NodeError
        It refuses altogether.
    """
    there = retry.until_done(lambda: _there(node, parcels))
    transfer = _Transfer(node)
    to_send = [parcel for parcel in parcels if parcel.instance.sop not in there]
    retry.until_done(lambda: transfer.send_rest(to_send), lambda: len(transfer.done))
    refused = tuple((p, why) for p, why in transfer.done.values() if why is not None)
    return Pushed(len(to_send) - len(refused), len(parcels) - len(to_send), refused)


def _there(node: Node, parcels: Sequence[Parcel]) -> set[str]:
    studies = sorted({parcel.instance.study for parcel in parcels})
    if not studies:
        return set()
    try:
        return {instance.sop for instance in node.instances(studies)}
    except NodeError as error:
        if error.code not in CANNOT_SAY:
            raise
        return set()


@dataclass(slots=True)
class _Transfer:
    node: Node
    done: dict[str, tuple[Parcel, str | None]] = field(default_factory=dict)

    def send_rest(self, parcels: Sequence[Parcel]) -> None:
        """Send what no earlier attempt has sent."""
        rest = [parcel for parcel in parcels if parcel.instance.sop not in self.done]
        if rest:
            self.node.store(rest, self._note)

    def _note(self, parcel: Parcel, refused: str | None) -> None:
        self.done[parcel.instance.sop] = (parcel, refused)
