"""Groups: the measurement groups of one visit's structured report (TID 1411, 1410 and 1501)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from highdicom.sr import (
    AlgorithmIdentification,
    FindingSite,
    ImageRegion3D,
    LongitudinalTemporalOffsetFromEvent,
    MeasurementsAndQualitativeEvaluations,
    PlanarROIMeasurementsAndQualitativeEvaluations,
    QualitativeEvaluation,
    ReferencedSegment,
    SourceImageForMeasurementGroup,
    SourceSeriesForSegmentation,
    TimePointContext,
    TrackingIdentifier,
    VolumetricROIMeasurementsAndQualitativeEvaluations,
)
from highdicom.sr.enum import RelationshipTypeValues
from pydicom.sr.coding import Code

from imaging.messages import text
from surveillance.exports.contract import AssessmentRecord, VisitBlock
from surveillance.exports.dicom import concepts as c
from surveillance.exports.dicom import numbers as n
from surveillance.exports.dicom.evaluations import (
    coded,
    comment_item,
    evaluation,
    not_measured,
    yes_no,
)
from surveillance.exports.dicom.instance import MAKER
from surveillance.exports.dicom.segmentation import (
    GRAFT_STRUCTURE,
    LEFT_RECTUS,
    RIGHT_RECTUS,
    Outlined,
    Structure,
)
from surveillance.exports.dicom.source import SourceSeries
from surveillance.exports.dicom.uids import tracking_uid, uid_of

_GRAFT = GRAFT_STRUCTURE.name
_ENDPOINTS = {
    "morphological_stability": c.MORPHOLOGY,
    "signal_characteristics": c.SIGNAL,
    "fat_absence": c.FAT_ABSENCE,
}
Group = (
    MeasurementsAndQualitativeEvaluations
    | PlanarROIMeasurementsAndQualitativeEvaluations
    | VolumetricROIMeasurementsAndQualitativeEvaluations
)


@dataclass(frozen=True, slots=True, eq=False)
class Reported:
    """What one visit's report is about; a series is None where the visit has none."""

    record: AssessmentRecord
    visit: VisitBlock
    t2: SourceSeries | None
    t1: SourceSeries | None
    outlined: Outlined | None


@dataclass(frozen=True, slots=True)
class _Content:
    """What goes into one group."""

    finding: Code
    numbers: Sequence[n.Number] = ()
    evaluations: Sequence[QualitativeEvaluation] = ()
    comments: Sequence[str] = ()
    side: Code | None = c.LEFT


def measurement_groups(reported: Reported) -> list[Group]:
    """Return the groups of one visit: endpoints first, as a reader wants them."""
    groups = [_endpoints(reported), _graft(reported), *_muscles(reported), _t1(reported)]
    for block, finding in (("change", c.CHANGE_BASELINE), ("change_from_nadir", c.CHANGE_NADIR)):
        groups.append(_change(reported, block, finding))
    groups += [*_foci(reported), _quality(reported)]
    return [group for group in groups if group is not None]


def _endpoints(reported: Reported) -> Group:
    visit = reported.visit
    found = [
        evaluation(concept, c.STATUSES[block.status], block.reasons)
        for name, concept in _ENDPOINTS.items()
        for block in (getattr(visit.findings, name),)
    ]
    flag = visit.surveillance_flag
    level = c.INDETERMINATE if flag.level is None else c.LEVELS[flag.level]
    found.append(evaluation(c.FLAG, level, flag.reasons))
    failed = (entry.message for entry in visit.quality if entry.severity == "error")
    # Beside a green flag they are its reasons.
    limits = () if flag.level == "green" else visit.detection_limits
    comments = (text("dicom.research_use"), *failed, *visit.notes, *limits)
    return _plain(reported, _GRAFT, _Content(c.ENDPOINTS, (), found, comments))


def _graft(reported: Reported) -> Group:
    graft, t2 = reported.visit.graft, reported.visit.t2
    evaluations = [
        *yes_no(c.GRAFT_SEEN, graft.present),
        *coded(c.OUTLINE_SOURCE, c.SOURCES, graft.source if graft.present else None),
        *coded(c.PATTERN, c.PATTERNS, t2.pattern),
        *yes_no(c.MASS_LIKE, t2.mass_like),
    ]
    comments = tuple(not_measured(reported.visit, "graft", "t2"))
    content = _Content(c.GRAFT_MATERIAL, n.GRAFT, evaluations, comments)
    return _outlined(reported, GRAFT_STRUCTURE, content)


def _muscles(reported: Reported) -> Iterator[Group]:
    for structure, numbers, side in (
        (LEFT_RECTUS, n.RECTUS_LEFT, "left"),
        (RIGHT_RECTUS, n.RECTUS_RIGHT, "right"),
    ):
        comments = tuple(
            not_measured(reported.visit, f"muscle.thickness_{side}_mm", f"muscle.volume_{side}_ml")
        )
        content = _Content(c.ABDOMINAL_WALL_MUSCLE, numbers, (), comments, structure.side)
        yield _outlined(reported, structure, content)


def _t1(reported: Reported) -> Group | None:
    t1 = reported.visit.t1
    evaluations = list(coded(c.FAT, c.FAT_ANSWERS, t1.fat))
    if t1.graft_to_muscle_ratio is not None:
        evaluations += yes_no(c.ISOINTENSE, t1.isointense, unknown=c.INDETERMINATE)
    comments = tuple(not_measured(reported.visit, "t1"))
    content = _Content(c.T1_SIGNAL, n.T1, evaluations, comments)
    return _plain(reported, _GRAFT, content, reported.t1)


def _change(reported: Reported, block: str, finding: Code) -> Group | None:
    found = n.value_at(reported.visit, block)
    if found is None:
        return None
    comments = (
        text("dicom.reference", visit=n.value_at(reported.visit, f"{block}.reference")),
        *not_measured(reported.visit, block),
    )
    return _plain(
        reported, _GRAFT, _Content(finding, n.change_numbers(block), (), comments), reported.t2
    )


def _foci(reported: Reported) -> Iterator[Group]:
    visit = reported.visit
    for number, nodule in enumerate(visit.t2.nodules):
        new = yes_no(c.NEW_FINDING, nodule.new_since_baseline)
        yield _focus(reported, f"t2.nodules.{number}", reported.t2, nodule.centroid_lps_mm, new)
    for number, focus in enumerate(visit.t1.foci):
        yield _focus(reported, f"t1.foci.{number}", reported.t1, focus.centroid_lps_mm, ())


def _focus(
    reported: Reported,
    block: str,
    source: SourceSeries | None,
    centroid: tuple[float, float, float] | None,
    evaluations: Iterable[QualitativeEvaluation],
) -> Group:
    """Return a focus at its centre of mass; foci are not tracked from visit to visit."""
    record, visit = reported.record, reported.visit
    content = _Content(c.FOCAL_ABNORMALITY, n.focus_numbers(block), tuple(evaluations))
    arguments = _arguments(reported, block, content)
    uid = uid_of("focus", record.protocol.id, record.subject, visit.folder, block)
    arguments["tracking_identifier"] = TrackingIdentifier(uid=uid, identifier=block)
    if source is None or centroid is None:
        return MeasurementsAndQualitativeEvaluations(**arguments)
    return PlanarROIMeasurementsAndQualitativeEvaluations(
        referenced_region=ImageRegion3D(
            "POINT", np.array([centroid]), str(source.first.FrameOfReferenceUID)
        ),
        **arguments,
    )


def _quality(reported: Reported) -> Group:
    visit = reported.visit
    registration = visit.registration
    evaluations = yes_no(c.REGISTERED, registration.success if registration else None)
    comments = tuple(
        f"{entry.severity}: {entry.message}"
        for entry in visit.quality
        if entry.code != "NOT_MEASURED"
    )
    content = _Content(c.QUALITY, n.REGISTRATION, evaluations, comments, side=None)
    return _plain(reported, "images", content)


def _plain(
    reported: Reported, tracked: str, content: _Content, source: SourceSeries | None = None
) -> Group:
    group = MeasurementsAndQualitativeEvaluations(
        source_images=_sources(source) if source else None,
        **_arguments(reported, tracked, content),
    )
    return _commented(group, content.comments)


def _outlined(reported: Reported, structure: Structure, content: _Content) -> Group:
    """Return a group about a segment; where nothing was outlined, one without a region."""
    segment = reported.outlined.segments.get(structure.name) if reported.outlined else None
    if reported.outlined is None or reported.t2 is None or segment is None:
        return _plain(reported, structure.name, content)
    group = VolumetricROIMeasurementsAndQualitativeEvaluations(
        referenced_segment=ReferencedSegment(
            sop_class_uid=reported.outlined.instance.SOPClassUID,
            sop_instance_uid=reported.outlined.instance.SOPInstanceUID,
            segment_number=segment,
            source_series=SourceSeriesForSegmentation(reported.t2.first.SeriesInstanceUID),
        ),
        **_arguments(reported, structure.name, content),
    )
    return _commented(group, content.comments)


def _arguments(reported: Reported, tracked: str, content: _Content) -> dict[str, Any]:
    record = reported.record
    uid = tracking_uid(record.protocol.id, record.subject, tracked)
    return {
        "tracking_identifier": TrackingIdentifier(uid=uid, identifier=tracked),
        "finding_type": content.finding,
        "time_point_context": _time_point(reported),
        "algorithm_id": _algorithm(record),
        "finding_sites": None if content.side is None else [_site(content.side)],
        "measurements": n.measurements(reported.visit, content.numbers),
        "qualitative_evaluations": list(content.evaluations),
    }


def _site(side: Code) -> FindingSite:
    return FindingSite(anatomic_location=c.ABDOMINAL_WALL_MUSCLE, laterality=side)


def _algorithm(record: AssessmentRecord) -> AlgorithmIdentification:
    protocol = record.protocol
    return AlgorithmIdentification(
        name=MAKER,
        version=record.program_version,
        parameters=[
            text(
                "dicom.protocol", id=protocol.id, version=protocol.version, sha256=protocol.sha256
            ),
            text("dicom.uncertainty"),
        ],
    )


def _time_point(reported: Reported) -> TimePointContext:
    visit = reported.visit
    kinds = {"BASELINE": c.BASELINE, "UNSCHEDULED": c.UNSCHEDULED}
    days = visit.days_since_baseline
    return TimePointContext(
        time_point=visit.folder,
        time_point_type=kinds.get(visit.visit, c.POSTTREATMENT),
        time_point_order=[v.folder for v in reported.record.visits].index(visit.folder) + 1,
        protocol_time_point_identifier=visit.visit,
        temporal_offset_from_event=None
        if days is None
        else LongitudinalTemporalOffsetFromEvent(days, c.DAY, c.BASELINE),
    )


def _sources(source: SourceSeries) -> list[SourceImageForMeasurementGroup]:
    frames = source.frame_numbers
    return [
        SourceImageForMeasurementGroup(image.SOPClassUID, image.SOPInstanceUID, frames)
        for image in source.images
    ]


def _commented(group: Group, comments: Iterable[str]) -> Group:
    for sentence in comments:
        group[0].ContentSequence.append(comment_item(sentence, RelationshipTypeValues.CONTAINS))
    return group
