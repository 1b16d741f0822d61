"""Wall: the region in front of the abdomen that moves as one, for registration to look at."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.segmentation.axial import axial_geometry, from_axial, to_axial
from imaging.segmentation.body import BoolArray, midline_index, skin_depth_mm
from imaging.volume import Mask, Volume

_BOWEL_MARGIN_MM = 2.0
"""Room left in front of the first bright bowel, one pixel and a half."""


def anterior_wall(
    t2: Volume, body: Mask, depth_mm: float = 35.0, half_width_mm: float = 90.0
) -> Mask:
    """Return subcutaneous fat and muscle in front of the abdomen, without the bowel behind.

    From the front skin to `depth_mm` below it, `half_width_mm` to either side of the midline;
    each column ends in front of the first very bright fluid. Empty when `body` is.
    """
    geometry = axial_geometry(t2.geometry)
    inside = to_axial(body.array, body.geometry)
    image = to_axial(t2.array, t2.geometry)
    spacing = geometry.spacing_mm
    front = _front(inside, spacing[1])
    below = np.arange(inside.shape[1])[None, :, None] * spacing[1] - front[:, None, :]
    middle = _filled(midline_index(inside))
    aside = np.abs(np.arange(inside.shape[0])[:, None] - middle) * spacing[0]
    end = np.minimum(depth_mm, _bowel_depth_mm(image, inside, below, spacing))
    region = inside & (below <= end[:, None, :]) & (aside <= half_width_mm)[:, None, :]
    return Mask(from_axial(region, t2.geometry), t2.geometry)


def _front(inside: BoolArray, spacing_y_mm: float) -> FloatArray:
    depth = skin_depth_mm(inside, spacing_y_mm)
    # A skin fold or an arm at the side must not shift its neighbours.
    known = np.where(np.isnan(depth), np.inf, depth)
    return np.asarray(ndimage.median_filter(known, size=(5, 1), mode="nearest"))


def _bowel_depth_mm(
    image: FloatArray, inside: BoolArray, below_mm: FloatArray, spacing_mm: tuple[float, ...]
) -> FloatArray:
    """(x, z): depth at which fluid begins; infinite where there is none."""
    if not inside.any():
        return np.full(image.shape[::2], np.inf)
    fluid = ndimage.uniform_filter(image, (3, 1, 1)) > _fluid_level(image, inside)
    # Vessels and failed suppression near the skin are small or shallow: fluid is a larger piece.
    fluid = ndimage.binary_opening(fluid & inside, np.ones((5, 3, 1)))
    depth = np.where(fluid, below_mm, np.inf).min(axis=1) - _BOWEL_MARGIN_MM
    reach = max(1, round(5.0 / spacing_mm[0]))
    return np.asarray(ndimage.minimum_filter1d(depth, 2 * reach + 1, axis=0))


def _fluid_level(image: FloatArray, inside: BoolArray) -> float:
    """Half way, on a logarithmic scale, from the median of the body to its brightest percent."""
    middle, bright = np.percentile(image[inside], [50, 99])
    return float(np.sqrt(max(middle, 0.0) * max(bright, 0.0)))


def _filled(values: FloatArray) -> FloatArray:
    """Carry known values into the slices that have none; zeros when nothing is known."""
    known = np.flatnonzero(np.isfinite(values))
    if known.size == 0:
        return np.zeros(values.shape)
    return np.asarray(np.interp(np.arange(values.size), known, values[known]))
