"""Morphological stability (E1): size, place, shape and mass effect against earlier visits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from imaging.change import Change
from imaging.findings.evidence import (
    Finding,
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
from imaging.findings.status import Status
from imaging.measurement import Measurement
from imaging.messages import text
from imaging.protocol import MorphologyLimits, Protocol, QualityLimits
from imaging.timepoint import Timepoint

ENDPOINT = "morphological_stability"
SIGNS_OF_MASS_EFFECT = 2
"""None is absent, one is undecided, two are a mass effect (domain definition)."""


def judge_morphology(
    visit: Timepoint, change: Change | None, change_from_nadir: Change | None, protocol: Protocol
) -> Finding:
    """Judge one visit: growth against the nadir, the rest against baseline.

    adverse: growth, migration or mass effect is certain. favorable: none of them, and the shape
    unchanged, are all certain. Everything else is indeterminate. On certain resorption shape is
    judged by what is left lying inside the former outline, because overlap falls with size, and
    a centroid that moved inside it is no migration. Mass effect is judged by thickness, bulge and
    midline, and by the deformation of the ring where it is known: where it is not, three signs
    are enough, and the reasons say so. Those three hang on the muscles' borders: where these are
    not sure, with a graft that a reader pointed at or drew, they cannot be told.
    """
    at_baseline = first_visit(visit)
    if at_baseline or change is None or change_from_nadir is None:
        return at_baseline or undecided(plain("no_baseline"))
    visits = (visit, *{id(c.reference): c.reference for c in (change, change_from_nadir)}.values())
    limits = protocol.morphology
    growth = (
        _volume_growth(change_from_nadir, limits),
        _diameter_growth(change_from_nadir, limits),
    )
    migration = _migration(change, limits)
    form = (_shape(change, limits), _plate_to_ball(change, change_from_nadir, limits))
    ring = _ring(change, limits)
    known = change.muscle.log_jacobian.known
    borders = (_thickening(change, limits), _bulge(change, limits), _midline(change, limits))
    mass = (*_where_sure(borders, visits, protocol.quality), *((ring,) if known else ()))
    remarks = () if known else (ring.reason,)
    signs = (*growth, migration, *form, *mass)
    closed = gates(ENDPOINT, visits, protocol.quality)
    if closed:
        return undecided(*closed, *ordered(signs), *remarks)
    found = _finding(growth, migration, form, mass)
    return replace(found, reasons=(*found.reasons, *remarks))


def _where_sure(
    borders: Sequence[Sign], visits: Sequence[Timepoint], limits: QualityLimits
) -> tuple[Sign, ...]:
    """Return signs of the muscles' borders, untold where a visit's muscles are not sure."""
    for visit in visits:
        if visit.muscle is not None and visit.muscle.confidence < limits.confidence_min:
            why = text(
                "finding.muscles_unsure",
                visit=visit.label,
                value=visit.muscle.confidence,
                threshold=limits.confidence_min,
            )
            return tuple(unmeasured(s.name, why, "quality.confidence_min") for s in borders)
    return tuple(borders)


def _finding(
    growth: Sequence[Sign], migration: Sign, form: Sequence[Sign], mass: Sequence[Sign]
) -> Finding:
    signs = (*growth, migration, *form, *mass)
    certain = {s.name for s in signs if s.present}
    if any(s.present for s in growth):
        certain.add("growth")
    if sum(s.present is True for s in mass) >= SIGNS_OF_MASS_EFFECT:
        certain.add("mass_effect")
    if certain & {"growth", "migration", "mass_effect"}:
        status = Status.ADVERSE
    elif all(s.present is False for s in signs):
        status = Status.FAVORABLE
    else:
        status = Status.INDETERMINATE
    return Finding(status, ordered(signs), frozenset(certain))


def _volume_growth(change: Change, limits: MorphologyLimits) -> Sign:
    name, key = (
        "growth_volume",
        "morphology.growth_volume_fraction, morphology.growth_volume_min_ml",
    )
    percent, ml = change.size.volume_percent, change.size.volume_ml
    span = change.size.volume_repeatability_percent
    before = change.reference.shape.volume_ml.value
    if percent.value is None or percent.ci95 is None or ml.value is None:
        return unmeasured(name, percent.reason, key)
    if span is None or before is None:
        return unmeasured(name, change.reference.shape.volume_ml.reason, key)
    least, highest = 100 * limits.growth_volume_fraction, percent.ci95[1]
    present = decided(
        beyond=percent.value > least and ml.value >= limits.growth_volume_min_ml,
        real=percent.value > span[1],
        reaches=highest > least and before * highest / 100 >= limits.growth_volume_min_ml,
    )
    return sign(
        name,
        present,
        value=percent.value,
        threshold=max(least, span[1]),
        key=key,
        ml=ml.value,
        min_ml=limits.growth_volume_min_ml,
        reference=change.reference.label,
        repeatability=span[1],
    )


def _diameter_growth(change: Change, limits: MorphologyLimits) -> Sign:
    name = "growth_diameter"
    key = "morphology.growth_diameter_fraction, morphology.growth_diameter_min_mm"
    mm, percent = change.size.diameter_mm, change.size.diameter_percent
    if mm.value is None or percent.value is None or mm.ci95 is None:
        return unmeasured(name, mm.reason or percent.reason, key)
    before = change.reference.shape.max_diameter_mm.value or math.inf
    least = max(limits.growth_diameter_min_mm, limits.growth_diameter_fraction * before)
    present = decided(beyond=mm.value >= least, real=mm.ci95[0] > 0, reaches=mm.ci95[1] >= least)
    larger = (change.size.volume_percent.value or 0.0) > 0
    if present and not (larger and mm.ci95[0] >= limits.growth_diameter_min_mm):
        # The longest diameter of a plate runs along thick slices: one more slice of a tail, or a
        # new shape, is no certain growth. Larger, and the absolute limit beyond doubt, is.
        present = None
    return sign(
        name,
        present,
        value=mm.value,
        threshold=least,
        key=key,
        percent=percent.value,
        reference=change.reference.label,
    )


def _place_limit(change: Change, least_mm: float) -> float | None:
    """Return the largest of a limit, twice the registration error and the slice distance."""
    error, slice_mm = change.registration_error_mm.value, change.slice_mm.value
    if error is None or slice_mm is None:
        return None
    return max(least_mm, 2 * error, slice_mm)


def _resorbed(change: Change) -> bool:
    """Whether the volume fell by more than repeatability."""
    percent, span = change.size.volume_percent.value, change.size.volume_repeatability_percent
    return percent is not None and span is not None and percent <= span[0]


def _migration(change: Change, limits: MorphologyLimits) -> Sign:
    name, key = "migration", "morphology.centroid_shift_min_mm"
    shift, protrusion = change.place.centroid_shift_mm, change.place.protrusion_mm.value
    limit = _place_limit(change, limits.centroid_shift_min_mm)
    if shift.value is None or limit is None or protrusion is None:
        return unmeasured(name, shift.reason or change.registration_error_mm.reason, key)
    present: bool | None = shift.value > limit
    if present and _resorbed(change) and protrusion <= limit:
        present = None
    return sign(name, present, value=shift.value, threshold=limit, key=key)


def _shape(change: Change, limits: MorphologyLimits) -> Sign:
    key = "morphology.dice_min, morphology.hausdorff95_min_mm"
    resorbed = _resorbed(change)
    place = change.place
    overlap, distance = (
        (place.containment, place.protrusion_mm) if resorbed else (place.dice, place.hausdorff95_mm)
    )
    name = "shape_resorbed" if resorbed else "shape"
    limit_mm = _place_limit(change, limits.hausdorff95_min_mm)
    span = change.size.volume_repeatability_percent
    if overlap.value is None or distance.value is None or limit_mm is None or span is None:
        return unmeasured(name, overlap.reason or change.registration_error_mm.reason, key)
    unlike = overlap.value < limits.dice_min
    # A contour displaced everywhere by its 95 % error loses half the log volume change in overlap.
    noise = overlap.value >= 1 - math.log1p(span[1] / 100) / 2
    far = distance.value > limit_mm
    present = True if far or (unlike and not noise) else (None if unlike else False)
    return sign(
        name,
        present,
        value=overlap.value,
        threshold=limits.dice_min,
        key=key,
        distance=distance.value,
        limit_mm=limit_mm,
    )


def _plate_to_ball(change: Change, from_nadir: Change, limits: MorphologyLimits) -> Sign:
    name, key = "plate_to_ball", "morphology.sphericity_rise"
    rises = [c.size.sphericity for c in (change, from_nadir) if not _resorbed(c)]
    lost = next((rise.reason for rise in rises if rise.value is None), None)
    if lost:
        return unmeasured(name, lost, key)
    highest = max((rise.value or 0.0 for rise in rises), default=None)
    present = highest is not None and highest >= limits.sphericity_rise
    value = change.size.sphericity.value if highest is None else highest
    return sign(name, present, value=value, threshold=limits.sphericity_rise, key=key)


def _thickening(change: Change, limits: MorphologyLimits) -> Sign:
    name = "thickening"
    key = "morphology.thickness_ratio_rise, morphology.thickness_rise_min_mm"
    asymmetry, mm = change.muscle.thickness_log_ratio, change.muscle.thickness_mm
    if asymmetry.value is None or mm.value is None:
        return unmeasured(name, asymmetry.reason or mm.reason, key)
    times = math.exp(asymmetry.value)
    present = times > limits.thickness_ratio_rise and mm.value >= limits.thickness_rise_min_mm
    return sign(
        name,
        present,
        value=times,
        threshold=limits.thickness_ratio_rise,
        key=key,
        mm=mm.value,
        min_mm=limits.thickness_rise_min_mm,
    )


def _bulge(change: Change, limits: MorphologyLimits) -> Sign:
    return _displaced(
        "bulge", change, change.muscle.bulge_mm, limits.bulge_min_mm, "morphology.bulge_min_mm"
    )


def _ring(change: Change, limits: MorphologyLimits) -> Sign:
    """Tissue round the graft pushed away from it, and squeezed or stretched by that."""
    name, key = "ring", "morphology.log_jacobian_min, morphology.displacement_min_mm"
    jacobian, mm = change.muscle.log_jacobian, change.muscle.ring_displacement_mm
    error = change.registration_error_mm
    if jacobian.value is None or mm.value is None or error.value is None:
        return unmeasured(name, jacobian.reason or mm.reason or error.reason, key)
    pushed = jacobian.value > limits.log_jacobian_min and mm.value >= limits.displacement_min_mm
    present = decided(beyond=pushed, real=mm.value > 2 * error.value, reaches=False)
    return sign(
        name,
        present,
        value=jacobian.value,
        threshold=limits.log_jacobian_min,
        key=key,
        mm=mm.value,
        min_mm=limits.displacement_min_mm,
        error=error.value,
    )


def _midline(change: Change, limits: MorphologyLimits) -> Sign:
    return _displaced(
        "midline",
        change,
        change.muscle.linea_alba_shift_mm,
        limits.linea_alba_shift_min_mm,
        "morphology.linea_alba_shift_min_mm",
    )


def _displaced(name: str, change: Change, mm: Measurement, limit: float, key: str) -> Sign:
    """Displacement that the registration's own error does not explain."""
    error = change.registration_error_mm
    if mm.value is None or error.value is None:
        return unmeasured(name, mm.reason or error.reason, key)
    present = decided(beyond=mm.value >= limit, real=mm.value > 2 * error.value, reaches=False)
    return sign(name, present, value=mm.value, threshold=limit, key=key, error=error.value)
