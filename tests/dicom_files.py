"""Small DICOM files for tests: one axial T2-weighted fat-suppressed series, changed at will."""

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, MediaStorageDirectoryStorage

MR = "1.2.840.10008.5.1.4.1.1.4"
ROOT = "1.2.826.0.1.3680043.8.498.77."
ROWS, COLUMNS = 6, 8


def image(k, **changes):
    """Return slice `k`: 4 mm apart, pixels 2 mm (rows) by 1.5 mm, value 100k + column."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = changes.pop("TransferSyntaxUID", ExplicitVRLittleEndian)
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    pixels = np.tile(np.arange(COLUMNS, dtype=np.uint16), (ROWS, 1)) + np.uint16(100 * k)
    values = {
        "SOPClassUID": MR,
        "SOPInstanceUID": f"{ROOT}1.{k + 1}",
        "StudyInstanceUID": f"{ROOT}2",
        "SeriesInstanceUID": f"{ROOT}3",
        "FrameOfReferenceUID": f"{ROOT}4",
        "Modality": "MR",
        "PatientID": "MRN-0042",
        "PatientName": "Doe^Jane",
        "PatientBirthDate": "19700101",
        "PatientSex": "F",
        "StudyDate": "20260105",
        "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"],
        "SeriesDescription": "t2_tse_fs_tra",
        "ScanningSequence": "SE",
        "ScanOptions": "FS",
        "RepetitionTime": 3000,
        "EchoTime": 80,
        "FlipAngle": 120,
        "InstanceNumber": k + 1,
        "PixelSpacing": [2.0, 1.5],
        "SliceThickness": 4,
        "ImagePositionPatient": [-10.0, -20.0, 4.0 * k],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "Rows": ROWS,
        "Columns": COLUMNS,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "PixelData": pixels.tobytes(),
    }
    for name, value in {**values, **changes}.items():
        if value is not None:
            setattr(ds, name, value)
    meta.MediaStorageSOPClassUID = ds.get("SOPClassUID", MR)
    meta.MediaStorageSOPInstanceUID = ds.get("SOPInstanceUID", f"{ROOT}9")
    return ds


def save(ds, path: Path) -> Path:
    """Write a file with preamble and meta information."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def series(folder: Path, slices=4, start=1, **changes):
    """Write a whole series as IM0001, IM0002, ...; a callable value gets the slice number."""
    paths = []
    for k in range(slices):
        own = {name: value(k) if callable(value) else value for name, value in changes.items()}
        paths.append(save(image(k, **own), folder / f"IM{k + start:04d}"))
    return paths


def another(number, **changes):
    """Return changes that make a further series of the same study."""
    return {
        "SeriesInstanceUID": f"{ROOT}3.{number}",
        "SOPInstanceUID": lambda k: f"{ROOT}1.{number}.{k + 1}",
        **changes,
    }


def write_dicomdir(path, names):
    """Write an index that names the given files, each a tuple of path parts."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = MediaStorageDirectoryStorage
    meta.MediaStorageSOPInstanceUID = f"{ROOT}7"
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=bytes(128))
    records = []
    for parts in names:
        record = Dataset()
        record.DirectoryRecordType, record.ReferencedFileID = "IMAGE", list(parts)
        records.append(record)
    ds.DirectoryRecordSequence = Sequence(records)
    ds.save_as(path, enforce_file_format=True)
