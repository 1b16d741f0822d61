"""To and from SimpleITK: the only file that transposes axes.

SimpleITK's world is LPS mm, as ours, and its arrays run [k, j, i].
"""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from imaging.geometry import Geometry
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume


def to_sitk(image: Volume | Mask) -> sitk.Image:
    """Return a SimpleITK image (float32 for a Volume, uint8 for a Mask) on the same grid."""
    array = image.array.astype(np.uint8) if isinstance(image, Mask) else image.array
    result = sitk.GetImageFromArray(np.ascontiguousarray(array.transpose(2, 1, 0)))
    place(result, image.geometry)
    return result


def place(image: sitk.Image, geometry: Geometry) -> None:
    """Give a SimpleITK image the origin, spacing and directions of `geometry`."""
    image.SetOrigin(tuple(geometry.affine[:3, 3].tolist()))
    image.SetSpacing(geometry.spacing_mm)
    image.SetDirection(tuple(geometry.directions.ravel().tolist()))


def array_of(image: sitk.Image) -> NDArray[np.generic]:
    """Return a SimpleITK image's voxels indexed [i, j, k]."""
    return np.asarray(sitk.GetArrayFromImage(image).transpose(2, 1, 0))


def geometry_of(image: sitk.Image, frame_of_reference: str | None = None) -> Geometry:
    """Return the grid of a three-dimensional SimpleITK image."""
    affine = np.eye(4)
    directions = np.array(image.GetDirection()).reshape(3, 3)
    affine[:3, :3] = directions * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    i, j, k = image.GetSize()
    return Geometry(affine, (i, j, k), frame_of_reference)


def rigid_to_sitk(transform: RigidTransform) -> sitk.AffineTransform:
    """Return a transform that maps points as `transform @ point` does."""
    result = sitk.AffineTransform(3)
    result.SetMatrix(transform.matrix[:3, :3].ravel().tolist())
    result.SetTranslation(transform.matrix[:3, 3].tolist())
    return result
