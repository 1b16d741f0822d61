"""Surveillance flag: one colour per visit from the three findings, for a reader to look first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from imaging.change import Change
from imaging.findings.evidence import Finding, Reason, plain
from imaging.findings.status import Status
from imaging.messages import text
from imaging.protocol import SurveillanceLimits
from imaging.timepoint import Timepoint
from imaging.visit import VisitName


class Level(StrEnum):
    """Green never means that there is no teratoma."""

    GREEN = "green"
    AMBER = "amber"
    RED = "red"


@dataclass(frozen=True, slots=True)
class SurveillanceFlag:
    """The level and why; level None when no endpoint could be judged."""

    level: Level | None
    reasons: tuple[Reason, ...]


def surveillance_flag(
    visit: Timepoint,
    findings: Sequence[Finding],
    change_from_nadir: Change | None,
    limits: SurveillanceLimits,
    detection_limits: Iterable[str] = (),
    new_node_mm: float | None = None,
) -> SurveillanceFlag:
    """Combine one visit's findings.

    Parameters
    ----------
    findings
        Morphology, signal and fat.
    detection_limits
        Sentences that say what could not have been seen; a green flag carries them.
    new_node_mm
        Short axis of a new regional node that a reader reported, mm.
    """
    red = _red(findings, limits, new_node_mm)
    if red:
        return SurveillanceFlag(Level.RED, red)
    adverse = [f for f in findings if f.status is Status.ADVERSE]
    open_ = [f for f in findings if f.status is Status.INDETERMINATE]
    if visit.name is VisitName.BASELINE:  # two endpoints compare with nothing: that is expected
        open_ = [f for f in open_ if f.reasons[:1] != (plain("baseline"),)]
    amber = _amber(adverse, open_, limits) + _fast(change_from_nadir, limits)
    if amber:
        return SurveillanceFlag(Level.AMBER, amber)
    if all(f.status is Status.INDETERMINATE for f in findings):
        return SurveillanceFlag(None, (plain("flag_nothing_judged"),))
    seen = tuple(Reason(sentence) for sentence in detection_limits)
    return SurveillanceFlag(Level.GREEN, (plain("flag_green"), *seen))


def _red(
    findings: Sequence[Finding], limits: SurveillanceLimits, new_node_mm: float | None
) -> tuple[Reason, ...]:
    signs = frozenset().union(*(finding.signs for finding in findings))
    reasons = []
    if "growth" in signs and signs & {"nodular", "mass_like", "plate_to_ball"}:
        reasons.append(plain("flag_growth_with_form"))
    if "fat_confirmed" in signs:
        reasons.append(plain("flag_fat"))
    if "mass_like" in signs:
        reasons.append(plain("flag_mass_like"))
    if new_node_mm is not None and new_node_mm >= limits.node_short_axis_mm:
        reasons.append(_node(new_node_mm, limits))
    return tuple(reasons)


def _node(mm: float, limits: SurveillanceLimits) -> Reason:
    key, limit = "surveillance.node_short_axis_mm", limits.node_short_axis_mm
    return Reason(f"{text('finding.flag_node', value=mm, threshold=limit)} [{key}]", mm, limit, key)


def _amber(
    adverse: Sequence[Finding], open_: Sequence[Finding], limits: SurveillanceLimits
) -> tuple[Reason, ...]:
    reasons = tuple(finding.reasons[0] for finding in adverse)
    if len(open_) >= limits.indeterminate_for_amber:
        key = "surveillance.indeterminate_for_amber"
        sentence = text("finding.flag_undecided", count=len(open_))
        limit = float(limits.indeterminate_for_amber)
        reasons += (Reason(f"{sentence} [{key}]", float(len(open_)), limit, key),)
    return reasons


def _fast(change: Change | None, limits: SurveillanceLimits) -> tuple[Reason, ...]:
    """Fast growth beyond repeatability, even where it is not yet growth by the endpoint's rule."""
    if change is None:
        return ()
    days, percent = change.size.doubling_time_days.value, change.size.volume_percent.value
    span, limit = change.size.volume_repeatability_percent, limits.doubling_time_min_days
    if days is None or percent is None or span is None or percent <= span[1] or days >= limit:
        return ()
    key = "surveillance.doubling_time_min_days"
    sentence = text("finding.flag_fast", value=days, threshold=limit)
    return (Reason(f"{sentence} [{key}]", days, limit, key),)
