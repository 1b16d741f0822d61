"""Verification: whether the audit trail and what it vouches for are still what was written.

Found: an entry edited, deleted, added between or moved (the chain breaks there); a cut at the end
or a whole chain made anew (against the anchor); a signed answer, signature, mask or case that was
changed or removed past the database's own refusal (against the hashes in the trail).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from imaging.messages import text
from readers import audit, tables
from readers.anchor import Anchored
from readers.audit import START, Entry
from readers.canonical import loaded, sha256
from readers.errors import ReadersError
from readers.masks import content_of
from readers.signature import of_decision, of_signed
from readers.store import Store


@dataclass(frozen=True, slots=True)
class Verification:
    """What was looked at, and every fault found, in words.

    Parameters
    ----------
    anchored
        Entries an anchor vouches for; None when there was none to compare with.
    unanchored
        Entries after the anchor, which only the chain vouches for.
    clock_set_back
        How often the clock was found set back: a warning, not a fault.
    """

    entries: int
    anchored: int | None
    unanchored: int
    signatures: int
    clock_set_back: int
    faults: tuple[str, ...]


def verify(store: Store, anchored: Anchored | None = None) -> Verification:
    """Check the whole store."""
    with store.reading() as connection:
        chain = _Chain(anchored)
        faults = [*chain.faults(audit.entries(connection)), *chain.against_anchor()]
        faults += _signature_faults(connection, chain.told_signatures)
        faults += [*_mask_faults(connection, chain), *_case_faults(connection, chain)]
        signatures = len(connection.execute(select(tables.signature.c.id)).all())
    known = None if anchored is None else anchored.seq
    return Verification(
        entries=chain.count,
        anchored=known,
        unanchored=max(chain.count - (known or 0), 0),
        signatures=signatures,
        clock_set_back=chain.clock_set_back,
        faults=tuple(faults),
    )


class _Chain:
    """What one pass over the entries finds and remembers."""

    def __init__(self, anchored: Anchored | None) -> None:
        self.anchored = anchored
        self.anchor_fits = False
        self.count = 0
        self.clock_set_back = 0
        self.told_signatures: dict[str, str] = {}
        self.told_masks: set[str] = set()
        self.told_cases: dict[str, set[str]] = {}

    def faults(self, entries: Iterator[Entry]) -> Iterator[str]:
        seq, previous = 0, START
        for entry in entries:
            if entry.seq != seq + 1:
                yield text("audit.missing", first=seq + 1, last=entry.seq - 1)
            elif entry.previous != previous:
                yield text("audit.order", seq=entry.seq)
            if entry.computed_hash != entry.hash:
                yield text("audit.changed", seq=entry.seq)
            seq, previous = entry.seq, entry.hash
            self._remember(entry)

    def _remember(self, entry: Entry) -> None:
        self.count = entry.seq
        if self.anchored is not None and entry.seq == self.anchored.seq:
            self.anchor_fits = entry.hash == self.anchored.hash
        self.clock_set_back += entry.action == "clock.set_back"
        after = _mapping(entry.after)
        if "signature" in after:
            self.told_signatures[str(after["signature"])] = entry.target
        if entry.action == "mask.kept":
            self.told_masks.add(str(after.get("sha256")))
        if entry.action == "case.registered":
            self.told_cases.setdefault(entry.target, set()).add(str(after.get("sha256")))

    def against_anchor(self) -> Iterator[str]:
        if self.anchored is None or self.anchor_fits:
            return
        if self.count < self.anchored.seq:
            yield text("audit.cut", entries=self.count, anchored=self.anchored.seq)
        else:
            yield text("audit.remade", seq=self.anchored.seq)


def _mapping(raw: str | None) -> Mapping[str, Any]:
    try:
        found = loaded(raw or "{}")
    except ValueError:  # an edited entry, which its hash has told already
        return {}
    return found if isinstance(found, dict) else {}


def _signature_faults(connection: Connection, told: Mapping[str, str]) -> Iterator[str]:
    signature = tables.signature
    rows = connection.execute(select(signature).order_by(signature.c.id)).all()
    for row in rows:
        statement = _mapping(row.statement)
        if sha256(statement) != row.sha256 or row.sha256 not in told:
            yield text("audit.signature_changed", id=row.id)
        elif not _stands(connection, row, statement, told[row.sha256]):
            yield text("audit.content_changed", id=row.id)
    for hashed in sorted(told.keys() - {row.sha256 for row in rows}):
        yield text("audit.signature_missing", hash=hashed[:12])


def _stands(
    connection: Connection, row: Row[Any], statement: Mapping[str, Any], target: str
) -> bool:
    """Whether the row that was signed, its content and its images are what the statement says."""
    signed, decision = tables.signed, tables.decision
    table, id_ = (signed, row.signed_id) if row.signed_id else (decision, row.decision_id)
    found = connection.execute(select(table).where(table.c.id == id_)).first()
    if found is None or sha256(_mapping(found.content)) != statement.get("content_sha256"):
        return False
    if table is decision:
        expected = f"discordance:{found.discordance_id}"
        return statement.get("of") == of_decision(found) and target == expected
    images = _images(connection, found.read_id)
    same = statement.get("of") == of_signed(found) and statement.get("images") == images
    return same and target == f"read:{found.read_id}"


def _images(connection: Connection, read_id: int) -> Mapping[str, str] | None:
    """Return the image hashes of a read's visit, None when the visit is not in its case."""
    read, case = tables.read, tables.case_version
    row = connection.execute(
        select(read.c.visit, case.c.content)
        .join(case, case.c.id == read.c.case_version_id)
        .where(read.c.id == read_id)
    ).first()
    visits = [] if row is None else _mapping(row.content).get("visits", [])
    return next((v["images"] for v in visits if row and v["label"] == row.visit), None)


def _mask_faults(connection: Connection, chain: _Chain) -> Iterator[str]:
    table = tables.mask_content
    hashes = list(connection.execute(select(table.c.sha256).order_by(table.c.sha256)).scalars())
    for hashed in hashes:
        try:
            content_of(connection, hashed)
        except (ReadersError, ValueError):
            yield text("audit.mask_changed", hash=hashed[:12])
    for hashed in sorted(chain.told_masks - set(hashes)):
        yield text("audit.mask_missing", hash=hashed[:12])


def _case_faults(connection: Connection, chain: _Chain) -> Iterator[str]:
    case, result = tables.case_version, tables.machine_result
    for row in connection.execute(select(case).order_by(case.c.id)).all():
        machine = connection.execute(
            select(result.c.visit, result.c.content).where(result.c.case_version_id == row.id)
        ).all()
        content = {
            **_mapping(row.content),
            "machine": {r.visit: dict(_mapping(r.content)) for r in machine},
        }
        told = chain.told_cases.get(f"case:{row.case_id}", set())
        if sha256(content) != row.sha256 or row.sha256 not in told:
            yield text("audit.case_changed", case=row.case_id, version=row.version)
