"""Importing: an assessed subject and its images become one version of a case.

The images are prepared again by the functions that assessed them, because results hold masks and
numbers only. The muscles found must be those of the results: else other images or another program
made them, and nothing drawn or measured here would belong to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imaging.concurrency import at_a_time, cores
from imaging.loaders.mask_nifti import load_nifti_mask
from imaging.loaders.mask_target import MaskTarget
from imaging.preparation import Prepared, prepare_visits
from imaging.protocol import Protocol
from imaging.quality import ENDPOINTS, QualityEntry, Severity
from imaging.reference import NoReference, reference_muscle
from imaging.resampling import carry, resample
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.visit import Subject, Visit
from imaging.volume import Mask, Volume
from surveillance.cases.arrays import Arrays
from surveillance.cases.manifest import CaseManifest, StoredSeries, StoredVisit
from surveillance.cases.storing import Storing
from surveillance.errors import CaseImportError
from surveillance.exports.contract import AssessmentRecord, SeriesBlock, VisitBlock
from surveillance.exports.subject_folder import GRAFT, RECTUS_LEFT, RECTUS_RIGHT

_STOPS = ("LATERALITY_WRONG", "LATERALITY_MIRRORED")
_SAME_MUSCLE_DICE = 0.98
"""Another processor may round a voxel of the border differently; another image is far below."""


def case_of(
    subject: Subject, record: AssessmentRecord, folder: Path, protocol: Protocol, arrays: Arrays
) -> CaseManifest:
    """Make a case; its arrays are stored, its manifest is returned.

    Parameters
    ----------
    subject
        The images, as `imaging.visits.arrange` gives them.
    record, folder
        What `graftsite assess` wrote, and where its masks are.
    protocol
        What the record was judged by.

    Raises
    ------
    CaseImportError
        Other images, another protocol or another program made the results.
    MaskError
        A mask of the results cannot be read.
    OutputError
        The arrays cannot be written.
    """
    if protocol.sha256 != record.protocol.sha256:
        raise CaseImportError("case_other_protocol", subject=record.subject)
    found = [(visit.label, _uids(visit)) for visit in subject.visits]
    if found != [(block.folder, _recorded_uids(block)) for block in record.visits]:
        raise CaseImportError("case_other_images", subject=record.subject)
    visits: list[StoredVisit] = []
    with at_a_time(cores()) as pool:
        ready = prepare_visits(subject.visits, protocol, pool)
        for visit, block, each in zip(subject.visits, record.visits, ready, strict=True):
            assessed = _Assessed(record.subject, visit, block, folder / block.folder, protocol)
            visits.append(_stored(assessed, *each.result(), Storing(arrays)))
    return CaseManifest(
        subject=record.subject, protocol=protocol, record=record, visits=tuple(visits)
    )


def _uids(visit: Visit) -> tuple[str | None, ...]:
    return tuple(None if s is None else s.info.uid for s in (visit.t2w_fs, visit.t1w_fs))


def _recorded_uids(block: VisitBlock) -> tuple[str | None, ...]:
    pair: tuple[SeriesBlock | None, ...] = (block.series.t2w_fs, block.series.t1w_fs)
    return tuple(None if s is None else s.series_uid for s in pair)


@dataclass(frozen=True, slots=True)
class _Assessed:
    """One visit as it was assessed: its images, its record, and the folder of its masks."""

    subject: str
    visit: Visit
    block: VisitBlock
    folder: Path
    protocol: Protocol

    @property
    def stops(self) -> tuple[QualityEntry, ...]:
        """Return the hard stops that withheld the outlines."""
        return tuple(
            QualityEntry(
                q.code, Severity(q.severity), q.message, q.value, q.threshold, q.protocol_key,
                endpoints=ENDPOINTS,
            )
            for q in self.block.quality
            if q.code in _STOPS
        )  # fmt: skip

    def graft(self, prepared: Prepared | None) -> Graft:
        """Return the outline of the results."""
        source, said = Source(self.block.graft.source), self.block.quality
        confidence = self.block.graft.confidence or 0.0
        reasons = tuple(q.message for q in said if q.code == "GRAFT_OUTLINE")
        mask = None if prepared is None else self._mask(GRAFT, prepared)
        return Graft(mask if mask and not mask.is_empty else None, source, confidence, reasons)

    def check_muscles(self, prepared: Prepared) -> None:
        """Compare the muscles with those of the results, unless those were withheld."""
        if self.stops:
            return
        found = prepared.muscles
        for name, mask in ((RECTUS_LEFT, found.rectus_left), (RECTUS_RIGHT, found.rectus_right)):
            if _dice(self._mask(name, prepared), mask) < _SAME_MUSCLE_DICE:
                raise CaseImportError(
                    "case_other_muscles", subject=self.subject, visit=self.block.folder
                )

    def _mask(self, name: str, prepared: Prepared) -> Mask:
        return load_nifti_mask(
            self.folder / name, MaskTarget(prepared.images.t2.corrected.geometry)
        )


def _dice(one: Mask, other: Mask) -> float:
    total = one.voxels + other.voxels
    return 2.0 * int(np.count_nonzero(one.array & other.array)) / total if total else 1.0


def _stored(
    assessed: _Assessed,
    prepared: Prepared | None,
    trouble: tuple[QualityEntry, ...],
    storing: Storing,
) -> StoredVisit:
    visit, graft = assessed.visit, assessed.graft(prepared)
    if prepared is not None:
        assessed.check_muscles(prepared)
    return StoredVisit(
        name=visit.name,
        label=visit.label,
        study_date=visit.study_date,
        days_since_baseline=visit.days_since_baseline,
        notes=visit.notes,
        t2w_fs=_t2w_fs(assessed, prepared, graft, storing),
        t1w_fs=_t1w_fs(assessed, prepared, graft, storing),
        supporting=tuple(storing.series(series) for series in visit.supporting),
        trouble=trouble,
        preparation=None if prepared is None else storing.preparation(prepared),
        graft=storing.graft(graft).model_copy(update={"stops": assessed.stops}),
    )


def _t2w_fs(
    assessed: _Assessed, prepared: Prepared | None, graft: Graft, storing: Storing
) -> StoredSeries | None:
    if prepared is None:
        return None if assessed.visit.t2w_fs is None else storing.series(assessed.visit.t2w_fs)
    t2 = prepared.images.t2
    return storing.endpoint(
        t2, _muscle_median(t2.corrected, prepared.muscles, graft.mask, assessed.protocol)
    )


def _t1w_fs(
    assessed: _Assessed, prepared: Prepared | None, graft: Graft, storing: Storing
) -> StoredSeries | None:
    t1 = None if prepared is None else prepared.images.t1
    motion = None if prepared is None else prepared.images.t1_from_t2
    if prepared is None or t1 is None:
        return None if assessed.visit.t1w_fs is None else storing.series(assessed.visit.t1w_fs)
    if motion is None or not motion.success:
        return storing.endpoint(t1, None)
    onto, grid = motion.moving_from_fixed, t1.corrected.geometry
    there = None if graft.mask is None else resample(graft.mask, grid, onto.inverse)
    muscles = carry(prepared.muscles, grid, onto)
    return storing.endpoint(t1, _muscle_median(t1.corrected, muscles, there, assessed.protocol))


def _muscle_median(
    volume: Volume, muscles: Muscles, graft: Mask | None, protocol: Protocol
) -> float | None:
    reference = reference_muscle(volume, muscles, graft, protocol.reference_muscle)
    return None if isinstance(reference, NoReference) else reference.median
