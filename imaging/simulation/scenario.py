"""Scenario: everything that is decided about a simulated subject before any image exists."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from math import pi
from typing import Literal, TypeAlias

from imaging.simulation.tissue import Tissue
from imaging.visit import VisitName

Vendor: TypeAlias = Literal["SIEMENS", "GE MEDICAL SYSTEMS", "Philips"]


class Coil(StrEnum):
    """Receive coil: the body coil is even, a surface array makes the front brighter."""

    BODY = "body"
    SURFACE = "surface"


@dataclass(frozen=True, slots=True)
class Nodule:
    """A ball inside the graft.

    `position_mm` is (to the left, upward) from the graft's centre, in the plane of the muscle.
    Its water is `tissue`; `fat_fraction` of it is fat.
    """

    position_mm: tuple[float, float]
    diameter_mm: float
    tissue: Tissue = Tissue.SOLID_NODULE
    fat_fraction: float = 0.0


@dataclass(frozen=True, slots=True)
class GraftState:
    """The graft at one visit.

    Parameters
    ----------
    volume_ml
        Nominal volume of the plate; the truth is integrated from the samples.
    width_mm, height_mm
        Extent across the muscle and along it; the thickness follows from the volume.
    lateral_mm, level_mm
        Centre: distance from the middle of the linea alba to the left, height above the umbilicus.
    fluid_fraction
        Share of the volume that is still injectate.
    fat_fraction
        Share of the volume that is fat, spread evenly.
    irregularity
        Relative amplitude of the outline's undulation; 0 is an ellipsoid.
    """

    volume_ml: float
    width_mm: float = 40.0
    height_mm: float = 50.0
    lateral_mm: float = 38.0
    level_mm: float = 45.0
    fluid_fraction: float = 0.0
    fat_fraction: float = 0.0
    irregularity: float = 0.12
    nodules: tuple[Nodule, ...] = ()

    @property
    def thickness_mm(self) -> float:
        """Greatest thickness of an ellipsoid of this volume, width and height."""
        return 6000.0 * self.volume_ml / (pi * self.width_mm * self.height_mm)

    @property
    def surface_mm2(self) -> float:
        """Surface of that ellipsoid by Thomsen's formula (p = 1.6075, within 1.1 %)."""
        p = 1.6075
        a, b, c = ((s / 2) ** p for s in (self.width_mm, self.height_mm, self.thickness_mm))
        return float(4 * pi * ((a * b + a * c + b * c) / 3) ** (1 / p))


@dataclass(frozen=True, slots=True)
class VisitPlan:
    """One visit: what has become of the graft, and how the examination went.

    `fat_residual_t2`, `fat_residual_t1` are the share of the fat signal that suppression leaves
    in good regions; `suppression_failure` (0 to 1) is how badly it fails at edges and near gas,
    or over the graft when `failure_over_graft`.
    """

    name: VisitName
    day: int
    graft: GraftState | None
    bulge_mm: float = 0.0
    linea_alba_shift_mm: float = 0.0
    fat_residual_t2: float = 0.10
    fat_residual_t1: float = 0.12
    suppression_failure: float = 0.25
    failure_over_graft_t2: float = 0.0
    failure_over_graft_t1: float = 0.0
    has_t1w_fs: bool = True
    has_t1w: bool = False


@dataclass(frozen=True, slots=True)
class Scanner:
    """The machine and the grid of its T2W-FS; T1W-FS has its own slice thickness.

    `field_strength_t` is 1.5 or 3. `grey_top` is the stored value of the brightest 0.1 % of voxels.
    """

    vendor: Vendor = "SIEMENS"
    field_strength_t: float = 3.0
    coil: Coil = Coil.SURFACE
    matrix: tuple[int, int] = (256, 208)
    pixel_mm: float = 1.3
    slices: int = 32
    slice_thickness_mm: float = 5.0
    slice_spacing_mm: float = 5.5
    t1_slices: int = 44
    t1_slice_mm: float = 4.0
    oblique_deg: float = 0.0
    snr: float = 25.0
    grey_top: float = 700.0
    stir: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """One simulated subject: the person, the scanner, the visits.

    `stature` scales an adult's abdomen. `fat_mm` is the thickness of the subcutaneous fat
    beside the umbilicus; `ascites` 0 to 1.
    """

    name: str
    visits: tuple[VisitPlan, ...]
    age_group: Literal["adult", "child"] = "adult"
    scanner: Scanner = field(default_factory=Scanner)
    stature: float = 1.0
    fat_mm: float = 18.0
    ascites: float = 0.0
    seed: int = 1
