"""Assigning: the coordinator gives cases to readers, plans re-reads, and sees how far they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, func, insert, select, update

from readers import cases, tables
from readers.account import by_name, names_of_accounts
from readers.actor import Actor, Role
from readers.assignment import Assigned, assignments, drawn
from readers.clock import told, written
from readers.errors import CaseError, NotFoundError
from readers.paradigm import Paradigm
from readers.passwords import random_password
from readers.store import Store, Writing
from readers.texts import checked_reason
from readers.worklist import WorkVisit, item_of, items_of

CODE_CHARS = 6
_SHARE_DIGITS = 13
"""So many hexadecimal digits of a draw fit a float exactly."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One assignment as the coordinator sees it."""

    assignment_id: int
    code: str
    case_id: str
    reader: str
    slot: int
    is_reread: bool
    visits: tuple[WorkVisit, ...]
    stale_visits: tuple[str, ...]
    """Opened or locked on images that are not the newest."""


def assign(
    store: Store, actor: Actor, case_id: str, readers: Sequence[str], paradigm: Paradigm
) -> tuple[int, ...]:
    """Give a case to readers (sign-in names), in the slots still free; return assignment ids.

    Raises
    ------
    CaseError
        A reader has the case already, or there are more readers than the paradigm has.
    NotFoundError, AccountError
        A name is no reader's.
    """
    actor.require(Role.COORDINATOR)
    with store.writing(actor) as writing:
        cases.newest(writing.connection, case_id)
        ids = [by_name(writing.connection, r, Role.READER).id for r in readers]
        mine = assignments(writing.connection, case_id)
        taken = {a.slot for a in mine if a.repeats_id is None}
        free = [s for s in range(1, paradigm.readers.per_case + 1) if s not in taken]
        if {a.reader_id for a in mine} & set(ids) or len(set(ids)) != len(ids):
            raise CaseError("assigned_twice", case=case_id)
        if len(ids) > len(free):
            raise CaseError("assigned_full", case=case_id, most=paradigm.readers.per_case)
        _keep_paradigm(writing, paradigm)
        return tuple(
            _add(writing, paradigm, case_id, reader_id, slot)
            for reader_id, slot in zip(ids, free, strict=False)
        )


def _add(
    writing: Writing,
    paradigm: Paradigm,
    case_id: str,
    reader_id: int,
    slot: int,
    first: Assigned | None = None,
    not_before: str | None = None,
) -> int:
    repeats_id = None if first is None else first.id
    values = {
        "code": f"R-{random_password(CODE_CHARS).upper()}",
        "case_id": case_id,
        "reader_id": reader_id,
        "slot": slot,
        "repeats_id": repeats_id,
        "paradigm_sha256": paradigm.sha256,
        "place": _place(writing.connection, paradigm, case_id, reader_id, repeats_id),
        "not_before": not_before,
        "withdrawn": False,
    }
    id_ = int(writing.execute(insert(tables.assignment).values(**values)).inserted_primary_key[0])
    told_ = {k: values[k] for k in ("code", "case_id", "reader_id", "slot", "repeats_id")}
    writing.record("case.assigned", f"assignment:{id_}", after=told_)
    return id_


def _place(
    connection: Connection, paradigm: Paradigm, case_id: str, reader_id: int, repeats: int | None
) -> str:
    """Return the sort key within the worklist: random, or as registered with re-reads between."""
    draw = drawn(paradigm.order.seed, reader_id, case_id, repeats)
    if paradigm.order.cases == "random":
        return draw
    count = connection.execute(select(func.count()).select_from(tables.assignment)).scalar_one()
    if repeats is None:
        return f"{count:012d}"
    mine = [a for a in assignments(connection) if a.reader_id == reader_id]
    items = items_of(connection, mine)
    waiting = sorted(a.place for a, i in zip(mine, items, strict=True) if not i.started)
    behind = waiting[int(_share(draw) * len(waiting))] if waiting else f"{count:012d}"
    return f"{behind}.{draw}"


def _share(draw: str) -> float:
    return float(int(draw[:_SHARE_DIGITS], 16)) / float(16**_SHARE_DIGITS)


def _keep_paradigm(writing: Writing, paradigm: Paradigm) -> None:
    table = tables.paradigm
    known = writing.execute(select(table.c.sha256).where(table.c.sha256 == paradigm.sha256))
    if known.first() is None:
        writing.execute(insert(table).values(sha256=paradigm.sha256, content=paradigm.text))
        told_ = {"id": paradigm.id, "version": paradigm.version, "sha256": paradigm.sha256}
        writing.record("paradigm.used", f"paradigm:{paradigm.id}", after=told_)


def withdraw(store: Store, actor: Actor, assignment_id: int, reason: str) -> None:
    """Take a case from a reader; what was read stays on record and counts no more."""
    actor.require(Role.COORDINATOR)
    said, table = checked_reason(reason), tables.assignment
    with store.writing(actor) as writing:
        changed = writing.execute(
            update(table)
            .where(table.c.id == assignment_id, table.c.withdrawn.is_(False))
            .values(withdrawn=True)
        )
        if changed.rowcount != 1:
            raise NotFoundError("assignment_unknown", assignment=assignment_id)
        writing.record("case.withdrawn", f"assignment:{assignment_id}", reason=said)


def plan_rereads(store: Store, actor: Actor) -> int:
    """Draw re-reads from the finished cases of every reader, by each case's own paradigm.

    Whether a case is drawn depends on the seed and the assignment alone, so planning twice
    draws nothing twice. Returns how many were added.
    """
    actor.require(Role.COORDINATOR)
    with store.writing(actor) as writing:
        known = assignments(writing.connection)
        repeated = {a.repeats_id for a in known}
        due = [a for a in known if a.repeats_id is None and a.id not in repeated and _is_drawn(a)]
        planned = 0
        for first in due:
            ended = _ended(writing.connection, first)
            if ended is None:
                continue
            wait = timedelta(days=first.paradigm.rereads.washout_days)
            not_before = written(told(ended) + wait)
            _add(
                writing, first.paradigm, first.case_id, first.reader_id, first.slot,
                first, not_before,
            )  # fmt: skip
            planned += 1
        return planned


def _is_drawn(first: Assigned) -> bool:
    rereads = first.paradigm.rereads
    return _share(drawn(rereads.seed, first.id)) < rereads.fraction


def _ended(connection: Connection, first: Assigned) -> str | None:
    """Return when the last visit was signed; None while one is open."""
    if item_of(connection, first).next_visit is not None:
        return None
    read, draft = tables.read, tables.draft
    return connection.execute(
        select(func.max(draft.c.saved_at))
        .join(read, read.c.id == draft.c.read_id)
        .where(read.c.assignment_id == first.id)
    ).scalar()


def progress(store: Store, actor: Actor) -> tuple[Progress, ...]:
    """Return how far every assignment is, by case, slot and order of assigning."""
    actor.require(Role.COORDINATOR, Role.ADMINISTRATOR)
    with store.reading() as connection:
        names = names_of_accounts(connection)
        known = assignments(connection)
        items = items_of(connection, known)
        stale = _stale(connection)
    found = [
        Progress(
            assignment_id=assigned.id,
            code=assigned.code,
            case_id=assigned.case_id,
            reader=names[assigned.reader_id],
            slot=assigned.slot,
            is_reread=assigned.repeats_id is not None,
            visits=item.visits,
            stale_visits=tuple(stale.get(assigned.id, ())),
        )
        for assigned, item in zip(known, items, strict=True)
    ]
    return tuple(sorted(found, key=lambda p: (p.case_id, p.slot, p.assignment_id)))


def _stale(connection: Connection) -> dict[int, list[str]]:
    """Return, for each assignment, the visits whose images have changed since they were opened."""
    read, case = tables.read, tables.case_version
    newest = select(func.max(case.c.id)).group_by(case.c.case_id)
    rows = connection.execute(
        select(read.c.assignment_id, read.c.visit, read.c.case_version_id)
        .where(read.c.case_version_id.not_in(newest))
        .order_by(read.c.id)
    ).all()
    versions = cases.load_versions(connection, {row.case_version_id for row in rows})
    now = cases.newest_of(connection, {version.case_id for version in versions.values()})
    found: dict[int, list[str]] = {}
    for row in rows:
        then = versions[row.case_version_id]
        if cases.has_changed(row.visit, then, now[then.case_id]):
            found.setdefault(row.assignment_id, []).append(row.visit)
    return found
