"""SubjectReport: what a report of one subject says, as values; how it looks is elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from imaging.messages import text
from imaging.protocol import Protocol
from imaging.visit import VisitName
from surveillance.exports.contract import AssessmentRecord, ChangeBlock, VisitBlock
from surveillance.locked_reads import VisitReads
from surveillance.trends import Trend, trends_of

ENDPOINTS = ("morphological_stability", "signal_characteristics", "fat_absence")


@dataclass(frozen=True, slots=True)
class KeyImage:
    """One level of one visit: PNG files.

    Parameters
    ----------
    in_baseline_space
        False when the visit could not be registered, or there is no baseline: it is shown in
        its own space, and does not compare by eye.
    t2_plain, t2, t1
        Without and with outlines; None where the series is missing, or the T1W-FS does not fit.
    change
        Signal relative to muscle minus the baseline's, with both outlines; None at baseline.
    """

    visit: str
    in_baseline_space: bool
    t2_plain: bytes | None
    t2: bytes | None
    t1: bytes | None
    change: bytes | None
    size_mm: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Level:
    """One slice, the same in all visits that lie in baseline space.

    `focus_of` is the visit whose largest focus decides the level; None for the most graft.
    """

    focus_of: str | None
    images: tuple[KeyImage, ...]


@dataclass(frozen=True, slots=True)
class Pictures:
    """All key images of a subject, or the reason there are none."""

    levels: tuple[Level, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class SubjectReport:
    """Everything a report of one subject, or of one of its visits, says.

    Parameters
    ----------
    visits
        The visits reported on, in order of time.
    visit
        Label of the one visit of a visit report; None for all.
    reads
        Of each visit by label, what readers signed; None when no store of reads was given.
    other_protocol
        The protocol at hand is not the one of the assessment: what it says is left out.
    focus_min_mm
        The smallest focus looked for, by the protocol; None with another one.
    """

    record: AssessmentRecord
    visits: tuple[VisitBlock, ...]
    visit: str | None
    trends: tuple[Trend, ...]
    pictures: Pictures
    reads: Mapping[str, VisitReads] | None
    other_protocol: bool
    focus_min_mm: float | None
    missing_visits: tuple[str, ...] = field(default=())

    @property
    def has_baseline(self) -> bool:
        """Whether there is something to compare with."""
        return any(visit.visit == "BASELINE" for visit in self.record.visits)

    @property
    def latest(self) -> VisitBlock | None:
        """The visit the answer on page one is about; None when nothing was assessed."""
        return self.visits[-1] if self.visits else None


def subject_report(
    record: AssessmentRecord,
    protocol: Protocol,
    pictures: Pictures,
    reads: Mapping[str, VisitReads] | None,
) -> SubjectReport:
    """Return the report of all visits of a subject."""
    same = protocol.sha256 == record.protocol.sha256
    return SubjectReport(
        record=record,
        visits=record.visits,
        visit=None,
        trends=trends_of(record.visits, protocol if same else None),
        pictures=pictures,
        reads=None if reads is None else MappingProxyType(dict(reads)),
        other_protocol=not same,
        focus_min_mm=protocol.signal.focus_min_mm if same else None,
        missing_visits=missing_visits(record),
    )


def visit_report(report: SubjectReport, label: str) -> SubjectReport:
    """Return the report of one visit: its findings, with the baseline's pictures beside its own.

    Trends end with it: a visit's report does not know what came later.
    """
    position = [visit.folder for visit in report.record.visits].index(label)
    until = report.record.visits[: position + 1]
    known = {visit.folder for visit in until}
    shown = {until[0].folder, label}
    levels = [
        replace(level, images=tuple(i for i in level.images if i.visit in shown))
        for level in report.pictures.levels
        if level.focus_of is None or level.focus_of in known
    ]
    trends = (trend.until(known) for trend in report.trends)
    return replace(
        report,
        visits=(until[-1],),
        visit=label,
        trends=tuple(trends),
        pictures=replace(report.pictures, levels=tuple(levels)),
        missing_visits=(),
    )


def missing_visits(record: AssessmentRecord) -> tuple[str, ...]:
    """Return the scheduled visits before the last one that were not assessed."""
    scheduled = tuple(name.value for name in VisitName if name is not VisitName.UNSCHEDULED)
    there = {visit.visit for visit in record.visits}
    last = max((n for n, name in enumerate(scheduled) if name in there), default=-1)
    return tuple(name for name in scheduled[: last + 1] if name not in there)


def deciding(reasons: tuple[str, ...]) -> tuple[str, ...]:
    """Return the reasons that are not mere measurements within their limits; all if none is."""
    harmless = f": {text('finding.within')}"
    found = tuple(reason for reason in reasons if not reason.split(" [")[0].endswith(harmless))
    return found or reasons


def compared_with(change: ChangeBlock | None) -> str | None:
    """Return the label of the visit a change is measured against; None at baseline."""
    if change is None:
        return None
    return "BASELINE" if change.reference == "baseline" else change.reference
