"""LockedReads: what readers signed about a subject, only where all of a visit's reads are locked.

A report may come before the eyes of a reader who has not read yet: until both have locked a
visit, it says that reads are open and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from readers import final
from readers.actor import SYSTEM
from readers.final import Basis
from readers.read_export import export_reads
from readers.store import Store

PRIMARY_READS = 2


@dataclass(frozen=True, slots=True)
class Said:
    """One signed answer to a visit.

    `endpoints` are statuses by endpoint; `numbers` the sizes the reader gave, by question.
    `kind` is first, correction, or the adjudicator's choice: first, second, third.
    """

    signer: str
    signed_at: str
    sha256: str
    kind: str
    reason: str | None
    endpoints: Mapping[str, str]
    answers: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class VisitReads:
    """The readers of one visit. While a read is open, `said` is empty."""

    basis: Basis
    said: tuple[Said, ...] = ()
    decision: Said | None = None
    final: Mapping[str, str] | None = None

    @property
    def disputed(self) -> bool:
        """Whether the readers differ and nobody has decided yet."""
        return self.basis is Basis.OPEN and bool(self.said)


class LockedReads:
    """All signed answers of a store, read once; that they were taken out is in its audit trail."""

    def __init__(self, store: Store) -> None:
        """Take the answers out."""
        self._store = store
        content = json.loads(export_reads(store)["reads.json"])
        self._reads: list[dict[str, Any]] = content["reads"]
        self._decisions: list[dict[str, Any]] = content["decisions"]

    def of(self, subject: str, visits: Iterable[str]) -> dict[str, VisitReads]:
        """Return what may be shown of each visit; a case unknown to the store is open."""
        return {visit: self._visit(subject, visit) for visit in visits}

    def _visit(self, subject: str, visit: str) -> VisitReads:
        outcome = final.outcome(self._store, SYSTEM, subject, visit)
        counting = [
            read
            for read in self._reads
            if (read["case_id"], read["visit"]) == (subject, visit)
            and read["counts"]
            and not read["is_reread"]
        ]
        if outcome.basis is Basis.OPEN and len(counting) < PRIMARY_READS:
            return VisitReads(Basis.OPEN)
        said = tuple(_said(read, read["kind"]) for read in sorted(counting, key=_slot))
        decided = [d for d in self._decisions if (d["case_id"], d["visit"]) == (subject, visit)]
        adjudicated = outcome.basis is Basis.ADJUDICATED and decided
        return VisitReads(
            outcome.basis,
            said,
            _said(decided[-1], decided[-1]["choice"]) if adjudicated else None,
            {name: str(status) for name, status in outcome.endpoints.items()} or None,
        )


def _slot(read: Mapping[str, Any]) -> int:
    return int(read["slot"])


def _said(signed: Mapping[str, Any], kind: str) -> Said:
    return Said(
        signer=signed["signer"],
        signed_at=signed["signed_at"],
        sha256=signed["signature_sha256"],
        kind=kind,
        reason=signed["reason"],
        endpoints=signed["endpoints"],
        answers=signed["answers"],
    )
