"""StructuredReport: one visit's measurements as a Comprehensive 3D SR by TID 1500."""

from __future__ import annotations

from collections.abc import Iterable

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import (
    CodeContentItem,
    CodedConcept,
    Comprehensive3DSR,
    ContainerContentItem,
    ContentSequence,
    DeviceObserverIdentifyingAttributes,
    ImageContentItem,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    UIDRefContentItem,
)
from highdicom.sr.enum import RelationshipTypeValues
from pydicom import Dataset
from pydicom.sr.codedict import codes

from surveillance.exports.dicom import concepts as c
from surveillance.exports.dicom.groups import Reported, measurement_groups
from surveillance.exports.dicom.instance import (
    MAKER,
    Kind,
    Origin,
    common_arguments,
    names_as_they_are,
    sealed,
)
from surveillance.exports.dicom.source import SourceSeries
from surveillance.exports.dicom.uids import uid_of

_CONTAINS = RelationshipTypeValues.CONTAINS
_CONTEXT = RelationshipTypeValues.HAS_ACQ_CONTEXT


@names_as_they_are()
def structured_report(reported: Reported) -> Comprehensive3DSR:
    """Return the sealed report of a visit that has at least one of its two series."""
    sources = [source for source in (reported.t2, reported.t1) if source is not None]
    origin = Origin(sources[0].first, reported.record.fingerprint)
    content = MeasurementReport(
        observation_context=_observed_by_the_program(),
        procedure_reported=c.MRI,
        imaging_measurements=measurement_groups(reported),
        title=c.MEASUREMENT_REPORT,
    )
    _insert_library(content, sources)
    arguments = common_arguments(Kind.MEASUREMENTS, origin)
    report = Comprehensive3DSR(
        evidence=list(_evidence(reported, sources)),
        content=content[0],
        is_complete=True,
        is_final=False,
        coding_schemes=[_private_scheme()],
        **arguments,
    )
    return sealed(report)


def _observed_by_the_program() -> ObservationContext:
    device = DeviceObserverIdentifyingAttributes(
        uid=uid_of("device", MAKER), name=MAKER, manufacturer_name=MAKER, model_name=MAKER
    )
    observer = ObserverContext(
        observer_type=CodedConcept.from_code(c.DEVICE), observer_identifying_attributes=device
    )
    return ObservationContext(observer_device_context=observer)


def _private_scheme() -> CodingSchemeIdentificationItem:
    return CodingSchemeIdentificationItem(
        designator=c.SCHEME, name="graftsite", responsible_organization=MAKER
    )


def _evidence(reported: Reported, sources: Iterable[SourceSeries]) -> Iterable[Dataset]:
    for source in sources:
        yield from source.images
    if reported.outlined is not None:
        yield reported.outlined.instance


def _insert_library(content: MeasurementReport, sources: Iterable[SourceSeries]) -> None:
    """Put the image library (TID 1600) before the measurements.

    highdicom's own repeats each slice's geometry and cannot describe multi-frame images.
    """
    library = ContainerContentItem(codes.DCM.ImageLibrary, relationship_type=_CONTAINS)
    library.ContentSequence = ContentSequence([_library_group(source) for source in sources])
    items = content[0].ContentSequence
    place = next(k for k, item in enumerate(items) if item.name == codes.DCM.ImagingMeasurements)
    items.insert(place, library)


def _library_group(source: SourceSeries) -> ContainerContentItem:
    group = ContainerContentItem(codes.DCM.ImageLibraryGroup, relationship_type=_CONTAINS)
    frame_of_reference = str(source.first.FrameOfReferenceUID)
    group.ContentSequence = ContentSequence(
        [
            CodeContentItem(codes.DCM.Modality, c.MR, _CONTEXT),
            UIDRefContentItem(codes.DCM.FrameOfReferenceUID, frame_of_reference, _CONTEXT),
            *(
                ImageContentItem(
                    CodedConcept.from_code(c.SOURCE),
                    image.SOPClassUID,
                    image.SOPInstanceUID,
                    referenced_frame_numbers=source.frame_numbers,
                    relationship_type=_CONTAINS,
                )
                for image in source.images
            ),
        ]
    )
    return group
