"""AxialView: one slice as radiologists look at it, cut to a window, in square pixels.

The patient's left is on the right of the screen, front up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import Geometry

PIXEL_MM = 0.4
MARGIN_MM = 25.0


@dataclass(frozen=True, slots=True, eq=False)
class AxialView:
    """Slice `k` along voxel axis `k_axis` of a grid; `window` is (rows, columns) of the slice."""

    geometry: Geometry
    k_axis: int
    k: int
    window: tuple[slice, slice]

    def shown(self, array: NDArray[Any]) -> NDArray[np.float64]:
        """Return an array of the grid as pixels of PIXEL_MM, interpolated linearly."""
        plane = _upright(array, self.geometry, self.k_axis, self.k)[self.window]
        zoom = [mm / PIXEL_MM for mm in _in_plane_mm(self.geometry)]
        return np.asarray(ndimage.zoom(plane.astype(np.float64), zoom, order=1))

    def region(self, array: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return a mask of the grid as pixels."""
        return np.asarray(self.shown(array) > 0.5)

    def at(self, k: int) -> AxialView:
        """Return the same window of another slice."""
        return AxialView(self.geometry, self.k_axis, k, self.window)


def view_round(
    region: NDArray[np.bool_],
    geometry: Geometry,
    most: NDArray[Any] | None = None,
    margin_mm: float = MARGIN_MM,
) -> AxialView:
    """Return the slice with most of `most` (default: of `region`), cut to `region` and a margin.

    The whole slice where the region is not in it.
    """
    k_axis, k = busiest_slice(region if most is None else most, geometry)
    within = _window(_upright(region, geometry, k_axis, k), geometry, margin_mm)
    return AxialView(geometry, k_axis, k, within)


def busiest_slice(region: NDArray[Any], geometry: Geometry) -> tuple[int, int]:
    """Return the voxel axis nearest head-foot, and the slice along it with most of a region."""
    axis, _ = geometry.axis_toward(2)
    others = tuple(a for a in range(3) if a != axis)
    return axis, int(region.sum(axis=others).argmax())


def outline(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the innermost ring of pixels of a region."""
    return np.asarray(region & ~ndimage.binary_erosion(region))


def _upright(array: NDArray[Any], geometry: Geometry, k_axis: int, k: int) -> NDArray[Any]:
    """Return slice `k` as rows from anterior to posterior, columns from right to left."""
    (x_axis, x_sign), (y_axis, y_sign) = geometry.axis_toward(0), geometry.axis_toward(1)
    plane = np.take(array, k, axis=k_axis)
    if x_axis < y_axis:
        plane = plane.T
    return np.asarray(plane[::y_sign, ::x_sign])


def _in_plane_mm(geometry: Geometry) -> tuple[float, float]:
    (x_axis, _), (y_axis, _) = geometry.axis_toward(0), geometry.axis_toward(1)
    return geometry.spacing_mm[y_axis], geometry.spacing_mm[x_axis]


def _window(region: NDArray[Any], geometry: Geometry, margin_mm: float) -> tuple[slice, slice]:
    if not region.any():
        return slice(0, region.shape[0]), slice(0, region.shape[1])
    bounds = []
    for axis, (size, mm) in enumerate(zip(region.shape, _in_plane_mm(geometry), strict=True)):
        where = np.flatnonzero(region.any(axis=1 - axis))
        margin = round(margin_mm / mm)
        bounds.append(slice(max(where[0] - margin, 0), min(where[-1] + margin + 1, size)))
    return bounds[0], bounds[1]
