"""Drawings: what a reader drew in the viewer, as the marks of a read, and back.

A mark lies on an image as acquired. What was drawn on a registered picture is carried to it; the
values are measured here, on the voxels, not taken from the browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from imaging.geometry import FloatArray
from imaging.series import Role
from imaging.transform import RigidTransform, identity
from imaging.volume import Volume
from readers.marks import Mark, MarkKind, Point, Series
from surveillance.cases.case import CaseVisit
from surveillance.ui.viewer import Annotation, AnnotationKind, Plane

SERIES: dict[Role, Series] = {Role.T2W_FS: "t2w_fs", Role.T1W_FS: "t1w_fs"}
ROLES = {name: role for role, name in SERIES.items()}
_MARKS: dict[AnnotationKind, MarkKind] = {
    AnnotationKind.FOCUS: "point",
    AnnotationKind.LENGTH: "length",
    AnnotationKind.ELLIPSE: "ellipse",
    AnnotationKind.VALUE: "pixel_value",
}
_ANNOTATIONS = {mark: kind for kind, mark in _MARKS.items()}
_ACROSS = {Plane.AXIAL: 2, Plane.CORONAL: 1, Plane.SAGITTAL: 0}
"""The LPS axis that each plane is perpendicular to."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture that can be drawn on: the visit and series it shows, and whether as acquired.

    `volume` is the series on its own grid, corrected: what marks are measured on.
    """

    visit: CaseVisit
    role: Role
    native: bool
    volume: Volume

    @property
    def native_from_picture(self) -> RigidTransform:
        """Carries a drawn point to the image as acquired."""
        motion = None if self.native else self.visit.series_from_baseline(self.role)
        return motion or identity()


def marks_of(
    annotations: tuple[Annotation, ...], sheets: Mapping[str, Sheet], reading: str
) -> tuple[Mark, ...]:
    """Return the marks of what was drawn; `sheets` by picture, `reading` the visit read."""
    return tuple(
        _mark(annotation, sheets[annotation.picture], reading) for annotation in annotations
    )


def annotations_of(
    marks: tuple[Mark, ...], pictures: Mapping[tuple[str, Role], str], reading: str
) -> tuple[Annotation, ...]:
    """Return what to draw for marks; `pictures` are keys by visit and series as acquired."""
    found = []
    for mark in marks:
        role = ROLES.get(mark.series)
        picture = None if role is None else pictures.get((mark.visit or reading, role))
        if picture is not None:
            kind, plane = _ANNOTATIONS[mark.kind], Plane(mark.plane)
            points = _corners(mark) if mark.kind == "ellipse" else mark.points_lps_mm
            found.append(Annotation(mark.id, kind, picture, plane, mark.slice_index + 1, points))
    return tuple(found)


def _mark(annotation: Annotation, sheet: Sheet, reading: str) -> Mark:
    volume, kind = sheet.volume, _MARKS[annotation.kind]
    points = sheet.native_from_picture @ np.array(annotation.points_mm)
    axis, _ = volume.geometry.axis_toward(_ACROSS[annotation.plane])
    index = np.rint(volume.geometry.to_index(points[0])).astype(int)
    slice_index = int(np.clip(index[axis], 0, volume.geometry.shape[axis] - 1))
    if kind == "ellipse":
        points = _axes_ends(points, volume, axis)
    value, unit = _measured(kind, points, volume)
    muscle = sheet.visit.muscle_median(sheet.role)
    return Mark(
        id=annotation.id,
        kind=kind,
        series=SERIES[sheet.role],
        slice_index=slice_index,
        points_lps_mm=tuple(_point(point) for point in points),
        value=value,
        unit=unit,  # type: ignore[arg-type]  # one of the units below
        ratio_to_muscle=value / muscle if kind == "pixel_value" and value and muscle else None,
        visit="" if sheet.visit.label == reading else sheet.visit.label,
        plane=annotation.plane.value,
    )


def _point(point: FloatArray) -> Point:
    x, y, z = (round(float(value), 3) for value in point)
    return x, y, z


def _axes_ends(corners: FloatArray, volume: Volume, across: int) -> FloatArray:
    """(4, 3): the ends of both axes of the ellipse in the box between two corners of a slice."""
    one, other = volume.geometry.to_index(corners)
    middle = (one + other) / 2
    ends = []
    for axis in (a for a in range(3) if a != across):
        for end in (one, other):
            at = middle.copy()
            at[axis] = end[axis]
            ends.append(at)
    return volume.geometry.to_world(np.array(ends))


def _corners(mark: Mark) -> tuple[Point, Point]:
    """Return opposite corners of the box round an ellipse: both axes' first and second ends."""
    ends = np.array(mark.points_lps_mm)
    middle = ends.mean(axis=0)
    return _point(ends[0] + ends[2] - middle), _point(ends[1] + ends[3] - middle)


def _measured(
    kind: MarkKind, points: FloatArray, volume: Volume
) -> tuple[float | None, str | None]:
    if kind == "length":
        return round(float(np.linalg.norm(points[1] - points[0])), 2), "mm"
    if kind == "ellipse":
        axes = np.linalg.norm(points[1::2] - points[0::2], axis=1)
        return round(float(np.pi / 4 * axes[0] * axes[1]), 2), "mm2"
    if kind == "pixel_value":
        top = np.array(volume.geometry.shape) - 1
        i, j, k = np.clip(np.rint(volume.geometry.to_index(points[0])).astype(int), 0, top)
        return float(volume.array[i, j, k]), "1"
    return None, None
