"""Annotation: what a reader drew on a picture, kept with the read.

The browser draws and sends places only. Values are measured here, on the voxels the server holds:
a forged message cannot invent a number.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

Point = tuple[float, float, float]


class AnnotationKind(StrEnum):
    """What was drawn; the number of points each takes stands beside it."""

    LENGTH = "length"  # 2: its ends
    ELLIPSE = "ellipse"  # 2: opposite corners of the box round it, in the slice
    VALUE = "value"  # 1
    FOCUS = "focus"  # 1: a mark that the form's question on foci refers to


class Plane(StrEnum):
    """The plane that was looked at."""

    AXIAL = "axial"
    CORONAL = "coronal"
    SAGITTAL = "sagittal"


@dataclass(frozen=True, slots=True)
class Annotation:
    """One drawing: `picture` is the key of its Picture, `points_mm` are LPS."""

    id: str
    kind: AnnotationKind
    picture: str
    plane: Plane
    slice_number: int  # 1-based along the plane, as the viewer shows it
    points_mm: tuple[Point, ...]
