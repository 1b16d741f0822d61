"""Adjudication: a third person decides where two blinded reads differ.

The adjudicator sees both readings without names, in an order drawn by seed, picks one of them or
states a third, and gives the reason. The decision is bound to exactly the two signed answers it
was made on: a correction afterwards opens the question again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import Connection, Row, insert, select

from imaging.findings.status import Status
from imaging.protocol import Protocol
from imaging.volume import Mask
from readers import cases, tables
from readers.actor import Actor, Role
from readers.assignment import assignment
from readers.canonical import canonical, loaded
from readers.discordance import counting_pair
from readers.errors import NotFoundError, OrderError, UnfinishedError
from readers.form import load_form
from readers.loading import loaded_read, signed_contents
from readers.masks import content_of, newest_hashes
from readers.read import Content, Read, parse_content
from readers.signature import Bound, of_decision, prove, sign
from readers.signing import Given, Pen, checked, endpoints
from readers.store import Store
from readers.texts import checked_reason
from readers.worklist import ImageSource, source_of

Choice = Literal["first", "second", "third"]


@dataclass(frozen=True, slots=True)
class Dispute:
    """One visit that waits for a decision: `code` for the screen."""

    id: int
    code: str
    visit: str
    differing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """One reader's signed answers without the reader; `images` by role, `masks` by structure."""

    content: Content
    endpoints: Mapping[str, Status]
    images: Mapping[str, str]
    masks: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BlindedPair:
    """Both readings of a dispute, and the read whose form and tags a third one follows."""

    dispute: Dispute
    first: Reading
    second: Reading
    template: Read


def open_items(store: Store, actor: Actor) -> tuple[Dispute, ...]:
    """Return the disputes that wait for a decision, in the order they were found."""
    actor.require(Role.ADJUDICATOR)
    with store.reading() as connection:
        rows = connection.execute(select(tables.discordance).order_by(tables.discordance.c.id))
        return tuple(_dispute(row) for row in rows.all() if _is_open(connection, row))


def _dispute(row: Row[Any]) -> Dispute:
    differing: Any = loaded(row.differing)
    return Dispute(row.id, f"A-{row.id:04d}", row.visit, tuple(differing))


def _is_open(connection: Connection, row: Row[Any]) -> bool:
    return decision_on(connection, row.id) is None and _is_current(connection, row)


def _is_current(connection: Connection, row: Row[Any]) -> bool:
    pair = counting_pair(connection, row.case_id, row.visit)
    return tuple(c.signed_id for c in pair) == (row.signed_1_id, row.signed_2_id)


def decision_on(connection: Connection, discordance_id: int) -> Row[Any] | None:
    """Return the decision on a discordance, None while there is none."""
    table = tables.decision
    return connection.execute(select(table).where(table.c.discordance_id == discordance_id)).first()


def view(store: Store, actor: Actor, dispute_id: int) -> BlindedPair:
    """Return both readings of a dispute, in the order that was drawn."""
    actor.require(Role.ADJUDICATOR)
    with store.reading() as connection:
        return _pair(connection, _row(connection, dispute_id))


def _row(connection: Connection, dispute_id: int) -> Row[Any]:
    table = tables.discordance
    row = connection.execute(select(table).where(table.c.id == dispute_id)).first()
    if row is None:
        raise NotFoundError("dispute_unknown", dispute=dispute_id)
    return row


def _pair(connection: Connection, row: Row[Any]) -> BlindedPair:
    ids = (row.signed_1_id, row.signed_2_id)
    reads = [_read_of(connection, signed_id) for signed_id in ids]
    readings = [
        _reading(connection, read, signed_id) for read, signed_id in zip(reads, ids, strict=True)
    ]
    if row.swapped:
        readings.reverse()
    # Numbers and code would name the reader to who knows the assignments.
    newest = max(reads, key=lambda read: read.case_version)
    template = replace(
        newest, id=0, assignment_id=0, code="", content=Content(), signed=(), spent_s=0.0
    )
    return BlindedPair(_dispute(row), readings[0], readings[1], template)


def _read_of(connection: Connection, signed_id: int) -> Read:
    read, signed = tables.read, tables.signed
    row = connection.execute(
        select(read.c.id, read.c.assignment_id)
        .join(signed, signed.c.read_id == read.c.id)
        .where(signed.c.id == signed_id)
    ).one()
    return loaded_read(connection, row.id, assignment(connection, row.assignment_id))


def _reading(connection: Connection, read: Read, signed_id: int) -> Reading:
    contents = signed_contents(connection, read.id, read.form_version)
    signed = next(s for s in contents if s.id == signed_id)
    masks = newest_hashes(connection, read.id)
    return Reading(signed.content, signed.endpoints, read.images, MappingProxyType(masks))


def image_source(store: Store, actor: Actor, dispute_id: int, visit: str) -> ImageSource:
    """Return where the images of a visit are: the disputed one or an earlier one."""
    actor.require(Role.ADJUDICATOR)
    with store.reading() as connection:
        row = _row(connection, dispute_id)
        version = cases.load_version(connection, _version_id(connection, row))
    labels = [v.label for v in version.visits]
    if visit not in labels[: labels.index(row.visit) + 1]:
        raise NotFoundError("visit_unknown", visit=visit[: cases.NAME_CHARS_MAX])
    return source_of(version, visit)


def _version_id(connection: Connection, row: Row[Any]) -> int:
    read, signed = tables.read, tables.signed
    ids: Any = connection.execute(
        select(read.c.case_version_id)
        .join(signed, signed.c.read_id == read.c.id)
        .where(signed.c.id.in_((row.signed_1_id, row.signed_2_id)))
    ).scalars()
    return int(max(ids))


def mask(store: Store, actor: Actor, dispute_id: int, hashed: str) -> Mask:
    """Return a mask of one of the two readings."""
    pair = view(store, actor, dispute_id)
    if hashed not in {*pair.first.masks.values(), *pair.second.masks.values()}:
        raise NotFoundError("mask_unknown", mask=hashed[:12])
    with store.reading() as connection:
        return content_of(connection, hashed)


def decide(
    store: Store,
    actor: Actor,
    dispute_id: int,
    choice: Choice,
    pen: Pen,
    third: Given | None = None,
) -> None:
    """Sign a decision with its reason: one of the readings, or a third with its own answers.

    Raises
    ------
    OrderError
        It was decided meanwhile, or a read was corrected.
    UnfinishedError
        The third reading has problems, or there is none.
    SignatureError
        The proof does not hold.
    ReasonError
        There is no reason.
    """
    actor.require(Role.ADJUDICATOR)
    said, method = checked_reason(pen.reason), prove(store, actor, pen.proof)
    with store.writing(actor) as writing:
        row = _row(writing.connection, dispute_id)
        if not _is_open(writing.connection, row):
            raise OrderError("dispute_closed", dispute=_dispute(row).code)
        pair = _pair(writing.connection, row)
        content = _decided(pair, choice, third, pen.protocol)
        values = {"discordance_id": row.id, "choice": choice, "reason": said}
        decision = tables.decision
        added = writing.execute(
            insert(decision).values(**values, content=canonical(content)).returning(decision)
        ).one()
        chosen = {"first": pair.first, "second": pair.second}.get(choice)
        bound = Bound(
            images=chosen.images if chosen else pair.template.images,
            masks=chosen.masks if chosen else {},
            form_version=pair.template.form_version,
            of=of_decision(added),
        )
        hashed = sign(writing, "adjudication", method, content, bound)
        told = {"choice": choice, "signature": hashed, "content": content}
        writing.record("dispute.decided", f"discordance:{row.id}", after=told, reason=said)


def _decided(
    pair: BlindedPair,
    choice: Choice,
    third: Given | None,
    protocol: Protocol,
) -> dict[str, Any]:
    if choice != "third":
        chosen = pair.first if choice == "first" else pair.second
        statuses = {name: str(status) for name, status in chosen.endpoints.items()}
        return {**chosen.content.plain, "endpoints": statuses}
    if third is None:
        raise UnfinishedError("third_reading_missing")
    form = load_form(pair.template.form_version)
    given = parse_content(form, third.answers, third.marks)
    content = checked(pair.template, given, protocol, third.acknowledged)
    return {
        **content.plain,
        "endpoints": endpoints(form, content.answers, pair.template, protocol),
        "protocol_sha256": protocol.sha256,
    }
