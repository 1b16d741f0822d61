"""Reading: a reader opens a visit, saves drafts, and after the lock sees the machine's values."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select, update

from readers import cases, tables
from readers.actor import Actor, Role
from readers.answers import differing
from readers.assignment import Assigned, assignment, own
from readers.canonical import canonical
from readers.cases import CaseVisit
from readers.condition import Tags
from readers.errors import DraftConflictError, NotFoundError, OrderError
from readers.form import load_form
from readers.loading import (
    content_of_text,
    loaded_read,
    machine_may_be_seen,
    machine_was_shown,
    own_of_read,
    read_row,
)
from readers.read import Content, Read, ReadStatus, parse_content
from readers.store import Store, Writing
from readers.worklist import turn_of

REVISION_OPENED = 1
SPENT_MAX_S = 86_400.0


def open_read(store: Store, actor: Actor, assignment_id: int, visit: str) -> Read:
    """Return a reader's read of a visit; the first time it is made, bound to what is newest now.

    Raises
    ------
    ForbiddenError
        The assignment is not this reader's.
    OrderError
        Another visit has to be locked first.
    """
    actor.require(Role.READER)
    with store.writing(actor) as writing:
        assigned = own(writing.connection, actor, assignment_id)
        turn = turn_of(writing.connection, assigned, visit)
        read_id = turn.read_id or _made(writing, assigned, visit)
        return loaded_read(writing.connection, read_id, assigned)


def _made(writing: Writing, assigned: Assigned, label: str) -> int:
    version = cases.newest(writing.connection, assigned.case_id)
    tags = sorted(_tags(version.visit(label), assigned))
    values = {
        "assignment_id": assigned.id,
        "visit": label,
        "case_version_id": version.id,
        "form_version": assigned.paradigm.form,
        "tags": canonical(tags),
        "opened_at": writing.at,
    }
    read_id = int(writing.execute(insert(tables.read).values(**values)).inserted_primary_key[0])
    writing.execute(
        insert(tables.draft).values(
            read_id=read_id,
            revision=REVISION_OPENED,
            content=canonical(Content().plain),
            spent_s=0.0,
            saved_at=writing.at,
        )
    )
    told = {"visit": label, "case_version": version.version, "form": assigned.paradigm.form}
    writing.record("read.opened", f"read:{read_id}", after=told)
    return read_id


def _tags(visit: CaseVisit, assigned: Assigned) -> Tags:
    order: Tags = frozenset({"in_order" if assigned.in_order else "any_order"})
    if visit.baseline:
        return order | {"baseline"}
    return order | {"follow_up", "early" if visit.early else "late"}


def load(store: Store, actor: Actor, read_id: int) -> Read:
    """Return one's own read as it stands.

    Raises
    ------
    ForbiddenError
        It is not this reader's.
    """
    with store.reading() as connection:
        return loaded_read(connection, read_id, own_of_read(connection, actor, read_id))


def review(store: Store, actor: Actor, read_id: int) -> Read:
    """Return a signed read to a coordinator; a draft is nobody's but its reader's.

    Raises
    ------
    OrderError
        It is not signed yet.
    NotFoundError
        There is no such read.
    """
    actor.require(Role.COORDINATOR)
    table = tables.read
    with store.reading() as connection:
        found = connection.execute(
            select(table.c.assignment_id).where(table.c.id == read_id)
        ).scalar()
        if found is None:
            raise NotFoundError("read_unknown", read=read_id)
        read = loaded_read(connection, read_id, assignment(connection, found))
    if read.status is ReadStatus.DRAFT:
        raise OrderError("read_not_locked", visit=read.shown_visit)
    return read


def save_draft(
    store: Store,
    actor: Actor,
    read_id: int,
    *,
    revision: int,
    answers: Any,
    marks: Any = (),
    spent_s: float = 0.0,
) -> Read:
    """Save what is in the form, complete or not; return the read with its next revision.

    Parameters
    ----------
    revision
        Of the read that the page shows; another one in the store means another tab saved.
    spent_s
        Seconds at the form since the last save, added to the read's time.

    Raises
    ------
    FormError
        An answer is not of its question; nothing was saved.
    DraftConflictError
        Another tab saved first; what this one had is kept as a copy.
    OrderError
        The read is locked.
    """
    content: Content | None = None
    with store.writing(actor) as writing:
        assigned = own_of_read(writing.connection, actor, read_id)
        read = loaded_read(writing.connection, read_id, assigned)
        content = parse_content(load_form(read.form_version), answers, marks)
        if read.status is ReadStatus.DRAFT and read.revision == revision:
            _update(writing, read, content, _sound(spent_s))
            return loaded_read(writing.connection, read_id, assigned)
        kept = _keep_copy(writing, read_id, revision, content)
    if read.status is not ReadStatus.DRAFT:
        raise OrderError("read_locked", visit=read.shown_visit)
    raise conflict(read, revision, kept)


def conflict(read: Read, revision: int, kept: int | None) -> DraftConflictError:
    """Return the error that names both revisions and carries the stored read."""
    return DraftConflictError(
        "draft_conflict", current=read, kept=kept, visit=read.shown_visit,
        given=revision, stored=read.revision,
    )  # fmt: skip


def _update(writing: Writing, read: Read, content: Content, spent_s: float) -> None:
    before, after = read.content.plain, content.plain
    draft = tables.draft
    writing.execute(
        update(draft)
        .where(draft.c.read_id == read.id)
        .values(
            revision=read.revision + 1,
            content=canonical(after),
            spent_s=read.spent_s + spent_s,
            saved_at=writing.at,
        )
    )
    told = [_flat(content) for content in (before, after)]
    changed = differing(*told)
    if changed:
        old, new = ({name: c[name] for name in changed if name in c} for c in told)
        writing.record("draft.saved", f"read:{read.id}", before=old, after=new)


def _sound(spent_s: float) -> float:
    """Return seconds that a page can have counted since the last save, else none."""
    return spent_s if 0 <= spent_s <= SPENT_MAX_S else 0.0


def _flat(content: dict[str, object]) -> dict[str, object]:
    """Return a content answer by answer, with the marks as a whole: what the audit compares."""
    answers: Any = content["answers"]
    marks: dict[str, object] = {"marks": content["marks"]} if content["marks"] else {}
    return {**answers, **marks}


def _keep_copy(writing: Writing, read_id: int, revision: int, content: Content) -> int:
    values = {
        "read_id": read_id,
        "revision": revision,
        "content": canonical(content.plain),
        "kept_at": writing.at,
    }
    added = writing.execute(insert(tables.draft_copy).values(**values))
    kept = int(added.inserted_primary_key[0])
    writing.record("draft.copy_kept", f"read:{read_id}", after={"copy": kept})
    return kept


def copy(store: Store, actor: Actor, read_id: int, kept: int) -> Content:
    """Return a copy that was kept when another tab had saved first."""
    table = tables.draft_copy
    with store.reading() as connection:
        own_of_read(connection, actor, read_id)
        text = connection.execute(
            select(table.c.content).where(table.c.id == kept, table.c.read_id == read_id)
        ).scalar()
        form_version = read_row(connection, read_id).form_version
    if text is None:
        raise NotFoundError("copy_unknown", kept=kept)
    return content_of_text(form_version, text)


def machine_values(store: Store, actor: Actor, read_id: int) -> dict[str, object] | None:
    """Return the machine's result for a visit that this reader has locked; None when none is.

    The first look is written down: what is signed afterwards says that the machine was seen.

    Raises
    ------
    OrderError
        The read is not locked yet.
    """
    actor.require(Role.READER)
    with store.writing(actor) as writing:
        assigned = own_of_read(writing.connection, actor, read_id)
        read = loaded_read(writing.connection, read_id, assigned)
        if not machine_may_be_seen(writing.connection, assigned, read):
            raise OrderError("machine_not_yet", visit=read.shown_visit)
        row = read_row(writing.connection, read_id)
        found = cases.machine_result(writing.connection, row.case_version_id, read.visit)
        if not machine_was_shown(writing.connection, read_id):
            values = {"read_id": read_id, "shown_at": writing.at}
            writing.execute(insert(tables.machine_shown).values(**values))
            writing.record("machine.shown", f"read:{read_id}")
    return found
