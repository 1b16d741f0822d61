"""Loading: a read from its rows; the callers have checked who may see it."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, Row, select

from readers import cases, tables
from readers.actor import Actor
from readers.assignment import Assigned, own
from readers.canonical import loaded
from readers.errors import ForbiddenError
from readers.form import load_form
from readers.read import (
    Content,
    Read,
    ReadStatus,
    SignedContent,
    SignedKind,
    parse_content,
    statuses,
)
from readers.worklist import item_of


def own_of_read(connection: Connection, actor: Actor, read_id: int) -> Assigned:
    """Return the assignment of one's own read; refuse any other's."""
    assignment_id = connection.execute(
        select(tables.read.c.assignment_id).where(tables.read.c.id == read_id)
    ).scalar()
    if assignment_id is None:
        raise ForbiddenError("not_yours")
    return own(connection, actor, assignment_id)


def machine_may_be_seen(connection: Connection, assigned: Assigned, read: Read) -> bool:
    """Whether the paradigm lets a reader see the machine's result of a visit now."""
    if read.status is ReadStatus.DRAFT:
        return False
    after_all = assigned.paradigm.blinding.machine_values_after == "case"
    return not after_all or item_of(connection, assigned).next_visit is None


def machine_was_shown(connection: Connection, read_id: int) -> bool:
    """Whether the machine's values of a read were shown to its reader."""
    table = tables.machine_shown
    return (
        connection.execute(select(table.c.read_id).where(table.c.read_id == read_id)).first()
        is not None
    )


def loaded_read(connection: Connection, read_id: int, assigned: Assigned) -> Read:
    """Return a read; the caller has checked that it may be seen."""
    row = read_row(connection, read_id)
    version = cases.load_version(connection, row.case_version_id)
    signed = signed_contents(connection, read_id, row.form_version)
    shown = next(v.shown for v in item_of(connection, assigned).visits if v.label == row.visit)
    corrected = any(s.kind is SignedKind.CORRECTION for s in signed)
    status = ReadStatus.CORRECTED if corrected else ReadStatus.LOCKED
    counting = [s for s in signed if s.kind is not SignedKind.AFTER_MACHINE]
    return Read(
        id=row.id,
        assignment_id=row.assignment_id,
        code=assigned.code,
        visit=row.visit,
        shown_visit=shown,
        form_version=row.form_version,
        tags=frozenset(json.loads(row.tags)),
        case_version=version.version,
        images=version.visit(row.visit).images,
        status=status if signed else ReadStatus.DRAFT,
        revision=row.revision,
        content=(
            counting[-1].content if counting else content_of_text(row.form_version, row.content)
        ),
        spent_s=row.spent_s,
        signed=signed,
        newer_version=cases.has_changed(
            row.visit, version, cases.newest(connection, assigned.case_id)
        ),
    )


def read_row(connection: Connection, read_id: int) -> Row[Any]:
    """Return a read's row with its draft's."""
    read, draft = tables.read, tables.draft
    return connection.execute(
        select(read, draft.c.revision, draft.c.content, draft.c.spent_s)
        .join(draft, draft.c.read_id == read.c.id)
        .where(read.c.id == read_id)
    ).one()


def content_of_text(form_version: str, text: str) -> Content:
    """Return the content that the store keeps as text."""
    raw: Any = loaded(text)
    return parse_content(load_form(form_version), raw["answers"], raw["marks"])


def signed_contents(
    connection: Connection, read_id: int, form_version: str
) -> tuple[SignedContent, ...]:
    """Return the signed answers of a read, in the order they were made."""
    signed, signature = tables.signed, tables.signature
    rows = connection.execute(
        select(signed, signature.c.statement, signature.c.sha256)
        .join(signature, signature.c.signed_id == signed.c.id)
        .where(signed.c.read_id == read_id)
        .order_by(signed.c.version)
    ).all()
    return tuple(_signed(row, form_version) for row in rows)


def _signed(row: Row[Any], form_version: str) -> SignedContent:
    content: Any = loaded(row.content)
    statement: Any = loaded(row.statement)
    return SignedContent(
        id=row.id,
        version=row.version,
        kind=SignedKind(row.kind),
        content=content_of_text(form_version, row.content),
        endpoints=statuses(content["endpoints"]),
        reason=row.reason,
        machine_seen=row.machine_seen,
        spent_s=row.spent_s,
        signer=statement["signer"],
        signed_at=statement["at"],
        meaning=statement["meaning"],
        sha256=row.sha256,
    )
