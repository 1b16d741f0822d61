"""Resolution: two images prepared for alignment at one distance between points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray, Geometry
from imaging.resampling import shrink
from imaging.volume import Mask, Volume

CLASSES = 32
"""Equally filled classes of the fixed image in the correlation ratio."""

_POINTS_MAX = 20_000
"""Points nearer to each other than tissue is alike say the same thing again."""


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

    def having(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> Level:
        """Return the level with some of its points only, each standing for what it did."""
        return replace(
            self,
            points_mm=np.ascontiguousarray(self.points_mm[:, chosen]),
            values=self.values[chosen],
            classes=None if self.classes is None else self.classes[chosen],
        )

    def thinned(self, most: int) -> Level:
        """Return the level with every so many of its points, no more than about `most`."""
        step = max(1, self.values.size // most)
        return replace(
            self.having(np.arange(step // 2, self.values.size, step)),
            each_mm3=self.each_mm3 * step,
        )

    def within(self, region: Mask) -> NDArray[np.bool_]:
        """(n,): whether each point lies in a mask, on whatever grid."""
        there = np.asarray(np.linalg.inv(region.geometry.affine), dtype=np.float64)
        place = np.rint(mapped(there, self.points_mm))
        place = np.clip(place.astype(np.intp), 0, np.array(region.geometry.shape)[:, None] - 1)
        return np.asarray(region.array[tuple(place)])


def level(fixed: Volume, moving: Volume, region: Mask, spacing_mm: float, cross: bool) -> Level:
    """Prepare one resolution.

    Points lie about `spacing_mm` apart, or one slice where slices are thicker; both images are
    smoothed by half of that distance. A large region keeps every so many of them.
    """
    fixed, moving = shrink(fixed, spacing_mm / 2), shrink(moving, spacing_mm / 2)
    index = _lattice(fixed.geometry, region, spacing_mm)
    values = smoothed(fixed, spacing_mm / 2)[tuple(index)].astype(np.float64)
    carried = smoothed(moving, spacing_mm / 2)
    gradient = tuple(slope(carried, axis) for axis in range(3))
    fine = Level(
        points_mm=mapped(fixed.geometry.affine, index.astype(np.float64)),
        values=values,
        classes=_classes(values) if cross else None,
        moving=carried,
        gradient=gradient,
        index_from_mm=np.asarray(np.linalg.inv(moving.geometry.affine), dtype=np.float64),
        tolerance_mm=spacing_mm / 2000,
        each_mm3=float(np.prod(_strides(fixed.geometry, spacing_mm) * fixed.geometry.spacing_mm)),
    )
    return fine.thinned(_POINTS_MAX)


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


def slope(array: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    """Return the derivative along an axis, per voxel; 0 along an axis of one voxel."""
    if array.shape[axis] < 2:
        return np.zeros_like(array)
    return np.asarray(np.gradient(array, axis=axis), dtype=np.float32)


def smoothed(volume: Volume, sigma_mm: float) -> NDArray[np.float32]:
    """Return the image blurred by a Gaussian of `sigma_mm`."""
    sigmas = [sigma_mm / mm for mm in volume.geometry.spacing_mm]
    return np.asarray(ndimage.gaussian_filter(volume.array, sigmas, truncate=3.0))


def _classes(values: FloatArray) -> NDArray[np.intp]:
    edges = np.unique(np.quantile(values, np.linspace(0, 1, CLASSES + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right")


def mapped(matrix: FloatArray, points: FloatArray) -> FloatArray:
    """Map (3, n) points by a (4, 4) matrix, sums in a fixed order."""
    x, y, z = points
    rows = [row[0] * x + row[1] * y + row[2] * z + row[3] for row in matrix[:3]]
    return np.array(rows)


def linear(matrix: FloatArray) -> FloatArray:
    """Return (4, 4) without its translation: what maps directions."""
    result = np.eye(4)
    result[:3, :3] = matrix[:3, :3]
    return result
