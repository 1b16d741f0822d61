"""Seed: a point, or a stroke of points, set inside the graft by a reader; first it is checked."""

from __future__ import annotations

import numpy as np

from imaging.errors import SeedError
from imaging.geometry import FloatArray
from imaging.segmentation.masks import Muscles
from imaging.segmentation_limits import SegmentationLimits
from imaging.volume import Volume

Point = tuple[float, float, float]
"""LPS mm."""

Stroke = tuple[Point, ...]
"""Points in the order they were set; a click is a stroke of one, none is no seed."""


def linea_alba_x_mm(muscles: Muscles, z_mm: float) -> float | None:
    """Return the x of the linea alba at height `z_mm` (ends carried on); None when not found."""
    points = np.asarray(muscles.linea_alba_mm, dtype=np.float64)
    if points.size == 0:
        return None
    order = np.argsort(points[:, 2], kind="stable")
    return float(np.interp(z_mm, points[order, 2], points[order, 0]))


def check_stroke(
    stroke_mm: Stroke, t2: Volume, muscles: Muscles, limits: SegmentationLimits
) -> None:
    """Accept a stroke whose points may all lie in a graft of the left rectus.

    Raises
    ------
    SeedError
        Of the first point that may not, see `check_seed`.
    """
    for point in stroke_mm:
        check_seed(point, t2, muscles, limits)


def check_seed(seed_mm: Point, t2: Volume, muscles: Muscles, limits: SegmentationLimits) -> None:
    """Accept a seed that may lie in a graft of the left rectus.

    Raises
    ------
    SeedError
        Outside the image or the body, on the right of the linea alba or in the right rectus,
        behind the wall (bowel) or elsewhere away from the left rectus.
    """
    point = ", ".join(f"{value:.1f}" for value in seed_mm)
    if not np.isfinite(seed_mm).all() or not t2.geometry.contains(seed_mm):
        raise SeedError("seed_outside_image", point=point)
    i, j, k = np.rint(t2.geometry.to_index(seed_mm)).astype(int).tolist()
    if not muscles.body.array[i, j, k]:
        raise SeedError("seed_outside_body", point=point)
    midline = linea_alba_x_mm(muscles, seed_mm[2])
    if muscles.rectus_right.array[i, j, k] or (midline is not None and seed_mm[0] <= midline):
        raise SeedError("seed_right_side", point=point)
    _check_muscle(seed_mm, point, muscles, limits)


def _check_muscle(seed_mm: Point, point: str, muscles: Muscles, limits: SegmentationLimits) -> None:
    if muscles.rectus_left.is_empty:
        return
    offset = _from_muscle_mm(seed_mm, muscles)
    # A muscle that was found with doubt is a weaker witness than the reader's eye.
    tolerance = limits.graft_seed_tolerance_mm / max(muscles.confidence, 0.25)
    away = float(np.linalg.norm(offset))
    if away <= tolerance:
        return
    code = "seed_behind_wall" if offset[1] > 0.5 * away else "seed_not_in_muscle"
    raise SeedError(code, point=point, distance_mm=f"{away:.0f}")


def _from_muscle_mm(seed_mm: Point, muscles: Muscles) -> FloatArray:
    """(3,): way from the nearest voxel of the left rectus to the seed, LPS."""
    points = muscles.rectus_left.points_mm
    nearest = points[np.argmin(np.linalg.norm(points - np.array(seed_mm), axis=1))]
    # The voxel reaches half a spacing beyond its centre.
    offset = np.array(seed_mm) - nearest
    half = np.abs(muscles.rectus_left.geometry.affine[:3, :3]).sum(axis=1) / 2
    return np.asarray(np.sign(offset) * np.maximum(np.abs(offset) - half, 0.0))
