"""Landmarks: sharp edges of the wall, and how far from their place a map puts them.

An edge is found again only across itself, so each is looked for along its own gradient: the
profile at the mapped place is shifted until it matches best (normalised correlation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.resolution import linear, mapped, slope, smoothed
from imaging.transform import Transform
from imaging.volume import Mask, Volume

_BLUR_MM = 1.0
_APART_MM = 6.0
_MOST = 60
_STEP_MM = 0.5
_PROFILE = np.arange(-8, 9) * _STEP_MM
"""4 mm to either side of an edge."""
_SHIFTS = np.arange(-8, 9)
"""In steps of the profile: 4 mm either way."""
_ALIKE = 0.8
"""Correlation at which an edge counts as found again."""
PROFILE_MM = float(_PROFILE[-1])
"""How far round an edge the image is looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class LandmarkErrors:
    """Distances (mm) of the edges found again, and how many were looked for.

    `agreement` is the median correlation of the profiles where they lie, before any shift: about
    0 between images of different things, in which a shift always finds something.
    """

    error_mm: FloatArray
    sought: int
    agreement: float

    @property
    def found_share(self) -> float:
        """Share of the edges found again; 0 when there was none to look for."""
        return self.error_mm.size / self.sought if self.sought else 0.0


def landmark_errors(fixed: Volume, moving: Volume, there: Transform, where: Mask) -> LandmarkErrors:
    """Return how far `there` (moving from fixed) puts the edges of `fixed` inside `where`.

    `where` lies on the fixed grid; empty gives no edges.
    """
    points, normal = _edges(fixed, where)
    if not len(points):
        return LandmarkErrors(np.empty(0), 0, 0.0)
    reach = np.arange(_PROFILE.size + _SHIFTS.size - 1)
    along = (reach - reach.mean()) * _STEP_MM
    here = _profiles(fixed, points[:, None] + _PROFILE[:, None] * normal[:, None])
    lines = points[:, None] + along[:, None] * normal[:, None]
    then = there @ lines.reshape(-1, 3)
    found = _profiles(moving, then.reshape(lines.shape))
    windows = np.lib.stride_tricks.sliding_window_view(found, _PROFILE.size, axis=1)
    likeness = _correlation(here[:, None], windows)
    best = likeness.argmax(axis=1)
    again = likeness.max(axis=1) >= _ALIKE
    agreement = float(np.median(likeness[:, _SHIFTS.size // 2]))
    return LandmarkErrors(np.abs(_SHIFTS[best] * _STEP_MM)[again], len(points), agreement)


def _edges(image: Volume, where: Mask) -> tuple[FloatArray, FloatArray]:
    """Return the sharpest places (n, 3), none near another, and their directions in plane."""
    level = Volume(smoothed(image, _BLUR_MM), image.geometry)
    index = np.argwhere(where.array)
    # In plane only: across slices an edge is as blurred as a slice is thick.
    slopes = np.array([slope(level.array, axis)[where.array] for axis in (0, 1)])
    back = linear(np.asarray(np.linalg.inv(image.geometry.affine)).T)
    gradient = mapped(back, np.stack([*slopes, np.zeros(len(index))])).T
    strength = np.linalg.norm(gradient, axis=1)
    points = image.geometry.to_world(index)
    chosen: list[int] = []
    for n in np.argsort(-strength, kind="stable"):
        if len(chosen) == _MOST or strength[n] <= 0:
            break
        if all(np.linalg.norm(points[n] - points[m]) >= _APART_MM for m in chosen):
            chosen.append(int(n))
    return points[chosen], gradient[chosen] / np.maximum(strength[chosen, None], 1e-12)


def _profiles(image: Volume, points_mm: FloatArray) -> FloatArray:
    index = np.moveaxis(image.geometry.to_index(points_mm), -1, 0)
    return np.asarray(
        ndimage.map_coordinates(
            smoothed(image, _BLUR_MM), index, np.float64, order=1, mode="nearest"
        )
    )


def _correlation(one: FloatArray, other: FloatArray) -> FloatArray:
    """Along the last axis; 0 where either is flat."""
    a, b = (x - x.mean(axis=-1, keepdims=True) for x in (one, other))
    size = np.sqrt((a**2).sum(axis=-1) * (b**2).sum(axis=-1))
    return np.asarray((a * b).sum(axis=-1) / np.maximum(size, 1e-9))
