"""Reading a 40-slice 320x320 uncompressed series into a checked volume, against SimpleITK.

Both read the same files from a warm cache, in turns, in one process; the ratio of medians is
what counts. Ours also checks lengths, positions, spacing and duplicates, which SimpleITK's
reader does not.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from imaging.loaders import find_series
from imaging.protocol import load_protocol

SLICES, SIZE, ROUNDS = 40, 320, 9


def write_series(folder: Path) -> None:
    """Write a regular axial T2-weighted series of noise."""
    noise = np.random.default_rng(1).integers(0, 1000, (SLICES, SIZE, SIZE), dtype=np.uint16)
    series_uid, study_uid, frame_uid = generate_uid(), generate_uid(), generate_uid()
    for k, plane in enumerate(noise):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
        ds.SOPClassUID = meta.MediaStorageSOPClassUID
        ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
        ds.StudyInstanceUID, ds.SeriesInstanceUID = study_uid, series_uid
        ds.FrameOfReferenceUID = frame_uid
        ds.Modality, ds.PatientID, ds.StudyDate = "MR", "B1", "20260105"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "M"]
        ds.SeriesDescription, ds.InstanceNumber = "t2_tse_fs_tra", k + 1
        ds.ScanningSequence, ds.ScanOptions = "SE", "FS"
        ds.RepetitionTime, ds.EchoTime, ds.FlipAngle = 3000, 80, 120
        ds.PixelSpacing, ds.SliceThickness = [1.1, 1.1], 4
        ds.ImagePositionPatient = [-176, -176, 4 * k]
        ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        ds.Rows = ds.Columns = SIZE
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.PixelData = plane.tobytes()
        ds.save_as(folder / f"{k:03d}.dcm", enforce_file_format=True)


def measure() -> dict[str, float]:
    """Return medians in ms and their ratio (below 1: faster than SimpleITK)."""
    protocol = load_protocol()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_series(folder)

        def ours() -> None:
            find_series([folder], protocol).series[0].load()

        def theirs() -> None:
            reader = sitk.ImageSeriesReader()
            reader.SetFileNames(reader.GetGDCMSeriesFileNames(name))
            sitk.GetArrayFromImage(sitk.Cast(reader.Execute(), sitk.sitkFloat32))

        times = _in_turns([ours, theirs])
    ours_ms, theirs_ms = (1000 * statistics.median(series) for series in times)
    return {
        "graftsite_ms": ours_ms,
        "simpleitk_ms": theirs_ms,
        "ratio_to_simpleitk": ours_ms / theirs_ms,
    }


def _in_turns(readers: list[Callable[[], None]]) -> list[list[float]]:
    times: list[list[float]] = [[] for _ in readers]
    for turn in range(ROUNDS + 1):
        for kept, reader in zip(times, readers, strict=True):
            start = time.perf_counter()
            reader()
            if turn:  # the first turn warms the cache
                kept.append(time.perf_counter() - start)
    return times


if __name__ == "__main__":
    for key, value in measure().items():
        print(f"{key:24s}{value:8.2f}")
