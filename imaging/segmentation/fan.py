"""Fan: the front of the abdomen unrolled, along the skin and straight down from it.

Rays start behind the front wall and spread like a fan through each axial slice, so that a curved
wall becomes a flat band: `along` is the arc from the midline (mm, positive to the patient's left),
`depth` the distance below the skin (mm).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.segmentation.body import BoolArray, midline_index
from imaging.segmentation.paths import cheapest

ALONG_STEP_MM = 2.0
DEPTH_STEP_MM = 0.75
_HALF_WIDTH_FRACTION = 0.72
"""The fan reaches this share of half the body's width to either side: beyond any rectus."""
_DEEPEST_MM = 75.0
_DEPTHS_FOR_SYMMETRY = slice(4, 64)
"""Samples below the skin whose edges are compared: fat and muscle, 3 to 48 mm."""
_SYMMETRY_REACH = 0.12
"""How far the plane of symmetry may lie off the middle of the outline, over half its width."""
_PRIOR_CUT, _PRIOR_WHOLE = 0.15, 0.6
"""Correlation that has to speak for being that far off an outline cut off, or seen whole."""
_SKIN_REACH_MM = 15.0
"""How far the skin may lie from the smooth outline of the body mask (ghosts, dark fat)."""


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """Rays through every slice of an axial array [x, y, z].

    Parameters
    ----------
    spacing_mm
        Of the axial array.
    centre_mm
        (z, 2): where the rays start, in mm of the array's x and y.
    radius_mm
        Half the body's width: an angle of one radian is this far along.
    along_mm
        (n,) columns of the unrolled wall.
    skin_mm
        (z, n) distance from the centre to the skin.
    """

    spacing_mm: tuple[float, float, float]
    centre_mm: FloatArray
    radius_mm: float
    along_mm: FloatArray
    skin_mm: FloatArray

    @property
    def depth_mm(self) -> FloatArray:
        """(d,) depths of `unrolled`."""
        return np.arange(0.0, _DEEPEST_MM, DEPTH_STEP_MM)

    def unrolled(self, array: NDArray[Any]) -> NDArray[np.float32]:
        """Return (z, along, depth): `array` sampled along the rays, below the skin; 0 outside."""
        return self._sampled(array, self.skin_mm[:, :, None] - self.depth_mm)

    def points_index(self, along_mm: FloatArray, depth_mm: FloatArray) -> FloatArray:
        """Return (z, 3): the voxel index [x, y, z] of one point in each slice."""
        slices = np.arange(along_mm.size)
        skin = np.array(
            [np.interp(a, self.along_mm, s) for a, s in zip(along_mm, self.skin_mm, strict=True)]
        )
        angle, reach = along_mm / self.radius_mm, skin - depth_mm
        x = (self.centre_mm[:, 0] + reach * np.sin(angle)) / self.spacing_mm[0]
        y = (self.centre_mm[:, 1] - reach * np.cos(angle)) / self.spacing_mm[1]
        return np.stack([x, y, slices], axis=1)

    def coordinates(self, shape: tuple[int, int], z: int) -> tuple[FloatArray, FloatArray]:
        """Return (x, y) arrays: along and depth of each voxel of slice `z`, in mm."""
        x = np.arange(shape[0])[:, None] * self.spacing_mm[0] - self.centre_mm[z, 0]
        y = self.centre_mm[z, 1] - np.arange(shape[1])[None, :] * self.spacing_mm[1]
        along = np.arctan2(x, y) * self.radius_mm
        depth = np.interp(along, self.along_mm, self.skin_mm[z]) - np.hypot(x, y)
        return along, depth

    def _sampled(self, array: NDArray[Any], reach_mm: FloatArray) -> NDArray[np.float32]:
        angle = (self.along_mm / self.radius_mm)[None, :, None]
        x = (self.centre_mm[:, 0, None, None] + reach_mm * np.sin(angle)) / self.spacing_mm[0]
        y = (self.centre_mm[:, 1, None, None] - reach_mm * np.cos(angle)) / self.spacing_mm[1]
        z = np.broadcast_to(np.arange(array.shape[2])[:, None, None], x.shape)
        found = ndimage.map_coordinates(
            array, [x, y, z], order=1, mode="constant", output=np.float32
        )
        return np.asarray(found)


def spread(
    image: NDArray[np.float32], body: BoolArray, spacing_mm: tuple[float, float, float]
) -> Fan:
    """Lay a fan through the front of `body`, its skin on the strongest rise of the image there.

    `body` has at least one voxel; slices without any borrow from their neighbours.
    """
    middle = _steady(midline_index(body)) * spacing_mm[0]
    return _laid(image, body, spacing_mm, middle)


def centred(fan: Fan, image: NDArray[np.float32], body: BoolArray) -> Fan:
    """Move the fan sideways to where the wall in `image` mirrors itself best.

    The outline of the body misleads when it is cut off, or lies on one side.
    """
    cut = (body[0].any(axis=0) | body[-1].any(axis=0)).mean() > 0.25
    shift = _symmetry_mm(fan, image, _PRIOR_CUT if cut else _PRIOR_WHOLE)
    middle = fan.centre_mm[:, 0] + fan.radius_mm * np.sin(shift / fan.radius_mm)
    return _laid(image, body, fan.spacing_mm, middle)


def _laid(
    image: NDArray[np.float32],
    body: BoolArray,
    spacing_mm: tuple[float, float, float],
    middle_mm: FloatArray,
) -> Fan:
    radius = _half_width_mm(body, spacing_mm)
    centre = np.stack([middle_mm, _front_mm(body, middle_mm, spacing_mm) + radius], axis=1)
    columns = int(_HALF_WIDTH_FRACTION * radius / ALONG_STEP_MM)
    along = np.asarray(np.arange(-columns, columns + 1) * ALONG_STEP_MM, dtype=np.float64)
    blank = np.full((body.shape[2], along.size), radius)
    fan = Fan(spacing_mm, centre, radius, along, blank)
    return _on_skin(replace(fan, skin_mm=_outline_mm(fan, body)), image)


def _symmetry_mm(fan: Fan, image: NDArray[np.float32], prior: float) -> FloatArray:
    """(z,): place along the wall about which the edges in depth mirror themselves."""
    rise = depth_steps(log_level(fan.unrolled(image), fan.spacing_mm[2]))
    edges = np.clip(rise[:, :, _DEPTHS_FOR_SYMMETRY], -0.2, 0.2)
    middle = fan.along_mm.size // 2
    reach = round(_SYMMETRY_REACH * fan.radius_mm / ALONG_STEP_MM)
    shifts, overlap = np.arange(-reach, reach + 1), middle - reach
    likeness = np.empty((edges.shape[0], shifts.size), dtype=np.float32)
    for index, shift in enumerate(shifts):
        part = edges[:, middle + shift - overlap : middle + shift + overlap + 1]
        product = (part * part[:, ::-1]).sum(axis=(1, 2))
        likeness[:, index] = product / np.maximum((part**2).sum(axis=(1, 2)), 1e-6)
    pooled = ndimage.gaussian_filter1d(likeness, 20.0 / fan.spacing_mm[2], axis=0, mode="nearest")
    cost = prior * (shifts / reach) ** 2 - pooled
    (found,) = cheapest(cost[None].astype(np.float32), (1,), (0.02,))
    return _steady(np.asarray(shifts[found[0]] * ALONG_STEP_MM, dtype=np.float64))


def _steady(values: FloatArray) -> FloatArray:
    """Fill gaps from the neighbouring slices, drop outliers and smooth along z."""
    known = np.flatnonzero(np.isfinite(values))
    filled = np.interp(np.arange(values.size), known, values[known])
    return np.asarray(
        ndimage.gaussian_filter1d(
            ndimage.median_filter(filled, 5, mode="nearest"), 2.0, mode="nearest"
        )
    )


def _half_width_mm(body: BoolArray, spacing_mm: tuple[float, float, float]) -> float:
    widths = body.any(axis=1).sum(axis=0)
    return float(np.median(widths[widths > 0])) * spacing_mm[0] / 2


def _front_mm(
    body: BoolArray, middle_mm: FloatArray, spacing_mm: tuple[float, float, float]
) -> FloatArray:
    column = np.clip(np.rint(middle_mm / spacing_mm[0]).astype(int), 0, body.shape[0] - 1)
    line = body[column, :, np.arange(body.shape[2])]
    front = np.where(line.any(axis=1), line.argmax(axis=1) * spacing_mm[1], np.nan)
    return _steady(front)


def _outline_mm(fan: Fan, body: BoolArray) -> FloatArray:
    """(z, along): a smooth outline of the body mask, a polynomial of degree 4 fitted robustly."""
    reach = np.arange(1.5 * fan.radius_mm, 0.5 * fan.radius_mm, -1.0)
    rays = np.broadcast_to(reach, (*fan.skin_mm.shape, reach.size))
    inside = fan._sampled(body.astype(np.float32), rays) > 0.5
    edge = np.where(inside.any(axis=2), reach[inside.argmax(axis=2)], fan.radius_mm)
    terms = np.vander(fan.along_mm / fan.along_mm[-1], 5)
    smooth = np.stack([_robust_fit(terms, row) for row in edge])
    return np.asarray(ndimage.median_filter(smooth, (5, 1), mode="nearest"))


def _robust_fit(terms: FloatArray, values: FloatArray) -> FloatArray:
    """Least squares with Cauchy weights, six rounds; residuals of 3 mm count half."""
    weight = np.ones(values.size)
    fitted = values
    for _ in range(6):
        coefficients = np.linalg.lstsq(terms * weight[:, None], values * weight, rcond=None)[0]
        fitted = terms @ coefficients
        weight = 1 / np.sqrt(1 + ((values - fitted) / 3.0) ** 2)
    return np.asarray(fitted)


def _on_skin(fan: Fan, image: NDArray[np.float32]) -> Fan:
    """Move the outline to the strongest rise of log intensity, a smooth surface near it."""
    offset = np.arange(-_SKIN_REACH_MM, _SKIN_REACH_MM, DEPTH_STEP_MM)
    rays = fan._sampled(image, fan.skin_mm[:, :, None] - offset)
    bright = max(float(np.percentile(rays, 99)), np.finfo(np.float32).tiny)
    smooth = ndimage.gaussian_filter(np.clip(rays, 0, None), (0.7, 1.5, 1.0))
    level = np.log(smooth / bright + 0.1)
    rise = np.clip(ndimage.gaussian_filter1d(level, 2.0, axis=2, order=1), 0, None)
    strength = rise / np.maximum(rise.max(axis=2, keepdims=True), 1e-3)
    cost = (0.01 * np.abs(offset) - strength).astype(np.float32)
    (found,) = cheapest(cost, (1,), (0.25,))
    skin = ndimage.median_filter(fan.skin_mm - offset[found], (3, 5), mode="nearest")
    return replace(fan, skin_mm=ndimage.gaussian_filter(skin, (0.4, 1.0), mode="nearest"))


def log_level(image: NDArray[np.float32], spacing_z_mm: float) -> NDArray[np.float32]:
    """Return log intensity of an unrolled image relative to its median, lightly smoothed.

    Logarithms turn coil shading into an offset; 5 % of the median keeps noise in dark fat small.
    """
    covered = image[image > 0]
    middle = float(np.median(covered)) if covered.size else 1.0
    level = np.log(np.clip(image, 0, None) / middle + 0.05)
    along_z = min(3.0 / spacing_z_mm, 0.6)
    return np.asarray(ndimage.gaussian_filter(level, (along_z, 0.7, 0.5), mode="nearest"))


def depth_steps(level: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rise of log intensity over about 2 mm of depth."""
    return np.asarray(3.0 * ndimage.gaussian_filter1d(level, 1.5, axis=2, order=1))
