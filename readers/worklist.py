"""Worklist: which case next, for whom, in which order; what a reader may see of it.

A reader knows a case by a neutral code of the assignment, so that a re-read cannot be told from
a first read. Visits open one after the other where the paradigm locks them as read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from imaging.geometry import Geometry
from readers import cases, tables
from readers.actor import Actor, Role
from readers.cases import CaseVersion, CaseVisit
from readers.clock import written
from readers.errors import ForbiddenError, NotFoundError, OrderError
from readers.paradigm import Paradigm, stored
from readers.store import Store


class VisitState(StrEnum):
    """Where a visit stands in a reader's worklist."""

    WAITING = "waiting"
    OPEN = "open"
    LOCKED = "locked"


@dataclass(frozen=True, slots=True)
class WorkVisit:
    """One visit: `label` for calls, `shown` for the screen."""

    label: str
    shown: str
    state: VisitState
    read_id: int | None


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One case of a reader, under its neutral code, visits in the order they are read."""

    id: int
    code: str
    visits: tuple[WorkVisit, ...]

    @property
    def next_visit(self) -> WorkVisit | None:
        """The visit to read now, None when all are locked."""
        return next((v for v in self.visits if v.state is VisitState.OPEN), None)

    @property
    def started(self) -> bool:
        """Whether any visit was opened."""
        return any(visit.read_id is not None for visit in self.visits)


@dataclass(frozen=True, slots=True, eq=False)
class ImageSource:
    """Which images to serve: for the server only, never for the screen."""

    case_id: str
    case_version: int
    visit: str
    images: Mapping[str, str]
    grid: Geometry | None


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


def of_reader(store: Store, actor: Actor) -> tuple[WorkItem, ...]:
    """Return a reader's cases: started first, finished last, else in the paradigm's order."""
    actor.require(Role.READER)
    now = written(store.clock())
    with store.reading() as connection:
        rows = _rows(connection, tables.assignment.c.reader_id == actor.account_id)
        due = [a for a in map(assigned_of, rows) if a.not_before is None or a.not_before <= now]
        items = [(item_of(connection, a), a.place) for a in due]
    items.sort(key=lambda pair: (pair[0].next_visit is None, not pair[0].started, pair[1]))
    return tuple(item for item, _ in items)


def item_of(connection: Connection, assigned: Assigned) -> WorkItem:
    """Return an assignment as its reader may see it."""
    reads, locked = _reads(connection, assigned.id)
    visits = _in_reading_order(assigned, cases.newest(connection, assigned.case_id))
    made: list[WorkVisit] = []
    open_ = True
    for place, visit in enumerate(visits):
        state = VisitState.LOCKED if visit.label in locked else VisitState.OPEN
        if state is VisitState.OPEN:
            state = VisitState.OPEN if open_ else VisitState.WAITING
            open_ = not assigned.paradigm.order.locked_as_read
        shown = _shown(assigned, visit, place)
        made.append(WorkVisit(visit.label, shown, state, reads.get(visit.label)))
    return WorkItem(assigned.id, assigned.code, tuple(made))


def _in_reading_order(assigned: Assigned, version: CaseVersion) -> tuple[CaseVisit, ...]:
    if assigned.in_order:
        return version.visits
    seed = assigned.paradigm.order.seed
    return tuple(
        sorted(version.visits, key=lambda v: (not v.baseline, drawn(seed, assigned.id, v.label)))
    )


def _shown(assigned: Assigned, visit: CaseVisit, place: int) -> str:
    """In random order a reader is not told the time point."""
    return visit.label if assigned.in_order or visit.baseline else f"#{place + 1}"


def _reads(connection: Connection, assignment_id: int) -> tuple[dict[str, int], set[str]]:
    read, signed = tables.read, tables.signed
    rows = connection.execute(
        select(read.c.visit, read.c.id, signed.c.id.label("signed_id"))
        .outerjoin(signed, (signed.c.read_id == read.c.id) & (signed.c.version == 1))
        .where(read.c.assignment_id == assignment_id)
    ).all()
    return {r.visit: r.id for r in rows}, {r.visit for r in rows if r.signed_id is not None}


def drawn(seed: int, *of: object) -> str:
    """Return a number in [0, 1) as 64 hexadecimal digits, drawn by seed for this very thing."""
    text = "|".join(str(part) for part in (seed, *of))
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def viewable(item: WorkItem, visit: str, assigned: Assigned) -> tuple[str, ...]:
    """Return the labels of the visits whose images may be seen while one is read.

    In order of time: this one and all before. Otherwise the baseline and this one; and all once
    every visit is locked.
    """
    labels = [v.label for v in item.visits]
    if item.next_visit is None:
        return tuple(labels)
    if assigned.in_order:
        return tuple(labels[: labels.index(visit) + 1])
    return tuple(dict.fromkeys((labels[0], visit)))


def viewable_visits(
    store: Store, actor: Actor, assignment_id: int, visit: str
) -> tuple[WorkVisit, ...]:
    """Return the visits to show beside one that is being read, in the order they are read."""
    actor.require(Role.READER)
    with store.reading() as connection:
        assigned = own(connection, actor, assignment_id)
        item = item_of(connection, assigned)
        _refuse_waiting(item, visit)
        labels = viewable(item, visit, assigned)
    return tuple(v for v in item.visits if v.label in labels)


def image_source(
    store: Store, actor: Actor, assignment_id: int, reading: str, visit: str
) -> ImageSource:
    """Return where the images of `visit` are, for a reader who reads the visit `reading`.

    The version is the one the visit's own read is bound to, the newest when it was not opened.

    Raises
    ------
    ForbiddenError
        The assignment is another's, or the visit may not be seen yet.
    """
    seen = viewable_visits(store, actor, assignment_id, reading)
    found = next((v for v in seen if v.label == visit), None)
    if found is None:
        raise ForbiddenError("visit_not_yet")
    with store.reading() as connection:
        assigned = own(connection, actor, assignment_id)
        version = _bound_version(connection, assigned, found)
    return source_of(version, visit)


def source_of(version: CaseVersion, visit: str) -> ImageSource:
    """Return the images of a visit in one case version."""
    found = version.visit(visit)
    return ImageSource(version.case_id, version.version, visit, found.images, found.grid)


def _bound_version(connection: Connection, assigned: Assigned, visit: WorkVisit) -> CaseVersion:
    if visit.read_id is None:
        return cases.newest(connection, assigned.case_id)
    id_ = connection.execute(
        select(tables.read.c.case_version_id).where(tables.read.c.id == visit.read_id)
    ).scalar_one()
    return cases.load_version(connection, id_)


def _refuse_waiting(item: WorkItem, label: str) -> WorkVisit:
    visit = next((v for v in item.visits if v.label == label), None)
    if visit is None:
        raise NotFoundError("visit_unknown", visit=label[: cases.NAME_CHARS_MAX])
    if visit.state is VisitState.WAITING:
        turn = item.next_visit.shown if item.next_visit else ""
        raise OrderError("visit_not_its_turn", visit=visit.shown, turn=turn)
    return visit


def turn_of(connection: Connection, assigned: Assigned, label: str) -> WorkVisit:
    """Return a visit that may be opened now.

    Raises
    ------
    OrderError
        Another visit has to be locked first.
    """
    return _refuse_waiting(item_of(connection, assigned), label)


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
    rows = _rows(connection, mine)
    if actor.role is not Role.READER or not rows:
        raise ForbiddenError("not_yours")
    return assigned_of(rows[0])


def _rows(connection: Connection, condition: Any) -> list[Row[Any]]:
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
    return [assigned_of(row) for row in _rows(connection, condition)]


def assignment(connection: Connection, id_: int) -> Assigned:
    """Return one assignment that is known to be there, withdrawn or not."""
    return assigned_of(connection.execute(_query().where(tables.assignment.c.id == id_)).one())
