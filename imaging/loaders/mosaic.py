"""Mosaic: Siemens puts all slices of one EPI volume as tiles into one image.

ImagePositionPatient is then the corner that a single image of the whole mosaic's size would
have; each tile's own corner follows by going back from the mosaic's size to the tile's (half
of the difference along rows and columns), then slice by slice along the normal.
Reference: dcm2niix, `nii_dicom.cpp`; nibabel, "DICOM: Siemens mosaic".
"""

from __future__ import annotations

import math
import re
import struct
from dataclasses import replace

import numpy as np
from pydicom import Dataset

from imaging.errors import FileError
from imaging.geometry import FloatArray
from imaging.loaders import tags
from imaging.loaders.attributes import number, value
from imaging.loaders.frame import Frame

_TAG_HEAD = struct.Struct("<64sI4sII4s")
_ITEM_HEAD = struct.Struct("<4I")


def unpacked(ds: Dataset, whole: Frame) -> list[Frame]:
    """Return one frame for each tile.

    Raises
    ------
    FileError
        The private header that says how many tiles there are, or where, is absent or wrong.
    """
    count, normal = _layout(ds, whole)
    thickness = number(ds, "SpacingBetweenSlices") or number(ds, "SliceThickness")
    side = math.ceil(math.sqrt(count))
    rows, columns = whole.rows // side, whole.columns // side
    first = _first_corner(whole, rows, columns)
    if (
        first is None
        or not thickness
        or (rows * side, columns * side) != (whole.rows, whole.columns)
    ):
        raise FileError("mosaic_layout", file=whole.file)
    return [
        replace(
            whole,
            rows=rows,
            columns=columns,
            position_mm=tuple((first + k * thickness * normal).tolist()),
            tile=(k // side * rows, k % side * columns),
        )
        for k in range(count)
    ]


def _first_corner(whole: Frame, rows: int, columns: int) -> FloatArray | None:
    if not (whole.position_mm and whole.orientation and whole.spacing_mm):
        return None
    along_row, along_column = np.array(whole.orientation).reshape(2, 3)
    row_spacing, column_spacing = whole.spacing_mm
    shift = along_row * column_spacing * (whole.columns - columns) / 2
    shift = shift + along_column * row_spacing * (whole.rows - rows) / 2
    return np.asarray(np.array(whole.position_mm) + shift)


def _layout(ds: Dataset, whole: Frame) -> tuple[int, FloatArray]:
    raw = value(ds, tags.SIEMENS_CSA_IMAGE)
    fields = csa_fields(raw) if isinstance(raw, bytes) else {}
    count, normal = fields.get("NumberOfImagesInMosaic", ()), fields.get("SliceNormalVector", ())
    if len(count) != 1 or count[0] < 1 or len(normal) != 3:
        raise FileError("mosaic_layout", file=whole.file)
    return int(count[0]), np.array(normal)


def csa_fields(raw: bytes) -> dict[str, tuple[float, ...]]:
    """Return the numeric fields of a Siemens CSA2 header; none when it is no such header."""
    if raw[:4] != b"SV10" or len(raw) < 16:
        return {}
    fields: dict[str, tuple[float, ...]] = {}
    position, count = 16, min(int.from_bytes(raw[8:12], "little"), 1000)
    try:
        for _ in range(count):
            name, _, _, _, items, _ = _TAG_HEAD.unpack_from(raw, position)
            position += _TAG_HEAD.size
            texts, position = _items(raw, position, min(items, 1000))
            numeric = [t for t in texts if re.fullmatch(r"[-+0-9.eE]+", t)]
            key = name.split(b"\0")[0].decode("ascii", "replace")
            fields[key] = tuple(float(text) for text in numeric)
    except (struct.error, ValueError):
        return fields
    return fields


def _items(raw: bytes, position: int, count: int) -> tuple[list[str], int]:
    texts = []
    for _ in range(count):
        length = _ITEM_HEAD.unpack_from(raw, position)[1]
        position += _ITEM_HEAD.size
        texts.append(
            raw[position : position + length].split(b"\0")[0].decode("ascii", "replace").strip()
        )
        position += (length + 3) // 4 * 4
    return texts, position
