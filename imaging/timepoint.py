"""Timepoint: what one visit brings to a comparison with another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from imaging.deformation import WallDeformation
from imaging.measurement import Measurement
from imaging.measurements.muscle import MuscleSize
from imaging.measurements.shape import Shape
from imaging.measurements.signal import Signal
from imaging.quality import QualityEntry
from imaging.segmentation.masks import Graft
from imaging.transform import RigidTransform
from imaging.visit import VisitName


@dataclass(frozen=True, slots=True, eq=False)
class Timepoint:
    """What one visit brings to a comparison; every part but the graft may be missing.

    Parameters
    ----------
    baseline_from_visit
        Maps the visit's patient space to the baseline's (identity at baseline); None when the
        registration failed.
    registration_error_mm
        How far that map may be off; missing without a registration, 0 at baseline.
    deformation
        Of the wall round the graft since baseline.
    signal, signal_uncorrected
        The T2W-FS measurements with and without bias field correction.
    """

    name: VisitName
    label: str
    days: int | None
    graft: Graft
    shape: Shape
    muscle: MuscleSize | None
    signal: Signal | None
    signal_uncorrected: Signal | None
    baseline_from_visit: RigidTransform | None
    registration_error_mm: Measurement
    deformation: WallDeformation
    quality: tuple[QualityEntry, ...] = ()
    manufacturer: str | None = None
    field_strength_t: float | None = None


def nadir(earlier: Iterable[Timepoint], confidence_min: float) -> Timepoint | None:
    """Return the earlier visit with the smallest measured graft, the first of equals.

    A graft that needs a reader (confidence below the minimum) is no measure of anything.
    """
    known = [
        visit
        for visit in earlier
        if visit.shape.volume_ml.known and visit.graft.confidence >= confidence_min
    ]
    return min(known, key=lambda visit: visit.shape.volume_ml.value or 0.0, default=None)


def reference_from_visit(visit: Timepoint, reference: Timepoint) -> RigidTransform | None:
    """Return the map from one visit's patient space to another's; None when either has none."""
    if visit.baseline_from_visit is None or reference.baseline_from_visit is None:
        return None
    return reference.baseline_from_visit.inverse.after(visit.baseline_from_visit)
