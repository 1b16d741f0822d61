"""Resampling: an image or a mask put onto another grid through a rigid motion."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from imaging.geometry import FloatArray, Geometry
from imaging.interop import array_of, geometry_of, place, rigid_to_sitk, to_sitk
from imaging.measurements.region import block, bounding_box
from imaging.segmentation.masks import Muscles
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume

Image = TypeVar("Image", Volume, Mask)


def resample(image: Image, onto: Geometry, moving_from_fixed: RigidTransform) -> Image:
    """Return `image` on the grid `onto`.

    Parameters
    ----------
    image
        The moving image. A Volume is interpolated linearly; a Mask too, and a voxel is inside
        where at least half of it is, so that the border does not jump to the nearest voxel.
    onto
        Grid of the fixed image.
    moving_from_fixed
        Maps a point of `onto` to its place in `image`.

    Returns
    -------
    Volume or Mask on `onto`; 0 or False outside the field of view of `image`.
    """
    if isinstance(image, Mask):
        return _resampled_mask(image, onto, moving_from_fixed)
    return Volume(_resampled(to_sitk(image), onto, moving_from_fixed), onto)


def _resampled_mask(mask: Mask, onto: Geometry, moving_from_fixed: RigidTransform) -> Mask:
    """Resample the block that holds the mask; outside it there is nothing to carry."""
    result = np.zeros(onto.shape, dtype=np.bool_)
    if not mask.is_empty:
        source = bounding_box(mask, (1, 1, 1))
        grid = mask.geometry.crop(source)
        box = block(onto, moving_from_fixed.inverse @ grid.corners_mm, 1.0)
        share = to_sitk(Mask(mask.array[source], grid))
        share = sitk.Cast(share, sitk.sitkFloat32)
        # A whole border voxel comes out as 0.99999 or 1.00001: half of it must not depend on that.
        result[box] = _resampled(share, onto.crop(box), moving_from_fixed) >= 0.5 - 1e-4
    return Mask(result, onto)


def _resampled(
    source: sitk.Image, onto: Geometry, moving_from_fixed: RigidTransform
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    like = sitk.Image(onto.shape, sitk.sitkUInt8)
    place(like, onto)
    result = sitk.Resample(
        source, like, rigid_to_sitk(moving_from_fixed), sitk.sitkLinear, 0.0, sitk.sitkFloat32
    )
    return array_of(result).astype(np.float32)


def shrink(image: Image, spacing_mm: float) -> Image:
    """Return `image` with whole voxels averaged to at most `spacing_mm`, less where they fit none.

    A mask keeps the blocks that are at least half inside. Axes whose spacing exceeds
    `spacing_mm` are left alone.
    """
    factors = [max(1, int(spacing_mm / mm)) for mm in image.geometry.spacing_mm]
    factors = [min(f, n) for f, n in zip(factors, image.geometry.shape, strict=True)]
    result = sitk.BinShrink(sitk.Cast(to_sitk(image), sitk.sitkFloat32), factors)
    geometry = geometry_of(result, image.geometry.frame_of_reference)
    array = array_of(result).astype(np.float32)
    if isinstance(image, Mask):
        return Mask(array >= 0.5, geometry)
    return Volume(array, geometry)


def coverage(onto: Geometry, seen: Geometry, seen_from_onto: RigidTransform) -> Mask:
    """Return the voxels of `onto` whose centres lie in the field of view of `seen`."""
    index_from_index = np.linalg.inv(seen.affine) @ seen_from_onto.matrix @ onto.affine
    i, j, k = (np.arange(n, dtype=np.float64) for n in onto.shape)
    inside = np.ones(onto.shape, dtype=np.bool_)
    for row, size in zip(index_from_index[:3], seen.shape, strict=True):
        # Added axis by axis, so that no (voxels, 3) array is ever made.
        place_along = (
            (row[0] * i)[:, None, None] + (row[1] * j)[:, None] + (row[2] * k + row[3])[None, None]
        )
        inside &= (place_along >= -0.5 - 1e-6) & (place_along <= size - 0.5 + 1e-6)
    return Mask(inside, onto)


def cropped(image: Image, points_mm: FloatArray, margin_mm: float) -> Image:
    """Return the smallest block of voxels that holds LPS points (n, 3) and a margin."""
    i, j, k = block(image.geometry, points_mm, margin_mm)
    return type(image)(image.array[i, j, k], image.geometry.crop((i, j, k)))


def looked_up(mask: Mask, points_mm: FloatArray) -> NDArray[np.bool_]:
    """Return which LPS points (n, 3) lie in the mask, by the nearest voxel; False outside it."""
    index = np.rint(mask.geometry.to_index(points_mm)).astype(np.intp)
    size = np.array(mask.geometry.shape)
    inside = ((index >= 0) & (index < size)).all(axis=1)
    i, j, k = np.clip(index, 0, size - 1).T
    return np.asarray(mask.array[i, j, k] & inside)


def carry(muscles: Muscles, onto: Geometry, onto_from_muscles: RigidTransform) -> Muscles:
    """Return muscles drawn on one image on the grid of another of the same visit.

    Masks are carried to the T1W-FS grid rather than the T1W-FS image to the masks': its voxels
    then keep their own noise and contrast, which interpolation to thicker slices would smooth.
    """
    back = onto_from_muscles.inverse
    return Muscles(
        body=resample(muscles.body, onto, back),
        rectus_left=resample(muscles.rectus_left, onto, back),
        rectus_right=resample(muscles.rectus_right, onto, back),
        linea_alba_mm=onto_from_muscles @ muscles.linea_alba_mm,
        confidence=muscles.confidence,
        reasons=muscles.reasons,
    )
