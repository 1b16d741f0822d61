"""Deformation: how the wall round the graft changed its form beyond a rigid motion.

Found both ways, each independently, and believed only when they undo each other, when nothing
folds, and when the edges of the wall lie where they should.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage

from imaging.bspline import VectorField
from imaging.freeform import Pair, displaced
from imaging.geometry import FloatArray, Geometry
from imaging.intensity import compressed
from imaging.landmarks import PROFILE_MM, LandmarkErrors, landmark_errors
from imaging.measurement import Measurement, measured, missing
from imaging.messages import text
from imaging.protocol import Protocol
from imaging.resampling import cropped, resample
from imaging.transform import RigidTransform, identity
from imaging.volume import Mask, Volume

_MARGIN_MM = 18.0
"""Round the ring: what holds still there says what moved inside."""
_REACH_MM = 10.0
"""Farther than this no wall is displaced beyond the rigid motion."""
_RIM_MM = 1.5
"""So far beyond its outline the graft's own signal reaches."""
_DISPLACED_PERCENTILE = 95.0
_FOUND_SHARE_MIN, _AGREEMENT_MIN = 0.5, 0.5
"""Edges found again, and their correlation where they lie; below, it is another wall."""
_LEAST_RATIO = 1e-3
"""Of a local volume, so that the logarithm of a fold stays finite; it makes the map invalid."""


@dataclass(frozen=True, slots=True, eq=False)
class Deformation:
    """A smooth map between two patient spaces, named for what it gives like a RigidTransform.

    A point is displaced by `field` and then carried by `motion`; away from the field's control
    points it is the motion alone.
    """

    motion: RigidTransform
    field: VectorField

    def __matmul__(self, points_mm: ArrayLike) -> FloatArray:
        """Map LPS points (n, 3)."""
        points = np.asarray(points_mm, dtype=np.float64)
        return self.motion @ (points + self.field.at(points))

    def jacobian(self, points_mm: FloatArray) -> FloatArray:
        """(n,): volume afterwards over volume before, locally; not positive where it folds."""
        return np.asarray(np.linalg.det(np.eye(3) + self.field.gradient(points_mm)))


@dataclass(frozen=True, slots=True, eq=False)
class WallImage:
    """One visit's T2W-FS without shading, its anterior wall and its graft, on one grid."""

    image: Volume
    wall: Mask
    graft: Mask | None


@dataclass(frozen=True, slots=True, eq=False)
class WallDeformation:
    """What the wall in a ring round the baseline's graft did.

    Parameters
    ----------
    visit_from_baseline
        None when it was not found or must not be used.
    log_jacobian
        Mean of |ln(local volume ratio)| in the ring.
    displacement_mm
        Away from the graft, beyond the rigid motion: 95th percentile in the ring.
    inverse_consistency_mm, landmark_error_mm, folding_fraction
        What it was judged by: mean distance missed after going there and back, mean distance of
        edges from where it puts them, and the share of the ring that folds.
    """

    visit_from_baseline: Deformation | None
    log_jacobian: Measurement
    displacement_mm: Measurement
    inverse_consistency_mm: Measurement
    landmark_error_mm: Measurement
    folding_fraction: Measurement


def unknown(reason: str) -> WallDeformation:
    """Return the deformation that was not looked for, and why."""
    return WallDeformation(None, *(missing(reason),) * 5)


def deform_wall(
    baseline: WallImage, visit: WallImage, motion: RigidTransform, protocol: Protocol
) -> WallDeformation:
    """Find how the wall round the baseline's graft deformed up to a visit.

    `motion` is the rigid one, visit from baseline. Unknown, with the reason, without a graft at
    baseline or without wall round it.
    """
    if baseline.graft is None or baseline.graft.is_empty:
        return unknown(text("deformation.no_graft"))
    near = _near(baseline, protocol.morphology.ring_mm)
    ring = _ring(near, protocol.morphology.ring_mm)
    if ring.mask.is_empty:
        return unknown(text("deformation.no_ring"))
    points = ring.mask.points_mm
    forward = _found(near, visit, motion, points)
    back = _found(visit, near, motion.inverse, forward @ points)
    return _judged(near, visit, ring, forward, back, protocol)


@dataclass(frozen=True, slots=True, eq=False)
class _Ring:
    """Wall round the graft, and the direction (n, 3) away from the graft at each of its points.

    `edges` is the part of it whose profiles do not touch the graft.
    """

    mask: Mask
    outward: FloatArray
    edges: Mask


def _near(baseline: WallImage, ring_mm: float) -> WallImage:
    assert baseline.graft is not None  # noqa: S101  (asked before)
    points, margin = baseline.graft.points_mm, ring_mm + _MARGIN_MM
    return WallImage(
        cropped(baseline.image, points, margin),
        cropped(baseline.wall, points, margin),
        cropped(baseline.graft, points, margin),
    )


def _ring(near: WallImage, ring_mm: float) -> _Ring:
    graft = near.graft
    assert graft is not None  # noqa: S101  (asked before)
    away = ndimage.distance_transform_edt(~graft.array, sampling=graft.geometry.spacing_mm)
    inside = near.wall.array & (away > _RIM_MM) & (away <= ring_mm)
    slopes = np.gradient(away, *graft.geometry.spacing_mm) if min(away.shape) > 1 else [away] * 3
    rise = np.stack([part[inside] for part in slopes], axis=1) @ graft.geometry.directions.T
    length = np.linalg.norm(rise, axis=1, keepdims=True)
    edges = Mask(inside & (away > PROFILE_MM), graft.geometry)
    return _Ring(Mask(inside, graft.geometry), rise / np.maximum(length, 1e-6), edges)


def _found(
    fixed: WallImage, moving: WallImage, motion: RigidTransform, points_mm: FloatArray
) -> Deformation:
    region = cropped(fixed.wall, points_mm, _MARGIN_MM)
    here = cropped(fixed.image, points_mm, _MARGIN_MM)
    there = cropped(moving.image, motion @ region.geometry.corners_mm, _REACH_MM)
    seen = resample(region, there.geometry, motion.inverse)
    pair = Pair(
        fixed=compressed(here, region),
        moving=compressed(there, seen),
        motion=motion,
        region=region,
        left_out=_widened(fixed.graft, region.geometry),
        moving_left_out=_widened(moving.graft, there.geometry),
    )
    return Deformation(motion, displaced(pair, region.geometry))


def _widened(graft: Mask | None, onto: Geometry) -> Mask:
    """Return the graft and its rim on a part of its grid."""
    if graft is None or graft.is_empty:
        return Mask(np.zeros(onto.shape, dtype=np.bool_), onto)
    here = resample(graft, onto, identity()).array
    if not here.any():
        return Mask(here, onto)
    away = ndimage.distance_transform_edt(~here, sampling=onto.spacing_mm)
    return Mask(away <= _RIM_MM, onto)


def _judged(
    baseline: WallImage,
    visit: WallImage,
    ring: _Ring,
    forward: Deformation,
    back: Deformation,
    protocol: Protocol,
) -> WallDeformation:
    points = ring.mask.points_mm
    missed = np.linalg.norm(back @ (forward @ points) - points, axis=1)
    edges = landmark_errors(baseline.image, visit.image, forward, ring.edges)
    ratio = forward.jacobian(points)
    outward = (forward.field.at(points) * ring.outward).sum(axis=1)
    folded = float(np.mean(ratio <= 0))
    found = WallDeformation(
        forward,
        measured(float(np.abs(np.log(np.maximum(ratio, _LEAST_RATIO))).mean())),
        measured(float(np.percentile(outward, _DISPLACED_PERCENTILE))),
        measured(float(missed.mean())),
        measured(float(edges.error_mm.mean())) if edges.error_mm.size else missing(_lost(edges)),
        measured(folded),
    )
    reason = doubt(missed, edges, folded, protocol)
    if reason is None:
        return found
    lost = missing(reason)
    return replace(found, visit_from_baseline=None, log_jacobian=lost, displacement_mm=lost)


def _lost(edges: LandmarkErrors) -> str:
    return text(
        "deformation.landmarks_lost",
        percent=100 * edges.found_share,
        limit=100 * _FOUND_SHARE_MIN,
        agreement=edges.agreement,
        agreement_limit=_AGREEMENT_MIN,
    )


def doubt(
    missed: FloatArray, edges: LandmarkErrors, folded: float, protocol: Protocol
) -> str | None:
    """Return why a deformation must not be used, None when it may."""
    limit, most = protocol.registration.error_mean_max_mm, protocol.morphology.folding_max_fraction
    if folded > most:
        return text("deformation.folded", percent=100 * folded, limit=100 * most)
    if float(missed.mean()) > limit:
        return text("deformation.inconsistent", mm=float(missed.mean()), limit=limit)
    if edges.found_share < _FOUND_SHARE_MIN or edges.agreement < _AGREEMENT_MIN:
        return _lost(edges)
    off = float(edges.error_mm.mean())
    if off > limit:
        return text("deformation.landmarks_off", mm=off, limit=limit)
    return None
