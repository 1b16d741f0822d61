"""Measured: the numbers of a reader's drawing, on the voxels the server holds.

Lengths are distances of LPS points. An ellipse fills the box of its two corners in its slice; a
voxel counts when its centre lies inside. SD is over n. Ratios are multiples of reference muscle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import FloatArray, Geometry
from surveillance.ui.viewer.annotation import Annotation, AnnotationKind, Plane
from surveillance.ui.viewer.hanging import Picture

_ONWARD = {Plane.AXIAL: 2, Plane.CORONAL: 1, Plane.SAGITTAL: 0}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a drawing measures; None where its kind measures no such thing."""

    length_mm: float | None = None
    area_mm2: float | None = None
    mean: float | None = None
    sd: float | None = None
    ratio: float | None = None  # None also without reference muscle
    ratio_sd: float | None = None


def measured(annotation: Annotation, picture: Picture) -> Measured:
    """Measure a drawing on its picture; no intensities where nothing was imaged."""
    points = np.asarray(annotation.points_mm)
    if annotation.kind is AnnotationKind.LENGTH:
        return Measured(length_mm=float(np.linalg.norm(points[1] - points[0])))
    index = picture.volume.geometry.to_index(points)
    if annotation.kind is AnnotationKind.ELLIPSE:
        axes = _in_plane(annotation.plane, picture.volume.geometry)
        radius = np.abs(index[1] - index[0])[list(axes)] / 2
        spacing = np.asarray(picture.volume.geometry.spacing_mm)[list(axes)]
        area = float(np.pi * np.prod(radius * spacing))
        return _intensities(_ellipse(picture, index, axes), picture, area)
    i, j, k = np.rint(index[0]).astype(int)
    return _intensities(picture.volume.array[i, j, k][None], picture, None)


def _in_plane(plane: Plane, geometry: Geometry) -> tuple[int, int]:
    through, _ = geometry.axis_toward(_ONWARD[plane])
    first, second = (axis for axis in range(3) if axis != through)
    return first, second


def _ellipse(picture: Picture, index: FloatArray, axes: tuple[int, int]) -> NDArray[np.float32]:
    """Return the voxels of the slice whose centres lie in the ellipse."""
    through = 3 - sum(axes)
    plane = np.asarray(np.take(picture.volume.array, round(index[0, through]), axis=through))
    first, second = np.indices(plane.shape)
    a, b = ((index[0, axis] + index[1, axis]) / 2 for axis in axes)
    ra, rb = (abs(index[1, axis] - index[0, axis]) / 2 for axis in axes)
    if min(ra, rb) == 0:
        return np.empty(0, np.float32)
    return np.asarray(plane[((first - a) / ra) ** 2 + ((second - b) / rb) ** 2 <= 1])


def _intensities(voxels: NDArray[np.float32], picture: Picture, area_mm2: float | None) -> Measured:
    seen = voxels[np.isfinite(voxels)].astype(np.float64)
    if seen.size == 0:
        return Measured(area_mm2=area_mm2)
    mean, muscle = float(seen.mean()), picture.muscle_median
    spread = float(seen.std()) if area_mm2 is not None else None  # one pixel has none
    return Measured(
        area_mm2=area_mm2,
        mean=mean,
        sd=spread,
        ratio=mean / muscle if muscle else None,
        ratio_sd=spread / muscle if muscle and spread is not None else None,
    )
