"""Segmentation: graft and both rectus compartments of one visit as DICOM SEG on its T2W-FS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from highdicom import AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import Segmentation, SegmentDescription
from pydicom import Dataset
from pydicom.sr.coding import Code

from imaging.messages import text
from imaging.volume import Mask
from surveillance.exports.contract import AssessmentRecord, VisitBlock
from surveillance.exports.dicom import concepts
from surveillance.exports.dicom.instance import (
    MAKER,
    Kind,
    Origin,
    common_arguments,
    names_as_they_are,
    sealed,
)
from surveillance.exports.dicom.source import SourceSeries
from surveillance.exports.dicom.uids import tracking_uid, uid_of
from surveillance.exports.overlay import GRAFT, RECTUS_LEFT, RECTUS_RIGHT

_BY = {"automatic": "AUTOMATIC", "seeded": "SEMIAUTOMATIC", "edited": "MANUAL"}


class SegmentationType(StrEnum):
    """BINARY is read everywhere; LABELMAP, newer, gives every voxel to one structure."""

    BINARY = "BINARY"
    LABELMAP = "LABELMAP"


_SERIES = {
    SegmentationType.BINARY: Kind.SEGMENTATION,
    SegmentationType.LABELMAP: Kind.LABELMAP,
}


@dataclass(frozen=True, slots=True, eq=False)
class Outlines:
    """The three masks of one visit on its T2W-FS grid; empty ones were not found."""

    graft: Mask
    rectus_left: Mask
    rectus_right: Mask


@dataclass(frozen=True, slots=True)
class Structure:
    """What a segment is: name (also for tracking), code, side and colour."""

    name: str
    label: str
    category: Code
    type: Code
    side: Code | None
    colour: tuple[int, int, int]


GRAFT_STRUCTURE = Structure("graft", "Graft", concepts.TISSUE, concepts.GRAFT_MATERIAL, None, GRAFT)
LEFT_RECTUS = Structure(
    "rectus left", "Left rectus abdominis", concepts.ANATOMICAL_STRUCTURE,
    concepts.ABDOMINAL_WALL_MUSCLE, concepts.LEFT, RECTUS_LEFT,
)  # fmt: skip
RIGHT_RECTUS = Structure(
    "rectus right", "Right rectus abdominis", concepts.ANATOMICAL_STRUCTURE,
    concepts.ABDOMINAL_WALL_MUSCLE, concepts.RIGHT, RECTUS_RIGHT,
)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Outlined:
    """A sealed segmentation and which structure is which of its segments, from 1."""

    instance: Segmentation
    segments: dict[str, int]


@names_as_they_are()
def segmentation(
    source: SourceSeries,
    outlines: Outlines,
    record: AssessmentRecord,
    visit: VisitBlock,
    kind: SegmentationType = SegmentationType.BINARY,
) -> Outlined | None:
    """Return the segmentation of one visit; None when nothing was outlined.

    A structure without a voxel gets no segment. In BINARY a rectus is the whole compartment,
    graft included; in LABELMAP, where a voxel has one label, it is what is left of it.
    """
    found = list(_found(outlines, kind))
    if not found:
        return None
    origin = Origin(source.first, record.fingerprint)
    array = np.stack([mask.transpose(2, 1, 0) for _, mask in found], axis=-1)
    instance = Segmentation(
        source_images=source.images,
        pixel_array=array,
        segmentation_type=kind.value,
        segment_descriptions=[
            _description(n, structure, record, visit)
            for n, (structure, _) in enumerate(found, start=1)
        ],
        content_label="GRAFT_SITE",
        content_description="Graft and rectus compartments",
        **common_arguments(_SERIES[kind], origin),
    )
    _with_true_frame_numbers(instance, source)
    _with_repeatable_dimensions(instance, origin)
    segments = {structure.name: n for n, (structure, _) in enumerate(found, start=1)}
    return Outlined(sealed(instance), segments)


def _found(
    outlines: Outlines, kind: SegmentationType
) -> Iterator[tuple[Structure, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]]:
    graft = outlines.graft.array
    for structure, mask in (
        (GRAFT_STRUCTURE, graft),
        (LEFT_RECTUS, outlines.rectus_left.array),
        (RIGHT_RECTUS, outlines.rectus_right.array),
    ):
        apart = structure is GRAFT_STRUCTURE or kind is SegmentationType.BINARY
        own = mask if apart else mask & ~graft
        if own.any():
            yield structure, own


def _description(
    number: int, structure: Structure, record: AssessmentRecord, visit: VisitBlock
) -> SegmentDescription:
    is_graft = structure is GRAFT_STRUCTURE
    by = _BY[visit.graft.source] if is_graft else "AUTOMATIC"
    confidence = visit.graft.confidence if is_graft else visit.muscle.confidence
    made = AlgorithmIdentificationSequence(
        name=MAKER,
        family=concepts.EDGE_DETECTION,
        version=record.program_version,
        parameters={"protocol": f"{record.protocol.id} {record.protocol.version}"},
    )
    description = SegmentDescription(
        segment_number=number,
        segment_label=structure.label,
        segmented_property_category=structure.category,
        segmented_property_type=structure.type,
        algorithm_type=by,
        algorithm_identification=None if by == "MANUAL" else made,
        tracking_uid=tracking_uid(record.protocol.id, record.subject, structure.name),
        tracking_id=structure.name,
        anatomic_regions=[concepts.ABDOMINAL_WALL_MUSCLE],
        display_color=CIELabColor.from_rgb(*structure.colour),
    )
    _add_side(description, structure.side or concepts.LEFT)
    if confidence is not None:
        description.SegmentDescription = text("dicom.confidence", value=confidence)
    return description


def _add_side(description: SegmentDescription, side: Code) -> None:
    region = description.AnatomicRegionSequence[0]
    region.AnatomicRegionModifierSequence = [concepts.item(side)]


def _with_true_frame_numbers(instance: Segmentation, source: SourceSeries) -> None:
    """Name a multi-frame source's frames as the file does, which may hold other volumes too."""
    if source.frame_numbers is None:
        return
    references = _references(instance.PerFrameFunctionalGroupsSequence)
    # highdicom lets the segments of one slice share one item.
    for reference in {id(item): item for item in references}.values():
        reference.ReferencedFrameNumber = source.frame_numbers[reference.ReferencedFrameNumber - 1]


def _references(frames: Iterable[Dataset]) -> Iterator[Dataset]:
    for frame in frames:
        for derivation in frame.DerivationImageSequence:
            yield from derivation.SourceImageSequence


def _with_repeatable_dimensions(instance: Segmentation, origin: Origin) -> None:
    """Replace the random UID that ties the dimension indices together."""
    uid = uid_of("dimensions", str(origin.header.SeriesInstanceUID), origin.fingerprint)
    holders = (*instance.DimensionOrganizationSequence, *instance.DimensionIndexSequence)
    for holder in holders:
        holder.DimensionOrganizationUID = uid
