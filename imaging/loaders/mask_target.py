"""MaskTarget: the image a mask from elsewhere is for, and what every kind of file must pass."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from imaging.errors import MaskError
from imaging.geometry import FloatArray, Geometry
from imaging.loaders.attributes import printable

GRID_TOLERANCE_MM = 0.01
"""NIfTI holds its affine in 32 bits, DICOM its places in 16 characters: about 0.01 mm both."""
_GRAFT_NAMES = ("graft", "graft site")
_SHOWN_MAX = 20


@dataclass(frozen=True, slots=True, eq=False)
class MaskTarget:
    """The grid a mask must lie on, and its Series Instance UID where it has one."""

    grid: Geometry
    series_uid: str | None = None


@dataclass(frozen=True, slots=True)
class Region:
    """One outline of a file that may hold several: its number and its label or name."""

    number: int
    label: str


def choose_region(file: Path, regions: Sequence[Region], wanted: str | None) -> Region:
    """Return the region asked for by number or label, else the only one, else the one named graft.

    Raises
    ------
    MaskError
        There is none of that name, or nothing says which of several is meant.
    """
    names = [region.label.strip().casefold() for region in regions]
    if wanted is not None:
        asked = wanted.strip().casefold()
        found = [r for r, n in zip(regions, names, strict=True) if asked in (n, str(r.number))]
    elif len(regions) == 1:
        found = list(regions)
    else:
        found = [r for r, n in zip(regions, names, strict=True) if n in _GRAFT_NAMES]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(f"{r.number} '{printable(r.label)[:64]}'" for r in regions[:_SHOWN_MAX])
    raise MaskError(
        "mask_region", file=file.name, wanted=printable(wanted or "graft"), regions=listed or "none"
    )


def check_frame(file: Path, frame_of_reference: str | None, target: MaskTarget) -> None:
    """Refuse a mask of another patient or examination; equal places need one frame of reference.

    Raises
    ------
    MaskError
        The file states another frame of reference than the image, or none.
    """
    wanted = target.grid.frame_of_reference
    if wanted is not None and frame_of_reference != wanted:
        raise MaskError("mask_other_frame", file=file.name)


def check_series(file: Path, referenced: Iterable[str], target: MaskTarget) -> None:
    """Refuse a mask that says it was drawn on other series only.

    A file that names no series, and an image that is no DICOM series, are not refused.

    Raises
    ------
    MaskError
        The file refers to series, and the image's is not among them.
    """
    series = set(referenced)
    if target.grid.frame_of_reference is None or target.series_uid is None or not series:
        return
    if target.series_uid not in series:
        raise MaskError("mask_other_series", file=file.name)


def check_corners(file: Path, given_mm: FloatArray, wanted_mm: FloatArray) -> None:
    """Refuse corners (n, 3) of a grid that are not those wanted, in the same order.

    Raises
    ------
    MaskError
        The corners lie elsewhere, or are the same ones entered from another corner: whether the
        voxels were turned too cannot be known.
    """
    apart_mm = float(np.abs(given_mm - wanted_mm).max())
    if apart_mm <= GRID_TOLERANCE_MM:
        return
    distance = np.linalg.norm(given_mm[:, None] - wanted_mm[None], axis=-1)
    one_to_one = np.unique(distance.argmin(axis=1)).size == len(given_mm)
    if one_to_one and float(distance.min(axis=1).max()) <= GRID_TOLERANCE_MM:
        raise MaskError("mask_flipped", file=file.name)
    raise MaskError("mask_grid", file=file.name, distance_mm=f"{apart_mm:.1f}")


def check_shape(file: Path, given: Sequence[int], wanted: Sequence[int]) -> None:
    """Refuse another number of voxels.

    Raises
    ------
    MaskError
        The numbers differ.
    """
    if tuple(given) != tuple(wanted):
        raise MaskError("mask_shape", file=file.name, shape=tuple(given), wanted=tuple(wanted))
