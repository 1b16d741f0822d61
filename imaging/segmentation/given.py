"""Given: a graft mask drawn by a person, checked before it is believed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imaging.errors import GeometryError, MaskError
from imaging.loaders.mask_file import load_mask
from imaging.loaders.mask_target import MaskTarget
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.segmentation.seed import linea_alba_x_mm
from imaging.volume import Mask


def graft_from_mask(
    file: Path, target: MaskTarget, muscles: Muscles, region: str | None = None
) -> Graft:
    """Return the graft of a mask file (DICOM SEG, RTSTRUCT, NIfTI) drawn on the T2W-FS `target`.

    Raises
    ------
    MaskError
        Not readable, made for another image, mirrored, not binary, empty, reaching outside the
        body, or with its middle not on the patient's left of the linea alba.
    """
    return drawn_graft(load_mask(file, target, region), muscles, file.name)


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


def _check_place(name: str, mask: Mask, muscles: Muscles) -> None:
    outside = float(np.mean(~muscles.body.array[mask.array]))
    if outside > 0.01:
        raise MaskError("mask_outside_body", file=name, percent=f"{100 * outside:.0f}")
    centre = mask.points_mm.mean(axis=0)
    midline = linea_alba_x_mm(muscles, float(centre[2]))
    if midline is not None and centre[0] <= midline:
        raise MaskError("mask_right_side", file=name, distance_mm=f"{midline - centre[0]:.0f}")
