"""Drawings: what a reader drew in the viewer, as the marks of a read, and back.

A mark lies on an image as acquired. What was drawn on a registered picture is carried to it; the
values are measured here, on the voxels, not taken from the browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from imaging.geometry import FloatArray, Geometry
from imaging.series import Role
from imaging.transform import RigidTransform
from readers.marks import Mark, MarkKind, Point, Series
from surveillance.cases.case import CaseVisit
from surveillance.ui.viewer import Annotation, AnnotationKind, Measured, Picture, Plane, measured

Unit = Literal["mm", "mm2", "1"]
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


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """What a picture that can be drawn on shows.

    Parameters
    ----------
    original
        The picture of the same series on the grid it was acquired on; itself for such a one.
    original_from_picture
        Carries a drawn point to it.
    """

    visit: CaseVisit
    role: Role
    original: Picture
    original_from_picture: RigidTransform


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


def _mark(drawn: Annotation, sheet: Sheet, reading: str) -> Mark:
    picture, grid = sheet.original, sheet.original.volume.geometry
    carried = sheet.original_from_picture @ np.array(drawn.points_mm)
    points = tuple(_point(point) for point in carried)
    found = measured(replace(drawn, points_mm=points), picture)
    axis, _ = grid.axis_toward(_ACROSS[drawn.plane])
    at = round(float(grid.to_index(points[0])[axis]))
    kind = _MARKS[drawn.kind]
    if kind == "ellipse":
        points = _axes_ends(np.array(points), grid, axis)
    value, unit = _value(kind, found)
    return Mark(
        id=drawn.id,
        kind=kind,
        series=SERIES[sheet.role],
        slice_index=min(max(at, 0), grid.shape[axis] - 1),
        points_lps_mm=points,
        value=value,
        unit=unit,
        ratio_to_muscle=None if kind in ("point", "length") else found.ratio,
        visit="" if sheet.visit.label == reading else sheet.visit.label,
        plane=drawn.plane.value,
    )


def _value(kind: MarkKind, found: Measured) -> tuple[float | None, Unit | None]:
    if kind == "length":
        return found.length_mm, "mm"
    if kind == "ellipse":
        return found.area_mm2, "mm2"
    return (found.mean, "1") if kind == "pixel_value" else (None, None)


def _point(point: FloatArray) -> Point:
    x, y, z = (round(float(value), 3) for value in point)
    return x, y, z


def _axes_ends(corners: FloatArray, grid: Geometry, across: int) -> tuple[Point, ...]:
    """Return the ends of both axes of the ellipse in the box between two corners of a slice."""
    one, other = grid.to_index(corners)
    middle = (one + other) / 2
    ends = []
    for axis in (a for a in range(3) if a != across):
        for end in (one, other):
            at = middle.copy()
            at[axis] = end[axis]
            ends.append(_point(grid.to_world(at)))
    return tuple(ends)


def _corners(mark: Mark) -> tuple[Point, Point]:
    """Return opposite corners of the box round an ellipse: both axes' first and second ends."""
    ends = np.array(mark.points_lps_mm)
    middle = ends.mean(axis=0)
    return _point(ends[0] + ends[2] - middle), _point(ends[1] + ends[3] - middle)
