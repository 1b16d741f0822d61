"""The attributes this program asks of a DICOM header; everything else is skipped unread."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.tag import BaseTag, Tag

GE_COMPONENT = (0x0043, 0x102F)
"""0 magnitude, 1 phase, 2 real, 3 imaginary."""
GE_B_VALUE = (0x0043, 0x1039)
GE_DIRECTION = ((0x0019, 0x10BB), (0x0019, 0x10BC), (0x0019, 0x10BD))
SIEMENS_B_VALUE = (0x0019, 0x100C)
SIEMENS_DIRECTION = (0x0019, 0x100E)
SIEMENS_CSA_IMAGE = (0x0029, 0x1010)
PHILIPS_SCALE_SLOPE = (0x2005, 0x100E)

_KEYWORDS = [
    "SpecificCharacterSet",
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyDate",
    "AcquisitionDate",
    "AcquisitionTime",
    "ContentTime",
    "AcquisitionDateTime",
    "Modality",
    "Manufacturer",
    "SeriesDescription",
    "ComplexImageComponent",
    "AcquisitionContrast",
    "VolumetricProperties",
    "PatientID",
    "PatientName",
    "PatientBirthDate",
    "PatientSex",
    "ClinicalTrialSubjectID",
    "ClinicalTrialTimePointID",
    "ClinicalTrialTimePointDescription",
    "LongitudinalTemporalOffsetFromEvent",
    "LongitudinalTemporalEventType",
    "ContrastBolusAgent",
    "ContrastBolusAgentSequence",
    "ScanningSequence",
    "SequenceVariant",
    "ScanOptions",
    "MRAcquisitionType",
    "SequenceName",
    "SliceThickness",
    "RepetitionTime",
    "EchoTime",
    "InversionTime",
    "EchoNumbers",
    "MagneticFieldStrength",
    "SpacingBetweenSlices",
    "EchoTrainLength",
    "TriggerTime",
    "FlipAngle",
    "PulseSequenceName",
    "EchoPulseSequence",
    "EchoPlanarPulseSequence",
    "InversionRecovery",
    "SteadyStatePulseSequence",
    "Spoiling",
    "SpectrallySelectedSuppression",
    "SpectrallySelectedExcitation",
    "DiffusionBValue",
    "DiffusionGradientOrientation",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "SeriesNumber",
    "AcquisitionNumber",
    "InstanceNumber",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "FrameOfReferenceUID",
    "TemporalPositionIdentifier",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "RescaleIntercept",
    "RescaleSlope",
    "SharedFunctionalGroupsSequence",
    "PerFrameFunctionalGroupsSequence",
    "DirectoryRecordSequence",
    "ReferencedFileID",
]

_PER_IMAGE = """
    SOPInstanceUID AcquisitionTime ContentTime AcquisitionDateTime InstanceNumber
    AcquisitionNumber ImagePositionPatient TriggerTime TemporalPositionIdentifier
    RescaleIntercept RescaleSlope
""".split()  # noqa: SIM905  (a list of 60 names is easier to read as text)

_PRIVATE = (
    # The creators of the private blocks, without which implicit files give bytes, not numbers.
    (0x0019, 0x0010),
    (0x0029, 0x0010),
    (0x0043, 0x0010),
    (0x2005, 0x0010),
    GE_COMPONENT,
    GE_B_VALUE,
    *GE_DIRECTION,
    SIEMENS_B_VALUE,
    SIEMENS_DIRECTION,
    SIEMENS_CSA_IMAGE,
    PHILIPS_SCALE_SLOPE,
)


def _tags(keywords: Iterable[str], private: Iterable[tuple[int, int]]) -> list[BaseTag]:
    """Return ready-made tags, or pydicom would make them again for every file."""
    return [*(Tag(keyword) for keyword in keywords), *(Tag(pair) for pair in private)]


TAGS = _tags(_KEYWORDS, _PRIVATE)
PER_IMAGE = frozenset(_tags(_PER_IMAGE, (SIEMENS_CSA_IMAGE, *GE_DIRECTION)))
"""Attributes that change from image to image of one series and are read for each."""
