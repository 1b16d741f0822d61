"""Given: a graft mask drawn by a person, checked before it is believed."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from imaging.errors import MaskError
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
    mask = load_mask(file, target, region)
    _check_place(file, mask, muscles)
    return Graft(mask, Source.EDITED, 1.0)


def _check_place(file: Path, mask: Mask, muscles: Muscles) -> None:
    outside = float(np.mean(~muscles.body.array[mask.array]))
    if outside > 0.01:
        raise MaskError("mask_outside_body", file=file.name, percent=f"{100 * outside:.0f}")
    centre = mask.points_mm.mean(axis=0)
    midline = linea_alba_x_mm(muscles, float(centre[2]))
    if midline is not None and centre[0] <= midline:
        raise MaskError("mask_right_side", file=file.name, distance_mm=f"{midline - centre[0]:.0f}")
