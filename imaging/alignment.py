"""Alignment: one rigid motion that makes one image explain another best, by Gauss-Newton.

The moving image m, carried by the motion, is explained by the fixed image f at the points of a
region: by a line (same contrast, so the similarity is the correlation) or by the mean of m in
each of a number of equally filled classes of f (cross contrast: the correlation ratio of Roche
et al., MICCAI 1998). In both the explanation is linear in m, so it is projected out of residual
and Jacobian, and each iteration solves six equations.

The worst explained points are left out, because a resorbing graft and moving bowel are no part of
the motion. Sums run in one fixed order without BLAS: the result has
the same bits at any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from imaging.geometry import FloatArray
from imaging.resolution import CLASSES, Level, linear, mapped
from imaging.transform import RigidTransform

_OVERLAP_MIN = 0.5
_OVERLAP_LOSS_MAX = 0.05
_ITERATIONS = 25
_HALVINGS = 5
_SEARCH_POINTS = 4000
"""Some for every piece of a trunk: a search takes one shift of many, and refining follows."""
_PIECE_MM = 25.0
"""Neighbouring tissue is explained well or badly together: about this much counts once."""


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


def similarity(at: Level, motion: RigidTransform) -> float:
    """Return the correlation, or the root of the correlation ratio, 0 to 1.

    0 when the correlation is negative, an image is flat, or the images hardly overlap.
    """
    return _similarity(at, _place(at, motion), _OVERLAP_MIN)


def _similarity(at: Level, index: FloatArray, overlap_min: float) -> float:
    inside = _inside(at, index)
    if inside.mean() < overlap_min:
        return 0.0
    found = _sampled(at.moving, index[:, inside])
    apart = found - found.mean()
    total = float((apart**2).sum())
    if total <= 0.0:
        return 0.0
    residual = _unexplained(at, inside, found)
    explained = max(0.0, 1.0 - float((residual**2).sum()) / total)
    falling = at.classes is None and float((apart * at.values[inside]).sum()) < 0
    return 0.0 if falling else float(np.sqrt(explained))


def _place(at: Level, motion: RigidTransform) -> FloatArray:
    """(3, n): where `motion` puts the points, in voxels of the moving image."""
    return mapped(at.index_from_mm @ motion.matrix, at.points_mm)


def _inside(at: Level, index: FloatArray) -> NDArray[np.bool_]:
    limits = np.array(at.moving.shape)[:, None] - 1
    return np.asarray(((index >= 0) & (index <= limits)).all(axis=0))


def _sampled(array: NDArray[np.float32], index: FloatArray) -> FloatArray:
    return np.asarray(ndimage.map_coordinates(array, index, np.float64, order=1, mode="nearest"))


def _unexplained(at: Level, inside: NDArray[np.bool_], found: FloatArray) -> FloatArray:
    """Return what is left of `found` when the fixed image has explained all it can."""
    if at.classes is not None:
        kind = at.classes[inside]
        count = np.maximum(np.bincount(kind, minlength=CLASSES), 1)
        return np.asarray(found - (np.bincount(kind, found, CLASSES) / count)[kind])
    value = at.values[inside] - at.values[inside].mean()
    spread = float((value**2).sum())
    slope = float((value * found).sum()) / spread if spread > 0 else 0.0
    return np.asarray(found - found.mean() - slope * value)


def overlap(at: Level, motion: RigidTransform) -> float:
    """Return the share of the fixed points that the moving image shows, 0 to 1."""
    return float(_inside(at, _place(at, motion)).mean())


def trimmed(at: Level, motion: RigidTransform, share: float) -> Level:
    """Return the level without the `share` of its points that `motion` explains worst.

    A graft that resorbs and bowel that moves on are no part of the motion (least trimmed squares,
    Rousseeuw 1984).
    """
    index = _place(at, motion)
    inside = _inside(at, index)
    if not inside.any():
        return at
    found = _sampled(at.moving, index[:, inside])
    residual = np.abs(_unexplained(at, inside, found))
    keep = np.flatnonzero(inside)[residual <= np.quantile(residual, 1 - share)]
    return at.having(keep)


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
    at = at.thinned(_SEARCH_POINTS)
    place, steps = _place(at, start), np.array(shifts) @ at.index_from_mm[:3, :3].T
    # A shift that leaves the image has less to explain: it must not win by that.
    least = max(overlap_min, _OVERLAP_MIN)
    found = [_similarity(at, place + step[:, None], least) for step in steps]
    return shifted(start, shifts[int(np.argmax(found))])


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
    index = _place(at, motion)
    inside = _inside(at, index)
    if inside.mean() < _OVERLAP_MIN:
        return None
    index = index[:, inside]
    residual = _unexplained(at, inside, _sampled(at.moving, index))
    slopes = np.array([_sampled(part, index) for part in at.gradient])
    gx, gy, gz = mapped(linear(at.index_from_mm.T), slopes)
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


def _moved(at: Level, motion: RigidTransform, step: FloatArray) -> RigidTransform:
    centre = motion @ at.centre_mm
    turn = Rotation.from_rotvec(step[3:]).as_matrix()
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = centre - turn @ centre + step[:3]
    return RigidTransform(matrix).after(motion)
