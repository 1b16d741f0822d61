"""Axial: the same voxels with axes that run to the patient's Left, Posterior and Superior.

Segmentation thinks in slices seen from below with the front of the patient at y = 0. Only axes
are swapped and reversed, no voxel is resampled, so a mask goes back bit for bit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import Geometry


def to_axial(array: NDArray[Any], geometry: Geometry) -> NDArray[Any]:
    """Return a view of `array` indexed [x, y, z], growing to Left, Posterior and Superior."""
    order, flips = _axes(geometry)
    return array.transpose(order)[flips]


def from_axial(array: NDArray[Any], geometry: Geometry) -> NDArray[Any]:
    """Undo `to_axial`: an [x, y, z] array goes back to the [i, j, k] of `geometry`."""
    order, flips = _axes(geometry)
    return array[flips].transpose(np.argsort(order))


def axial_geometry(geometry: Geometry) -> Geometry:
    """Return the grid of `to_axial`'s array: the same voxel positions, reordered."""
    order, flips = _axes(geometry)
    shape = tuple(geometry.shape[axis] for axis in order)
    affine = geometry.affine.copy()
    start = np.zeros(3)
    for lps, axis in enumerate(order):
        sign = flips[lps].step
        affine[:3, lps] = sign * geometry.affine[:3, axis]
        start[axis] = 0 if sign > 0 else geometry.shape[axis] - 1
    affine[:3, 3] = geometry.to_world(start)
    return Geometry(affine, (shape[0], shape[1], shape[2]), geometry.frame_of_reference)


def _axes(geometry: Geometry) -> tuple[tuple[int, int, int], tuple[slice, slice, slice]]:
    towards = [geometry.axis_toward(lps) for lps in range(3)]
    order = (towards[0][0], towards[1][0], towards[2][0])
    flips = tuple(slice(None, None, sign) for _, sign in towards)
    return order, (flips[0], flips[1], flips[2])
