"""Given: a graft mask drawn by a person, checked before it is believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray

from imaging.errors import GeometryError, MaskError
from imaging.geometry import Geometry, from_ras
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.segmentation.seed import linea_alba_x_mm
from imaging.volume import Mask, Volume

_GRID_TOLERANCE_MM = 0.01
"""NIfTI holds its affine in 32 bits: about 0.01 mm at the edge of an abdomen."""


def graft_from_mask(file: Path, t2: Volume, muscles: Muscles) -> Graft:
    """Return the graft of a NIfTI mask file drawn on the grid of `t2`.

    Raises
    ------
    MaskError
        Not a readable NIfTI file, another grid, mirrored axes, not binary, empty, reaching
        outside the body, or with its middle not on the patient's left of the linea alba.
    """
    return drawn_graft(mask_from_file(file, t2.geometry), muscles, file.name)


def mask_from_file(file: Path, grid: Geometry) -> Mask:
    """Return the mask of a NIfTI file that must be on `grid`; it may be empty.

    Raises
    ------
    MaskError
        Not a readable NIfTI file, another grid, mirrored axes, or not binary.
    """
    values, geometry = _load(file)
    _check_grid(file, geometry, grid)
    array = np.asarray(values)
    found = np.unique(array)
    if found.size > 2 or not np.isin(found, (0, found[-1])).all() or found[-1] < 0:
        raise MaskError("mask_not_binary", file=file.name, values=found[:5].tolist())
    return Mask(array > 0, grid)


def drawn_graft(mask: Mask, muscles: Muscles, name: str) -> Graft:
    """Return the graft of a mask that a person drew on the T2W-FS grid.

    Parameters
    ----------
    name
        What an error calls the mask: its file, or its visit.

    Raises
    ------
    GeometryError
        The mask is on another grid than the muscles.
    MaskError
        Empty, reaching outside the body, or with its middle not on the patient's left of the
        linea alba.
    """
    if not mask.geometry.same_grid(muscles.body.geometry):
        shape, wanted = mask.geometry.shape, muscles.body.geometry.shape
        raise GeometryError("other_grid", shape=shape, wanted=wanted)
    if mask.is_empty:
        raise MaskError("mask_empty", file=name)
    _check_place(name, mask, muscles)
    return Graft(mask, Source.EDITED, 1.0)


def _load(file: Path) -> tuple[NDArray[Any], Geometry]:
    try:
        image: Any = nib.load(file)
        values = np.asanyarray(image.dataobj)
    except (OSError, ImageFileError, EOFError, ValueError) as error:
        raise MaskError("mask_unreadable", file=file.name) from error
    if values.ndim != 3 or not np.isfinite(values).all():
        raise MaskError("mask_not_an_image", file=file.name, shape=values.shape)
    i, j, k = values.shape
    return values, Geometry(from_ras(image.affine), (i, j, k))


def _check_grid(file: Path, given: Geometry, wanted: Geometry) -> None:
    if given.same_grid(wanted, _GRID_TOLERANCE_MM):
        return
    # The same box entered from another corner: whether the voxels were turned too cannot be known.
    distance = np.linalg.norm(given.corners_mm[:, None] - wanted.corners_mm[None], axis=-1)
    one_to_one = np.unique(distance.argmin(axis=1)).size == 8
    if one_to_one and float(distance.min(axis=1).max()) <= _GRID_TOLERANCE_MM:
        raise MaskError("mask_flipped", file=file.name)
    raise MaskError(
        "mask_grid", file=file.name, shape=given.shape, wanted=wanted.shape,
        distance_mm=_apart_mm(given, wanted),
    )  # fmt: skip


def _apart_mm(given: Geometry, wanted: Geometry) -> str:
    return f"{float(np.abs(given.corners_mm - wanted.corners_mm).max()):.1f}"


def _check_place(name: str, mask: Mask, muscles: Muscles) -> None:
    outside = float(np.mean(~muscles.body.array[mask.array]))
    if outside > 0.01:
        raise MaskError("mask_outside_body", file=name, percent=f"{100 * outside:.0f}")
    centre = mask.points_mm.mean(axis=0)
    midline = linea_alba_x_mm(muscles, float(centre[2]))
    if midline is not None and centre[0] <= midline:
        raise MaskError("mask_right_side", file=name, distance_mm=f"{midline - centre[0]:.0f}")
