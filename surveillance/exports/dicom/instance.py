"""Instance: what every object written has in common, and how it is sealed and saved.

Nothing in an instance tells when or where it was written: the same results and images give the
same bytes. Content Date is the study's, or DICOM's oldest where the study has none, because some
objects must state one. The SOP Instance UID is derived from the content.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar

from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from surveillance.exports.dicom.header import UTF_8
from surveillance.exports.dicom.uids import PLACEHOLDER_UID, uid_of
from surveillance.exports.writing import write_with
from surveillance.fingerprint import program_version

D = TypeVar("D", bound=Dataset)
MAKER = "graftsite"
NO_DATE, NO_TIME = "19000101", "000000"
IMPLEMENTATION_UID = uid_of("implementation")


class Kind(Enum):
    """The series an object belongs to: its number and description."""

    SEGMENTATION = (9001, "graftsite outlines")
    LABELMAP = (9005, "graftsite outlines, label map")
    MEASUREMENTS = (9002, "graftsite measurements")
    KEY_IMAGE = (9003, "graftsite key image")
    REPORT = (9004, "graftsite report")


@dataclass(frozen=True, slots=True)
class Origin:
    """What an object is made from: a header with patient and study, and the result's hash."""

    header: Dataset
    fingerprint: str


def series_uid(kind: Kind, origin: Origin) -> str:
    """Return the series of one kind of object made from one result of one study."""
    return uid_of("series", str(origin.header.StudyInstanceUID), kind.name, origin.fingerprint)


def common_arguments(kind: Kind, origin: Origin) -> dict[str, Any]:
    """Return what every highdicom constructor is given."""
    number, description = kind.value
    return {
        "series_instance_uid": series_uid(kind, origin),
        "series_number": number,
        "series_description": description,
        "sop_instance_uid": PLACEHOLDER_UID,
        "instance_number": 1,
        "manufacturer": MAKER,
        "manufacturer_model_name": MAKER,
        "software_versions": program_version(),
        "device_serial_number": program_version(),
        "specific_character_set": UTF_8,
        "content_date": origin.header.StudyDate or NO_DATE,
        "content_time": origin.header.StudyTime or NO_TIME,
    }


@contextmanager
def names_as_they_are() -> Iterator[None]:
    """Let highdicom take over a patient's name of one part without remark: it is the source's."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The string", category=UserWarning)
        yield


def sealed(ds: D) -> D:
    """Take out of an object what changes from run to run, and name it by its content."""
    for keyword in ("InstanceCreationDate", "InstanceCreationTime"):
        if keyword in ds:
            delattr(ds, keyword)
    for equipment in ds.get("ContributingEquipmentSequence", ()):
        equipment.pop("ContributionDateTime", None)
    ds.file_meta = _file_meta(ds)
    ds.preamble = b"\0" * 128
    ds.SOPInstanceUID = UID(uid_of("instance", hashlib.sha256(_bytes(ds)).hexdigest()))
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    return ds


def save_instance(ds: Dataset, path: Path) -> None:
    """Write a sealed object.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    content = _bytes(ds)
    write_with(path, lambda temporary: temporary.write_bytes(content))


def _file_meta(ds: Dataset) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\0\1"
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = UID(PLACEHOLDER_UID)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = f"GRAFTSITE_{program_version()}"[:16]
    return meta


def _bytes(ds: Dataset) -> bytes:
    buffer = BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
