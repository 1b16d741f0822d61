"""Audit view: the log as each role may see it, so that reading the log unblinds nobody.

Readers and adjudicators see their own acts, and of those only the ones that say nothing of
anybody else: that a discordance was found at one's own signature tells what the other one
answered. Coordinators see all of the reading, without what unsigned drafts say and without
arm and dose. Administrators see accounts and operation, nothing of what was read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import select

from readers import tables
from readers.actor import Actor, Role
from readers.audit import Entry
from readers.store import Store

OWN = ("session.", "draft.", "read.", "mask.", "machine.", "query.answered", "dispute.decided",
       "account.password_changed")  # fmt: skip
READING = ("case.", "paradigm.", "read.", "draft.", "mask.", "machine.", "discordance.",
           "dispute.", "query.", "clock.", "reads.")  # fmt: skip
OPERATION = ("account.", "session.", "clock.", "store.", "reads.", "case.registered")
BLINDED = (Role.READER, Role.ADJUDICATOR)
UNSAID = ("draft.", "case.allocated")
"""Actions whose before and after only their own author sees."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One entry as it is shown."""

    seq: int | None
    at: str
    actor: str
    action: str
    target: str
    before: str | None
    after: str | None
    reason: str | None


def entries(
    store: Store, actor: Actor, *, newest: int = 200, before: int | None = None
) -> tuple[Shown, ...]:
    """Return the newest entries that this actor may see (older than `before`), newest first."""
    table = tables.audit
    query = select(table).order_by(table.c.seq.desc())
    if actor.role in BLINDED:
        query = query.where(table.c.actor == actor.name)
    if before is not None:
        query = query.where(table.c.seq < before)
    found: list[Shown] = []
    with store.reading() as connection:
        for row in connection.execute(query).yield_per(500):
            shown = _shown(actor, Entry(**row._mapping))
            if shown is not None:
                found.append(shown)
            if len(found) == newest:
                break
    return tuple(found)


def _shown(actor: Actor, entry: Entry) -> Shown | None:
    mine = entry.actor == actor.name
    allowed = {Role.COORDINATOR: READING, Role.ADMINISTRATOR: OPERATION}.get(actor.role, ())
    if not entry.action.startswith(allowed) and not (mine and entry.action.startswith(OWN)):
        return None
    blinded = actor.role in BLINDED
    shown = Shown(
        # The number of entries between two of one's own would tell how busy the others are.
        None if blinded else entry.seq, entry.at, entry.actor, entry.action, entry.target,
        entry.before, entry.after, entry.reason,
    )  # fmt: skip
    hidden = not blinded and entry.action.startswith(UNSAID)
    return replace(shown, before=None, after=None) if hidden else shown
