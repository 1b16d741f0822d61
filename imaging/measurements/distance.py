"""Distance: how far two outlines of one graft differ in shape, wherever they lie.

The definition is fixed here, because published ones differ by up to 13 %. Both masks are
interpolated linearly onto one cubic grid, aligned with the axes of the patient space they share,
whose side is the larger in-plane pixel; inside is 0.5 and more. Surfaces are the 0.5 isosurface
of that grid, known by its vertices, where it cuts the grid's lines (as in marching cubes). A
distance is from a vertex of one surface to the nearest vertex of the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.ndimage import affine_transform, map_coordinates
from scipy.spatial import cKDTree

from imaging.geometry import FloatArray, Geometry
from imaging.measurements.region import cropped, pixel_mm
from imaging.transform import RigidTransform
from imaging.volume import Mask

HALF = 0.5 - 1e-6
"""Exactly half is inside, whichever way the last digit was rounded."""


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two outlines compared.

    Parameters
    ----------
    dice
        Twice the common volume over the sum of both.
    containment
        Share of the visit's graft that lies inside the reference's outline.
    hausdorff95_mm
        The larger of the two directed 95th percentiles of surface distance.
    mean_surface_distance_mm
        Mean over all vertices of both surfaces, pooled.
    protrusion_mm
        95th percentile, over the visit's surface, of the distance outside the reference's; 0
        where it lies inside.
    """

    dice: float
    containment: float
    hausdorff95_mm: float
    mean_surface_distance_mm: float
    protrusion_mm: float


def compare(
    visit: Mask, reference: Mask, reference_from_visit: RigidTransform, *, align: bool
) -> Overlap | None:
    """Compare two masks in the reference's patient space; None when either is empty.

    With `align`, the visit's centroid is first moved onto the reference's: shape without place.
    """
    if visit.is_empty or reference.is_empty:
        return None
    visit, reference = cropped(visit), cropped(reference)
    motion = _aligned(visit, reference, reference_from_visit) if align else reference_from_visit
    grid = _common_grid(visit, reference, motion)
    return _overlap(_sampled(visit, grid, motion.inverse), _sampled(reference, grid), grid)


def _aligned(visit: Mask, reference: Mask, motion: RigidTransform) -> RigidTransform:
    shift = np.eye(4)
    shift[:3, 3] = reference.points_mm.mean(axis=0) - motion @ visit.points_mm.mean(axis=0)
    return RigidTransform(shift).after(motion)


def _common_grid(visit: Mask, reference: Mask, motion: RigidTransform) -> Geometry:
    side = max(pixel_mm(visit.geometry), pixel_mm(reference.geometry))
    corners = np.vstack([motion @ _faded_mm(visit), _faded_mm(reference)])
    low, high = corners.min(axis=0), corners.max(axis=0)
    affine = np.diag([side, side, side, 1.0])
    affine[:3, 3] = low
    i, j, k = (int(n) for n in np.ceil((high - low) / side) + 1)
    return Geometry(affine, (i, j, k))


def _faded_mm(mask: Mask) -> FloatArray:
    """Return the corners (8, 3) one voxel beyond the grid, where interpolation has come to 0."""
    return mask.geometry.to_world(list(product(*((-1, n) for n in mask.geometry.shape))))


def _sampled(
    mask: Mask, grid: Geometry, mask_from_grid: RigidTransform | None = None
) -> FloatArray:
    """Linear interpolation on a grid, fading to 0 over one voxel beyond the mask's."""
    motion = np.eye(4) if mask_from_grid is None else mask_from_grid.matrix
    index = np.linalg.inv(mask.geometry.affine) @ motion @ grid.affine
    linear, offset = index[:3, :3], index[:3, 3] + 1
    padded = np.pad(mask.array, 1).astype(np.float64)
    if np.array_equal(linear, np.diag(np.diag(linear))):  # nothing is turned
        for axis, size in enumerate(grid.shape):
            at = offset[axis] + linear[axis, axis] * np.arange(size)
            padded = _interpolated(padded, axis, at)
        return padded
    field = affine_transform(padded, linear, offset, grid.shape, np.float64, order=1)
    return np.asarray(field, dtype=np.float64)


def _interpolated(field: FloatArray, axis: int, at: FloatArray) -> FloatArray:
    last = field.shape[axis] - 1
    at = np.clip(at, 0, last)
    before = np.minimum(at.astype(np.intp), last - 1)
    share = np.expand_dims(at - before, [n for n in range(3) if n != axis])
    one, other = field.take(before, axis), field.take(before + 1, axis)
    return np.asarray(one + share * (other - one), dtype=np.float64)


def _overlap(ours: FloatArray, theirs: FloatArray, grid: Geometry) -> Overlap | None:
    inside, former = ours >= HALF, theirs >= HALF
    if not inside.any() or not former.any():
        return None
    common = np.count_nonzero(inside & former)
    vertices, others = _surface(ours), _surface(theirs)
    side = grid.spacing_mm[0]
    forth, back = (_nearest(*pair) * side for pair in ((vertices, others), (others, vertices)))
    beyond = map_coordinates(theirs, vertices.T, order=1) < HALF
    return Overlap(
        dice=float(2 * common / (np.count_nonzero(inside) + np.count_nonzero(former))),
        containment=float(common / np.count_nonzero(inside)),
        hausdorff95_mm=float(max(np.percentile(forth, 95), np.percentile(back, 95))),
        mean_surface_distance_mm=float(np.concatenate([forth, back]).mean()),
        protrusion_mm=float(np.percentile(np.where(beyond, forth, 0.0), 95)),
    )


def _surface(field: FloatArray) -> FloatArray:
    """Return where the isosurface cuts the lines between neighbours of the grid, (n, 3)."""
    inside, cuts = field >= HALF, []
    for axis in range(3):
        low, high = ([slice(None)] * 3 for _ in range(2))
        low[axis], high[axis] = slice(None, -1), slice(1, None)
        cut = inside[*low] != inside[*high]
        before, after = field[*low][cut], field[*high][cut]
        at = np.argwhere(cut).astype(np.float64)
        at[:, axis] += (HALF - before) / (after - before)
        cuts.append(at)
    return np.concatenate(cuts)


def _nearest(vertices: FloatArray, others: FloatArray) -> FloatArray:
    # Leaves this large, split in the middle, suit points that lie on a grid's lines.
    tree = cKDTree(others, leafsize=48, compact_nodes=False, balanced_tree=False)
    return np.asarray(tree.query(vertices)[0])
