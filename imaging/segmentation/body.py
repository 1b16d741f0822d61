"""Body: the patient against the air, the skin in front, and the plane that halves the body."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import threshold_otsu

from imaging.geometry import FloatArray
from imaging.segmentation.axial import axial_geometry, from_axial, to_axial
from imaging.volume import Mask, Volume

BoolArray = NDArray[np.bool_]

_SMOOTHING_MM = 1.0
"""Noise in air is averaged over this before the threshold; more would blur the skin outward."""

_GHOST_MM = 8.0
"""Ghosts of the breathing wall stand in the air in front of the skin as bands about this wide."""

_FOLD_MM = 12.0
"""Gaps this wide in the outline are skin folds or dark fat, not air."""


def body_mask(image: Volume) -> Mask:
    """Return the patient: what stands out of the air, largest piece, holes filled.

    The threshold is Otsu's on the logarithm of the intensity: air and tissue are two clusters
    there even when suppressed fat is ten times darker than bowel fluid (Otsu 1979). An image
    without two clusters (constant) gives an empty mask.
    """
    spacing = axial_geometry(image.geometry).spacing_mm
    axial = _axial_body(to_axial(image.array, image.geometry), spacing)
    return Mask(from_axial(axial, image.geometry), image.geometry)


def _axial_body(array: NDArray[np.float32], spacing_mm: tuple[float, ...]) -> BoolArray:
    in_plane = (_SMOOTHING_MM / spacing_mm[0], _SMOOTHING_MM / spacing_mm[1], 0.0)
    smooth = ndimage.gaussian_filter(np.clip(array, 0, None), in_plane)
    bright = float(np.percentile(smooth, 99))
    if bright <= 0 or smooth.min() == smooth.max():
        return np.zeros(array.shape, dtype=np.bool_)
    # The offset keeps the logarithm of empty air finite, well below any tissue.
    level = np.log(smooth / bright + 0.005)
    tissue = _closed(level > threshold_otsu(level.ravel()), _FOLD_MM, spacing_mm)
    filled = [ndimage.binary_fill_holes(tissue[:, :, k]) for k in range(array.shape[2])]
    return _one_piece(_opened(np.stack(filled, axis=2), _GHOST_MM, spacing_mm))


def _one_piece(tissue: BoolArray) -> BoolArray:
    labels, count = ndimage.label(tissue)
    if count == 0:
        return tissue
    return np.asarray(labels == np.argmax(np.bincount(labels.ravel())[1:]) + 1)


def _opened(mask: BoolArray, radius_mm: float, spacing_mm: tuple[float, ...]) -> BoolArray:
    """Remove what a disc of `radius_mm` does not fit into, slice by slice."""
    return ~_closed(~mask, radius_mm, spacing_mm)


def _closed(mask: BoolArray, radius_mm: float, spacing_mm: tuple[float, ...]) -> BoolArray:
    """Fill what a disc of `radius_mm` does not fit into, slice by slice.

    The picture goes on beyond its edge: a body cut off by the field of view stays as it is.
    """
    pad = int(2 * radius_mm / min(spacing_mm[:2])) + 2
    padded = np.pad(mask, ((pad, pad), (pad, pad), (0, 0)), mode="edge")
    closed = ~_grown(~_grown(padded, radius_mm, spacing_mm), radius_mm, spacing_mm)
    return closed[pad:-pad, pad:-pad]


def _grown(mask: BoolArray, radius_mm: float, spacing_mm: tuple[float, ...]) -> BoolArray:
    """Add what lies within `radius_mm` in the same slice: a disc is a pile of lines along y."""
    grown, line, half = np.zeros_like(mask), mask.copy(), 0
    for aside in range(int(radius_mm / spacing_mm[0]), -1, -1):
        reach = int(np.sqrt(radius_mm**2 - (aside * spacing_mm[0]) ** 2) / spacing_mm[1])
        for _ in range(reach - half):
            shorter = line.copy()
            line[:, 1:] |= shorter[:, :-1]
            line[:, :-1] |= shorter[:, 1:]
        half = reach
        grown[aside:] |= line[: mask.shape[0] - aside]
        grown[: mask.shape[0] - aside] |= line[aside:]
    return grown


def skin_depth_mm(body: BoolArray, spacing_y_mm: float) -> FloatArray:
    """Return (x, z): distance from the front edge of an axial image to the skin; NaN where none."""
    first = np.argmax(body, axis=1) * spacing_y_mm
    return np.where(body.any(axis=1), first, np.nan)


def midline_index(body: BoolArray) -> FloatArray:
    """Return (z,): the x index that halves each axial slice of the body; NaN for an empty one.

    The middle between the left and right edge of the trunk, taken where both are seen: rows whose
    body touches the edge of the image are left out, because there the skin is not in the image.
    """
    rows = body.any(axis=0)
    left = np.argmax(body, axis=0).astype(np.float64)
    right = body.shape[0] - 1 - np.argmax(body[::-1], axis=0).astype(np.float64)
    seen = rows & (left > 0) & (right < body.shape[0] - 1)
    middle = np.where(seen, (left + right) / 2, np.nan)
    width = np.where(seen, right - left, 0.0)
    return np.array([_weighted_median(middle[:, k], width[:, k]) for k in range(body.shape[2])])


def _weighted_median(values: FloatArray, weights: FloatArray) -> float:
    known = np.isfinite(values) & (weights > 0)
    if not known.any():
        return float("nan")
    order = np.argsort(values[known])
    total = np.cumsum(weights[known][order])
    return float(values[known][order][np.searchsorted(total, total[-1] / 2)])
