"""Assignment: one case given to one reader, under a neutral code and a paradigm."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from readers import tables
from readers.actor import Actor, Role
from readers.errors import ForbiddenError
from readers.paradigm import Paradigm, stored


@dataclass(frozen=True, slots=True, eq=False)
class Assigned:
    """An assignment with what decides about it; inside the package only."""

    id: int
    code: str
    case_id: str
    reader_id: int
    slot: int
    repeats_id: int | None
    paradigm: Paradigm
    not_before: str | None
    place: str

    @property
    def in_order(self) -> bool:
        """Whether visits are read in order of time."""
        return self.paradigm.order.visits == "chronological"


def drawn(seed: int, *of: object) -> str:
    """Return a number in [0, 1) as 64 hexadecimal digits, drawn by seed for this very thing."""
    text = "|".join(str(part) for part in (seed, *of))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def own(connection: Connection, actor: Actor, assignment_id: int) -> Assigned:
    """Return a reader's own assignment.

    Raises
    ------
    ForbiddenError
        It is another reader's, withdrawn, or none: which of them is not told.
    """
    mine = (tables.assignment.c.id == assignment_id) & (
        tables.assignment.c.reader_id == actor.account_id
    )
    rows = assignment_rows(connection, mine)
    if actor.role is not Role.READER or not rows:
        raise ForbiddenError("not_yours")
    return assigned_of(rows[0])


def assignment_rows(connection: Connection, condition: Any) -> list[Row[Any]]:
    """Return the rows of assignments that were not withdrawn, in the order they were made."""
    open_ = tables.assignment.c.withdrawn.is_(False)
    query = _query().where(condition, open_).order_by(tables.assignment.c.id)
    return list(connection.execute(query).all())


def _query() -> Select[Any]:
    table, paradigm = tables.assignment, tables.paradigm
    return select(table, paradigm.c.content).join(
        paradigm, paradigm.c.sha256 == table.c.paradigm_sha256
    )


def assigned_of(row: Row[Any]) -> Assigned:
    """Return the assignment that a row (joined with its paradigm) holds."""
    return Assigned(
        row.id, row.code, row.case_id, row.reader_id, row.slot, row.repeats_id,
        stored(row.content), row.not_before, row.place,
    )  # fmt: skip


def assignments(connection: Connection, case_id: str | None = None) -> list[Assigned]:
    """Return the assignments (of a case) that were not withdrawn, in the order they were made."""
    table = tables.assignment
    condition = table.c.id > 0 if case_id is None else table.c.case_id == case_id
    return [assigned_of(row) for row in assignment_rows(connection, condition)]


def assignment(connection: Connection, id_: int) -> Assigned:
    """Return one assignment that is known to be there, withdrawn or not."""
    return assigned_of(connection.execute(_query().where(tables.assignment.c.id == id_)).one())
