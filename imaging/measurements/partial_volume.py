"""Partial volume: the graft's volume below the voxel, from how bright its border voxels are.

A voxel that the border crosses is a mixture: its intensity lies between those of the graft and of
what surrounds it there, in proportion to what it holds of each (two compartments, Santago and
Gage, IEEE Trans Image Process 1995;4:1531-1540). The sum of these shares does not jump when the
border moves by less than a voxel, as a count of whole voxels does, and a plate that blur has
widened loses what it gained.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.measurement import Measurement, measured, missing
from imaging.measurements.foci import ALL_IN_PLANE
from imaging.measurements.region import cropped_pair, pixel_mm
from imaging.measurements.shape import NORMAL_95, mesh
from imaging.messages import text
from imaging.protocol import MorphologyLimits
from imaging.volume import Mask, Volume

BoolArray = NDArray[np.bool_]

_INSIDE_MM, _OUTSIDE_MM = 6.0, 1.5
"""How far levels are averaged in plane: a graft is even, and what borders on it is not."""
_THROUGH_SLICES = 0.6
_MARGIN = (3, 3, 3)
_BEYOND = 0.5
"""Noise carries a pure voxel out of 0 to 1; cut there, it would only ever add to the outside."""
_ROUNDING = 12.0
"""A share rounded to 0 or 1 is off by up to a half either way: variance 1/12."""
_CORE_VOXELS_MIN = 8
_EXTREME_PERCENT = 10
"""So much of a plate too thin to have a core lies square on voxels: it shows the own level."""
_AROUND = np.zeros((3, 3, 3), np.bool_)
_AROUND[:, :, 1] = _AROUND[1, 1, :] = True
"""Eight neighbours in the slice and two through it: slices are thick, slanted ones far away."""


def subvoxel_volume(volume: Volume, graft: Mask, limits: MorphologyLimits) -> Measurement:
    """Return the graft's volume, mL, with borders below the voxel.

    Missing for an empty mask, and where the image denies the mask: its border is no mixture of
    what lies inside and outside.

    Parameters
    ----------
    volume
        T2W-FS, corrected for shading, slices along the third axis.
    graft
        On the same grid. Only voxels at its border are shared out; where graft and surroundings
        are alike, they count as the mask has them.
    limits
        The interval is that of a border displaced everywhere by `boundary_sd_pixels` of a pixel,
        as that of the mesh volume, widened by what shares and whole voxels disagree by: neither
        is known to be the better one of a given graft.

    Raises
    ------
    GeometryError
        The graft is on another grid than the image.
    """
    if graft.is_empty:
        return missing(text("reason.empty_mask"))
    small, part = cropped_pair(volume, graft, _MARGIN)
    value = float(shares(small, part).sum()) * graft.geometry.voxel_volume_ml
    if value <= 0:
        return missing(text("reason.no_share"))
    boundary_mm = limits.boundary_sd_pixels * pixel_mm(graft.geometry)
    displaced = boundary_mm * mesh(graft).area_mm2 / (1000.0 * value)
    disagreement = math.log(value / graft.voxel_volume_ml)
    spread = math.exp(NORMAL_95 * math.hypot(displaced, disagreement))
    return measured(value, (value / spread, value * spread))


def shares(volume: Volume, graft: Mask) -> FloatArray:
    """Return the graft's share of every voxel, 1 deep inside and 0 away from it."""
    image, mask, spacing = volume.array.astype(np.float64), graft.array, graft.geometry.spacing_mm
    near = ndimage.binary_dilation(mask, _AROUND)
    shell = ndimage.binary_dilation(near, _AROUND) & ~near
    outside = _local_mean(image, shell, _OUTSIDE_MM, spacing)
    inside = _inside(image, mask, spacing, bright=bool(np.nanmean((image - outside)[mask]) > 0))
    noise = _spread(image - outside, shell)
    apart = inside - outside
    border = near & ~ndimage.binary_erosion(mask, _AROUND)
    told = border & (np.abs(apart) > noise)
    found = mask.astype(np.float64)
    mixed = np.clip((image - outside)[told] / apart[told], -_BEYOND, 1.0 + _BEYOND)
    # The mask is a witness too: each is weighed by its variance.
    weight = 1.0 / (1.0 + _ROUNDING * (noise / apart[told]) ** 2)
    found[told] += weight * (mixed - found[told])
    return found


def _inside(
    image: FloatArray, mask: BoolArray, spacing_mm: tuple[float, float, float], bright: bool
) -> FloatArray:
    """Return the graft's own level near every voxel.

    A plate without a voxel off its border shows its level only where it lies square on voxels:
    there the extreme tenth of it stands for all.
    """
    core = ndimage.binary_erosion(mask, ALL_IN_PLANE)
    if core.sum() >= _CORE_VOXELS_MIN:
        level = _local_mean(image, core, _INSIDE_MM, spacing_mm)
        return np.where(np.isnan(level), np.median(image[core]), level)
    extreme = np.percentile(image[mask], 100 - _EXTREME_PERCENT if bright else _EXTREME_PERCENT)
    return np.full(image.shape, extreme)


def _local_mean(
    image: FloatArray, where: BoolArray, reach_mm: float, spacing_mm: tuple[float, float, float]
) -> FloatArray:
    """Return the mean of `where` near every voxel (Gaussian); NaN where there is none near."""
    sigma = (reach_mm / spacing_mm[0], reach_mm / spacing_mm[1], _THROUGH_SLICES)
    weight = ndimage.gaussian_filter(where.astype(np.float64), sigma, truncate=3.0)
    total = ndimage.gaussian_filter(np.where(where, image, 0.0), sigma, truncate=3.0)
    found = np.full(image.shape, np.nan)
    np.divide(total, weight, out=found, where=weight > 1e-6)
    return found


def _spread(residual: FloatArray, where: BoolArray) -> float:
    inside = residual[where & np.isfinite(residual)]
    return 1.4826 * float(np.median(np.abs(inside))) if inside.size else float("inf")
