"""Signal characteristics (E2): new, grown or brighter high signal against earlier visits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from imaging.findings.evidence import (
    Finding,
    Reason,
    Sign,
    decided,
    first_visit,
    gates,
    ordered,
    plain,
    sign,
    undecided,
    unmeasured,
)
from imaging.findings.foci import Seen, growth, is_certainly_new, is_nodule, surfaced
from imaging.findings.status import Status
from imaging.measurement import Measurement
from imaging.measurements.signal import Pattern, Signal, is_mass_like
from imaging.protocol import Protocol
from imaging.scanner import scanner_differs
from imaging.timepoint import Timepoint
from imaging.visit import VisitName

ENDPOINT = "signal_characteristics"


@dataclass(frozen=True, slots=True, eq=False)
class _Case:
    """One visit's signal, what it is compared with, and the limits, all of one measurement."""

    visit: Timepoint
    signal: Signal
    earlier: tuple[Seen, ...]
    references: tuple[Seen, ...]
    without_t2: tuple[Timepoint, ...]
    protocol: Protocol

    @property
    def early(self) -> bool:
        """Whether the injectate may still be resorbing; without a date, what the name says."""
        if self.visit.days is not None:
            return self.visit.days <= self.protocol.signal.early_days_max
        return self.visit.name in (VisitName.D28, VisitName.UNSCHEDULED)

    @property
    def nodules(self) -> bool:
        """Whether any focus, at the rim or not, is large enough for a nodule."""
        return any(is_nodule(focus, self.protocol.signal) for focus in self.signal.foci)

    @property
    def largest_mm(self) -> float:
        """Diameter of the largest focus, 0 without any."""
        return max((focus.diameter_mm for focus in self.signal.foci), default=0.0)


def judge_signal(
    visit: Timepoint,
    earlier: Sequence[Timepoint],
    references: Sequence[Timepoint],
    protocol: Protocol,
) -> Finding:
    """Judge one visit against `references` (baseline and nadir), its foci against all `earlier`.

    adverse: a certain new, grown, higher-ranking or brighter high signal; until the early days
    are over only a mass-like one. favorable: none of these, and no nodule present. A focus where
    every comparable earlier visit was already bright may have surfaced from the injectate, and
    one that only touches the rim may be partial volume: neither is certain. Measured with and
    without bias field correction; where the two disagree the finding is indeterminate.
    """
    at_baseline = first_visit(visit)
    if at_baseline or not references:
        return at_baseline or undecided(plain("no_baseline"))
    compared = tuple({id(r): r for r in references}.values())
    closed = gates(ENDPOINT, (visit, *compared), protocol.quality)
    if closed:
        return undecided(*closed)
    if visit.signal is None or visit.signal_uncorrected is None:
        return undecided(plain("no_t2"))
    case = _case(visit, visit.signal, earlier, compared, protocol, corrected=True)
    other = _case(visit, visit.signal_uncorrected, earlier, compared, protocol, corrected=False)
    if any(scanner_differs(visit, reference) for reference in compared):
        return undecided(plain("other_scanner"), signs=_standing(case) & _standing(other))
    return _agreed(case, other)


def _case(
    visit: Timepoint,
    signal: Signal,
    earlier: Sequence[Timepoint],
    references: Sequence[Timepoint],
    protocol: Protocol,
    *,
    corrected: bool,
) -> _Case:
    def seen(visits: Sequence[Timepoint]) -> tuple[Seen, ...]:
        pairs = ((v, v.signal if corrected else v.signal_uncorrected) for v in visits)
        return tuple(Seen(v, measured) for v, measured in pairs if measured is not None)

    known = seen(references)
    lost = tuple(v for v in references if all(v is not s.visit for s in known))
    return _Case(visit, signal, seen(earlier), known, lost, protocol)


def _agreed(case: _Case, uncorrected: _Case) -> Finding:
    """Return the finding, when it does not hang on the bias field correction."""
    one, other = _finding(case), _finding(uncorrected)
    ours, theirs = case.signal, uncorrected.signal
    signs = one.signs & other.signs
    same_class = (ours.pattern, ours.mass_like) == (theirs.pattern, theirs.mass_like)
    if one.status is other.status and (same_class or one.status is Status.ADVERSE):
        return replace(one, signs=signs)
    reason = plain(
        "correction_decides",
        corrected=one.status,
        uncorrected=other.status,
        pattern=ours.pattern or "undecided",
        other_pattern=theirs.pattern or "undecided",
    )
    return undecided(reason, *one.reasons, signs=signs)


def _finding(case: _Case) -> Finding:
    signs = (_new_focus(case), _rank_up(case), *_grown(case), *_brighter(case))
    if case.early:
        signs = tuple(_lenient(found) for found in signs)
    certain = frozenset(found.name for found in signs if found.present) | _standing(case)
    reasons = (*ordered(signs), _pattern(case))
    if any(found.present for found in signs):
        return Finding(Status.ADVERSE, reasons, certain)
    if case.nodules:
        return undecided(_nodule_present(case), *reasons, signs=certain)
    if all(found.present is False for found in signs):
        return Finding(Status.FAVORABLE, reasons, certain)
    return undecided(*reasons, signs=certain)


def _lenient(found: Sign) -> Sign:
    """Return the sign as undecided until the early days are over, unless it is mass-like."""
    if not found.present or found.name.endswith("mass_like"):
        return found
    sentence = f"{found.reason.sentence} {plain('early').sentence}"
    return replace(found, present=None, reason=replace(found.reason, sentence=sentence))


def _standing(case: _Case) -> frozenset[str]:
    """Return names of what this visit shows by itself, whatever came before."""
    if case.signal.pattern is not Pattern.NODULAR:
        return frozenset()
    return frozenset({"nodular", "mass_like"} if case.signal.mass_like else {"nodular"})


def _nodule_present(case: _Case) -> Reason:
    """Return why high signal that was there before still rules out a favourable answer."""
    limit, key = case.protocol.signal.nodule_min_mm, "signal.nodule_min_mm"
    return sign("nodule_present", True, value=case.largest_mm, threshold=limit, key=key).reason


def _pattern(case: _Case) -> Reason:
    limit, share = case.protocol.signal.high_fraction_present, case.signal.high_fraction.value
    pattern = case.signal.pattern or case.signal.pattern_reason
    key = "signal.high_fraction_present"
    if share is None:
        return unmeasured("pattern", case.signal.high_fraction.reason, key).reason
    found = sign("pattern", share > limit, value=share, threshold=limit, key=key, pattern=pattern)
    return found.reason


def _new_focus(case: _Case) -> Sign:
    limits = case.protocol.signal
    foci = [f for f in case.signal.foci if f.diameter_mm >= limits.focus_min_mm]
    new = [(f, is_certainly_new(f, case.visit, case.earlier, case.protocol)) for f in foci]
    certain = [f for f, verdict in new if verdict and is_nodule(f, limits)]
    doubtful = [f for f, verdict in new if verdict is not False]
    largest = max((f.diameter_mm for f in certain or doubtful), default=0.0)
    massive = any(is_mass_like(focus, limits) for focus in certain)
    return sign(
        "new_mass_like" if massive else "new_focus",
        True if certain else (None if doubtful else False),
        value=largest,
        threshold=limits.mass_min_mm if massive else limits.nodule_min_mm,
        key=f"signal.{'mass_min_mm' if massive else 'nodule_min_mm'}, signal.new_focus_distance_mm",
    )


def _rank_up(case: _Case) -> Sign:
    """Judge whether the pattern became nodular or mass-like since a reference."""
    limits, rank = case.protocol.signal, _rank(case.signal)
    massive = rank == _MASS_LIKE
    return sign(
        "rank_mass_like" if massive else "rank_up",
        _has_risen(case, rank),
        value=case.largest_mm,
        threshold=limits.mass_min_mm if massive else limits.nodule_min_mm,
        key="signal.nodule_min_mm, signal.mass_min_mm, signal.mass_min_ml",
    )


_RANKS = {Pattern.HOMOGENEOUS: 0, Pattern.STIPPLED: 1, Pattern.NODULAR: 2}
_MASS_LIKE = 3


def _rank(signal: Signal) -> int | None:
    if signal.pattern is None:
        return None
    return _MASS_LIKE if signal.mass_like else _RANKS[signal.pattern]


def _has_risen(case: _Case, rank: int | None) -> bool | None:
    if not case.nodules:
        return False
    limits = case.protocol.signal
    nodules = [f for f in case.signal.foci if is_nodule(f, limits) and not f.doubtful]
    before = [_below_nodular(seen.signal, case) for seen in case.references]
    all_surfaced = all(surfaced(f, case.visit, case.earlier, limits) for f in nodules)
    if rank is None or not before or all_surfaced:
        return None
    if any(earlier is not None and rank > earlier for earlier in before):
        return True
    return None if None in before else False


def _below_nodular(signal: Signal, case: _Case) -> int | None:
    """Return the rank; without a pattern, that of a stippled one when no nodule could be there."""
    rank = _rank(signal)
    if rank is None and not any(is_nodule(f, case.protocol.signal) for f in signal.foci):
        return _RANKS[Pattern.STIPPLED]
    return rank


def _grown(case: _Case) -> tuple[Sign, ...]:
    return tuple(_grown_since(seen, case) for seen in case.references)


def _grown_since(reference: Seen, case: _Case) -> Sign:
    """Judge whether a focus that was there is longer or larger than repeatability allows."""
    found = [growth(f, case.visit, reference, case.protocol) for f in case.signal.foci]
    order = {True: 2, None: 1, False: 0}
    present, more = max(found, key=lambda f: (order[f[0]], f[1]), default=(False, 0.0))
    return sign(
        "focus_grown",
        present,
        value=more,
        threshold=case.protocol.signal.focus_growth_mm,
        key="signal.focus_growth_mm, morphology.boundary_sd_pixels",
        reference=reference.visit.label,
    )


def _brighter(case: _Case) -> tuple[Sign, ...]:
    lost = (plain("no_t2_at", visit=visit.label).sentence for visit in case.without_t2)
    missing = tuple(unmeasured("brighter", why, "signal.ratio_rise_fraction") for why in lost)
    return tuple(_brighter_than(seen, case) for seen in case.references) + missing


def _brighter_than(reference: Seen, case: _Case) -> Sign:
    name, key = "brighter", "signal.ratio_rise_fraction"
    ours, theirs = case.signal.ratio, reference.signal.ratio
    if ours.value is None or theirs.value is None or ours.ci95 is None or theirs.ci95 is None:
        return unmeasured(name, _without_interval(ours) or _without_interval(theirs), key)
    if case.signal.side is not reference.signal.side:
        return unmeasured(name, plain("other_side").sentence, key)
    if theirs.ci95[0] <= 0:
        return unmeasured(name, plain("reference_is_black").sentence, key)
    least = 1 + case.protocol.signal.ratio_rise_fraction
    times = ours.value / theirs.value
    present = decided(
        beyond=times >= least,
        real=ours.ci95[0] > theirs.ci95[1],
        reaches=ours.ci95[1] >= least * theirs.ci95[0],
    )
    return sign(
        name,
        present,
        value=100 * (times - 1),
        threshold=100 * (least - 1),
        key=key,
        reference=reference.visit.label,
        now=ours.value,
        before=theirs.value,
    )


def _without_interval(ratio: Measurement) -> str | None:
    if ratio.value is None:
        return ratio.reason
    return plain("no_interval").sentence if ratio.ci95 is None else None
