"""Compare: an assessment against the truth, one row a visit."""

from __future__ import annotations

from typing import cast

import numpy as np

from imaging.anatomy import Anatomy
from imaging.assessment import Assessment, VisitAssessment
from imaging.measurement import Measurement
from imaging.protocol import Protocol
from imaging.quality import ENDPOINTS, Severity
from imaging.simulation import VisitTruth
from imaging.volume import Mask
from surveillance.validation.case import Case, Landmarks, Recipe
from surveillance.validation.row import Answer, Quantity, Row, TrueFocus

NEEDS_READER = "NEEDS_READER"
HIT_MM = 4.0
"""A reported focus this near the true one's border, or half a slice, is that focus."""


def rows_of(
    recipe: Recipe, case: Case, assessment: Assessment, variant: str, protocol: Protocol
) -> tuple[Row, ...]:
    """Return one row a visit."""
    return tuple(
        _row(recipe, case, assessment, number, variant, protocol)
        for number in range(len(case.truths))
    )


def _row(
    recipe: Recipe,
    case: Case,
    assessment: Assessment,
    number: int,
    variant: str,
    protocol: Protocol,
) -> Row:
    truth, visit = case.truths[number], assessment.visits[number]
    anatomy = cast(Anatomy, visit.anatomy)  # every made visit has its T2W-FS in memory
    graft, signal, fat = anatomy.graft, anatomy.t2.signal, anatomy.t1.fat if anatomy.t1 else None
    hits, false = _foci(truth, anatomy)
    mean, worst = _landmarks(case.landmarks[number], visit)
    spacing = anatomy.t2w_fs.geometry.spacing_mm
    return Row(
        case=recipe.name,
        kind=recipe.kind,
        split=recipe.split,
        course=recipe.course,
        variant=variant,
        visit=visit.visit.label,
        pixel_mm=max(spacing[:2]),
        slice_mm=spacing[2],
        graft_true=not truth.graft.is_empty,
        graft_said=graft.present,
        confidence=graft.confidence,
        sure=graft.confidence >= protocol.quality.confidence_min,
        muscle_confidence=anatomy.muscles.confidence,
        dice=_dice(graft.mask, truth.graft),
        volume_ml=_quantity(truth.volume_ml, anatomy.shape.volume_ml),
        subvoxel_volume_ml=_quantity(truth.volume_ml, anatomy.subvoxel_volume_ml),
        volume_change_percent=_volume_change(case, number, visit),
        centroid_error_mm=_centroid_error_mm(truth, anatomy),
        t2_ratio=_quantity(truth.t2_ratio, signal.told_ratio if signal else None),
        t1_ratio=_quantity(truth.t1_ratio, fat.told_ratio if fat else None),
        rectus_dice=(
            _dice_where_drawn(anatomy.muscles.rectus_left, truth.rectus_left),
            _dice_where_drawn(anatomy.muscles.rectus_right, truth.rectus_right),
        ),
        sides_swapped=_swapped(truth, anatomy),
        registered=anatomy.registration.success if anatomy.registration else None,
        landmark_mean_mm=mean,
        landmark_max_mm=worst,
        answers=_answers(case, assessment, number),
        foci=hits,
        false_foci_mm=false,
        fat_grid=case.fat_grid,
        reasons=graft.reasons,
    )


def _quantity(true: float | None, said: Measurement | None) -> Quantity:
    return Quantity(true, None if said is None else said.value, None if said is None else said.ci95)


def _dice(found: Mask | None, true: Mask) -> float | None:
    """Return the overlap; None where neither is there, 0 where only one is."""
    ours = 0 if found is None else found.voxels
    if ours + true.voxels == 0:
        return None
    common = 0 if found is None else int(np.count_nonzero(found.array & true.array))
    return 2 * common / (ours + true.voxels)


def _dice_where_drawn(found: Mask, true: Mask) -> float | None:
    """Return the overlap in the slices in which the truth was drawn; None without any."""
    axis, _ = true.geometry.axis_toward(2)
    across = tuple(a for a in range(3) if a != axis)
    drawn = true.array.any(axis=across, keepdims=True)
    if not drawn.any():
        return None
    return _dice(Mask(found.array & drawn, found.geometry), true)


def _volume_change(case: Case, number: int, visit: VisitAssessment) -> Quantity:
    first, now = case.truths[0].volume_ml, case.truths[number].volume_ml
    true = 100 * (now / first - 1) if number and first and now else None
    return _quantity(true, visit.change.size.volume_percent if visit.change else None)


def _centroid_error_mm(truth: VisitTruth, anatomy: Anatomy) -> float | None:
    found = anatomy.shape.centroid_mm
    if truth.centroid_lps_mm is None or found is None:
        return None
    return float(np.linalg.norm(found - np.array(truth.centroid_lps_mm)))


def _swapped(truth: VisitTruth, anatomy: Anatomy) -> bool | None:
    """Whether a found muscle overlaps the other side's more than its own; None when not found."""
    left, right = anatomy.muscles.rectus_left, anatomy.muscles.rectus_right
    if left.is_empty or right.is_empty or truth.rectus_right.is_empty:
        return None
    own = (_dice(left, truth.rectus_left) or 0) + (_dice(right, truth.rectus_right) or 0)
    other = (_dice(left, truth.rectus_right) or 0) + (_dice(right, truth.rectus_left) or 0)
    return other > own


def _landmarks(
    marks: Landmarks | None, visit: VisitAssessment
) -> tuple[float | None, float | None]:
    """Return the mean and greatest distance in mm; None without a registration that succeeded."""
    back = visit.timepoint.baseline_from_visit
    if marks is None or back is None or len(marks.baseline_mm) == 0:
        return None, None
    missed = np.linalg.norm(back.inverse @ marks.baseline_mm - marks.visit_mm, axis=1)
    return float(missed.mean()), float(missed.max())


def _answers(case: Case, assessment: Assessment, number: int) -> dict[str, Answer]:
    visit = assessment.visits[number]
    compared = (assessment.visits[0], visit)
    return {
        endpoint: Answer(
            case.truths[number].expected[endpoint],
            str(visit.findings[endpoint].status),
            not any(_gate_failed(v, endpoint) for v in compared),
        )
        for endpoint in ENDPOINTS
    }


def _gate_failed(visit: VisitAssessment, endpoint: str) -> bool:
    """Whether the acquisition forbids an answer; doubt about the outline is not its fault."""
    return any(
        entry.severity is Severity.ERROR and endpoint in entry.endpoints
        for entry in visit.timepoint.quality
        if entry.code != NEEDS_READER
    )


def _foci(truth: VisitTruth, anatomy: Anatomy) -> tuple[tuple[TrueFocus, ...], tuple[float, ...]]:
    """Return the true foci with what found them, and the diameters of those that are not there."""
    found = anatomy.t2.signal.foci if anatomy.t2.signal else ()
    # Partial volume or a vessel may have made it: the program calls none of those.
    reported = [focus for focus in found if not focus.doubtful]
    slack = max(HIT_MM, anatomy.t2w_fs.geometry.spacing_mm[2] / 2)
    free = set(range(len(reported)))
    hits = []
    for nodule in truth.nodules:
        reach = nodule.nodule.diameter_mm / 2 + slack
        near = [
            n
            for n in sorted(free)
            if np.linalg.norm(reported[n].centroid_mm - np.array(nodule.centroid_lps_mm)) <= reach
        ]
        free -= set(near)
        score = max((reported[n].diameter_mm for n in near), default=None)
        contrast = nodule.t2_ratio / truth.t2_ratio if truth.t2_ratio else 0.0
        hits.append(TrueFocus(nodule.nodule.diameter_mm, contrast, score))
    return tuple(hits), tuple(reported[n].diameter_mm for n in sorted(free))
