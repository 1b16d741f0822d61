"""Case: one subject with images and known truth, and the recipe that makes it when needed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol as Interface

import numpy as np

from imaging.geometry import FloatArray
from imaging.series import Identity, Role, RoleDecision, Series, SeriesInfo
from imaging.simulation import VisitTruth
from imaging.visit import Subject, Visit, VisitName
from imaging.volume import Mask, Volume

ANALYTIC, SIMULATED, REAL = "analytic", "simulated", "real"
KINDS = (ANALYTIC, SIMULATED, REAL)
DEVELOPMENT, HELD_OUT = "development", "held-out"


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """Points of the abdominal wall: (n, 3) LPS mm at baseline, and the same tissue at a visit."""

    baseline_mm: FloatArray
    visit_mm: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One subject.

    Parameters
    ----------
    truths
        One a visit, in order.
    landmarks
        One a visit; None at baseline.
    seeds
        One a visit: a point that a reader would set in the graft, LPS mm; None without a graft.
    fat_grid
        (ε, fat fraction) where the case asks how much fat can be seen.
    """

    subject: Subject
    truths: tuple[VisitTruth, ...]
    landmarks: tuple[Landmarks | None, ...]
    seeds: tuple[tuple[float, float, float] | None, ...]
    fat_grid: tuple[float, float] | None = None


class Recipe(Interface):
    """What makes a case; small, so that it travels to another process."""

    @property
    def name(self) -> str:
        """Unique name."""

    @property
    def kind(self) -> str:
        """One of KINDS."""

    @property
    def course(self) -> str:
        """What happens to the graft, in a word."""

    @property
    def split(self) -> str:
        """DEVELOPMENT or HELD_OUT."""

    def make(self) -> Case:
        """Make images and truth; the same recipe gives the same case."""


def split_of(seed: int) -> str:
    """Return the set a seed belongs to: even ones may be looked at while developing."""
    return DEVELOPMENT if seed % 2 == 0 else HELD_OUT


def series_in_memory(
    volume: Volume, role: Role, name: str, field_strength_t: float = 1.5
) -> Series:
    """Return a series as if it had been loaded from files of one scanner."""
    info = SeriesInfo(
        f"{name}.{role}",
        f"made for validation, {role}",
        Identity(name),
        "memory",
        manufacturer="made for validation",
        field_strength_t=field_strength_t,
        slice_thickness_mm=volume.geometry.spacing_mm[2],
    )
    return Series(info, volume.geometry, RoleDecision(role, ("made so",)), (), lambda: volume)


def visit_of(
    name: VisitName,
    day: int,
    t2: Volume,
    t1: Volume | None,
    subject: str,
    supporting: tuple[Series, ...] = (),
) -> Visit:
    """Return a visit of images in memory."""
    return Visit(
        name,
        name.value,
        None,
        day,
        series_in_memory(t2, Role.T2W_FS, subject),
        None if t1 is None else series_in_memory(t1, Role.T1W_FS, subject),
        supporting,
    )


def seed_in(graft: Mask, centroid_mm: FloatArray | None) -> tuple[float, float, float] | None:
    """Return the graft's voxel nearest its centroid, what a reader would touch; None without."""
    if centroid_mm is None or graft.is_empty:
        return None
    points = graft.points_mm
    x, y, z = points[np.argmin(np.linalg.norm(points - centroid_mm, axis=1))].tolist()
    return x, y, z
