"""Outlining: what a person at the station draws becomes a graft, and a graft becomes numbers."""

from __future__ import annotations

from collections.abc import Mapping

from imaging.concurrency import cores
from imaging.reassessment import outlined_again, reassess
from imaging.segmentation.masks import Graft
from imaging.segmentation.seed import Stroke
from imaging.segmentation.segmenter import segmenter_named
from imaging.series import Role
from imaging.volume import Mask, Volume
from readers.masks import mask_sha256
from surveillance.cases.anatomy import muscles, outlined, prepared
from surveillance.cases.case import Case, CaseVisit
from surveillance.errors import CaseFilesError
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.record import record_of
from surveillance.fingerprint import digest


def seeded(visit: CaseVisit, stroke_mm: Stroke, earlier: Mask | None = None) -> Graft:
    """Return the graft grown from a click or a stroke (LPS mm) on a visit's T2W-FS.

    Parameters
    ----------
    earlier
        The baseline's graft, drawn by the same reader, on this visit's grid. The program's own is
        never used: a blinded reader must not be led by it.

    Raises
    ------
    SeedError
        A point lies where no graft can be.
    CaseFilesError
        The visit has no T2W-FS to outline on.
    """
    t2, found = visit.volume(Role.T2W_FS), muscles(visit)
    if t2 is None or found is None:
        raise CaseFilesError("case_nothing_to_outline", visit=visit.label)
    protocol = visit.case.manifest.protocol
    return segmenter_named(protocol.segmenter).graft(
        t2, _t1_on_t2_grid(visit), found, protocol.segmentation, earlier, stroke_mm
    )


def _t1_on_t2_grid(visit: CaseVisit) -> Volume | None:
    ready = prepared(visit)
    if ready is None or visit.t1_from_t2 is None or ready.images.t1 is None:
        return None
    return visit.case.shelf.memory.get(
        ("t1_on_t2", visit.case.version, visit.label),
        lambda: ready.images.t1_on_t2_grid,
        lambda volume: 0 if volume is None else volume.array.nbytes,
    )


def edited(case: Case, masks: Mapping[str, Mask], until: str | None = None) -> AssessmentRecord:
    """Measure and judge a case again with the masks that a person drew, by visit label.

    The other visits keep the program's outlines. What changed says `edited`. Visits after
    `until` are left out; nothing before depends on them.

    Raises
    ------
    MaskError, GeometryError
        A mask is empty, on another grid, or lies where no graft can be.
    CaseFilesError
        A visit is not there or has no T2W-FS.
    """
    labels = [visit.label for visit in case.visits]
    seen = case.visits if until is None else case.visits[: labels.index(until) + 1]
    visits = {visit.label: outlined(visit) for visit in seen}
    for label, mask in masks.items():
        ready = outlined(case.visit(label))
        if ready.prepared is None:
            raise CaseFilesError("case_nothing_to_outline", visit=label)
        visits[label] = outlined_again(ready, ready.prepared, mask)
    judged_by = case.manifest.protocol
    assessment = reassess(case.subject, list(visits.values()), judged_by, cores())
    drawn = (f"mask {label} {mask_sha256(mask)}" for label, mask in sorted(masks.items()))
    return record_of(assessment, digest([f"case {case.version}", *drawn]))
