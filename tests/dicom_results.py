"""Results of an assessment and the small DICOM images they belong to; nothing is assessed."""

from datetime import date
from itertools import count
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np
from dicom_files import COLUMNS, ROWS, another, image, save
from PIL import Image
from pydantic import BaseModel
from pydicom.valuerep import format_number_as_ds

from imaging.geometry import Geometry
from imaging.loaders import find_series
from imaging.protocol import load_protocol
from imaging.series import Role, Series
from imaging.volume import Mask
from surveillance.exports.contract import AssessmentRecord, VisitBlock
from surveillance.exports.dicom.segmentation import Outlines
from surveillance.exports.mask_nifti import save_mask
from surveillance.exports.subject_folder import GRAFT, OVERLAY, RECTUS_LEFT, RECTUS_RIGHT

PROTOCOL = load_protocol()
T1 = {"RepetitionTime": 4, "EchoTime": 2, "FlipAngle": 10, "ScanningSequence": "GR"}
FIRST_NUMBER = 101.25
"""No other number in a report is as large, or ends in a quarter."""


def directions(signs=(1, 1, 1), degrees=(0.0, 0.0, 0.0)):
    """Columns: row, column and slice direction, reversed where the sign is -1, then turned."""
    turn = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        one = np.eye(3)
        i, j = ((1, 2), (2, 0), (0, 1))[axis]
        one[i, i] = one[j, j] = np.cos(angle)
        one[i, j], one[j, i] = -np.sin(angle), np.sin(angle)
        turn = one @ turn
    return turn @ np.diag(np.array(signs, dtype=float))


def write_series(folder: Path, axes=None, slices=4, number=None, **changes) -> list[Path]:
    """Write a T2W-FS series (with `number`, one more); its files run along `axes'` third column."""
    axes = directions() if axes is None else axes
    own = {} if number is None else another(number)
    paths = []
    for k in range(slices):
        values = {name: v(k) if callable(v) else v for name, v in {**own, **changes}.items()}
        place = np.array([-10.0, -20.0, 30.0]) + 4.0 * k * axes[:, 2]
        values.setdefault("ImagePositionPatient", [format_number_as_ds(float(x)) for x in place])
        cosines = [format_number_as_ds(float(x)) for x in axes[:, :2].T.ravel()]
        values.setdefault("ImageOrientationPatient", cosines)
        paths.append(save(image(k, **values), folder / f"IM{k:04d}"))
    return paths


def series_in(folder: Path, role: Role = Role.T2W_FS) -> Series:
    (found,) = [s for s in find_series([folder], PROTOCOL).series if s.role is role]
    return found


def random_outlines(grid: Geometry, seed: int = 1) -> Outlines:
    """A graft inside the left of two muscles that fill the image between them."""
    rng = np.random.default_rng(seed)
    left = np.zeros(grid.shape, dtype=np.bool_)
    left[: COLUMNS // 2] = True
    graft = left & (rng.random(grid.shape) < 0.3)
    graft[0, ROWS - 1, 1], graft[:, :, 0] = True, False  # never empty, one slice without
    return Outlines(Mask(graft, grid), Mask(left, grid), Mask(~left, grid))


def filled(annotation: Any, numbers: Any) -> Any:
    """Return a value of the contract's types; every number differs from every other."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = annotation.model_fields.items()
        return {name: filled(field.annotation, numbers) for name, field in fields}
    if origin in (Union, UnionType):
        return filled(next(a for a in arguments if a is not type(None)), numbers)
    if origin is Literal:
        return arguments[0]
    if origin is tuple:
        inner = arguments[:1] if arguments[-1] is Ellipsis else arguments
        return [filled(a, numbers) for a in inner]
    plain = {str: "words", bool: True, int: 7, date: "2026-04-07"}
    return plain.get(annotation) or next(numbers)


def visit_dict(**changes: Any) -> dict[str, Any]:
    """One visit with every field filled, T2W-FS and T1W-FS as `write_series` writes them."""
    values = filled(VisitBlock, count(FIRST_NUMBER))
    for block, uid in (
        ("t2w_fs", image(0).SeriesInstanceUID),
        ("t1w_fs", f"{image(0).SeriesInstanceUID}.2"),
    ):
        values["series"][block]["series_uid"] = uid
    for block, name, interval in (
        ("graft", "volume_ml", "volume_ci95_ml"),
        ("graft", "subvoxel_volume_ml", "subvoxel_volume_ci95_ml"),
        ("t2", "graft_to_muscle_ratio", "ratio_ci95"),
        ("t1", "graft_to_muscle_ratio", "ratio_ci95"),
    ):
        value = values[block][name]
        values[block][interval] = [value - value / 128, value + value / 64]
    return {**values, "folder": values["visit"], **changes}


def record_of(*visits: dict[str, Any], subject: str = "S01") -> AssessmentRecord:
    protocol = {"id": "NCT07276568", "version": "1", "sha256": "ab" * 32}
    return AssessmentRecord.model_validate(
        {
            "program_version": "0.1.0",
            "fingerprint": "cd" * 32,
            "subject": subject,
            "protocol": protocol,
            "visits": visits,
        }
    )


def write_results(folder: Path, record: AssessmentRecord, outlines: Outlines) -> Path:
    """Write a subject's result folder as `graftsite assess` does."""
    subject = folder / "subjects" / record.subject
    for visit in record.visits:
        masks = (outlines.graft, outlines.rectus_left, outlines.rectus_right)
        for name, mask in zip((GRAFT, RECTUS_LEFT, RECTUS_RIGHT), masks, strict=True):
            save_mask(mask, subject / visit.folder / name)
        picture = np.random.default_rng(1).integers(0, 255, (10, 20, 3), dtype=np.uint8)
        Image.fromarray(picture).save(subject / visit.folder / OVERLAY)
    (subject / "assessment.json").write_text(record.model_dump_json())
    return folder
