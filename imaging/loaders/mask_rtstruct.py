"""MaskRtstruct: one region of a DICOM RT Structure Set, filled on the grid of its image.

The pixel rule: a voxel belongs to the region when its centre lies inside the region's outline or
exactly on it. Contours of one slice are combined as DICOM's XOR and every planning system's holes
are: what lies inside an even number of them is outside. Nothing is interpolated between slices.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from skimage.measure import grid_points_in_poly

from imaging.errors import MaskError
from imaging.geometry import FloatArray
from imaging.loaders.attributes import integer, items, numbers, word
from imaging.loaders.mask_target import (
    MaskTarget,
    Region,
    check_frame,
    check_series,
    choose_region,
)
from imaging.volume import Mask

RTSTRUCT_CLASS = "1.2.840.10008.5.1.4.1.1.481.3"
PLANE_TOLERANCE_MM = 0.1
"""Contour points are written with one decimal at worst."""
_SNAP = 1e4
"""Points are rounded to 1/10,000 voxel, or a point on a centre would miss it by arithmetic."""
_FILLED = {"CLOSED_PLANAR", "CLOSEDPLANAR_XOR"}


def load_rtstruct_mask(file: Path, ds: Dataset, wanted: str | None, target: MaskTarget) -> Mask:
    """Return one region of interest; it may be empty.

    Parameters
    ----------
    wanted
        ROI number or name; None takes the only one, or the one named graft.

    Raises
    ------
    MaskError
        Another frame of reference or series, no such region, contours that are not closed and
        planar, or that do not lie in a slice of the image.
    """
    regions = items(ds, "StructureSetROISequence")
    named = [Region(integer(r, "ROINumber") or 0, word(r, "ROIName") or "") for r in regions]
    region = choose_region(file, named, wanted)
    about = next(r for r in regions if integer(r, "ROINumber") == region.number)
    check_frame(file, word(about, "ReferencedFrameOfReferenceUID"), target)
    check_series(file, _referenced_series(ds), target)
    columns, rows, slices = target.grid.shape
    odd, edge = (np.zeros((slices, columns, rows), dtype=np.bool_) for _ in range(2))
    for points_mm in _contours(file, ds, region.number):
        k, polygon = _in_slice(file, points_mm, target)
        inside, outline = _filled(polygon, (columns, rows))
        odd[k] ^= inside
        edge[k] |= outline
    return Mask((odd | edge).transpose(1, 2, 0), target.grid)


def _referenced_series(ds: Dataset) -> list[str]:
    frames = items(ds, "ReferencedFrameOfReferenceSequence")
    studies = chain.from_iterable(items(f, "RTReferencedStudySequence") for f in frames)
    series = chain.from_iterable(items(s, "RTReferencedSeriesSequence") for s in studies)
    return [uid for uid in (word(one, "SeriesInstanceUID") for one in series) if uid]


def _contours(file: Path, ds: Dataset, number: int) -> Iterator[FloatArray]:
    """Yield the points (n, 3) of each contour of a region, LPS mm."""
    for roi in items(ds, "ROIContourSequence"):
        if integer(roi, "ReferencedROINumber") != number:
            continue
        for contour in items(roi, "ContourSequence"):
            kind = word(contour, "ContourGeometricType")
            if kind not in _FILLED:
                raise MaskError("mask_contour_kind", file=file.name, kind=kind)
            values = numbers(contour, "ContourData")
            if values is None or len(values) < 9 or len(values) % 3:
                raise MaskError("mask_damaged", file=file.name, detail="contour without points")
            yield np.array(values).reshape(-1, 3)


def _in_slice(file: Path, points_mm: FloatArray, target: MaskTarget) -> tuple[int, FloatArray]:
    """Return the slice a contour lies in, and its points (n, 2) as columns and rows."""
    grid = target.grid
    index = grid.to_index(points_mm)
    k = round(float(index[:, 2].mean()))
    off_mm = float(np.abs(index[:, 2] - k).max()) * grid.spacing_mm[2]
    if off_mm > PLANE_TOLERANCE_MM:
        raise MaskError("mask_off_plane", file=file.name, distance_mm=f"{off_mm:.2f}")
    if not grid.contains(points_mm).all():
        raise MaskError("mask_contour_outside", file=file.name)
    return k, np.round(index[:, :2] * _SNAP) / _SNAP


def _filled(
    polygon: FloatArray, shape: tuple[int, int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return the pixels whose centre lies strictly inside, and those exactly on the outline."""
    inside, outline = np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_)
    low = np.clip(np.floor(polygon.min(axis=0)).astype(int), 0, None)
    high = np.minimum(np.ceil(polygon.max(axis=0)).astype(int) + 1, shape)
    label = grid_points_in_poly(tuple(high - low), polygon - low, binarize=False)
    window = slice(low[0], high[0]), slice(low[1], high[1])
    inside[window], outline[window] = label == 1, label > 1
    return inside, outline
