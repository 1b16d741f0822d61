"""Worklist: which case next, for whom, in which order; what a reader may see of it.

A reader knows a case by a neutral code of the assignment, so that a re-read cannot be told from
a first read. Visits open one after the other where the paradigm locks them as read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection, select

from imaging.geometry import Geometry
from readers import cases, tables
from readers.actor import Actor, Role
from readers.assignment import Assigned, assigned_of, assignment_rows, drawn, own
from readers.cases import CaseVersion, CaseVisit
from readers.clock import written
from readers.errors import ForbiddenError, NotFoundError, OrderError
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


def of_reader(store: Store, actor: Actor) -> tuple[WorkItem, ...]:
    """Return a reader's cases: started first, finished last, else in the paradigm's order."""
    actor.require(Role.READER)
    now = written(store.clock())
    with store.reading() as connection:
        rows = assignment_rows(connection, tables.assignment.c.reader_id == actor.account_id)
        due = [a for a in map(assigned_of, rows) if a.not_before is None or a.not_before <= now]
        places = {a.id: a.place for a in due}
        items = items_of(connection, due)
    items.sort(key=lambda item: (item.next_visit is None, not item.started, places[item.id]))
    return tuple(items)


def item_of(connection: Connection, assigned: Assigned) -> WorkItem:
    """Return an assignment as its reader may see it."""
    return items_of(connection, [assigned])[0]


def items_of(connection: Connection, assigned: Sequence[Assigned]) -> list[WorkItem]:
    """Return assignments as their readers may see them, in the same order."""
    reads = _reads(connection, [a.id for a in assigned])
    versions = cases.newest_of(connection, {a.case_id for a in assigned})
    return [_item(a, versions[a.case_id], reads.get(a.id, {})) for a in assigned]


def _item(
    assigned: Assigned, version: CaseVersion, reads: Mapping[str, tuple[int, bool]]
) -> WorkItem:
    made: list[WorkVisit] = []
    open_ = True
    for place, visit in enumerate(_in_reading_order(assigned, version)):
        read_id, locked = reads.get(visit.label, (None, False))
        state = VisitState.LOCKED if locked else VisitState.OPEN if open_ else VisitState.WAITING
        open_ &= locked or not assigned.paradigm.order.locked_as_read
        made.append(WorkVisit(visit.label, _shown(assigned, visit, place), state, read_id))
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


def _reads(
    connection: Connection, assignment_ids: Sequence[int]
) -> dict[int, dict[str, tuple[int, bool]]]:
    """Return, for each assignment, visit label to read number and whether it is signed."""
    read, signed = tables.read, tables.signed
    rows = connection.execute(
        select(read.c.assignment_id, read.c.visit, read.c.id, signed.c.id.label("signed_id"))
        .outerjoin(signed, (signed.c.read_id == read.c.id) & (signed.c.version == 1))
        .where(read.c.assignment_id.in_(assignment_ids))
    ).all()
    found: dict[int, dict[str, tuple[int, bool]]] = {}
    for row in rows:
        found.setdefault(row.assignment_id, {})[row.visit] = (row.id, row.signed_id is not None)
    return found


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
