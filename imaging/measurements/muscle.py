"""Muscle: thickness and volume of both rectus compartments, and where sheath and midline lie."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import FloatArray, Geometry
from imaging.measurement import Measurement, measured, missing
from imaging.messages import text
from imaging.segmentation.masks import Graft, Muscles
from imaging.transform import RigidTransform
from imaging.volume import Mask

THICKEST_PERCENTILE = 90.0
"""Of the columns of one level: near the thickest place, without its single outliers."""
COLUMNS_MIN = 5
"""Fewer columns of a level do not fix the curve of its midline."""
ON_COLUMN = 1e-6
"""Nearer to a column than this, in voxels, its neighbour does not count."""


@dataclass(frozen=True, slots=True, eq=False)
class MuscleSize:
    """The two rectus compartments of one visit.

    Parameters
    ----------
    thickness_left_mm, thickness_right_mm
        At the graft's levels (all levels without a graft): per level the 90th percentile of the
        anterior-posterior extent times the cosine of the muscle's local tilt, then the median.
    volume_left_ml, volume_right_ml
        Voxel volume of the part that the image covers.
    sheath_mm
        (n, 3) LPS, the anterior face of the left compartment, one point per column.
    before_graft
        (n,), which of those points lie in front of the graft.
    grid
        The grid whose columns those are.
    linea_alba_mm
        (m, 3) LPS, midline.
    graft_levels_mm
        Lowest and highest z of the graft; None without one.
    confidence
        That the compartments are where they were outlined, 0 to 1.
    """

    thickness_left_mm: Measurement
    thickness_right_mm: Measurement
    volume_left_ml: Measurement
    volume_right_ml: Measurement
    sheath_mm: FloatArray
    before_graft: NDArray[np.bool_]
    grid: Geometry
    linea_alba_mm: FloatArray
    graft_levels_mm: tuple[float, float] | None
    confidence: float


def measure_muscle(muscles: Muscles, graft: Graft) -> MuscleSize:
    """Measure both compartments; an empty one gives reasons, and an empty sheath."""
    left, right = muscles.rectus_left, muscles.rectus_right
    inside = graft.mask if graft.mask is not None and not graft.mask.is_empty else None
    levels = None if inside is None else _levels(inside)
    sheath, columns = _anterior_face(left)
    z = None if inside is None else inside.points_mm[:, 2]
    return MuscleSize(
        thickness_left_mm=_thickness(left, levels),
        thickness_right_mm=_thickness(right, levels),
        volume_left_ml=_volume(left),
        volume_right_ml=_volume(right),
        sheath_mm=sheath,
        before_graft=_before(inside, columns),
        grid=left.geometry,
        linea_alba_mm=np.asarray(muscles.linea_alba_mm, dtype=np.float64).reshape(-1, 3),
        graft_levels_mm=None if z is None else (float(z.min()), float(z.max())),
        confidence=muscles.confidence,
    )


def _columns(mask: Mask) -> NDArray[np.bool_]:
    """Return the mask as [left-right, level, anterior to posterior], however it was acquired."""
    axes = [mask.geometry.axis_toward(lps)[0] for lps in (0, 2, 1)]
    turned = mask.array.transpose(axes)
    return turned if mask.geometry.axis_toward(1)[1] > 0 else turned[:, :, ::-1]


def _levels(mask: Mask) -> NDArray[np.bool_]:
    return np.asarray(_columns(mask).any(axis=(0, 2)))


def _spacing(geometry: Geometry) -> tuple[float, float]:
    """Voxel size from left to right and from front to back."""
    across, _ = geometry.axis_toward(0)
    through, _ = geometry.axis_toward(1)
    return geometry.spacing_mm[across], geometry.spacing_mm[through]


def _volume(mask: Mask) -> Measurement:
    if mask.is_empty:
        return missing(text("reason.empty_mask"))
    return measured(mask.voxel_volume_ml)


def _thickness(mask: Mask, levels: NDArray[np.bool_] | None) -> Measurement:
    columns = _columns(mask)
    chosen = columns if levels is None else columns[:, levels]
    across_mm, through_mm = _spacing(mask.geometry)
    per_level = [
        _level_thickness(chosen[:, level], across_mm, through_mm)
        for level in range(chosen.shape[1])
        if chosen[:, level].any()
    ]
    if not per_level:
        return missing(text("reason.no_muscle_at_graft"))
    return measured(float(np.median(per_level)))


def _level_thickness(section: NDArray[np.bool_], across_mm: float, through_mm: float) -> float:
    """Thickness of one level's [left-right, front-back] section, normal to its midline."""
    extent = section.sum(axis=1)
    used = extent > 0
    thick_mm = extent[used] * through_mm
    if used.sum() >= COLUMNS_MIN:
        x = np.flatnonzero(used) * across_mm
        middle = (section[used].argmax(axis=1) + (extent[used] - 1) / 2) * through_mm
        x = x - x.mean()
        _, slope, bend = np.polynomial.polynomial.polyfit(x, middle, 2)
        thick_mm = thick_mm / np.hypot(1, slope + 2 * bend * x)
    return float(np.percentile(thick_mm, THICKEST_PERCENTILE))


def _anterior_face(mask: Mask) -> tuple[FloatArray, tuple[NDArray[np.intp], ...]]:
    """Points (n, 3) LPS half a voxel before the first voxel of every column, and the columns."""
    columns = _columns(mask)
    found = np.nonzero(columns.any(axis=2))
    first = columns[found].argmax(axis=1) - 0.5
    through, sign = mask.geometry.axis_toward(1)
    index = np.zeros((len(first), 3))
    index[:, mask.geometry.axis_toward(0)[0]] = found[0]
    index[:, mask.geometry.axis_toward(2)[0]] = found[1]
    index[:, through] = first if sign > 0 else mask.geometry.shape[through] - 1 - first
    return mask.geometry.to_world(index), found


def _before(graft: Mask | None, columns: tuple[NDArray[np.intp], ...]) -> NDArray[np.bool_]:
    """Return which columns (n,) run through the graft."""
    if graft is None:
        return np.zeros(len(columns[0]), dtype=bool)
    seen = np.asarray(_columns(graft).any(axis=2))
    return np.asarray(seen[columns])


def sheath_displacement_mm(
    visit: MuscleSize, reference: MuscleSize, reference_from_visit: RigidTransform
) -> FloatArray:
    """Return how far each sheath point (n,) of a visit lies outward of the reference's sheath.

    Outward is anterior along the reference's own grid; NaN where the reference has no sheath
    behind or before the point. Between four columns the reference is interpolated bilinearly.
    """
    moved = reference_from_visit @ visit.sheath_mm
    if not len(moved) or not len(reference.sheath_mm):
        return np.full(len(moved), np.nan)
    grid = reference.grid
    (across, _), (through, sign), (along, _) = (grid.axis_toward(lps) for lps in range(3))
    face, at = grid.to_index(reference.sheath_mm), grid.to_index(moved)
    depth = np.full((grid.shape[across], grid.shape[along]), np.nan)
    columns = np.rint(face[:, [across, along]]).astype(int)
    depth[columns[:, 0], columns[:, 1]] = face[:, through]
    behind = _between_columns(depth, at[:, across], at[:, along])
    return np.asarray((behind - at[:, through]) * sign * grid.spacing_mm[through])


def _between_columns(depth: FloatArray, across: FloatArray, along: FloatArray) -> FloatArray:
    """Interpolate bilinearly; NaN where a column that counts has no depth."""
    i, k = np.floor(across + ON_COLUMN).astype(int), np.floor(along + ON_COLUMN).astype(int)
    padded = np.pad(depth, 1, constant_values=np.nan)
    total = np.zeros(len(across))
    for di, dk in product((0, 1), (0, 1)):
        weight = (1 - np.abs(across - i - di)) * (1 - np.abs(along - k - dk))
        row = np.clip(i + di + 1, 0, padded.shape[0] - 1)
        corner = padded[row, np.clip(k + dk + 1, 0, padded.shape[1] - 1)]
        total += np.where(weight > 2 * ON_COLUMN, weight * corner, 0.0)
    return total


def linea_alba_shift_mm(
    visit: MuscleSize, reference: MuscleSize, reference_from_visit: RigidTransform
) -> float | None:
    """Return how far the midline moved to the patient's right, away from a left-sided graft.

    Median over the visit's points at the graft's levels (all without one) that lie between the
    reference's lowest and highest; None when there is none.
    """
    if not len(visit.linea_alba_mm) or not len(reference.linea_alba_mm):
        return None
    low, high = visit.graft_levels_mm or (-np.inf, np.inf)
    z = visit.linea_alba_mm[:, 2]
    moved = reference_from_visit @ visit.linea_alba_mm[(z >= low) & (z <= high)]
    ordered = reference.linea_alba_mm[np.argsort(reference.linea_alba_mm[:, 2])]
    within = (moved[:, 2] >= ordered[0, 2]) & (moved[:, 2] <= ordered[-1, 2])
    if not within.any():
        return None
    before = np.interp(moved[within, 2], ordered[:, 2], ordered[:, 0])
    return float(np.median(before - moved[within, 0]))
