"""Plate: a graft to be put into a muscle, its form, its brightness and its foci."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import pi

import numpy as np
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.insertion.sheet import STEP_MM, Points, Sheet

DRAPE_MM = 2.5
"""Tissue is stretched over the graft's edge and not torn along it."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A ball inside the graft.

    `position_mm` is (to the left, upward) from the graft's centre; `ratio` is its T2W-FS
    intensity relative to muscle, `t1_ratio` its T1W-FS one.
    """

    position_mm: tuple[float, float]
    diameter_mm: float
    ratio: float
    t1_ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class Plate:
    """A graft of known form: an ellipsoid laid along the muscle, its outline undulating.

    Parameters
    ----------
    width_mm, thickness_mm, height_mm
        Full axes: across the muscle, through it, along it.
    ratio, t1_ratio
        Intensity relative to the muscle at the same place, on T2W-FS and T1W-FS.
    lateral, level, depth
        Centre as shares of the muscle: 0 medial to 1 lateral, 0 low to 1 high, 0 back to 1 front.
    irregularity
        Relative amplitude of the outline's undulation.
    texture
        Relative standard deviation of the intensity inside.
    displaced
        Share of the thickness by which the muscle makes way; the rest of it is replaced.
    """

    width_mm: float
    thickness_mm: float
    height_mm: float
    ratio: float
    t1_ratio: float = 1.0
    lateral: float = 0.5
    level: float = 0.5
    depth: float = 0.5
    irregularity: float = 0.08
    texture: float = 0.05
    displaced: float = 0.7
    spots: tuple[Spot, ...] = field(default=())
    seed: int = 0

    @property
    def nominal_ml(self) -> float:
        """Volume of the ellipsoid without undulation and spots."""
        return pi / 6 * self.width_mm * self.thickness_mm * self.height_mm / 1000

    def scaled(self, volume_ratio: float, thicker: float = 1.0) -> Plate:
        """Return the plate with another volume; `thicker` > 1 puts more of it into thickness."""
        thickness = volume_ratio ** (thicker / 3)
        across = (volume_ratio / thickness) ** 0.5
        return replace(
            self,
            width_mm=self.width_mm * across,
            height_mm=self.height_mm * across,
            thickness_mm=self.thickness_mm * thickness,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Laid:
    """A plate in its place: membership of points, and how far the tissue is opened.

    `opening_mm` is (nu, nw), the thickness of graft and spots as the tissue drapes over it, on
    the sheet's grid.
    """

    plate: Plate
    sheet: Sheet
    centre_mm: tuple[float, float]
    offset_mm: float
    opening_mm: FloatArray

    def local(self, u: Points, v: Points, w: Points) -> tuple[Points, ...]:
        """Return (to the left, forward, upward) from the graft's centre, along the muscle."""
        middle = self.sheet.at(self.sheet.middle_mm, u, w)
        return u - self.centre_mm[0], middle + self.offset_mm - v, w - self.centre_mm[1]

    def parts(self, u: Points, v: Points, w: Points) -> FloatArray:
        """Return 0 outside, 1 in the plate, 2 and more in its spots."""
        a, b, c = self.local(u, v, w)
        part = (np.abs(b) <= _half_thickness(self.plate, a, c)).astype(np.float64)
        for number, spot in enumerate(self.plate.spots, start=2):
            square = (a - spot.position_mm[0]) ** 2 + b**2 + (c - spot.position_mm[1]) ** 2
            part[square <= (spot.diameter_mm / 2) ** 2] = number
        return part

    @property
    def reach_mm(self) -> float:
        """How far from the centre, along any axis, there may be graft; the muscle is curved."""
        plate = self.plate
        reach = 0.7 * max(plate.width_mm, plate.thickness_mm, plate.height_mm)
        ends = [float(np.hypot(*s.position_mm)) + s.diameter_mm for s in plate.spots]
        return max(reach, *ends, 0.0) + 12.0

    def place_mm(self, left_mm: float, up_mm: float) -> FloatArray:
        """Return (u, v, w) of a point of the graft's middle surface."""
        u, w = self.centre_mm[0] + left_mm, self.centre_mm[1] + up_mm
        middle = self.sheet.at(self.sheet.middle_mm, np.array([u]), np.array([w]))[0]
        return np.array([u, middle + self.offset_mm, w])


def lay(plate: Plate, sheet: Sheet) -> Laid:
    """Put a plate into a muscle."""
    u, w = sheet.place_mm(plate.lateral, plate.level)
    thickness = sheet.at(sheet.thickness_mm, np.array([u]), np.array([w]))[0]
    columns = [
        o + STEP_MM * np.arange(n) for o, n in zip(sheet.origin_mm, sheet.inside.shape, strict=True)
    ]
    a, c = np.meshgrid(columns[0] - u, columns[1] - w, indexing="ij")
    half = _half_thickness(plate, a, c)
    for spot in plate.spots:
        square = (a - spot.position_mm[0]) ** 2 + (c - spot.position_mm[1]) ** 2
        half = np.maximum(half, np.sqrt(np.clip((spot.diameter_mm / 2) ** 2 - square, 0, None)))
    opening = ndimage.gaussian_filter(2 * np.clip(half, 0, None), DRAPE_MM / STEP_MM)
    return Laid(plate, sheet, (u, w), (0.5 - plate.depth) * float(thickness), opening)


def _half_thickness(plate: Plate, a: Points, c: Points) -> FloatArray:
    """Half thickness at (to the left, upward) from the centre; 0 outside (never touched)."""
    x, z = a / (plate.width_mm / 2), c / (plate.height_mm / 2)
    angle = np.arctan2(z, x)
    rng = np.random.default_rng([plate.seed, 11])
    phase, weight = rng.uniform(0, 2 * pi, 3), rng.uniform(0.5, 1.0, 3)
    wave = sum(g * np.cos(n * angle + p) for n, p, g in zip((2, 3, 5), phase, weight, strict=True))
    edge = 1 + plate.irregularity * wave / weight.sum()
    square = (x**2 + z**2) / edge**2
    return np.asarray(
        np.where(square < 1, np.sqrt(np.clip(1 - square, 0, None)), -1.0) * plate.thickness_mm / 2
    )
