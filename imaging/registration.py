"""Registration: one rigid motion between two images, and how well it fits.

The abdomen behind the wall moves on its own, so the metric sees only a region of the fixed
image: the anterior wall, and before it, between visits, the trunk without its viscera. Same
contrast (follow-up T2W-FS to baseline) is compared by correlation, cross contrast (T1W-FS to
T2W-FS of one visit) by the correlation ratio.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.spatial.transform import Rotation

from imaging import alignment
from imaging.alignment import Anchor
from imaging.geometry import FloatArray
from imaging.intensity import compressed, local_contrast
from imaging.messages import text
from imaging.plausibility import (
    implausible,
    inconsistent,
    seen_fraction,
    too_different,
    unsure,
)
from imaging.protocol import RegistrationLimits
from imaging.resampling import cropped, resample
from imaging.resolution import Level, level
from imaging.transform import RigidTransform, identity
from imaging.volume import Mask, Volume

_SPACINGS_MM = (8.0, 4.0, 2.0)
_SEARCH_STEP_MM = 8.0
_AIR_MM = 6.0
_OVERLAP_LOSS_MAX = 0.15
_TRIMMINGS = 2
_POINTS_ENOUGH = 20_000
_SEARCH_REACH_MM = (16.0, 16.0, 24.0)


class Contrast(StrEnum):
    """Whether both images show tissues in the same order of brightness."""

    SAME = "same"
    CROSS = "cross"


_TRIMMED_SHARE = {Contrast.SAME: 0.2, Contrast.CROSS: 0.1}
"""Between visits the graft changes; within one the whole wall stays as it is."""


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """Result of registering `moving` to `fixed`.

    `moving_from_fixed` maps a point of the fixed image's patient space to the moving one's.
    `similarity` is 0 to 1: the correlation, or the root of the correlation ratio, inside the
    region. `inverse_consistency_mm` is the largest distance by which a point of the region
    misses its place after going there and back by two registrations made independently; the
    motion given is the one half way between them.
    When `success` is False, `reason` says why and the transform must not be used.
    """

    moving_from_fixed: RigidTransform
    success: bool
    similarity: float | None
    inverse_consistency_mm: float | None
    reason: str | None = None


def register_rigid(
    fixed: Volume,
    moving: Volume,
    region: Mask,
    limits: RegistrationLimits,
    contrast: Contrast = Contrast.SAME,
    start: RigidTransform | None = None,
    trunk: tuple[Mask, Mask] | None = None,
) -> Registration:
    """Find the motion that carries `fixed` onto `moving` inside `region`.

    Parameters
    ----------
    fixed, moving
        Any two grids, oblique or flipped; smoothed and cropped here.
    region
        Mask on the fixed grid; points outside it play no part.
    limits
        The protocol's [registration] section.
    contrast
        SAME within T2W-FS, CROSS between T1W-FS and T2W-FS.
    start
        Where to begin; None takes the positions in the headers, right within one study. Between
        visits give `between_visits(...)`.
    trunk
        Between visits the `trunk_shell` of both bodies. The wall alone looks the same at every
        height, so the trunk says how the patient lies, and the wall departs from that only as
        far as breathing moves it.

    Returns
    -------
    Registration; `success` is False with the reason for an empty region, a region outside the
    moving image, blank images, or a result outside the limits.
    """
    start = start or identity()
    if region.is_empty:
        return _failed(start, "registration.region_empty")
    region = _with_air(region)
    points = _some_points_mm(region)
    seen = resample(region, moving.geometry, start.inverse)
    if seen_fraction(points, moving.geometry, start) < limits.overlap_min or seen.is_empty:
        return _failed(start, "registration.no_overlap")
    alike = local_contrast if contrast is Contrast.SAME else compressed
    fixed, moving = alike(fixed, region), alike(moving, seen)
    here, there = trunk or (None, None)
    forward = _one_way(fixed, moving, (region, here), start, limits, contrast)
    back = _one_way(moving, fixed, (seen, there), start.inverse, limits, contrast)
    missed = np.maximum(
        _missed(forward.motion, back.motion, points), _missed(forward.trunk, back.trunk, points)
    )
    motion = _midway(forward.motion, back.motion.inverse, points.mean(axis=0))
    same = contrast is Contrast.SAME
    least = limits.similarity_same_min if same else limits.similarity_cross_min
    reason = (
        too_different(forward.fit, least)
        or implausible(motion, start, points, moving.geometry, limits)
        or unsure(max(forward.along_sd_mm, back.along_sd_mm), limits)
        or inconsistent(missed / 2, limits)
    )
    return Registration(motion, reason is None, forward.fit, float(missed.max()), reason)


def _failed(start: RigidTransform, key: str) -> Registration:
    return Registration(start, False, None, None, text(key))


@dataclass(frozen=True, slots=True, eq=False)
class _OneWay:
    """`trunk` is where the trunk put the patient; `along_sd_mm` how sure the body axis is."""

    motion: RigidTransform
    trunk: RigidTransform
    fit: float
    along_sd_mm: float


def _one_way(
    fixed: Volume,
    moving: Volume,
    regions: tuple[Mask, Mask | None],
    start: RigidTransform,
    limits: RegistrationLimits,
    contrast: Contrast,
) -> _OneWay:
    wall, trunk = regions
    reach, points = max(_SEARCH_REACH_MM) + _SPACINGS_MM[0], _some_points_mm(wall)
    near = cropped(fixed, points, _SPACINGS_MM[0])
    if contrast is Contrast.CROSS:
        there = cropped(moving, start @ points, reach)
        return _within_visit(near, there, wall, start, limits)
    if trunk is None:
        there = cropped(moving, start @ points, reach)
        at, motion = _searched(near, there, wall, start, _SPACINGS_MM, contrast)
        fit = _fit(at, motion, contrast)
        return _OneWay(motion, start, fit, _along_sd_mm(at, motion, limits, contrast))
    on_trunk, lie = _searched(fixed, moving, trunk, start, _SPACINGS_MM[:2], contrast)
    slide, breath = limits.wall_slide_sd_mm, limits.wall_breath_sd_mm
    anchor = Anchor(lie, (slide, breath, slide), limits.wall_turn_sd_deg)
    there, motion = cropped(moving, lie @ points, reach), lie
    for spacing in _SPACINGS_MM[1:]:
        at = level(near, there, wall, spacing, cross=False)
        motion = _settled(at, motion, contrast, anchor)
    fit = _fit(at, motion, contrast)
    return _OneWay(motion, lie, fit, _along_sd_mm(on_trunk, lie, limits, contrast))


def _within_visit(
    near: Volume, there: Volume, wall: Mask, start: RigidTransform, limits: RegistrationLimits
) -> _OneWay:
    """Refine round the headers: the patient stayed on the table, only the breath-hold differs."""
    slide, breath = limits.breath_hold_sd_mm, limits.wall_breath_sd_mm
    anchor = Anchor(start, (slide, breath, slide), limits.breath_hold_turn_sd_deg)
    motion = start
    for spacing in _SPACINGS_MM:
        at = level(near, there, wall, spacing, cross=True)
        motion = _settled(at, motion, Contrast.CROSS, anchor)
    seen_mm = _along_sd_mm(at, motion, limits, Contrast.CROSS)
    # What the images say and what is known beforehand, as two measurements of one place.
    along_mm = 1.0 / np.hypot(1.0 / max(seen_mm, 1e-6), 1.0 / slide)
    return _OneWay(motion, start, _fit(at, motion, Contrast.CROSS), float(along_mm))


def _searched(
    fixed: Volume,
    moving: Volume,
    region: Mask,
    start: RigidTransform,
    spacings_mm: tuple[float, ...],
    contrast: Contrast,
) -> tuple[Level, RigidTransform]:
    """Search shifts at the coarsest resolution, refine at all; also return the last one."""
    motion = start
    for spacing in spacings_mm:
        at = level(fixed, moving, region, spacing, cross=False)
        if spacing == spacings_mm[0]:
            least = alignment.overlap(at, start) - _OVERLAP_LOSS_MAX
            motion = alignment.best_shift(at, start, _SEARCH_REACH_MM, _SEARCH_STEP_MM, least)
        motion = _settled(at, motion, contrast)
    return at, motion


def _settled(
    at: Level, motion: RigidTransform, contrast: Contrast, anchor: Anchor | None = None
) -> RigidTransform:
    """Refine, with the worst explained points left out."""
    motion = alignment.refine(at, motion, anchor)
    for _ in range(_TRIMMINGS):
        best = alignment.trimmed(at, motion, _TRIMMED_SHARE[contrast])
        motion = alignment.refine(best, motion, anchor)
    return motion


def _fit(at: Level, motion: RigidTransform, contrast: Contrast) -> float:
    best = alignment.trimmed(at, motion, _TRIMMED_SHARE[contrast])
    return alignment.similarity(best, motion)


def _along_sd_mm(
    at: Level, motion: RigidTransform, limits: RegistrationLimits, contrast: Contrast
) -> float:
    """Return the standard deviation of the place along the body (LPS z)."""
    share = _TRIMMED_SHARE[contrast]
    return alignment.shift_sd_mm(at, motion, 2, limits.error_max_max_mm, share)


def _missed(there: RigidTransform, back: RigidTransform, points_mm: FloatArray) -> FloatArray:
    """(n,): by how much each point misses its place after going there and back."""
    return np.asarray(np.linalg.norm(back @ (there @ points_mm) - points_mm, axis=1))


def _midway(one: RigidTransform, other: RigidTransform, centre_mm: FloatArray) -> RigidTransform:
    """Return the motion half way between two: both have errors, and half of them cancel."""
    turn = Rotation.from_matrix([m.matrix[:3, :3] for m in (one, other)]).mean().as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = ((one @ centre_mm) + (other @ centre_mm)) / 2 - turn @ centre_mm
    return RigidTransform(matrix)


def _with_air(region: Mask) -> Mask:
    """Return the region and a rim of air in front, so that the skin is an edge with two sides."""
    axis, backward = region.geometry.axis_toward(1)
    steps = round(_AIR_MM / region.geometry.spacing_mm[axis])
    grown = np.moveaxis(region.array.copy(), axis, 0)[::backward]
    for _ in range(steps):
        grown[:-1] |= grown[1:]
    return Mask(np.moveaxis(grown[::backward], 0, axis), region.geometry)


def _some_points_mm(region: Mask) -> FloatArray:
    """(n, 3): every so many voxels of a region that is not empty: where it lies, and how far."""
    inside = np.argwhere(region.array)
    return region.geometry.to_world(inside[:: max(1, len(inside) // _POINTS_ENOUGH)])
