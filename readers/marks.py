"""Marks: what a reader placed on an image and measured there, kept with the read."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from readers.errors import FormError

MarkKind = Literal["point", "length", "ellipse", "pixel_value"]
Series = Literal["t2w_fs", "t1w_fs", "t1w", "dixon"]
Plane = Literal["axial", "coronal", "sagittal"]
Point = tuple[float, float, float]

POINTS = {"point": 1, "length": 2, "ellipse": 4, "pixel_value": 1}
"""An ellipse is given by the ends of its two axes."""
ID_CHARS_MAX = 64


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark.

    Parameters
    ----------
    id
        Given by the viewer, unique within the read; a focus refers to its mark by it.
    series
        The image it lies on, by role.
    slice_index
        From 0, along the plane's axis of that image (k for an axial series).
    points_lps_mm
        One for a point or pixel value, both ends of a length, the four ends of an ellipse's axes.
    value, unit
        Length or axes product in mm or mm², the pixel's value; None for a point.
    ratio_to_muscle
        Value over the reference muscle's median, where it applies.
    visit
        Label of the visit whose image it lies on; "" for the one that is read.
    plane
        The plane that was looked at, which `slice_index` counts along.
    """

    id: str
    kind: MarkKind
    series: Series
    slice_index: int
    points_lps_mm: tuple[Point, ...]
    value: float | None = None
    unit: Literal["mm", "mm2", "1"] | None = None
    ratio_to_muscle: float | None = None
    visit: str = ""
    plane: Plane = "axial"

    def __post_init__(self) -> None:
        numbers = [c for point in self.points_lps_mm for c in point]
        numbers += [v for v in (self.value, self.ratio_to_muscle) if v is not None]
        sound = (
            self.kind in get_args(MarkKind)
            and self.series in get_args(Series)
            and self.unit in ("mm", "mm2", "1", None)
            and 0 < len(self.id) <= ID_CHARS_MAX
            and self.plane in get_args(Plane)
            and len(self.visit) <= ID_CHARS_MAX
            and self.slice_index >= 0
            and len(self.points_lps_mm) == POINTS[self.kind]
            and all(len(point) == 3 for point in self.points_lps_mm)
            and all(math.isfinite(number) for number in numbers)
        )
        if not sound:
            raise FormError("mark_unusable", mark=str(self.id)[:ID_CHARS_MAX], kind=self.kind)

    @property
    def plain(self) -> dict[str, object]:
        """The mark as JSON values."""
        return {
            "id": self.id,
            "kind": self.kind,
            "series": self.series,
            "slice_index": self.slice_index,
            "points_lps_mm": [list(point) for point in self.points_lps_mm],
            "value": self.value,
            "unit": self.unit,
            "ratio_to_muscle": self.ratio_to_muscle,
            "visit": self.visit,
            "plane": self.plane,
        }


def parse_marks(raw: object) -> tuple[Mark, ...]:
    """Return marks from JSON values, as a viewer or the store gives them.

    Raises
    ------
    FormError
        Something is not a mark, or two have one id.
    """
    if not isinstance(raw, Sequence) or isinstance(raw, str):
        raise FormError("mark_unusable", mark="", kind=type(raw).__name__)
    marks = tuple(_parse(item) for item in raw)
    if len({mark.id for mark in marks}) != len(marks):
        raise FormError("mark_twice", marks=", ".join(sorted(mark.id for mark in marks)))
    return marks


def _parse(item: object) -> Mark:
    if isinstance(item, Mark):
        return item
    if not isinstance(item, Mapping):
        raise FormError("mark_unusable", mark="", kind=type(item).__name__)
    try:
        points = tuple(_point(point) for point in item["points_lps_mm"])
        return Mark(
            id=str(item["id"]),
            kind=item["kind"],
            series=item["series"],
            slice_index=int(item["slice_index"]),
            points_lps_mm=points,
            visit=str(item.get("visit", "")),
            plane=item.get("plane", "axial"),
            value=_number(item.get("value")),
            unit=item.get("unit"),
            ratio_to_muscle=_number(item.get("ratio_to_muscle")),
        )
    except (KeyError, TypeError, ValueError) as error:
        kind = str(item.get("kind", ""))[:ID_CHARS_MAX]
        raise FormError(
            "mark_unusable", mark=str(item.get("id", ""))[:ID_CHARS_MAX], kind=kind
        ) from error


def _number(raw: float | None) -> float | None:
    return None if raw is None else float(raw)


def _point(raw: Sequence[float]) -> Point:
    x, y, z = (float(c) for c in raw)
    return x, y, z
