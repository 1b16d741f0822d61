"""dicom2nifti: a folder to a NIfTI image in memory, voxels left as they are stored."""

from __future__ import annotations

from pathlib import Path

from dicom2nifti.convert_dicom import dicom_series_to_nifti

from benchmarks.contenders import Task, voxels


def read_series(folder: Path) -> Task:
    """One series."""
    return (
        lambda: dicom_series_to_nifti(str(folder), None, reorient_nifti=False)["NII"],
        lambda image: voxels(image.get_fdata(), image.header.get_zooms()),
    )
