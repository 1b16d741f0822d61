"""MaskFile: a mask drawn elsewhere, whatever it was saved as: DICOM SEG, RTSTRUCT or NIfTI."""

from __future__ import annotations

from pathlib import Path

import pydicom
from pydicom import Dataset

from imaging.errors import MaskError
from imaging.loaders.attributes import word
from imaging.loaders.mask_nifti import load_nifti_mask
from imaging.loaders.mask_rtstruct import RTSTRUCT_CLASS, load_rtstruct_mask
from imaging.loaders.mask_seg import SEG_CLASSES, load_seg_mask
from imaging.loaders.mask_target import MaskTarget
from imaging.loaders.quiet import quiet
from imaging.volume import Mask


def load_mask(file: Path, target: MaskTarget, region: str | None = None) -> Mask:
    """Return a mask on the grid of `target`.

    Parameters
    ----------
    region
        Segment or ROI, by number or label; None takes the only one, or the one called graft.

    Raises
    ------
    MaskError
        Not readable, empty, or not made for that image; each kind's loader says what it refuses.
    """
    mask = _load(file, target, region)
    if mask.is_empty:
        raise MaskError("mask_empty", file=file.name)
    return mask


def _load(file: Path, target: MaskTarget, region: str | None) -> Mask:
    if not _is_dicom(file):
        if region is not None:
            raise MaskError("mask_region_nifti", file=file.name)
        return load_nifti_mask(file, target)
    ds = _read(file)
    kind = word(ds, "SOPClassUID")
    if kind in SEG_CLASSES:
        return load_seg_mask(file, ds, region, target)
    if kind == RTSTRUCT_CLASS:
        return load_rtstruct_mask(file, ds, region, target)
    if kind is None:
        raise MaskError("mask_damaged", file=file.name, detail="no SOP Class UID")
    raise MaskError("mask_kind", file=file.name, kind=word(ds, "Modality") or "?")


def _is_dicom(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError as error:
        raise MaskError("mask_unreadable", file=file.name) from error


def _read(file: Path) -> Dataset:
    try:
        with quiet():
            return pydicom.dcmread(file)
    except Exception as error:  # a header from outside can break the parser in any way
        raise MaskError("mask_damaged", file=file.name, detail=type(error).__name__) from error
