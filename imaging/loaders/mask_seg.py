"""MaskSeg: one segment of a DICOM Segmentation, put back on the grid of its image.

Writers leave out frames without a voxel of the segment; frames are therefore placed one by one,
each by its own Image Position (Patient).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset

from imaging.errors import MaskError
from imaging.geometry import FloatArray
from imaging.loaders.attributes import integer, items, numbers, word
from imaging.loaders.mask_target import (
    MaskTarget,
    Region,
    check_corners,
    check_frame,
    check_series,
    check_shape,
    choose_region,
)
from imaging.loaders.pixel_data import VOXELS_MAX
from imaging.loaders.quiet import quiet
from imaging.volume import Mask

SEG_CLASSES = {
    "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation
    "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation
}


def load_seg_mask(file: Path, ds: Dataset, wanted: str | None, target: MaskTarget) -> Mask:
    """Return one segment; it may be empty.

    Parameters
    ----------
    ds
        The whole file, pixels included.
    wanted
        Segment number or label; None takes the only one, or the one labelled graft.

    Raises
    ------
    MaskError
        Fractional, another frame of reference, series, matrix, spacing or place, mirrored, no
        such segment, or pixels that cannot be decoded.
    """
    kind = word(ds, "SegmentationType")
    if kind not in ("BINARY", "LABELMAP"):
        raise MaskError("mask_fractional", file=file.name, kind=kind)
    check_frame(file, word(ds, "FrameOfReferenceUID"), target)
    check_series(file, _referenced_series(ds), target)
    segment = choose_region(file, _segments(ds), wanted)
    columns, rows, _ = target.grid.shape
    check_shape(file, (_integer(ds, "Columns"), _integer(ds, "Rows")), (columns, rows))
    array = np.zeros(target.grid.shape, dtype=np.bool_)
    for frame, pixels in zip(_frames(file, ds), _pixels(file, ds), strict=True):
        if kind == "LABELMAP" or _segment_of(ds, frame) == segment.number:
            inside = pixels == (segment.number if kind == "LABELMAP" else 1)
            array[:, :, _slice_of(file, ds, frame, target)] |= inside.T
    return Mask(array, target.grid)


def _integer(ds: Dataset, key: str) -> int:
    return integer(ds, key) or 0


def _referenced_series(ds: Dataset) -> list[str]:
    found = (word(item, "SeriesInstanceUID") for item in items(ds, "ReferencedSeriesSequence"))
    return [uid for uid in found if uid]


def _segments(ds: Dataset) -> list[Region]:
    return [
        Region(_integer(item, "SegmentNumber"), word(item, "SegmentLabel") or "")
        for item in items(ds, "SegmentSequence")
        if integer(item, "SegmentNumber") != 0  # 0 is the background of a label map
    ]


def _frames(file: Path, ds: Dataset) -> list[Dataset]:
    frames = items(ds, "PerFrameFunctionalGroupsSequence")
    count = integer(ds, "NumberOfFrames") or 1
    if len(frames) != count:
        raise MaskError("mask_damaged", file=file.name, detail=f"{count} frames, {len(frames)}")
    return frames


def _pixels(file: Path, ds: Dataset) -> NDArray[Any]:
    rows, columns = _integer(ds, "Rows"), _integer(ds, "Columns")
    frames = integer(ds, "NumberOfFrames") or 1
    if frames * rows * columns > VOXELS_MAX:
        raise MaskError("mask_damaged", file=file.name, detail=f"{frames} frames")
    try:
        with quiet():
            return np.asarray(ds.pixel_array).reshape(frames, rows, columns)
    except Exception as error:  # each decoder plug-in raises its own kinds
        raise MaskError("mask_damaged", file=file.name, detail=type(error).__name__) from error


def _group(ds: Dataset, frame: Dataset, keyword: str) -> Dataset:
    """Return a functional group's item: the frame's own, else the shared one, else an empty one."""
    shared = items(ds, "SharedFunctionalGroupsSequence")
    for holder in (frame, *shared):
        found = items(holder, keyword)
        if found:
            return found[0]
    return Dataset()


def _segment_of(ds: Dataset, frame: Dataset) -> int | None:
    return integer(_group(ds, frame, "SegmentIdentificationSequence"), "ReferencedSegmentNumber")


def _slice_of(file: Path, ds: Dataset, frame: Dataset, target: MaskTarget) -> int:
    """Return which slice of the grid a frame is; its four corners must be the slice's."""
    corners = _corners(file, ds, frame)
    grid = target.grid
    k = round(float(grid.to_index(corners.mean(axis=0))[2]))
    ni, nj, nk = grid.shape
    k_inside = min(max(k, 0), nk - 1)
    ends = [(i, j, k_inside) for i in (0, ni - 1) for j in (0, nj - 1)]
    check_corners(file, corners, grid.to_world(ends))
    return k


def _corners(file: Path, ds: Dataset, frame: Dataset) -> FloatArray:
    """Return the centres of a frame's corner pixels, (4, 3) LPS mm."""
    position = numbers(_group(ds, frame, "PlanePositionSequence"), "ImagePositionPatient", 3)
    orientation = numbers(
        _group(ds, frame, "PlaneOrientationSequence"), "ImageOrientationPatient", 6
    )
    spacing = numbers(_group(ds, frame, "PixelMeasuresSequence"), "PixelSpacing", 2)
    if position is None or orientation is None or spacing is None:
        raise MaskError(
            "mask_damaged", file=file.name, detail="no position, orientation or spacing"
        )
    last_column, last_row = _integer(ds, "Columns") - 1, _integer(ds, "Rows") - 1
    along_row = np.array(orientation[:3]) * spacing[1]
    along_column = np.array(orientation[3:]) * spacing[0]
    origin = np.array(position)
    return np.array(
        [origin + i * along_row + j * along_column for i in (0, last_column) for j in (0, last_row)]
    )
