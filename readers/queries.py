"""Queries: the coordinator asks a reader about a locked read, the reader answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from readers import tables
from readers.actor import Actor, Role
from readers.errors import ForbiddenError, FormError, NotFoundError, OrderError
from readers.store import Store
from readers.texts import storable

TEXT_CHARS_MAX = 2000


@dataclass(frozen=True, slots=True)
class Message:
    """One thing said; the coordinator is shown to readers by role, not by name."""

    author: str
    text: str
    at: str


@dataclass(frozen=True, slots=True)
class Query:
    """One question about a read and what followed."""

    id: int
    read_id: int
    code: str
    visit: str
    messages: tuple[Message, ...]
    closed: bool


def ask(store: Store, actor: Actor, read_id: int, text: str) -> int:
    """Ask a reader about a locked read; return the query's number.

    Raises
    ------
    OrderError
        The read is not locked: a question could steer it.
    """
    actor.require(Role.COORDINATOR)
    said = _checked(text)
    with store.writing(actor) as writing:
        signed = tables.signed
        known = writing.execute(select(signed.c.id).where(signed.c.read_id == read_id)).first()
        if known is None:
            raise OrderError("query_needs_lock", read=read_id)
        values = {"read_id": read_id, "author_id": actor.account_id, "text": said}
        added = writing.execute(insert(tables.query).values(**values, asked_at=writing.at))
        id_ = int(added.inserted_primary_key[0])
        writing.record("query.asked", f"query:{id_}", after={"read": read_id, "text": said})
    return id_


def answer(store: Store, actor: Actor, query_id: int, text: str) -> None:
    """Answer a query about one's own read."""
    actor.require(Role.READER)
    _reply(store, actor, query_id, _checked(text), closes=False)


def close(store: Store, actor: Actor, query_id: int, text: str) -> None:
    """Close a query, saying with what result."""
    actor.require(Role.COORDINATOR)
    _reply(store, actor, query_id, _checked(text), closes=True)


def _reply(store: Store, actor: Actor, query_id: int, text: str, *, closes: bool) -> None:
    with store.writing(actor) as writing:
        row = _rows(writing.connection, tables.query.c.id == query_id)
        if not row:
            raise NotFoundError("query_unknown", query=query_id)
        if actor.role is Role.READER and row[0].reader_id != actor.account_id:
            raise ForbiddenError("not_yours")
        if _query(writing.connection, row[0], actor).closed:
            raise OrderError("query_closed", query=query_id)
        values = {"query_id": query_id, "author_id": actor.account_id, "text": text}
        writing.execute(
            insert(tables.query_reply).values(**values, closes=closes, replied_at=writing.at)
        )
        action = "query.closed" if closes else "query.answered"
        writing.record(action, f"query:{query_id}", after={"text": text})


def of_actor(store: Store, actor: Actor) -> tuple[Query, ...]:
    """Return a reader's own queries, or all of them to a coordinator; the oldest first."""
    actor.require(Role.READER, Role.COORDINATOR)
    mine = tables.assignment.c.reader_id == actor.account_id
    condition = mine if actor.role is Role.READER else tables.query.c.id > 0
    with store.reading() as connection:
        return tuple(_query(connection, row, actor) for row in _rows(connection, condition))


def _checked(text: str) -> str:
    if not text.strip() or len(text) > TEXT_CHARS_MAX or not storable(text):
        raise FormError("query_text", chars=len(text), most=TEXT_CHARS_MAX)
    return text


def _rows(connection: Connection, condition: Any) -> list[Row[Any]]:
    query, read, assignment = tables.query, tables.read, tables.assignment
    return list(
        connection.execute(
            select(query, read.c.visit, assignment.c.code, assignment.c.reader_id)
            .join(read, read.c.id == query.c.read_id)
            .join(assignment, assignment.c.id == read.c.assignment_id)
            .where(condition)
            .order_by(query.c.id)
        ).all()
    )


def _query(connection: Connection, row: Row[Any], actor: Actor) -> Query:
    table, account = tables.query_reply, tables.account
    replies = connection.execute(
        select(table, account.c.display_name, account.c.role)
        .join(account, account.c.id == table.c.author_id)
        .where(table.c.query_id == row.id)
        .order_by(table.c.id)
    ).all()
    asked = connection.execute(
        select(account.c.display_name, account.c.role).where(account.c.id == row.author_id)
    ).one()
    messages = [Message(_author(asked, actor), row.text, row.asked_at)]
    messages += [Message(_author(r, actor), r.text, r.replied_at) for r in replies]
    closed = any(r.closes for r in replies)
    return Query(row.id, row.read_id, row.code, row.visit, tuple(messages), closed)


def _author(row: Any, actor: Actor) -> str:
    hidden = actor.role is Role.READER and row.role != Role.READER
    return str(row.role) if hidden else str(row.display_name)
