"""India ink: the black line, one pixel wide, between fat and water on opposed-phase images.

A voxel that is half fat and half water has hardly any signal when the two are out of phase
(Earls and Krinsky, AJR 1997;169:1071), so fat in a graft is drawn round with a line that the
in-phase image does not have. A vessel, a capsule or blood is dark in both.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion

from imaging.measurements.region import IN_PLANE
from imaging.protocol import FatLimits
from imaging.volume import Volume

BoolArray = NDArray[np.bool_]

_RIM = 4
"""Pixels round the region that are looked at; beyond two of them is what surrounds it."""


def shows_india_ink(
    in_phase: Volume,
    opposed_phase: Volume,
    region: tuple[NDArray[np.intp], ...],
    limits: FatLimits,
) -> bool:
    """Return whether an ink line runs along most of a region's edge.

    Ink is a pixel at most one from the edge that is darker by `ink_drop_min` than the middle of
    the region and than its surroundings, out of phase and not in phase. The line must be seen
    beside `ink_rim_min` of the region's edge. Not where the graft borders on fat of the body:
    there every graft has a line, so `region` is a focus inside the graft.

    Parameters
    ----------
    in_phase, opposed_phase
        Of one acquisition, on one grid. Interpolation fades the line: one is missed, not invented.
    region
        Voxel indices of a focus, as `numpy.nonzero` gives them.

    Returns
    -------
    False also for a region too thin to have a middle.
    """
    box = tuple(slice(max(0, int(at.min()) - _RIM), int(at.max()) + _RIM + 1) for at in region)
    inside = np.zeros(in_phase.array.shape, dtype=np.bool_)
    inside[region] = True
    inside = inside[box]
    middle = binary_erosion(inside, IN_PLANE)
    around = _grown(inside, _RIM) & ~_grown(inside, 2)
    if not middle.any() or not around.any():
        return False
    dark, dark_in_phase = (
        _darker(image.array[box], middle, around, limits.ink_drop_min)
        for image in (opposed_phase, in_phase)
    )
    ink = _grown(inside, 1) & ~middle & dark & ~dark_in_phase
    edge = inside & ~middle
    beside = edge & binary_dilation(ink, np.ones((3, 3, 1)))
    return bool(beside.sum() >= limits.ink_rim_min * edge.sum())


def _grown(region: BoolArray, pixels: int) -> BoolArray:
    return np.asarray(binary_dilation(region, IN_PLANE, iterations=pixels))


def _darker(
    image: NDArray[np.float32], middle: BoolArray, around: BoolArray, drop: float
) -> BoolArray:
    sides = (float(np.median(image[part])) for part in (middle, around))
    return np.asarray(image < (1 - drop) * min(sides))
