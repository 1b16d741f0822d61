"""Expected findings: the protocol's rules applied to what is really there.

Written from the definitions of the endpoints, apart from the program's own findings, so that
the two can be compared. Where a true value lies within `MARGIN` of a limit no automatic answer
can be demanded, and the expectation is `indeterminate`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log, pi

from imaging.protocol import FatLimits, MorphologyLimits, Protocol, SignalLimits
from imaging.simulation.scenario import VisitPlan
from imaging.simulation.truth import NoduleTruth, VisitTruth

FAVORABLE, ADVERSE, INDETERMINATE = "favorable", "adverse", "indeterminate"
MARGIN = 0.04
Fact = tuple[VisitPlan, VisitTruth]


def expected_findings(visits: Sequence[Fact], protocol: Protocol) -> list[dict[str, str]]:
    """Return the status of each endpoint at each visit; the first visit is the baseline."""
    return [
        {
            "morphological_stability": _morphology(visits, number, protocol.morphology),
            "signal_characteristics": _signal(visits, number, protocol),
            "fat_absence": _fat(visits[number], protocol),
        }
        for number in range(len(visits))
    ]


def _morphology(visits: Sequence[Fact], number: int, limits: MorphologyLimits) -> str:
    now, earlier = visits[number], [v for v in visits[:number] if v[0].graft]
    if not earlier or now[0].graft is None:
        return INDETERMINATE
    nadir = min(earlier, key=lambda v: v[1].volume_ml)
    signs = _mass_effect(now[1], visits[0][1], limits)
    grown = any(_grown(now, reference, limits) for reference in (visits[0], nadir))
    if grown or signs >= 2:
        return ADVERSE
    return INDETERMINATE if signs == 1 or _reshaped(now, visits[0], limits) else FAVORABLE


def _grown(now: Fact, reference: Fact, limits: MorphologyLimits) -> bool:
    rise_ml = now[1].volume_ml - reference[1].volume_ml
    share = max(limits.growth_volume_fraction, repeatability(reference[0], limits))
    if rise_ml > share * reference[1].volume_ml and rise_ml >= limits.growth_volume_min_ml:
        return True
    longer = _longest_mm(now[0]) - _longest_mm(reference[0])
    wanted = limits.growth_diameter_fraction * _longest_mm(reference[0])
    return longer >= max(wanted, limits.growth_diameter_min_mm)


def repeatability(plan: VisitPlan, limits: MorphologyLimits, pixel_mm: float = 1.3) -> float:
    """RC_up = exp(2.77 σ_b S / V) − 1 of the graft's ellipsoid; 0 without a graft."""
    if plan.graft is None:
        return 0.0
    surface_per_volume = plan.graft.surface_mm2 / (1000.0 * plan.graft.volume_ml)
    return exp(2.77 * limits.boundary_sd_pixels * pixel_mm * surface_per_volume) - 1.0


def _longest_mm(plan: VisitPlan) -> float:
    return max(plan.graft.width_mm, plan.graft.height_mm) if plan.graft else 0.0


def _mass_effect(now: VisitTruth, baseline: VisitTruth, limits: MorphologyLimits) -> int:
    asymmetry = [log(t.compartment_mm[0] / t.compartment_mm[1]) for t in (now, baseline)]
    thicker = now.compartment_mm[0] - baseline.compartment_mm[0]
    signs = (
        asymmetry[0] - asymmetry[1] > log(limits.thickness_ratio_rise)
        and thicker >= limits.thickness_rise_min_mm,
        now.bulge_mm - baseline.bulge_mm >= limits.bulge_min_mm,
        abs(now.linea_alba_shift_mm - baseline.linea_alba_shift_mm)
        >= limits.linea_alba_shift_min_mm,
    )
    return sum(signs)


def _reshaped(now: Fact, baseline: Fact, limits: MorphologyLimits) -> bool:
    """Overlap of two concentric grafts of which the smaller lies in the larger, and roundness."""
    volumes = sorted((now[1].volume_ml, baseline[1].volume_ml))
    dice = 2 * volumes[0] / (volumes[0] + volumes[1])
    rounder = _sphericity(now[0]) - _sphericity(baseline[0]) >= limits.sphericity_rise
    return dice < limits.dice_min or (rounder and now[1].volume_ml >= baseline[1].volume_ml)


def _sphericity(plan: VisitPlan) -> float:
    if plan.graft is None:
        return 0.0
    volume_mm3 = 1000.0 * plan.graft.volume_ml
    return float((36 * pi * volume_mm3**2) ** (1 / 3) / plan.graft.surface_mm2)


def _signal(visits: Sequence[Fact], number: int, protocol: Protocol) -> str:
    plan, truth = visits[number]
    limits = protocol.signal
    failed = truth.fat_suppression_t2 > protocol.quality.fat_suppression_t2_max
    if number == 0 or failed or plan.graft is None:
        return INDETERMINATE
    baseline = visits[0][1]
    early = plan.day <= limits.early_days_max
    foci = _foci(truth, limits)
    old = _foci(baseline, limits)
    fresh = [f for f in foci if not any(_same_place(f, o, limits) for o in old)]
    grown = any(
        f.nodule.diameter_mm - o.nodule.diameter_mm >= limits.focus_growth_mm
        for f in foci
        for o in old
        if _same_place(f, o, limits)
    )
    brighter = (truth.t2_ratio or 0.0) > (1 + limits.ratio_rise_fraction) * (baseline.t2_ratio or 0)
    largest = max((f.nodule.diameter_mm for f in fresh), default=0.0)
    if largest >= limits.mass_min_mm:
        return ADVERSE
    if largest >= limits.nodule_min_mm or grown or brighter:
        return INDETERMINATE if early else ADVERSE
    return INDETERMINATE if largest >= limits.focus_min_mm else FAVORABLE


def _foci(truth: VisitTruth, limits: SignalLimits) -> list[NoduleTruth]:
    wanted = max(limits.high_ratio_min, limits.focus_over_graft * (truth.t2_ratio or 0.0))
    return [n for n in truth.nodules if n.t2_ratio > wanted]


def _same_place(one: NoduleTruth, other: NoduleTruth, limits: SignalLimits) -> bool:
    (x, z), (u, w) = one.nodule.position_mm, other.nodule.position_mm
    gap = ((x - u) ** 2 + (z - w) ** 2) ** 0.5
    reach = (one.nodule.diameter_mm + other.nodule.diameter_mm) / 2
    return float(gap) - reach <= limits.new_focus_distance_mm


def _fat(visit: Fact, protocol: Protocol) -> str:
    plan, truth = visit
    limits = protocol.fat
    failed = truth.fat_suppression_t1 > protocol.quality.fat_suppression_t1_max
    if not plan.has_t1w_fs or failed or truth.t1_ratio is None:
        return INDETERMINATE
    low, high = limits.isointense_low, limits.isointense_high
    if any(_is_focal(n, limits) for n in truth.nodules):
        return ADVERSE
    if low + MARGIN <= truth.t1_ratio <= high - MARGIN:
        return FAVORABLE
    outside = truth.t1_ratio < low - MARGIN or truth.t1_ratio > high + MARGIN
    return ADVERSE if outside else INDETERMINATE


def _is_focal(nodule: NoduleTruth, limits: FatLimits) -> bool:
    big = (
        nodule.nodule.diameter_mm >= limits.focus_min_mm and nodule.volume_ml >= limits.focus_min_ml
    )
    extreme = not limits.focus_dark_ratio <= nodule.t1_ratio <= limits.focus_bright_ratio
    return bool(big and extreme)
