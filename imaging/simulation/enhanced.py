"""Enhanced MR: the functional groups of one multi-frame file."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from imaging.geometry import Geometry
from imaging.simulation.headers import SeriesHeader


def _item(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def functional_groups(
    dataset: Dataset, header: SeriesHeader, geometry: Geometry, rescale_slope: float
) -> None:
    """Give an Enhanced MR dataset its shared and per-frame groups and its dimensions."""
    values = header.values
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "ABDOMEN", "NONE"]
    dataset.MRAcquisitionType = values["MRAcquisitionType"]
    dataset.PixelPresentation = "MONOCHROME"
    dataset.VolumetricProperties = "VOLUME"
    dataset.VolumeBasedCalculationTechnique = "NONE"
    dataset.ComplexImageComponent = "MAGNITUDE"
    dataset.AcquisitionContrast = "T2" if "SE" in values["ScanningSequence"] else "T1"
    dataset.AcquisitionNumber = 1
    dataset.AcquisitionDuration = 60.0
    dataset.PulseSequenceName = values["SequenceName"]
    dataset.EchoPulseSequence = "SPIN" if dataset.AcquisitionContrast == "T2" else "GRADIENT"
    dataset.MultipleSpinEcho = "NO"
    dataset.BurnedInAnnotation = "NO"
    dataset.LossyImageCompression = "00"
    dataset.PresentationLUTShape = "IDENTITY"
    organisation = f"{dataset.SOPInstanceUID}.1"[:64]
    dataset.DimensionOrganizationSequence = [_item(DimensionOrganizationUID=organisation)]
    dataset.DimensionIndexSequence = [
        _item(
            DimensionOrganizationUID=organisation,
            DimensionIndexPointer=0x00209057,
            FunctionalGroupPointer=0x00209111,
            DimensionDescriptionLabel="In-Stack Position Number",
        )
    ]
    dataset.SharedFunctionalGroupsSequence = [_shared(dataset, values, geometry)]
    dataset.PerFrameFunctionalGroupsSequence = [
        _frame(dataset, values, geometry, k, rescale_slope) for k in range(geometry.shape[2])
    ]


def numbers(array: Any) -> list[float]:
    """Round to what fits a DICOM decimal string of 16 characters, without a negative zero."""
    return [float(f"{float(v):.9g}") + 0.0 for v in np.asarray(array).ravel()]


def _shared(dataset: Dataset, values: dict[str, Any], geometry: Geometry) -> Dataset:
    i, j, k = geometry.spacing_mm
    suppressed = values["ScanOptions"] == "FS"
    measures = _item(
        PixelSpacing=numbers([j, i]),
        SliceThickness=values["SliceThickness"],
        SpacingBetweenSlices=numbers([k])[0],
    )
    timing = _item(
        RepetitionTime=values["RepetitionTime"],
        FlipAngle=float(values["FlipAngle"]),
        EchoTrainLength=values["EchoTrainLength"],
        RFEchoTrainLength=values["EchoTrainLength"],
        GradientEchoTrainLength=0 if dataset.AcquisitionContrast == "T2" else 1,
    )
    modifier = _item(
        InversionRecovery="YES" if "InversionTime" in values else "NO",
        FlowCompensation="NONE",
        Spoiling="RF" if dataset.AcquisitionContrast == "T1" else "NONE",
        T2Preparation="NO",
        SpectrallySelectedExcitation="NONE",
        SpectrallySelectedSuppression="FAT" if suppressed else "NONE",
        SpatialPresaturation="NONE",
        PartialFourier="NO",
        ParallelAcquisition="NO",
    )
    if "InversionTime" in values:
        modifier.InversionTimes = [values["InversionTime"]]
    return _item(
        PixelMeasuresSequence=[measures],
        PlaneOrientationSequence=[
            _item(ImageOrientationPatient=numbers(geometry.directions[:, :2].T))
        ],
        FrameAnatomySequence=[_item(FrameLaterality="U")],
        MRTimingAndRelatedParametersSequence=[timing],
        MREchoSequence=[_item(EffectiveEchoTime=float(values["EchoTime"]))],
        MRModifierSequence=[modifier],
        MRAveragesSequence=[_item(NumberOfAverages=1)],
    )


def _frame(
    dataset: Dataset, values: dict[str, Any], geometry: Geometry, k: int, rescale_slope: float
) -> Dataset:
    position = geometry.affine[:3, 3] + k * geometry.affine[:3, 2]
    image_type = _item(
        FrameType=["ORIGINAL", "PRIMARY", "ABDOMEN", "NONE"],
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
        ComplexImageComponent="MAGNITUDE",
        AcquisitionContrast=dataset.AcquisitionContrast,
    )
    content = _item(
        StackID="1",
        InStackPositionNumber=k + 1,
        DimensionIndexValues=[k + 1],
        TemporalPositionIndex=1,
        FrameAcquisitionNumber=1,
        FrameReferenceDateTime="20260101090000",
        FrameAcquisitionDateTime="20260101090000",
        FrameAcquisitionDuration=float(values["RepetitionTime"]),
    )
    return _item(
        FrameContentSequence=[content],
        PlanePositionSequence=[_item(ImagePositionPatient=numbers(position))],
        MRImageFrameTypeSequence=[image_type],
        PixelValueTransformationSequence=[
            _item(RescaleIntercept=0, RescaleSlope=rescale_slope, RescaleType="US")
        ],
    )
