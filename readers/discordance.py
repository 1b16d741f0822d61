"""Discordance: two readers' counting answers to one visit that differ where it matters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from readers import tables
from readers.assignment import Assigned, assignments, drawn
from readers.canonical import canonical, loaded
from readers.paradigm import Paradigm
from readers.store import Writing

COUNTING = ("first", "correction")


@dataclass(frozen=True, slots=True)
class Counting:
    """The signed answers of one slot that count now."""

    signed_id: int
    read_id: int
    slot: int
    answers: dict[str, Any]
    endpoints: dict[str, str]


def counting_pair(connection: Connection, case_id: str, visit: str) -> tuple[Counting, ...]:
    """Return what counts of each primary reader of a visit, by slot; re-reads never do."""
    primary = [a for a in assignments(connection, case_id) if a.repeats_id is None]
    found = (_counting(connection, a, visit) for a in sorted(primary, key=lambda a: a.slot))
    return tuple(c for c in found if c is not None)


def _counting(connection: Connection, assigned: Assigned, visit: str) -> Counting | None:
    read, signed = tables.read, tables.signed
    row = connection.execute(
        select(signed.c.id, signed.c.read_id, signed.c.content)
        .join(read, read.c.id == signed.c.read_id)
        .where(read.c.assignment_id == assigned.id, read.c.visit == visit)
        .where(signed.c.kind.in_(COUNTING))
        .order_by(signed.c.version.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    content: Any = loaded(row.content)
    return Counting(row.id, row.read_id, assigned.slot, content["answers"], content["endpoints"])


def differing(one: Counting, other: Counting, paradigm: Paradigm) -> tuple[str, ...]:
    """Return the endpoints and questions of the paradigm's rules that differ."""
    rules = paradigm.discordance
    endpoints = [e for e in rules.endpoints if one.endpoints.get(e) != other.endpoints.get(e)]
    questions = [q for q in rules.questions if one.answers.get(q) != other.answers.get(q)]
    return (*endpoints, *questions)


def note_discordance(writing: Writing, assigned: Assigned, visit: str) -> None:
    """Write down that two reads of a visit differ, once for each pair of signed answers.

    Also draws which of them the adjudicator will see first.
    """
    pair = counting_pair(writing.connection, assigned.case_id, visit)
    if len(pair) != 2 or assigned.repeats_id is not None:
        return
    found = differing(*pair, assigned.paradigm)
    if not found or _noted(writing.connection, pair):
        return
    draw = drawn(assigned.paradigm.discordance.seed, pair[0].signed_id, pair[1].signed_id)
    values = {
        "case_id": assigned.case_id,
        "visit": visit,
        "signed_1_id": pair[0].signed_id,
        "signed_2_id": pair[1].signed_id,
        "differing": canonical(list(found)),
        "swapped": int(draw[0], 16) % 2 == 1,
        "found_at": writing.at,
    }
    added = writing.execute(insert(tables.discordance).values(**values))
    told = {"visit": visit, "differing": list(found)}
    target = f"discordance:{added.inserted_primary_key[0]}"
    writing.record("discordance.found", target, after=told)


def _noted(connection: Connection, pair: tuple[Counting, ...]) -> bool:
    table = tables.discordance
    return (
        connection.execute(
            select(table.c.id)
            .where(table.c.signed_1_id == pair[0].signed_id)
            .where(table.c.signed_2_id == pair[1].signed_id)
        ).first()
        is not None
    )
