"""Signing: a read is locked, corrected, or seconded by a change of mind; each by a signature."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select

from imaging.protocol import Protocol
from readers import tables
from readers.actor import Actor, Role
from readers.answers import Answers
from readers.canonical import canonical
from readers.discordance import note_discordance
from readers.edit_checks import problems
from readers.errors import OrderError, UnfinishedError
from readers.form import Form, load_form
from readers.loading import loaded_read, machine_was_shown, own_of_read
from readers.masks import newest_hashes
from readers.read import Content, Read, ReadStatus, SignedKind, parse_content
from readers.reading import conflict
from readers.signature import Bound, Meaning, Proof, of_signed, prove, sign
from readers.store import Store, Writing
from readers.texts import checked_reason

_MEANINGS: dict[SignedKind, Meaning] = {
    SignedKind.FIRST: "read",
    SignedKind.CORRECTION: "correction",
    SignedKind.AFTER_MACHINE: "change of mind",
}


@dataclass(frozen=True, slots=True)
class Pen:
    """With what one signs: the proof of who it is, the protocol that judges, and why."""

    proof: Proof
    protocol: Protocol
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Given:
    """What a page gives to be signed; `acknowledged` are ids of warnings that may stand."""

    answers: Mapping[str, Any]
    marks: Any = ()
    acknowledged: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class _Order:
    """What is to be signed, after the proof."""

    kind: SignedKind
    method: str
    protocol: Protocol
    acknowledged: frozenset[str]
    reason: str | None = None


def lock(
    store: Store,
    actor: Actor,
    read_id: int,
    revision: int,
    pen: Pen,
    acknowledged: Collection[str] = (),
) -> Read:
    """Sign the draft as it is stored; nothing can change it afterwards but a signed correction.

    Parameters
    ----------
    revision
        Of the read that the page shows.
    acknowledged
        Ids of the warnings that the reader has seen and lets stand.

    Raises
    ------
    SignatureError
        The proof does not hold.
    UnfinishedError
        An edit check's error, or a warning that was not acknowledged.
    DraftConflictError
        Another tab saved since.
    OrderError
        It is locked already.
    """
    actor.require(Role.READER)
    method = prove(store, actor, pen.proof)
    order = _Order(SignedKind.FIRST, method, pen.protocol, frozenset(acknowledged))

    def content(read: Read) -> Content:
        if read.status is not ReadStatus.DRAFT:
            raise OrderError("read_locked", visit=read.shown_visit)
        if read.revision != revision:
            raise conflict(read, revision, None)
        return read.content

    return _signed(store, actor, read_id, order, content)


def correct(store: Store, actor: Actor, read_id: int, given: Given, pen: Pen) -> Read:
    """Sign a correction of a locked read, with a reason; the answers before stay on record.

    Raises
    ------
    SignatureError, UnfinishedError, FormError
        As for `lock`.
    ReasonError
        There is no reason.
    OrderError
        The read is not locked: a draft is simply saved.
    """
    return _again(store, actor, read_id, SignedKind.CORRECTION, given, pen)


def change_mind(store: Store, actor: Actor, read_id: int, given: Given, pen: Pen) -> Read:
    """Sign a second answer after the machine's values were shown; the first one still counts.

    Raises
    ------
    SignatureError, UnfinishedError, FormError
        As for `correct`.
    OrderError
        The machine's values were not shown, or there is a second answer already.
    """
    return _again(store, actor, read_id, SignedKind.AFTER_MACHINE, given, pen)


def _again(
    store: Store, actor: Actor, read_id: int, kind: SignedKind, given: Given, pen: Pen
) -> Read:
    actor.require(Role.READER)
    reason = checked_reason(pen.reason)
    method = prove(store, actor, pen.proof)
    order = _Order(kind, method, pen.protocol, frozenset(given.acknowledged), reason)

    def content(read: Read) -> Content:
        if read.status is ReadStatus.DRAFT:
            raise OrderError("read_not_locked", visit=read.shown_visit)
        if kind is SignedKind.AFTER_MACHINE and read.after_machine is not None:
            raise OrderError("mind_changed_once", visit=read.shown_visit)
        return parse_content(load_form(read.form_version), given.answers, given.marks)

    return _signed(store, actor, read_id, order, content)


def _signed(
    store: Store,
    actor: Actor,
    read_id: int,
    order: _Order,
    content_of: Callable[[Read], Content],
) -> Read:
    with store.writing(actor) as writing:
        assigned = own_of_read(writing.connection, actor, read_id)
        read = loaded_read(writing.connection, read_id, assigned)
        content = content_of(read)
        seen = machine_was_shown(writing.connection, read_id)
        if order.kind is SignedKind.AFTER_MACHINE and not seen:
            raise OrderError("machine_not_shown", visit=read.shown_visit)
        _add(writing, read, checked(read, content, order.protocol, order.acknowledged), order, seen)
        if order.kind is not SignedKind.AFTER_MACHINE:
            note_discordance(writing, assigned, read.visit)
        return loaded_read(writing.connection, read_id, assigned)


def checked(
    read: Read, content: Content, protocol: Protocol, acknowledged: Collection[str]
) -> Content:
    """Return the content without what is not asked, when no edit check stands against it.

    Raises
    ------
    UnfinishedError
        An error, or a warning that was not acknowledged.
    """
    form = load_form(read.form_version)
    found = problems(form, content.answers, content.marks, read.tags, protocol)
    standing = tuple(p for p in found if p.severity == "error" or p.id not in acknowledged)
    if standing:
        named = "; ".join(f"{p.at}: {p.message.en}" for p in standing)
        raise UnfinishedError("read_unfinished", problems=standing, named=named)
    return Content(form.relevant(content.answers, read.tags, protocol), content.marks)


def endpoints(form: Form, answers: Answers, read: Read, protocol: Protocol) -> dict[str, str]:
    """Return the status of each endpoint, by the form's own rules."""
    return {
        name: str(form.endpoint(name, answers, read.tags, protocol)[0]) for name in form.endpoints
    }


def _add(writing: Writing, read: Read, content: Content, order: _Order, seen: bool) -> None:
    form = load_form(read.form_version)
    masks = newest_hashes(writing.connection, read.id)
    plain = {
        **content.plain,
        "endpoints": endpoints(form, content.answers, read, order.protocol),
        "protocol_sha256": order.protocol.sha256,
        "acknowledged": sorted(order.acknowledged),
        "later_visits_opened": _later_visits(writing.connection, read),
    }
    values = {
        "read_id": read.id,
        "version": len(read.signed) + 1,
        "kind": str(order.kind),
        "content": canonical(plain),
        "reason": order.reason,
        "machine_seen": seen,
        "spent_s": read.spent_s,
    }
    added = writing.execute(insert(tables.signed).values(**values).returning(tables.signed)).one()
    bound = Bound(read.images, masks, read.form_version, of_signed(added))
    hashed = sign(writing, _MEANINGS[order.kind], order.method, plain, bound)
    before = None if read.current is None else read.current.content.plain
    told = {"signature": hashed, "content": plain}
    action = f"read.signed.{order.kind}"
    writing.record(action, f"read:{read.id}", before=before, after=told, reason=order.reason)


def _later_visits(connection: Connection, read: Read) -> list[str]:
    """Return what was opened after this read, which a correction may have learnt from."""
    table = tables.read
    later = connection.execute(
        select(table.c.visit)
        .where(table.c.assignment_id == read.assignment_id, table.c.id > read.id)
        .order_by(table.c.id)
    ).scalars()
    return list(later)
