"""Audit: every change, with who, when, what, before, after and why; a chain of hashes.

An entry's hash covers all its fields and the hash of the entry before, so an edit, a deletion or
a changed order breaks the chain at that place. What a chain alone cannot show is a cut at its
end, or a whole chain made anew: `readers.anchor` keeps the newest number and hash elsewhere.
Entries are ordered by their number alone. A clock that was set back is an entry of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from hashlib import sha256 as _sha256

from sqlalchemy import Connection, insert, select

from readers.actor import Actor
from readers.canonical import canonical, sha256
from readers.tables import audit

START = _sha256(b"graftsite audit trail").hexdigest()
"""What the first entry names as the one before."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry; `before` and `after` are canonical JSON, None where there is none."""

    seq: int
    at: str
    actor: str
    role: str
    action: str
    target: str
    before: str | None
    after: str | None
    reason: str | None
    previous: str
    hash: str

    @property
    def computed_hash(self) -> str:
        """The hash that the entry's own fields give."""
        return sha256({name: getattr(self, name) for name in _HASHED})


_HASHED = tuple(f.name for f in fields(Entry) if f.name != "hash")


def head(connection: Connection) -> tuple[int, str, str]:
    """Return number, hash and time of the newest entry; 0, the start and "" when there is none."""
    row = connection.execute(
        select(audit.c.seq, audit.c.hash, audit.c.at).order_by(audit.c.seq.desc()).limit(1)
    ).first()
    return (0, START, "") if row is None else (row.seq, row.hash, row.at)


@dataclass(frozen=True, slots=True)
class Event:
    """What is to be told: `before` and `after` as JSON values."""

    action: str
    target: str
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
    reason: str | None = None


def append(connection: Connection, actor: Actor, at: str, event: Event) -> None:
    """Add one entry, inside the writing transaction whose change it tells."""
    seq, previous, last_at = head(connection)
    if at < last_at:
        back = Event("clock.set_back", "clock", {"at": last_at}, {"at": at})
        seq, previous = _add(connection, actor, at, (seq, previous), back)
    _add(connection, actor, at, (seq, previous), event)


def _add(
    connection: Connection, actor: Actor, at: str, last: tuple[int, str], event: Event
) -> tuple[int, str]:
    row: dict[str, object] = {
        "seq": last[0] + 1,
        "at": at,
        "actor": actor.name,
        "role": str(actor.role),
        "action": event.action,
        "target": event.target,
        "before": None if event.before is None else canonical(dict(event.before)),
        "after": None if event.after is None else canonical(dict(event.after)),
        "reason": event.reason,
        "previous": last[1],
    }
    hashed = sha256(row)
    connection.execute(insert(audit).values(**row, hash=hashed))
    return last[0] + 1, hashed


def entries(connection: Connection, after: int = 0, batch: int = 1000) -> Iterator[Entry]:
    """Yield entries by number, from the one after `after`, a batch at a time."""
    while True:
        rows = connection.execute(
            select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(batch)
        ).all()
        for row in rows:
            yield Entry(**row._mapping)
        if len(rows) < batch:
            return
        after = rows[-1].seq
