"""Write a simulated subject as DICOM: classic MR or Enhanced MR, never with its truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders.base import get_encoder
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    EnhancedMRImageStorage,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    MRImageStorage,
    RLELossless,
    generate_uid,
)

from imaging.simulation.dialect import Dialect
from imaging.simulation.enhanced import functional_groups, numbers
from imaging.simulation.headers import SeriesHeader, headers_of, localizer_header
from imaging.simulation.scenario import Scenario
from imaging.simulation.subject import SimulatedSubject, SimulatedVisit
from imaging.volume import Volume

Frames = NDArray[np.uint16]
SYNTAXES = {
    "jpeg2000": JPEG2000Lossless,
    "rle": RLELossless,
    "deflated": DeflatedExplicitVRLittleEndian,
    "explicit": ExplicitVRLittleEndian,
}
ROOT = "1.2.826.0.1.3680043.8.498."
"""UIDs under pydicom's root, hashed from the scenario's name, seed and place in the set."""


def uid(scenario: Scenario, *place: object) -> str:
    """Return the UID of a place in the set; the same scenario gives the same UID."""
    sources = [scenario.name, str(scenario.seed), *map(str, place)]
    return str(generate_uid(prefix=ROOT, entropy_srcs=sources))


@dataclass(frozen=True, slots=True)
class _Where:
    scenario: Scenario
    dialect: Dialect
    visit: SimulatedVisit
    visit_number: int


def write_dicom(subject: SimulatedSubject, folder: Path, dialect: Dialect) -> tuple[Path, ...]:
    """Write all visits under `folder`, one sub-folder per visit and series.

    Returns the files written, in order. Existing files of the same names are replaced.
    """
    written: list[Path] = []
    for number, visit in enumerate(subject.visits):
        where = _Where(subject.scenario, dialect, visit, number)
        for header, volume in _series(where):
            target = folder / f"visit{number + 1}" / f"series{header.number:02d}"
            target.mkdir(parents=True, exist_ok=True)
            for name, dataset in _files(where, header, volume):
                dataset.save_as(target / name, enforce_file_format=True)
                written.append(target / name)
    return tuple(written)


def _series(where: _Where) -> Iterator[tuple[SeriesHeader, Volume]]:
    visit, scanner = where.visit, where.scenario.scanner
    if where.visit_number in where.dialect.localizer:
        yield localizer_header(), _thinned(visit.t2w_fs)
    by_role = {"t2w_fs": visit.t2w_fs, "t1w_fs": visit.t1w_fs, "t1w": visit.t1w}
    for header in headers_of(scanner):
        volume = by_role[header.role]
        if volume is not None:
            yield header, volume
    if where.visit_number in where.dialect.extra_series:
        yield _derived(headers_of(scanner)[0]), _thinned(visit.t2w_fs)


def _thinned(volume: Volume) -> Volume:
    """Return three coarse slices from the middle: enough for a localizer."""
    ni, nj, nk = volume.geometry.shape
    window = (slice(0, ni), slice(0, nj), slice(nk // 2 - 1, nk // 2 + 2))
    cropped = volume.geometry.crop(window)
    affine = cropped.affine.copy()
    affine[:3, :2] *= 4
    small = np.ascontiguousarray(volume.array[window][::4, ::4])
    return Volume(small, type(cropped)(affine, small.shape, None))


def _derived(t2: SeriesHeader) -> SeriesHeader:
    values = {"ImageType": ["DERIVED", "SECONDARY", "MPR"]}
    return SeriesHeader("derived", 12, "T2_TSE_MPR", {**t2.values, **values})


def _files(
    where: _Where, header: SeriesHeader, volume: Volume
) -> Iterator[tuple[str, FileDataset]]:
    stored = _stored(volume, where.dialect)
    if where.dialect.enhanced and header.role != "localizer":
        yield "IM0001", _enhanced(where, header, volume, stored)
        return
    for k in range(stored.shape[0]):
        yield f"IM{k + 1:04d}", _classic(where, header, volume, stored, k)


def _stored(volume: Volume, dialect: Dialect) -> Frames:
    """Return stored values as frames, rows, columns."""
    frames = volume.array.transpose(2, 1, 0) / np.float32(dialect.rescale_slope)
    return np.ascontiguousarray(np.clip(np.rint(frames), 0, 65535).astype("<u2"))


def _new_file(where: _Where, sop_class: UID, instance: str) -> FileDataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = sop_class
    meta.MediaStorageSOPInstanceUID = UID(instance)
    meta.TransferSyntaxUID = SYNTAXES[where.dialect.transfer_syntax]
    meta.ImplementationClassUID = UID(ROOT + "1")
    meta.ImplementationVersionName = "GRAFTSITE_SIM"
    dataset = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    dataset.SOPClassUID = sop_class
    dataset.SOPInstanceUID = instance
    return dataset


def _patient_and_study(where: _Where, dataset: Dataset) -> None:
    scenario, dialect = where.scenario, where.dialect
    dataset.PatientName = f"SIM^{scenario.name}"
    dataset.PatientID = f"SIM-{scenario.name}"
    dataset.PatientBirthDate = "20180301" if scenario.age_group == "child" else "19710614"
    dataset.PatientSex = "FM"[scenario.seed % 2]
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = "Simulated: no patient exists"
    dataset.StudyInstanceUID = uid(scenario, where.visit_number)
    dataset.StudyID = f"{where.visit_number + 1}"
    day = dialect.first_day + timedelta(days=where.visit.day)
    dataset.StudyDate = day.strftime("%Y%m%d") if dialect.dates else ""
    dataset.SeriesDate = dataset.AcquisitionDate = dataset.StudyDate
    dataset.StudyTime = "090000"
    dataset.AccessionNumber = ""
    dataset.ReferringPhysicianName = ""
    dataset.StudyDescription = "MRI abdominal wall"
    if dialect.clinical_trial:
        _clinical_trial(where, dataset)


def _clinical_trial(where: _Where, dataset: Dataset) -> None:
    dataset.ClinicalTrialSponsorName = "SIMULATED"
    dataset.ClinicalTrialProtocolID = "NCT07276568"
    dataset.ClinicalTrialProtocolName = ""
    dataset.ClinicalTrialSiteID = "01"
    dataset.ClinicalTrialSiteName = ""
    dataset.ClinicalTrialSubjectID = where.scenario.name
    dataset.ClinicalTrialTimePointID = str(where.visit.name)
    dataset.ClinicalTrialTimePointDescription = ""
    dataset.LongitudinalTemporalOffsetFromEvent = float(where.visit.day)
    dataset.LongitudinalTemporalEventType = "BASELINE"


def _series_and_equipment(where: _Where, header: SeriesHeader, dataset: Dataset) -> None:
    scanner = where.scenario.scanner
    dataset.Modality = "MR"
    dataset.SeriesInstanceUID = uid(where.scenario, where.visit_number, header.role)
    # One examination on one table position: a common frame of reference, as scanners write it.
    dataset.FrameOfReferenceUID = uid(where.scenario, where.visit_number, "frame")
    dataset.PositionReferenceIndicator = ""
    dataset.SeriesNumber = header.number
    dataset.SeriesDescription = header.description
    dataset.ProtocolName = header.description
    dataset.PatientPosition = "HFS"
    dataset.BodyPartExamined = "ABDOMEN"
    dataset.Manufacturer = scanner.vendor
    dataset.ManufacturerModelName = "SIMULATED"
    dataset.DeviceSerialNumber = "0"
    dataset.SoftwareVersions = "1"
    dataset.SeriesTime = dataset.AcquisitionTime = f"09{header.number:02d}00"
    dataset.ContentDate = dataset.StudyDate
    dataset.ContentTime = dataset.SeriesTime
    dataset.MagneticFieldStrength = scanner.field_strength_t


def _pixels(dataset: FileDataset, frames: Frames, where: _Where) -> None:
    dataset.Rows, dataset.Columns = frames.shape[1:]
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = 16
    dataset.BitsStored = 12 if int(frames.max()) < 4096 else 16
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = 0
    syntax = SYNTAXES[where.dialect.transfer_syntax]
    coded = syntax in {RLELossless, JPEG2000Lossless}
    dataset.PixelData = encapsulate(_coded(dataset, frames, syntax)) if coded else frames.tobytes()
    dataset["PixelData"].VR = "OB" if coded else "OW"
    dataset["PixelData"].is_undefined_length = coded


def _coded(dataset: Dataset, frames: Frames, syntax: UID) -> list[bytes]:
    """Code each frame without loss, always with the same library, so that bytes repeat."""
    options = {
        "rows": dataset.Rows,
        "columns": dataset.Columns,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
        "bits_allocated": 16,
        "bits_stored": dataset.BitsStored,
        "pixel_representation": 0,
        "number_of_frames": 1,
        "encoding_plugin": "pydicom" if syntax == RLELossless else "pylibjpeg",
    }
    encoder = get_encoder(syntax)
    return [encoder.encode(frame.tobytes(), **options) for frame in frames]


def _classic(
    where: _Where, header: SeriesHeader, volume: Volume, stored: Frames, k: int
) -> FileDataset:
    instance = uid(where.scenario, where.visit_number, header.role, k)
    dataset = _new_file(where, MRImageStorage, instance)
    _patient_and_study(where, dataset)
    _series_and_equipment(where, header, dataset)
    geometry = volume.geometry
    for keyword, value in header.values.items():
        setattr(dataset, keyword, value)
    dataset.InstanceNumber = k + 1
    dataset.AcquisitionNumber = 1
    dataset.ImagePositionPatient = numbers(geometry.affine[:3, 3] + k * geometry.affine[:3, 2])
    dataset.ImageOrientationPatient = numbers(geometry.directions[:, :2].T.ravel())
    # DICOM's row spacing, down the columns, comes first.
    dataset.PixelSpacing = numbers([geometry.spacing_mm[1], geometry.spacing_mm[0]])
    dataset.SpacingBetweenSlices = numbers([geometry.spacing_mm[2]])[0]
    if header.role == "localizer":
        dataset.SliceThickness = dataset.SpacingBetweenSlices
    dataset.RescaleIntercept = 0
    dataset.RescaleSlope = where.dialect.rescale_slope
    dataset.RescaleType = "US"
    _pixels(dataset, stored[k : k + 1], where)
    dataset.SmallestImagePixelValue = int(stored[k].min())
    dataset.LargestImagePixelValue = int(stored[k].max())
    return dataset


def _enhanced(where: _Where, header: SeriesHeader, volume: Volume, stored: Frames) -> FileDataset:
    instance = uid(where.scenario, where.visit_number, header.role, "enhanced")
    dataset = _new_file(where, EnhancedMRImageStorage, instance)
    _patient_and_study(where, dataset)
    _series_and_equipment(where, header, dataset)
    dataset.InstanceNumber = 1
    dataset.NumberOfFrames = stored.shape[0]
    functional_groups(dataset, header, volume.geometry, where.dialect.rescale_slope)
    _pixels(dataset, stored, where)
    return dataset
