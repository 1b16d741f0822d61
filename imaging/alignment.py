"""Alignment: one rigid motion that makes one image explain another best, by Gauss-Newton.

The moving image m, carried by the motion, is explained by the fixed image f at the points of a
region: by a line (same contrast, so the similarity is the correlation) or by the mean of m in
each of a number of equally filled classes of f (cross contrast: the correlation ratio of Roche
et al., MICCAI 1998). In both the explanation is linear in m, so it is projected out of residual
and Jacobian, and each iteration solves six equations.

Intensities are compressed and the worst explained points left out, because a resorbing graft and
moving bowel are no part of the motion. Sums run in one fixed order without BLAS: the result has
the same bits at any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from imaging.geometry import FloatArray, Geometry
from imaging.resampling import shrink
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume

_CLASSES = 32
_OVERLAP_MIN = 0.5
_OVERLAP_LOSS_MAX = 0.05
_ITERATIONS = 25
_HALVINGS = 5
_PIECE_MM = 25.0
"""Neighbouring tissue is explained well or badly together: about this much counts once."""


@dataclass(frozen=True, slots=True, eq=False)
class Level:
    """One resolution: fixed points with their classes or values, and the smoothed moving image.

    `points_mm` is (3, n), so that each coordinate is one contiguous row; `gradient` holds the
    moving image's derivatives along i, j and k per voxel; a point stands for `each_mm3` of tissue.
    """

    points_mm: FloatArray
    values: FloatArray
    classes: NDArray[np.intp] | None
    moving: NDArray[np.float32]
    gradient: tuple[NDArray[np.float32], ...]
    index_from_mm: FloatArray
    tolerance_mm: float
    each_mm3: float

    @property
    def centre_mm(self) -> FloatArray:
        """(3,): mean of the fixed points."""
        return np.asarray(self.points_mm.mean(axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class Anchor:
    """What is known of the motion beforehand: normal about `motion`, at the region's centre."""

    motion: RigidTransform
    shift_sd_mm: tuple[float, float, float]
    turn_sd_deg: float

    @property
    def sd(self) -> FloatArray:
        """(6,): mm along x, y and z, radians about them."""
        return np.array([*self.shift_sd_mm, *[float(np.radians(self.turn_sd_deg))] * 3])

    def departure(self, at: Level, motion: RigidTransform) -> FloatArray:
        """(6,): how far `motion` is from the anchor, mm and radians."""
        shift = motion @ at.centre_mm - self.motion @ at.centre_mm
        turn = Rotation.from_matrix(motion.matrix[:3, :3] @ self.motion.matrix[:3, :3].T)
        return np.concatenate([shift, turn.as_rotvec()])


def level(fixed: Volume, moving: Volume, region: Mask, spacing_mm: float, cross: bool) -> Level:
    """Prepare one resolution.

    Points lie about `spacing_mm` apart, or one slice where slices are thicker; both images are
    smoothed by half of that distance.
    """
    fixed, moving = shrink(fixed, spacing_mm / 2), shrink(moving, spacing_mm / 2)
    index = _lattice(fixed.geometry, region, spacing_mm)
    values = _smoothed(fixed, spacing_mm / 2)[tuple(index)].astype(np.float64)
    carried = _smoothed(moving, spacing_mm / 2)
    gradient = tuple(_slope(carried, axis) for axis in range(3))
    return Level(
        points_mm=mapped(fixed.geometry.affine, index.astype(np.float64)),
        values=values,
        classes=_classes(values) if cross else None,
        moving=carried,
        gradient=gradient,
        index_from_mm=np.asarray(np.linalg.inv(moving.geometry.affine), dtype=np.float64),
        tolerance_mm=spacing_mm / 2000,
        each_mm3=float(np.prod(_strides(fixed.geometry, spacing_mm) * fixed.geometry.spacing_mm)),
    )


def _strides(grid: Geometry, spacing_mm: float) -> NDArray[np.intp]:
    return np.array([max(1, round(spacing_mm / mm)) for mm in grid.spacing_mm])


def _lattice(grid: Geometry, region: Mask, spacing_mm: float) -> NDArray[np.intp]:
    """(3, n): every so many voxels of `grid`, those whose centre lies in `region`."""
    strides = _strides(grid, spacing_mm)
    axes = [np.arange(min(s // 2, n - 1), n, s) for s, n in zip(strides, grid.shape, strict=True)]
    index = np.array(np.meshgrid(*axes, indexing="ij")).reshape(3, -1)
    there = np.linalg.inv(region.geometry.affine) @ grid.affine
    place = np.rint(mapped(there, index.astype(np.float64))).astype(np.intp)
    place = np.clip(place, 0, np.array(region.geometry.shape)[:, None] - 1)
    return np.asarray(index[:, region.array[tuple(place)]])


def _slope(array: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    if array.shape[axis] < 2:
        return np.zeros_like(array)
    return np.asarray(np.gradient(array, axis=axis), dtype=np.float32)


def _smoothed(volume: Volume, sigma_mm: float) -> NDArray[np.float32]:
    sigmas = [sigma_mm / mm for mm in volume.geometry.spacing_mm]
    return np.asarray(ndimage.gaussian_filter(volume.array, sigmas, truncate=3.0))


def _classes(values: FloatArray) -> NDArray[np.intp]:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, _CLASSES + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right")


def mapped(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """Map (3, n) points by a (4, 4) matrix, sums in a fixed order."""
    x, y, z = points
    rows = [row[0] * x + row[1] * y + row[2] * z + row[3] for row in matrix[:3]]
    return np.array(rows)


def similarity(at: Level, motion: RigidTransform) -> float:
    """Return the correlation, or the root of the correlation ratio, 0 to 1.

    0 when the correlation is negative, an image is flat, or the images hardly overlap.
    """
    index = mapped(at.index_from_mm @ motion.matrix, at.points_mm)
    inside = _inside(at, index)
    if inside.mean() < _OVERLAP_MIN:
        return 0.0
    found = _sampled(at.moving, index[:, inside])
    total = float(((found - found.mean()) ** 2).sum())
    if total <= 0.0:
        return 0.0
    residual = _unexplained(at, inside, found)
    explained = max(0.0, 1.0 - float((residual**2).sum()) / total)
    falling = at.classes is None and float(((found - found.mean()) * at.values[inside]).sum()) < 0
    return 0.0 if falling else float(np.sqrt(explained))


def _inside(at: Level, index: FloatArray) -> NDArray[np.bool_]:
    limits = np.array(at.moving.shape)[:, None] - 1
    return np.asarray(((index >= 0) & (index <= limits)).all(axis=0))


def _sampled(array: NDArray[np.float32], index: FloatArray) -> FloatArray:
    return np.asarray(ndimage.map_coordinates(array, index, np.float64, order=1, mode="nearest"))


def _unexplained(at: Level, inside: NDArray[np.bool_], found: FloatArray) -> FloatArray:
    """Return what is left of `found` when the fixed image has explained all it can."""
    if at.classes is not None:
        kind = at.classes[inside]
        count = np.maximum(np.bincount(kind, minlength=_CLASSES), 1)
        return np.asarray(found - (np.bincount(kind, found, _CLASSES) / count)[kind])
    value = at.values[inside] - at.values[inside].mean()
    spread = float((value**2).sum())
    slope = float((value * found).sum()) / spread if spread > 0 else 0.0
    return np.asarray(found - found.mean() - slope * value)


def overlap(at: Level, motion: RigidTransform) -> float:
    """Return the share of the fixed points that the moving image shows, 0 to 1."""
    return float(_inside(at, mapped(at.index_from_mm @ motion.matrix, at.points_mm)).mean())


def trimmed(at: Level, motion: RigidTransform, share: float) -> Level:
    """Return the level without the `share` of its points that `motion` explains worst.

    A graft that resorbs and bowel that moves on are no part of the motion (least trimmed squares,
    Rousseeuw 1984).
    """
    index = mapped(at.index_from_mm @ motion.matrix, at.points_mm)
    inside = _inside(at, index)
    if not inside.any():
        return at
    found = _sampled(at.moving, index[:, inside])
    residual = np.abs(_unexplained(at, inside, found))
    keep = np.flatnonzero(inside)[residual <= np.quantile(residual, 1 - share)]
    return replace(
        at,
        points_mm=np.ascontiguousarray(at.points_mm[:, keep]),
        values=at.values[keep],
        classes=None if at.classes is None else at.classes[keep],
    )


def compressed(volume: Volume, region: Mask) -> Volume:
    """Return I / (I + m) with m the median inside `region`: 0 in air, 1/2 in the wall, below 1.

    Muscle and suppressed fat differ by little, fluid from both by ten times: uncompressed, a
    drop of fluid outweighs the whole wall.
    """
    inside = volume.array[region.array]
    middle = max(float(np.median(inside)) if inside.size else 0.0, 1e-6)
    positive = np.maximum(volume.array, 0)
    return Volume((positive / (positive + middle)).astype(np.float32), volume.geometry)


def best_shift(
    at: Level,
    start: RigidTransform,
    reach_mm: tuple[float, float, float],
    step_mm: float,
    overlap_min: float = _OVERLAP_MIN,
) -> RigidTransform:
    """Return `start` moved by the shift of a regular search that explains the images best."""
    axes = [step_mm * np.arange(-(r // step_mm), r // step_mm + 1) for r in reach_mm]
    # The shortest of equally good shifts comes first, so a flat image does not move.
    shifts = sorted(product(*axes), key=lambda s: (sum(x * x for x in s), s))
    tried = [shifted(start, shift) for shift in shifts]
    # A shift that leaves the image has less to explain: it must not win by that.
    found = [similarity(at, motion) * (overlap(at, motion) >= overlap_min) for motion in tried]
    return tried[int(np.argmax(found))]


def shifted(motion: RigidTransform, shift_mm: tuple[float, ...]) -> RigidTransform:
    """Return `motion` followed by a translation."""
    matrix = motion.matrix.copy()
    matrix[:3, 3] += shift_mm
    return RigidTransform(matrix)


def refine(at: Level, start: RigidTransform, anchor: Anchor | None = None) -> RigidTransform:
    """Return the most probable motion near `start` at this resolution.

    Without an anchor that is the motion with the highest similarity.
    """
    motion, least = start, overlap(at, start) - _OVERLAP_LOSS_MAX
    cost = _cost(at, start, anchor)
    reach_mm = float(np.sqrt(((at.points_mm - at.centre_mm[:, None]) ** 2).sum(axis=0).max()))
    for _ in range(_ITERATIONS):
        step = _gauss_newton_step(at, motion, anchor)
        if step is None:
            return motion
        for _ in range(_HALVINGS):
            candidate = _moved(at, motion, step)
            reached = _cost(at, candidate, anchor)
            if reached < cost and overlap(at, candidate) >= least:
                break
            step = step / 2
        else:
            return motion
        motion, cost = candidate, reached
        if np.abs(step[:3]).max() + reach_mm * np.abs(step[3:]).max() < at.tolerance_mm:
            return motion
    return motion


def _cost(at: Level, motion: RigidTransform, anchor: Anchor | None) -> float:
    """Twice the negative logarithm of the motion's probability, up to a constant."""
    cost = pieces(at) * _log_unexplained(similarity(at, motion))
    if anchor is None:
        return cost
    return cost + float(((anchor.departure(at, motion) / anchor.sd) ** 2).sum())


def _log_unexplained(fit: float) -> float:
    return float(np.log(max(1.0 - fit**2, 1e-9)))


def shift_sd_mm(
    at: Level, motion: RigidTransform, axis: int, shift_mm: float, share: float
) -> float:
    """Return how surely the images fix the motion along an LPS axis, as a standard deviation.

    From how much less likely shifts by `shift_mm` either way are, not from the slope: noise has
    slopes too, but a shift loses nothing by it. Each shift may leave out its own `share` of the
    points, or those left out for `motion` would speak for it. Infinite where a shift explains
    as well.
    """
    sides = np.outer((0.0, -shift_mm, shift_mm), np.arange(3) == axis)
    tried = [shifted(motion, tuple(side)) for side in sides]
    here, *aside = [_log_unexplained(similarity(trimmed(at, m, share), m)) for m in tried]
    lost = pieces(at) * (min(aside) - here)
    return float(shift_mm / np.sqrt(lost)) if lost > 0 else float("inf")


def pieces(at: Level) -> float:
    """Return how many independent pieces of tissue the points amount to."""
    return at.values.size * at.each_mm3 / _PIECE_MM**3


def _gauss_newton_step(
    at: Level, motion: RigidTransform, anchor: Anchor | None
) -> FloatArray | None:
    """(6,): translation in mm and rotation vector in radians about the region's centre."""
    index = mapped(at.index_from_mm @ motion.matrix, at.points_mm)
    inside = _inside(at, index)
    if inside.mean() < _OVERLAP_MIN:
        return None
    index = index[:, inside]
    residual = _unexplained(at, inside, _sampled(at.moving, index))
    slopes = np.array([_sampled(part, index) for part in at.gradient])
    gx, gy, gz = mapped(_linear(at.index_from_mm.T), slopes)
    x, y, z = mapped(motion.matrix, at.points_mm[:, inside]) - (motion @ at.centre_mm)[:, None]
    columns = (gx, gy, gz, y * gz - z * gy, z * gx - x * gz, x * gy - y * gx)
    jacobian = np.array([_unexplained(at, inside, column) for column in columns])
    normal = np.einsum("in,jn->ij", jacobian, jacobian)
    pull = np.einsum("in,n->i", jacobian, residual)
    if anchor is not None:
        weight = float((residual**2).sum()) / pieces(at) / anchor.sd**2
        normal = normal + np.diag(weight)
        pull = pull + weight * anchor.departure(at, motion)
    # Scaled by its diagonal, so that mm and radians do not matter; a flat direction stays put.
    scale = np.sqrt(np.maximum(np.diag(normal), 1e-12))
    scaled = normal / np.outer(scale, scale) + 1e-6 * np.eye(6)
    return np.asarray(-np.linalg.solve(scaled, pull / scale) / scale)


def _linear(matrix: FloatArray) -> FloatArray:
    result = np.eye(4)
    result[:3, :3] = matrix[:3, :3]
    return result


def _moved(at: Level, motion: RigidTransform, step: FloatArray) -> RigidTransform:
    centre = motion @ at.centre_mm
    turn = Rotation.from_rotvec(step[3:]).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = centre - turn @ centre + step[:3]
    return RigidTransform(matrix).after(motion)
