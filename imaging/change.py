"""Change: one visit's graft against an earlier visit's, with the repeatability of the difference.

Everything that depends on place is compared in the baseline's patient space, to which every
visit is registered; the reference of a comparison may be the baseline or the nadir, the smallest
earlier visit, because growth hides below the injectate that is resorbing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from imaging.geometry import FloatArray
from imaging.measurement import Measurement, measured, missing, widened
from imaging.measurements.distance import compare
from imaging.measurements.muscle import MuscleSize, linea_alba_shift_mm, sheath_displacement_mm
from imaging.measurements.shape import REPEATABILITY_95, Shape
from imaging.messages import text
from imaging.scanner import scanner_differs
from imaging.timepoint import Timepoint, reference_from_visit
from imaging.visit import VisitName

DISPLACED_PERCENTILE = 95.0
BULGE_PERCENTILE = 90.0
"""Of the sheath before the graft: near the top of a bulge, without single columns."""


@dataclass(frozen=True, slots=True)
class SizeChange:
    """Size and roundness; needs no registration.

    Parameters
    ----------
    volume_percent, volume_ml
        Difference of the mesh volumes; the percentage with its 95 % interval.
    volume_repeatability_percent
        (low, high): what an unchanged graft shows in 95 % of repeats; None without volumes.
    doubling_time_days
        Missing when the graft did not grow.
    diameter_mm, diameter_percent
        Difference of the largest diameters; the one in mm with its 95 % interval.
    sphericity
        Difference.
    """

    volume_percent: Measurement
    volume_repeatability_percent: tuple[float, float] | None
    volume_ml: Measurement
    doubling_time_days: Measurement
    diameter_mm: Measurement
    diameter_percent: Measurement
    sphericity: Measurement


@dataclass(frozen=True, slots=True)
class PlaceChange:
    """Where the graft lies and how its outline differs; see `measurements.distance.Overlap`.

    Parameters
    ----------
    centroid_shift_mm, protrusion_mm
        In registered space.
    dice, containment, hausdorff95_mm, mean_surface_distance_mm
        Shape alone: with the centroids aligned.
    """

    centroid_shift_mm: Measurement
    dice: Measurement
    containment: Measurement
    hausdorff95_mm: Measurement
    mean_surface_distance_mm: Measurement
    protrusion_mm: Measurement


@dataclass(frozen=True, slots=True)
class MuscleChange:
    """What the graft does to the muscle round it.

    Parameters
    ----------
    thickness_log_ratio, thickness_mm
        Difference of ln(left/right thickness); of the left thickness.
    bulge_mm
        Outward displacement of the anterior sheath before the graft, 90th percentile.
    displacement_mm
        95th percentile of the displacement of the whole left anterior sheath, either way.
    linea_alba_shift_mm
        To the patient's right, away from the graft.
    log_jacobian, ring_displacement_mm
        Of the wall round the graft since baseline, see `deformation.WallDeformation`; missing
        against any other visit.
    """

    thickness_log_ratio: Measurement
    thickness_mm: Measurement
    bulge_mm: Measurement
    displacement_mm: Measurement
    linea_alba_shift_mm: Measurement
    log_jacobian: Measurement
    ring_displacement_mm: Measurement


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """A visit against an earlier one, `reference`; positive is more, larger, farther.

    `registration_error_mm` is how far the map between both may be off; `slice_mm` the larger
    slice distance; `ratio_percent` that of the T2W-FS ratio to muscle, missing across scanners.
    """

    reference: Timepoint
    size: SizeChange
    place: PlaceChange
    muscle: MuscleChange
    ratio_percent: Measurement
    registration_error_mm: Measurement
    slice_mm: Measurement


def measure_change(visit: Timepoint, reference: Timepoint) -> Change:
    """Compare a visit with an earlier one; what either lacks is missing with its reason."""
    return Change(
        reference=reference,
        size=_size(visit, reference),
        place=_place(visit, reference),
        muscle=_muscle(visit, reference),
        ratio_percent=_ratio_percent(visit, reference),
        registration_error_mm=_registration_error(visit, reference),
        slice_mm=_slice(visit, reference),
    )


def _size(visit: Timepoint, reference: Timepoint) -> SizeChange:
    ours, theirs = visit.shape, reference.shape
    volume, before = ours.volume_ml.value, theirs.volume_ml.value
    diameter = _difference(ours.max_diameter_mm, theirs.max_diameter_mm)
    if volume is None or before is None:
        lost = missing(ours.volume_ml.reason or theirs.volume_ml.reason or "")
        return SizeChange(lost, None, lost, lost, diameter, lost, lost)
    spread = math.exp(REPEATABILITY_95 * _common_cv(ours, theirs))
    times = volume / before
    percent = measured(100 * (times - 1), (100 * (times / spread - 1), 100 * (times * spread - 1)))
    widest = theirs.max_diameter_mm.value or math.nan
    return SizeChange(
        volume_percent=_with_guess(percent, visit, before),
        volume_repeatability_percent=(100 * (1 / spread - 1), 100 * (spread - 1)),
        volume_ml=measured(volume - before),
        doubling_time_days=_doubling_time(visit, reference, times),
        diameter_mm=diameter,
        diameter_percent=measured(100 * (diameter.value or 0.0) / widest),
        sphericity=_difference(ours.sphericity, theirs.sphericity),
    )


def _with_guess(percent: Measurement, visit: Timepoint, before_ml: float) -> Measurement:
    """Widen the interval to what a guess stands for; no guess is ever compared with."""
    if visit.graft.range_ml is None:
        return percent
    return widened(percent, *(100 * (ml / before_ml - 1) for ml in visit.graft.range_ml))


def _common_cv(ours: Shape, theirs: Shape) -> float:
    """Root mean square of both grafts' relative standard deviations."""
    one, other = ours.within_subject_cv.value or 0.0, theirs.within_subject_cv.value or 0.0
    return math.hypot(one, other) / math.sqrt(2)


def _doubling_time(visit: Timepoint, reference: Timepoint, times: float) -> Measurement:
    if visit.days is None or reference.days is None or visit.days <= reference.days:
        return missing(text("reason.no_days_between"))
    if times <= 1:
        return missing(text("reason.no_growth"))
    return measured((visit.days - reference.days) * math.log(2) / math.log(times))


def _difference(ours: Measurement, theirs: Measurement) -> Measurement:
    """Ours less theirs; the interval assumes independent errors."""
    if ours.value is None or theirs.value is None:
        return missing(ours.reason or theirs.reason or "")
    less = ours.value - theirs.value
    if ours.ci95 is None or theirs.ci95 is None:
        return measured(less)
    half = math.hypot(ours.ci95[1] - ours.value, theirs.ci95[1] - theirs.value)
    return measured(less, (less - half, less + half))


def _place(visit: Timepoint, reference: Timepoint) -> PlaceChange:
    motion = reference_from_visit(visit, reference)
    ours, theirs = visit.graft.mask, reference.graft.mask
    reason = _why_not_comparable(visit, reference)
    if reason or motion is None or ours is None or theirs is None:
        return PlaceChange(*(missing(reason or ""),) * 6)
    shape = compare(ours, theirs, motion, align=True)
    place = compare(ours, theirs, motion, align=False)
    if shape is None or place is None:
        return PlaceChange(*(missing(text("reason.too_thin_to_compare")),) * 6)
    shift = motion @ ours.points_mm.mean(axis=0) - theirs.points_mm.mean(axis=0)
    return PlaceChange(
        centroid_shift_mm=measured(float(np.linalg.norm(shift))),
        dice=measured(shape.dice),
        containment=measured(shape.containment),
        hausdorff95_mm=measured(shape.hausdorff95_mm),
        mean_surface_distance_mm=measured(shape.mean_surface_distance_mm),
        protrusion_mm=measured(place.protrusion_mm),
    )


def _why_not_comparable(visit: Timepoint, reference: Timepoint) -> str | None:
    for one in (visit, reference):
        if one.graft.mask is None or one.graft.mask.is_empty:
            return text("reason.no_graft_at", visit=one.label)
    return _why_not_registered(visit, reference)


def _why_not_registered(visit: Timepoint, reference: Timepoint) -> str | None:
    for one in (visit, reference):
        if one.baseline_from_visit is None:
            return text("reason.not_registered", visit=one.label)
    return None


def _muscle(visit: Timepoint, reference: Timepoint) -> MuscleChange:
    ring = _ring(visit, reference)
    if visit.muscle is None or reference.muscle is None:
        lost = missing(text("reason.no_muscle"))
        return MuscleChange(lost, lost, lost, lost, lost, *ring)
    ours, theirs = visit.muscle, reference.muscle
    asymmetry = _difference(_log_ratio(ours), _log_ratio(theirs))
    thickness = _difference(ours.thickness_left_mm, theirs.thickness_left_mm)
    motion = reference_from_visit(visit, reference)
    if motion is None:
        lost = missing(_why_not_registered(visit, reference) or "")
        return MuscleChange(asymmetry, thickness, lost, lost, lost, *ring)
    outward = sheath_displacement_mm(ours, theirs, motion)
    shift = linea_alba_shift_mm(ours, theirs, motion)
    midline = missing(text("reason.no_midline")) if shift is None else measured(shift)
    return MuscleChange(
        thickness_log_ratio=asymmetry,
        thickness_mm=thickness,
        bulge_mm=_percentile(outward[ours.before_graft], BULGE_PERCENTILE),
        displacement_mm=_percentile(np.abs(outward), DISPLACED_PERCENTILE),
        linea_alba_shift_mm=midline,
        log_jacobian=ring[0],
        ring_displacement_mm=ring[1],
    )


def _ring(visit: Timepoint, reference: Timepoint) -> tuple[Measurement, Measurement]:
    if reference.name is not VisitName.BASELINE:
        other = missing(text("deformation.not_baseline"))
        return other, other
    return visit.deformation.log_jacobian, visit.deformation.displacement_mm


def _log_ratio(muscle: MuscleSize) -> Measurement:
    left, right = muscle.thickness_left_mm, muscle.thickness_right_mm
    if left.value is None or right.value is None:
        return missing(left.reason or right.reason or "")
    return measured(math.log(left.value / right.value))


def _percentile(values: FloatArray, percentile: float) -> Measurement:
    known = values[np.isfinite(values)]
    if not len(known):
        return missing(text("reason.no_common_sheath"))
    return measured(float(np.percentile(known, percentile)))


def _ratio_percent(visit: Timepoint, reference: Timepoint) -> Measurement:
    if scanner_differs(visit, reference):
        return missing(text("reason.other_scanner"))
    if visit.signal is None or reference.signal is None:
        return missing(text("reason.no_t2"))
    ours, theirs = visit.signal.ratio, reference.signal.ratio
    if ours.value is None or theirs.value is None:
        return missing(ours.reason or theirs.reason or "")
    if visit.signal.side is not reference.signal.side:
        return missing(text("reason.other_side"))
    if theirs.value <= 0:
        return missing(text("reason.zero_intensity"))
    return measured(100 * (ours.value / theirs.value - 1))


def _registration_error(visit: Timepoint, reference: Timepoint) -> Measurement:
    """Errors of both maps to baseline, added in quadrature."""
    ours, theirs = visit.registration_error_mm, reference.registration_error_mm
    if ours.value is None or theirs.value is None:
        return missing(ours.reason or theirs.reason or "")
    return measured(math.hypot(ours.value, theirs.value))


def _slice(visit: Timepoint, reference: Timepoint) -> Measurement:
    grafts = [one.graft.mask for one in (visit, reference) if one.graft.mask is not None]
    if not grafts:
        return missing(text("reason.empty_mask"))
    return measured(max(mask.geometry.spacing_mm[2] for mask in grafts))
