"""Region: the part of an image that a mask needs, so that nothing is computed on the rest."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import binary_erosion, generate_binary_structure

from imaging.errors import GeometryError
from imaging.geometry import FloatArray, Geometry
from imaging.volume import Mask, Volume

IN_PLANE = generate_binary_structure(3, 1) & np.array([False, True, False])
"""A voxel and its four neighbours in the slice."""


def bounding_box(
    mask: Mask, margin: tuple[int, int, int] = (0, 0, 0)
) -> tuple[slice, slice, slice]:
    """Return the slices that hold a mask that is not empty and `margin` voxels round it, if any."""
    rows = np.asarray(mask.array.any(axis=0))  # whole planes at a time: the short axis may be last
    sides = (
        np.flatnonzero(side)
        for side in (mask.array.any(axis=(1, 2)), rows.any(axis=1), rows.any(axis=0))
    )
    i, j, k = (
        slice(max(0, int(side[0]) - more), min(n, int(side[-1]) + 1 + more))
        for side, more, n in zip(sides, margin, mask.geometry.shape, strict=True)
    )
    return i, j, k


def block(
    geometry: Geometry, points_mm: FloatArray, margin_mm: float
) -> tuple[slice, slice, slice]:
    """Return the slices of a grid that hold points (n, 3) and a margin, at least one voxel."""
    index = geometry.to_index(points_mm)
    margin = margin_mm / np.array(geometry.spacing_mm)
    size = np.array(geometry.shape)
    low = np.clip(np.floor(index.min(axis=0) - margin), 0, size - 1).astype(int)
    high = np.clip(np.ceil(index.max(axis=0) + margin) + 1, low + 1, size).astype(int)
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return i, j, k


def cropped(mask: Mask) -> Mask:
    """Return a mask on the smallest grid that holds it, an empty one as it is."""
    if mask.is_empty:
        return mask
    box = bounding_box(mask)
    return Mask(mask.array[box], mask.geometry.crop(box))


def cropped_pair(
    volume: Volume, mask: Mask, margin: tuple[int, int, int] = (0, 0, 0)
) -> tuple[Volume, Mask]:
    """Return image and mask on the smallest grid that holds a mask that is not empty.

    `margin` voxels are kept round it, where there are any.

    Raises
    ------
    GeometryError
        The mask is not on the image's grid.
    """
    if not volume.geometry.same_grid(mask.geometry):
        raise GeometryError("grids_differ", image=volume.geometry.shape, mask=mask.geometry.shape)
    box = bounding_box(mask, margin)
    grid = volume.geometry.crop(box)
    return Volume(volume.array[box], grid), Mask(mask.array[box], grid)


def core(mask: Mask, pixels: int) -> Mask:
    """Return a mask without its outer `pixels` in plane, where tissue mixes with its neighbours.

    A mask too thin to have a core is its own core.
    """
    padded = np.pad(mask.array, ((1, 1), (1, 1), (0, 0)))
    eroded = binary_erosion(padded, IN_PLANE, iterations=pixels)[1:-1, 1:-1]
    return Mask(eroded, mask.geometry) if eroded.any() else mask


def pixel_mm(geometry: Geometry) -> float:
    """Return the in-plane pixel size, the geometric mean of its two sides."""
    across, down, _ = geometry.spacing_mm
    return float(np.sqrt(across * down))
