"""Final: what the readers together say of a visit: agreed, decided, or still open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, select

from imaging.findings.status import Status
from readers import tables
from readers.actor import Actor, Role
from readers.adjudication import decision_on
from readers.assignment import assignments
from readers.canonical import loaded
from readers.discordance import counting_pair, differing
from readers.read import statuses
from readers.store import Store


class Basis(StrEnum):
    """What an outcome rests on."""

    OPEN = "open"
    SINGLE = "single"
    AGREED = "agreed"
    ADJUDICATED = "adjudicated"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The readers' answer to a visit; no endpoints while it is open.

    `answers` are those of the one reading that stands: the adjudicated one, a single reader's,
    or of two that agree the first reader's.
    """

    visit: str
    basis: Basis
    endpoints: Mapping[str, Status]
    answers: Mapping[str, object]

    @property
    def new_node_mm(self) -> float | None:
        """Short axis of the largest node reported as new; None without one."""
        nodes: Any = self.answers.get("nodes", ())
        return max((n["short_axis_mm"] for n in nodes if n.get("since") == "new"), default=None)


def outcome(store: Store, actor: Actor, case_id: str, visit: str) -> Outcome:
    """Return what stands for a visit; never for those who read or adjudicate."""
    actor.require(Role.COORDINATOR, Role.ADMINISTRATOR)
    with store.reading() as connection:
        return _outcome(connection, case_id, visit)


def _outcome(connection: Connection, case_id: str, visit: str) -> Outcome:
    primary = [a for a in assignments(connection, case_id) if a.repeats_id is None]
    pair = counting_pair(connection, case_id, visit)
    wanted = primary[0].paradigm.readers.per_case if primary else 2
    if len(pair) < wanted or not pair:
        return _made(visit, Basis.OPEN, {})
    first = {"answers": pair[0].answers, "endpoints": pair[0].endpoints}
    if len(pair) == 1:
        return _made(visit, Basis.SINGLE, first)
    if not differing(pair[0], pair[1], primary[0].paradigm):
        return _made(visit, Basis.AGREED, first)
    table = tables.discordance
    noted = connection.execute(
        select(table.c.id)
        .where(table.c.signed_1_id == pair[0].signed_id)
        .where(table.c.signed_2_id == pair[1].signed_id)
    ).scalar()
    decision = None if noted is None else decision_on(connection, noted)
    if decision is None:
        return _made(visit, Basis.OPEN, {})
    return _made(visit, Basis.ADJUDICATED, loaded(decision.content))


def _made(visit: str, basis: Basis, content: Any) -> Outcome:
    answers = MappingProxyType(dict(content.get("answers", {})))
    return Outcome(visit, basis, statuses(content.get("endpoints", {})), answers)
