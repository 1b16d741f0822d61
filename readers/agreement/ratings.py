"""Ratings: the signed answers of all reads as flat values, ready to be compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from readers import cases, tables
from readers.account import names_of_accounts
from readers.assignment import Assigned, assignments
from readers.canonical import loaded
from readers.discordance import COUNTING


@dataclass(frozen=True, slots=True)
class Rating:
    """The counting answers of one reader to one visit.

    Parameters
    ----------
    number
        Of the signed answer: in which order reads were signed.
    read_id, first_assignment
        The read; the assignment that a re-read repeats, else its own.
    after_machine
        Endpoints of the change of mind; None without one.
    """

    number: int
    read_id: int
    case_id: str
    visit: str
    reader: str
    slot: int
    is_reread: bool
    first_assignment: int
    answers: dict[str, Any]
    endpoints: dict[str, str]
    machine: dict[str, str]
    machine_sizes: dict[str, float | None]
    after_machine: dict[str, str] | None
    spent_s: float

    @property
    def unit(self) -> tuple[str, str]:
        """What was rated: a visit of a case."""
        return self.case_id, self.visit


def ratings(connection: Connection) -> tuple[Rating, ...]:
    """Return all counting answers in the order they were first signed."""
    names = names_of_accounts(connection)
    found = [r for a in assignments(connection) for r in _of(connection, a, names[a.reader_id])]
    return tuple(sorted(found, key=lambda r: r.number))


def _of(connection: Connection, assigned: Assigned, reader: str) -> Iterator[Rating]:
    read, signed = tables.read, tables.signed
    rows = connection.execute(
        select(signed, read.c.visit, read.c.case_version_id)
        .join(read, read.c.id == signed.c.read_id)
        .where(read.c.assignment_id == assigned.id)
        .order_by(signed.c.read_id, signed.c.version)
    ).all()
    for read_id in dict.fromkeys(row.read_id for row in rows):
        mine = [row for row in rows if row.read_id == read_id]
        counting = [row for row in mine if row.kind in COUNTING][-1]
        second = [row for row in mine if row.kind not in COUNTING]
        content: Any = loaded(counting.content)
        machine: Any = cases.machine_result(connection, counting.case_version_id, counting.visit)
        changed: Any = loaded(second[0].content) if second else None
        yield Rating(
            number=mine[0].id,
            read_id=read_id,
            case_id=assigned.case_id,
            visit=counting.visit,
            reader=reader,
            slot=assigned.slot,
            is_reread=assigned.repeats_id is not None,
            first_assignment=assigned.repeats_id or assigned.id,
            answers=content["answers"],
            endpoints=content["endpoints"],
            machine=(machine or {}).get("endpoints", {}),
            machine_sizes=(machine or {}).get("sizes", {}),
            after_machine=changed and changed["endpoints"],
            spent_s=mine[0].spent_s,
        )
