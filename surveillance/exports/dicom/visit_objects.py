"""VisitObjects: all DICOM objects of one assessed visit, from its result folder and its images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydicom import Dataset

from imaging.errors import SeriesError
from imaging.geometry import Geometry
from imaging.loaders.mask_nifti import load_nifti_mask
from imaging.loaders.mask_target import MaskTarget
from imaging.messages import text
from imaging.protocol import SeriesLimits
from imaging.selection import choose
from imaging.series import Role, Series
from imaging.volume import Mask
from surveillance.exports.contract import AssessmentRecord, SeriesBlock, VisitBlock
from surveillance.exports.dicom.encapsulated_pdf import encapsulated_pdf
from surveillance.exports.dicom.groups import Reported
from surveillance.exports.dicom.instance import Origin
from surveillance.exports.dicom.key_image import key_image
from surveillance.exports.dicom.segmentation import Outlines, SegmentationType, segmentation
from surveillance.exports.dicom.source import SourceSeries, source_of
from surveillance.exports.dicom.structured_report import structured_report
from surveillance.exports.dicom.uids import is_uid
from surveillance.exports.subject_folder import GRAFT, OVERLAY, RECTUS_LEFT, RECTUS_RIGHT

SEGMENTATION, LABELMAP, MEASUREMENTS = "segmentation.dcm", "labelmap.dcm", "measurements.dcm"
KEY_IMAGE, REPORT, SUBJECT_REPORT = "key_image.dcm", "report.dcm", "subject_report.dcm"
NAMES = (SEGMENTATION, LABELMAP, MEASUREMENTS, KEY_IMAGE, REPORT, SUBJECT_REPORT)
PDF = "report.pdf"


@dataclass(frozen=True, slots=True, eq=False)
class Results:
    """One subject's result folder and what its assessment.json says."""

    folder: Path
    record: AssessmentRecord


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """All series found under the given folders, and how one is chosen of several."""

    series: Sequence[Series]
    limits: SeriesLimits


def visit_objects(
    results: Results, visit: VisitBlock, images: Images, *, labelmap: bool = False
) -> dict[str, Dataset]:
    """Return the sealed objects of one visit by file name.

    With `labelmap` the outlines are there a second time as a label map. The report refers to the
    binary ones: dcmtk and dciodvfy do not know that label maps have segments to refer to.

    Raises
    ------
    SeriesError
        The visit's images are not there, are no DICOM, or cannot be referred to.
    MaskError, FileError
        A mask or picture of the result folder is damaged or belongs to other images.
    """
    t2 = _source(visit.series.t2w_fs, Role.T2W_FS, images)
    t1 = _source(visit.series.t1w_fs, Role.T1W_FS, images)
    folder = results.folder / visit.folder
    outlines = _outlines(folder, t2.geometry) if t2 and (folder / GRAFT).exists() else None
    outlined = segmentation(t2, outlines, results.record, visit) if t2 and outlines else None
    report = structured_report(Reported(results.record, visit, t2, t1, outlined))
    objects: dict[str, Dataset] = {MEASUREMENTS: report}
    if outlined is not None:
        objects[SEGMENTATION] = outlined.instance
    if t2 and outlines and labelmap:
        kind = SegmentationType.LABELMAP
        whole = segmentation(t2, outlines, results.record, visit, kind)
        objects |= {LABELMAP: whole.instance} if whole else {}
    if t2 and outlines and (folder / OVERLAY).exists():
        shown = _shown(outlines)
        objects[KEY_IMAGE] = key_image(folder / OVERLAY, t2, shown, results.record.fingerprint)
    return objects | _documents(folder / PDF, REPORT, results, objects)


def subject_report(results: Results, last: dict[str, Dataset]) -> dict[str, Dataset]:
    """Return the subject's report, if there is one, as part of the visit with these objects."""
    return _documents(results.folder / PDF, SUBJECT_REPORT, results, last)


def _documents(
    pdf: Path, name: str, results: Results, objects: dict[str, Dataset]
) -> dict[str, Dataset]:
    if not pdf.exists():
        return {}
    sources = list(objects.values())
    origin = Origin(objects[MEASUREMENTS], results.record.fingerprint)
    title = text("dicom.report_title")
    return {name: encapsulated_pdf(pdf.read_bytes(), pdf.name, title, origin, sources)}


def _source(block: SeriesBlock | None, role: Role, images: Images) -> SourceSeries | None:
    if block is None:
        return None
    same = [one for one in images.series if one.info.uid == block.series_uid]
    chosen, _ = choose(same, role, images.limits)
    if chosen is not None:
        return source_of(chosen)
    # A NIfTI file's name stands where a DICOM series has its UID.
    code = "export_series_missing" if is_uid(block.series_uid) else "export_no_dicom"
    raise SeriesError(code, series=block.description or block.series_uid)


def _outlines(folder: Path, grid: Geometry) -> Outlines:
    # NIfTI rounds places to 32 bits; the masks get the exact grid of their images back.
    target = MaskTarget(grid)
    graft, left, right = (
        load_nifti_mask(folder / name, target) for name in (GRAFT, RECTUS_LEFT, RECTUS_RIGHT)
    )
    return Outlines(graft, left, right)


def _shown(outlines: Outlines) -> Mask:
    if not outlines.graft.is_empty:
        return outlines.graft
    either = outlines.rectus_left.array | outlines.rectus_right.array
    return replace(outlines.graft, array=either)
