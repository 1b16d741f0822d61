"""One subject's folder: masks and pictures of each visit, and assessment.json, written last.

A folder with an assessment.json is therefore complete.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import ValidationError

from imaging.assessment import Assessment, VisitAssessment
from imaging.reference import NoReference
from imaging.volume import Mask
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.mask_nifti import save_mask
from surveillance.exports.overlay import save_overlay
from surveillance.exports.writing import PARTIAL, write_text

RECORD = "assessment.json"
RECTUS_LEFT, RECTUS_RIGHT, GRAFT = "rectus_left.nii.gz", "rectus_right.nii.gz", "graft.nii.gz"
OVERLAY = "overlay.png"


def finished(folder: Path, fingerprint: str) -> AssessmentRecord | None:
    """Return the record an earlier run left, if it was made from the same things."""
    try:
        record = AssessmentRecord.model_validate_json((folder / RECORD).read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
    return record if record.fingerprint == fingerprint else None


def save_subject(assessment: Assessment, record: AssessmentRecord, folder: Path) -> None:
    """Write all files of one subject.

    Raises
    ------
    OutputError
        A file cannot be written.
    """
    _clear(folder)
    for visit in assessment.visits:
        _save_visit(visit, folder / visit.visit.label)
    write_text(folder / RECORD, record.model_dump_json(indent=2) + "\n")


def _clear(folder: Path) -> None:
    """Remove what an earlier run wrote: a mask of a visit that is no more would mislead.

    So would half a mask: a run that was killed leaves it under its temporary name.
    """
    (folder / RECORD).unlink(missing_ok=True)
    for name in (f"{PARTIAL}*", f"*/{PARTIAL}*"):
        for half in folder.glob(name):
            half.unlink()
    for name in (RECTUS_LEFT, RECTUS_RIGHT, GRAFT, OVERLAY):
        for stale in folder.glob(f"*/{name}"):
            stale.unlink()


def _save_visit(visit: VisitAssessment, folder: Path) -> None:
    if visit.anatomy is None:
        return
    t2, muscles, graft = (
        visit.anatomy.t2w_fs,
        visit.anatomy.muscles,
        visit.anatomy.graft,
    )
    nothing = Mask(np.zeros(t2.geometry.shape, dtype=np.bool_), t2.geometry)
    save_mask(muscles.rectus_left, folder / RECTUS_LEFT)
    save_mask(muscles.rectus_right, folder / RECTUS_RIGHT)
    save_mask(graft.mask or nothing, folder / GRAFT)
    reference = visit.anatomy.t2.reference
    white = None if isinstance(reference, NoReference) else reference.median
    outlines = (graft.mask, muscles.rectus_left, muscles.rectus_right)
    save_overlay(t2, *outlines, white, folder / OVERLAY)
