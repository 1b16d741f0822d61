"""Masks as NIfTI files on the grid of the visit's T2W-FS."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np

from imaging.geometry import to_ras
from imaging.volume import Mask
from surveillance.exports.writing import write_with


def save_mask(mask: Mask, path: Path) -> None:
    """Write a mask as uint8 `.nii.gz`; the same mask gives the same bytes.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    affine = to_ras(mask.geometry.affine)
    image = nib.Nifti1Image(mask.array.astype(np.uint8), affine)
    image.set_sform(affine, code="scanner")
    image.set_qform(affine, code="scanner")
    # gzip would otherwise store the time of day.
    content = gzip.compress(image.to_bytes(), compresslevel=6, mtime=0)
    write_with(path, lambda temporary: temporary.write_bytes(content))
