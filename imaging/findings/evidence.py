"""Evidence: signs that are present, absent or undecided, and the finding they add up to.

One rule for every sign whose uncertainty is known. Beyond its limit and beyond repeatability it
is present; beyond the limit but within repeatability it is undecided; below the limit it is
absent, unless the change is real (beyond repeatability) and its 95 % interval reaches the limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from imaging.findings.status import Status
from imaging.messages import text
from imaging.protocol import QualityLimits
from imaging.quality import Severity
from imaging.timepoint import Timepoint
from imaging.visit import VisitName


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence that names the measured value, the threshold and the protocol key."""

    sentence: str
    value: float | None = None
    threshold: float | None = None
    protocol_key: str | None = None


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that may have happened; `present` is None when that cannot be told."""

    name: str
    present: bool | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Finding:
    """One endpoint: its status, why, and the names of the signs that are certain."""

    status: Status
    reasons: tuple[Reason, ...]
    signs: frozenset[str] = frozenset()


def decided(*, beyond: bool, real: bool, reaches: bool) -> bool | None:
    """Return whether a sign is present, by the rule at the top of this file.

    Parameters
    ----------
    beyond
        The measured value is beyond the limit.
    real
        It differs from no change by more than repeatability.
    reaches
        Its 95 % interval reaches the limit.
    """
    if beyond:
        return True if real else None
    return None if real and reaches else False


def sign(
    name: str,
    present: bool | None,
    *,
    value: float | None,
    threshold: float,
    key: str,
    **words: object,
) -> Sign:
    """Return a sign with the sentence `finding.<name>`, verdict, value, limit and key put in."""
    verdict = {True: "beyond", False: "within", None: "undecided"}[present]
    sentence = text(
        f"finding.{name}",
        value=value,
        threshold=threshold,
        verdict=text(f"finding.{verdict}"),
        **words,
    )
    return Sign(name, present, Reason(f"{sentence} [{key}]", value, threshold, key))


def unmeasured(name: str, why: str | None, key: str) -> Sign:
    """Return a sign that cannot be told because a measurement is missing."""
    sentence = text("finding.not_measured", what=text(f"sign.{name}"), why=why)
    return Sign(name, None, Reason(f"{sentence} [{key}]", protocol_key=key))


def undecided(*reasons: Reason, signs: Iterable[str] = ()) -> Finding:
    """Return an indeterminate finding."""
    return Finding(Status.INDETERMINATE, reasons, frozenset(signs))


def plain(key: str, **values: object) -> Reason:
    """Return a reason that needs no number of its own."""
    return Reason(text(f"finding.{key}", **values))


def ordered(signs: Iterable[Sign]) -> tuple[Reason, ...]:
    """Return the signs' reasons, present ones first, then undecided, then absent."""
    rank = {True: 0, None: 1, False: 2}
    return tuple(s.reason for s in sorted(signs, key=lambda s: rank[s.present]))


def first_visit(visit: Timepoint) -> Finding | None:
    """Return the finding of a baseline, which compares with nothing; None for later visits."""
    return undecided(plain("baseline")) if visit.name is VisitName.BASELINE else None


def gates(endpoint: str, visits: Sequence[Timepoint], limits: QualityLimits) -> tuple[Reason, ...]:
    """Return why an endpoint cannot be judged from these visits; empty when it can.

    Quality errors that name the endpoint come first, then absent grafts and those whose outline
    needs a reader.
    """
    failed = tuple(
        Reason(
            f"{visit.label}: {entry.message}" if visit is not visits[0] else entry.message,
            entry.value,
            entry.threshold,
            entry.protocol_key,
        )
        for visit in visits
        for entry in visit.quality
        if entry.severity is Severity.ERROR and endpoint in entry.endpoints
    )
    return failed + tuple(r for visit in visits for r in _graft_gate(visit, limits))


def _graft_gate(visit: Timepoint, limits: QualityLimits) -> tuple[Reason, ...]:
    key = "quality.confidence_min"
    found = not visit.graft.present or visit.graft.mask is None or visit.graft.mask.is_empty
    absent = (plain("graft_absent", visit=visit.label),) if found else ()
    if visit.graft.confidence >= limits.confidence_min:
        return absent
    sentence = text(
        "finding.needs_reader",
        visit=visit.label,
        value=visit.graft.confidence,
        threshold=limits.confidence_min,
    )
    reason = Reason(f"{sentence} [{key}]", visit.graft.confidence, limits.confidence_min, key)
    return (*absent, reason)
