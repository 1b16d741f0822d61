"""Vessels: bright tubes along the muscle, such as the inferior epigastric ones, that are no graft.

In plane a vessel is narrow in every direction, where a plate is narrow in one only; and it runs on
through many slices, where a nodule ends after one or two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.protocol import SegmentationLimits

BoolArray = NDArray[np.bool_]


def vessels(
    ratio: NDArray[np.float32], spacing_mm: tuple[float, float, float], limits: SegmentationLimits
) -> BoolArray:
    """Return the bright tubes of an axial image [x, y, z] given as ratio to muscle.

    Narrower in plane than `graft_width_min_mm`, brighter than their surroundings by
    `vessel_ratio_min` times muscle, and at least `vessel_length_mm` long.
    """
    narrow = ratio - _wide(ratio, limits.graft_width_min_mm, spacing_mm) > limits.vessel_ratio_min
    slices = max(round(limits.vessel_length_mm / spacing_mm[2]), 2)
    # A vessel may wander by a pixel from slice to slice.
    near = ndimage.binary_dilation(narrow, np.ones((3, 3, 1)))
    tubes = ndimage.binary_opening(near, np.ones((1, 1, slices)))
    labels, _ = ndimage.label(narrow | tubes & near)
    return np.asarray(near & np.isin(labels, np.unique(labels[tubes])))


def _wide(
    ratio: NDArray[np.float32], width_mm: float, spacing_mm: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Return the image without what no line of `width_mm`, in any of four directions, fits into."""
    lines = [_line(width_mm, step, spacing_mm) for step in ((1, 0), (0, 1), (1, 1), (1, -1))]
    opened = [ndimage.grey_opening(ratio, footprint=line) for line in lines]
    return np.asarray(np.max(opened, axis=0))


def _line(
    width_mm: float, step: tuple[int, int], spacing_mm: tuple[float, float, float]
) -> NDArray[np.bool_]:
    length = float(np.hypot(step[0] * spacing_mm[0], step[1] * spacing_mm[1]))
    half = max(round(width_mm / length / 2), 1)
    line = np.zeros((2 * half + 1, 2 * half + 1, 1), dtype=np.bool_)
    for n in range(-half, half + 1):
        line[half + n * step[0], half + n * step[1], 0] = True
    return line
