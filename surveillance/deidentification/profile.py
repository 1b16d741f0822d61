"""Profile: what PS3.15 table E.1-1 does with an attribute, and what our options change.

The table (edition 2026c) comes from dicom-anonymizer, of which only this table is used. The
columns of the options are short for MR images and stand here.
"""

from __future__ import annotations

from enum import Enum, auto
from functools import cache

from dicomanonymizer.dicom_anonymization_databases import dicomfields_2026c as table
from pydicom.datadict import tag_for_keyword
from pydicom.tag import BaseTag, Tag


class Action(Enum):
    """What becomes of an attribute."""

    REMOVE = auto()
    EMPTY = auto()
    """Zero length."""
    DUMMY = auto()
    """A value that says nothing."""
    NEW_UID = auto()
    KEEP = auto()
    SHIFT = auto()
    """A date or time: moved by the person's number of days (option Modified Dates)."""
    CLEAN = auto()
    """A description: only words of MRI stay (option Clean Descriptors)."""


_OF_TABLE = {
    "X_TAGS": Action.REMOVE,
    "Z_TAGS": Action.EMPTY,
    "D_TAGS": Action.DUMMY,
    "U_TAGS": Action.NEW_UID,
    # Where the table leaves a choice by the attribute's type, the one that any type allows.
    "X_Z_TAGS": Action.EMPTY,
    "X_D_TAGS": Action.DUMMY,
    "Z_D_TAGS": Action.DUMMY,
    "X_Z_D_TAGS": Action.DUMMY,
    "X_Z_U_STAR_TAGS": Action.NEW_UID,
}
_DEVICE = """
    DeviceSerialNumber DeviceUID StationName GantryID DetectorID DateOfLastCalibration
    TimeOfLastCalibration DateTimeOfLastCalibration CalibrationDate CalibrationTime
    CalibrationDateTime DateOfManufacture DateOfInstallation ManufacturerDeviceClassUID
    UniqueDeviceIdentifier DeviceDescription PerformedStationName ModifyingSystem
""".split()  # noqa: SIM905  (names are easier to read as text)
"""Column "Rtn. Dev. Id. Opt." = K, as far as an MR image can have them."""
_DESCRIPTIONS = """
    StudyDescription SeriesDescription ProtocolName PerformedProcedureStepDescription
    RequestedProcedureDescription AcquisitionProtocolDescription DerivationDescription
    ContrastBolusAgent ClinicalTrialSeriesDescription BodyPartExamined
""".split()  # noqa: SIM905
"""Column "Clean Desc. Opt." = C, those worth keeping; the others are treated by the table.
Body Part Examined is no free text by the standard, but it is on some consoles."""
_NEVER_SHIFTED = ("PatientBirthDate", "PatientBirthTime", "GPSTimeStamp")
"""Dates without C in column "Rtn. Long. Modif. Dates Opt.": they are treated by the table."""
TEMPORAL_VRS = {"DA", "DT", "TM"}


@cache
def _basic() -> dict[BaseTag, Action]:
    """Return the column "Basic Prof." by tag; repeating groups are removed elsewhere."""
    return {
        Tag(*entry): action
        for column, action in _OF_TABLE.items()
        for entry in getattr(table, column)
        if len(entry) == 2
    }


@cache
def _options() -> dict[BaseTag, Action]:
    named = dict.fromkeys(_DEVICE, Action.KEEP)
    named |= dict.fromkeys(_DESCRIPTIONS, Action.CLEAN)
    return {Tag(tag_for_keyword(name) or 0): action for name, action in named.items()}


@cache
def _table_alone() -> frozenset[BaseTag]:
    return frozenset(Tag(tag_for_keyword(name) or 0) for name in _NEVER_SHIFTED)


def basic_action_on(tag: BaseTag) -> Action:
    """Return what the Basic Profile does; what the table does not name is removed."""
    return _basic().get(tag, Action.REMOVE)


def action_on(tag: BaseTag, vr: str) -> Action | None:
    """Return what the profile and our options do; None when the table does not name the tag.

    A date outside the table is shifted too.
    """
    option = _options().get(tag)
    if option is not None:
        return option
    if vr in TEMPORAL_VRS and tag not in _table_alone():
        return Action.SHIFT
    return _basic().get(tag)
