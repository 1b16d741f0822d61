"""Overview: where two readers differ, as the coordinator sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from readers import tables
from readers.actor import Actor, Role
from readers.canonical import loaded
from readers.store import Store


@dataclass(frozen=True, slots=True)
class Discordance:
    """Two differing reads of a visit; `decided` when the adjudicator has."""

    case_id: str
    visit: str
    differing: tuple[str, ...]
    noted_at: str
    decided: bool


def discordances(store: Store, actor: Actor) -> tuple[Discordance, ...]:
    """Return the last discordance of every visit that had one, the oldest first."""
    actor.require(Role.COORDINATOR)
    table, decision = tables.discordance, tables.decision
    query = (
        select(table, decision.c.id.label("decision_id"))
        .outerjoin(decision, decision.c.discordance_id == table.c.id)
        .order_by(table.c.id)
    )
    with store.reading() as connection:
        rows = connection.execute(query).all()
    return tuple(_discordance(row) for row in {(r.case_id, r.visit): r for r in rows}.values())


def _discordance(row: Any) -> Discordance:
    differing: Any = loaded(row.differing)
    return Discordance(
        row.case_id, row.visit, tuple(differing), row.found_at, row.decision_id is not None
    )
