"""Method: what was done to an image, written into it (PS3.3 C.7.1.1, PS3.16 CID 7050)."""

from __future__ import annotations

from pydicom import Dataset, Sequence

from surveillance.fingerprint import program_version

BASIC = ("113100", "Basic Application Confidentiality Profile")
CLEAN_PIXELS = ("113101", "Clean Pixel Data Option")
CLEAN_DESCRIPTORS = ("113105", "Clean Descriptors Option")
MODIFIED_DATES = ("113107", "Retain Longitudinal Temporal Information Modified Dates Option")
DEVICE_IDENTITY = ("113109", "Retain Device Identity Option")
SAFE_PRIVATE = ("113111", "Retain Safe Private Option")
TEXT_MAX = 64
"""Characters of a value of VR LO."""


def state_method(ds: Dataset, *, keeps_subject: bool, pixels_are_clean: bool) -> None:
    """Write into a cleaned dataset what was done.

    Clean Pixel Data is only claimed where it is known: the image itself says that nothing is
    burned in, or a person has looked.
    """
    done = [BASIC, CLEAN_DESCRIPTORS, MODIFIED_DATES, DEVICE_IDENTITY, SAFE_PRIVATE]
    if pixels_are_clean:
        done.insert(1, CLEAN_PIXELS)
        ds.BurnedInAnnotation = "NO"
    ds.PatientIdentityRemoved = "YES"
    ds.LongitudinalTemporalInformationModified = "MODIFIED"
    method = [f"graftsite {program_version()}, PS3.15-2026c"]
    method += ["Clinical Trial Subject ID retained"] if keeps_subject else []
    ds.DeidentificationMethod = [text[:TEXT_MAX] for text in method]
    ds.DeidentificationMethodCodeSequence = Sequence(_code(*code) for code in done)


def _code(value: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue = value
    item.CodingSchemeDesignator = "DCM"
    item.CodeMeaning = meaning[:TEXT_MAX]
    return item
