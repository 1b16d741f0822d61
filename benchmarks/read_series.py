"""Series to volume: 40 and 200 slices of 320×320, stored plainly, as JPEG 2000 and as RLE.

All read the same files from a warm cache, in turns. Ours also checks lengths, positions, spacing
and duplicates. The bytes alone are the floor.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, JPEG2000Lossless, RLELossless, generate_uid
from scipy import ndimage

from benchmarks.contest import Contender, Table, compared, in_turns

SIZE, SLICES = 320, (40, 200)
_SYNTAXES = {
    "uncompressed": ExplicitVRLittleEndian,
    "JPEG 2000": JPEG2000Lossless,
    "RLE": RLELossless,
}
_ROUNDS = {"uncompressed": 9, "JPEG 2000": 3, "RLE": 5}
_DISTINCT = 20
"""Different planes; a longer series repeats them, because compressing is slow."""
CONTENDERS = (
    Contender("graftsite", "graftsite"),
    Contender("SimpleITK (GDCM)", "simple_itk", ("SimpleITK",)),
    Contender("dcm2niix", "dcm2niix", ("dcm2niix",), "bench"),
    Contender("dicom2nifti", "dicom2nifti", ("dicom2nifti", "pydicom"), "bench"),
    Contender("the bytes alone", "file_bytes"),
)


def measure() -> dict[str, Any]:
    """Return one table of contenders for each kind of series."""
    return {
        f"{slices} slices, {name}": _contest(slices, name)
        for slices in SLICES
        for name in _SYNTAXES
    }


def _contest(slices: int, name: str) -> Table:
    with tempfile.TemporaryDirectory() as place:
        write_series(Path(place), slices, name)
        outcomes = in_turns(CONTENDERS, "read_series", Path(place), _ROUNDS[name], warm_ups=1)
    return compared(outcomes)


def write_series(folder: Path, slices: int, syntax: str = "uncompressed", size: int = SIZE) -> None:
    """Write a regular axial T2-weighted series of smooth tissue with noise."""
    study = generate_uid(), generate_uid(), generate_uid()
    first: list[FileDataset] = []
    for k, plane in enumerate(_planes(min(slices, _DISTINCT), size)):
        first.append(_dataset(plane, study))
        if syntax != "uncompressed":
            first[k].compress(_SYNTAXES[syntax], generate_instance_uid=False)
    for k in range(slices):
        ds = first[k % len(first)]
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        ds.InstanceNumber, ds.ImagePositionPatient = k + 1, [-176, -176, 4 * k]
        ds.save_as(folder / f"{k:03d}.dcm", enforce_file_format=True)


def _planes(count: int, size: int) -> Iterator[NDArray[np.uint16]]:
    rng = np.random.default_rng(1)
    for _ in range(count):
        tissue = ndimage.zoom(rng.uniform(0, 900, (size // 16, size // 16)), 16, order=1)
        noisy = np.hypot(tissue + rng.normal(0, 12, tissue.shape), rng.normal(0, 12, tissue.shape))
        yield noisy.astype(np.uint16)


def _dataset(plane: NDArray[np.uint16], uids: tuple[str, str, str]) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = meta.MediaStorageSOPClassUID
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = uids
    ds.Modality, ds.PatientID, ds.StudyDate = "MR", "B1", "20260105"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    ds.SeriesDescription, ds.SeriesNumber = "t2_tse_fs_tra", 1
    ds.ScanningSequence, ds.ScanOptions = "SE", "FS"
    ds.RepetitionTime, ds.EchoTime, ds.FlipAngle = 3000, 80, 120
    ds.PixelSpacing, ds.SliceThickness = [1.1, 1.1], 4
    ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    ds.Rows, ds.Columns = plane.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    ds.PixelData = plane.tobytes()
    return ds
