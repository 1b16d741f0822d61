"""Vessels: bright tubes along the muscle, such as the inferior epigastric ones, that are no graft.

In plane a vessel is narrow in every direction, where a plate is narrow in one only; and it runs on
through many slices, where a nodule ends after one or two.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.segmentation_limits import SegmentationLimits

BoolArray = NDArray[np.bool_]


def vessels(
    ratio: NDArray[np.float32], spacing_mm: tuple[float, float, float], limits: SegmentationLimits
) -> BoolArray:
    """Return the bright tubes of an axial image [x, y, z] given as ratio to muscle.

    Narrower in plane than `graft_width_min_mm`, `vessel_ratio_min` times as bright as their
    surroundings, and at least `vessel_length_mm` long.
    """
    wide = _wide(ratio, limits.graft_width_min_mm, spacing_mm)
    narrow = ratio > limits.vessel_ratio_min * np.maximum(wide, 1.0)
    slices = max(round(limits.vessel_length_mm / spacing_mm[2]), 2)
    # A vessel may wander by a pixel from slice to slice.
    near = ndimage.binary_dilation(narrow, np.ones((3, 3, 1)))
    return np.asarray(ndimage.binary_opening(near, np.ones((1, 1, slices))))


def _wide(
    ratio: NDArray[np.float32], width_mm: float, spacing_mm: tuple[float, float, float]
) -> NDArray[np.float32]:
    """Return the image without what no line of `width_mm`, in any of eight directions, fits."""
    lines = [_line(width_mm, n * np.pi / 8, spacing_mm) for n in range(8)]
    opened = [ndimage.grey_opening(ratio, footprint=line) for line in lines]
    return np.asarray(np.max(opened, axis=0))


def _line(
    width_mm: float, angle: float, spacing_mm: tuple[float, float, float]
) -> NDArray[np.bool_]:
    along = np.linspace(-width_mm / 2, width_mm / 2, 65)
    x, y = (
        np.rint(along * part / step).astype(int)
        for part, step in zip((np.cos(angle), np.sin(angle)), spacing_mm, strict=False)
    )
    line = np.zeros((2 * x.max() + 1, 2 * abs(y).max() + 1, 1), dtype=np.bool_)
    line[x + x.max(), y + abs(y).max(), 0] = True
    return line
