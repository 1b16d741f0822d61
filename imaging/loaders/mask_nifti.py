"""MaskNifti: a mask drawn in a program that saves NIfTI."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from imaging.errors import MaskError
from imaging.geometry import Geometry, from_ras
from imaging.loaders.mask_target import MaskTarget, check_corners, check_shape
from imaging.volume import Mask


def load_nifti_mask(file: Path, target: MaskTarget) -> Mask:
    """Return the mask of a NIfTI file; it may be empty.

    Raises
    ------
    MaskError
        Not a readable NIfTI file, another grid, mirrored axes, not binary.
    """
    values, geometry = _load(file)
    check_shape(file, geometry.shape, target.grid.shape)
    check_corners(file, geometry.corners_mm, target.grid.corners_mm)
    found = np.unique(values)
    if found.size > 2 or not np.isin(found, (0, found[-1])).all() or found[-1] < 0:
        raise MaskError("mask_not_binary", file=file.name, values=found[:5].tolist())
    return Mask(values > 0, target.grid)


def _load(file: Path) -> tuple[NDArray[Any], Geometry]:
    try:
        image: Any = nib.load(file)
        values = np.asanyarray(image.dataobj)
    except (OSError, ImageFileError, EOFError, ValueError) as error:
        raise MaskError("mask_unreadable", file=file.name) from error
    if values.ndim != 3 or not np.isfinite(values).all():
        raise MaskError("mask_not_an_image", file=file.name, shape=values.shape)
    i, j, k = values.shape
    return np.asarray(values), Geometry(from_ras(image.affine), (i, j, k))
