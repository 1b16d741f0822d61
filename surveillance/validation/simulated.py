"""Simulated: subjects drawn at random from what patients and scanners are like.

Anatomy, field strength, coil, spacing, fat suppression and the graft's course all vary; one
subject in seven is a child. Anatomy by simulation flatters: see docs/sample.md for what it lacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from imaging.geometry import FloatArray
from imaging.series import Role, Series
from imaging.simulation import (
    Coil,
    GraftState,
    Nodule,
    Scanner,
    Scenario,
    SimulatedVisit,
    VisitPlan,
    simulate,
)
from imaging.simulation.tissue import Tissue
from imaging.visit import Subject, Visit, VisitName
from surveillance.validation.case import (
    SIMULATED,
    Case,
    Landmarks,
    seed_in,
    series_in_memory,
    split_of,
    visit_of,
)

COURSES = ("stays", "nodule", "grows", "resolves", "mass", "fat", "none")
_LATER = (VisitName.M6, 182)
_FIRST = (VisitName.BASELINE, 0)
_VENDORS = ("SIEMENS", "GE MEDICAL SYSTEMS", "Philips")
_TIMES = {"resolves": (0.4, 0.7), "grows": (1.7, 3.5)}
_EVERY = 40
"""Of the muscles' voxels, one in so many is a landmark."""
_FREE_OF_GRAFT_MM = 10.0


@dataclass(frozen=True, slots=True)
class SimulatedRecipe:
    """A simulated subject: everything follows from course and seed."""

    course: str
    seed: int
    kind: str = SIMULATED

    @property
    def name(self) -> str:
        """Unique name."""
        return f"simulated-{self.course}-{self.seed}"

    @property
    def split(self) -> str:
        """Set that the seed belongs to."""
        return split_of(self.seed)

    def make(self) -> Case:
        """Simulate the subject."""
        subject = simulate(scenario(self.course, self.seed))
        first, *later = subject.visits
        return Case(
            subject=Subject(self.name, tuple(_visit(v, self.name) for v in subject.visits)),
            truths=tuple(v.truth for v in subject.visits),
            landmarks=(None, *(_landmarks(first, v) for v in later)),
            seeds=tuple(seed_in(v.truth.graft, _centroid(v)) for v in subject.visits),
        )


def recipes(number: int) -> Iterator[SimulatedRecipe]:
    """Yield `number` recipes that take the courses in turn."""
    for n in range(number):
        rounds, place = divmod(n, len(COURSES))
        # Both sets see every course: its seeds are even and odd in turn.
        yield SimulatedRecipe(COURSES[place], 2 * n + (place + rounds) % 2)


def _visit(visit: SimulatedVisit, name: str) -> Visit:
    supporting: tuple[Series, ...] = ()
    if visit.t1w is not None:
        supporting = (series_in_memory(visit.t1w, Role.T1W, name),)
    return visit_of(visit.name, visit.day, visit.t2w_fs, visit.t1w_fs, name, supporting)


def _centroid(visit: SimulatedVisit) -> FloatArray | None:
    at = visit.truth.centroid_lps_mm
    return None if at is None else np.array(at)


def _landmarks(first: SimulatedVisit, visit: SimulatedVisit) -> Landmarks:
    """Return voxels of both muscles away from the graft, and where the wall's motion puts them."""
    points = np.concatenate(
        [m.points_mm for m in (first.truth.rectus_left, first.truth.rectus_right)]
    )[::_EVERY]
    if not first.truth.graft.is_empty:
        graft = first.truth.graft.points_mm[::3]
        away = np.linalg.norm(points[:, None] - graft[None], axis=2).min(axis=1)
        points = points[away > _FREE_OF_GRAFT_MM]
    return Landmarks(points, visit.truth.visit_from_baseline @ points)


def scenario(course: str, seed: int) -> Scenario:
    """Draw a scenario."""
    rng = np.random.default_rng([seed, 41])
    child = rng.uniform() < 1 / 7
    fat_mm = float(rng.uniform(4, 9) if child else rng.uniform(5, 30))
    stature = float(rng.uniform(0.76, 0.92))
    scanner = _scanner(rng, child, stature, fat_mm)
    first = _graft(rng, child)
    plans = tuple(
        _plan(rng, at, graft, course)
        for at, graft in zip((_FIRST, _LATER), _course(rng, course, first), strict=True)
    )
    ascites = float(rng.choice((0.0, 0.0, 0.0, 0.5, 0.9)))
    group = "child" if child else "adult"
    return Scenario(
        f"V{seed}", plans, group, scanner, stature, fat_mm, ascites, seed=5000 + seed  # type: ignore[arg-type]
    )  # fmt: skip


def _scanner(rng: np.random.Generator, child: bool, stature: float, fat_mm: float) -> Scanner:
    spacing = float(rng.uniform(3.5, 7.5))
    pixel = float(rng.uniform(0.9, 1.1) if child else rng.uniform(1.2, 1.45))
    scale = 0.68 if child else stature
    width, depth = 2 * (162 * scale + fat_mm) + 16, 2 * (108 * scale + fat_mm) + 24
    reach = 150 * scale
    return Scanner(
        vendor=rng.choice(_VENDORS),
        field_strength_t=float(rng.choice((1.5, 3.0))),
        coil=Coil.BODY if rng.uniform() < 0.25 else Coil.SURFACE,
        matrix=(2 * round(width / pixel / 2), 2 * round(depth / pixel / 2)),
        pixel_mm=pixel,
        slices=round(reach / spacing),
        slice_thickness_mm=spacing / 1.1,
        slice_spacing_mm=spacing,
        t1_slices=round(reach / 4.0),
        t1_slice_mm=4.0,
        oblique_deg=float(rng.choice((0.0, 0.0, rng.uniform(2, 8)))),
        snr=float(rng.uniform(15, 32)),
        stir=bool(rng.uniform() < 0.15),
    )


def _graft(rng: np.random.Generator, child: bool) -> GraftState:
    small = 0.62 if child else 1.0
    high_dose = rng.uniform() < 0.2
    width = small * float(rng.uniform(40, 56) if high_dose else rng.uniform(26, 42))
    height = small * float(rng.uniform(60, 90) if high_dose else rng.uniform(30, 55))
    thickness = small**0.5 * float(rng.uniform(9, 14) if high_dose else rng.uniform(4, 9))
    return GraftState(
        volume_ml=float(np.pi / 6 * width * height * thickness / 1000),
        width_mm=width,
        height_mm=height,
        lateral_mm=small * float(rng.uniform(28, 40)),
        level_mm=small * float(rng.uniform(25, 60)),
        fluid_fraction=float(rng.uniform(0.1, 0.4)),
        irregularity=float(rng.uniform(0.05, 0.2)),
    )


def _course(
    rng: np.random.Generator, course: str, first: GraftState
) -> tuple[GraftState | None, GraftState | None]:
    settled = replace(first, volume_ml=0.85 * first.volume_ml, fluid_fraction=0.0)
    if course == "none":
        return None, None
    if course in _TIMES:
        return first, _scaled(settled, float(rng.uniform(*_TIMES[course])))
    if course == "mass":
        return first, replace(settled, volume_ml=settled.volume_ml * float(rng.uniform(2.2, 3.2)))
    return first, replace(settled, nodules=_nodules(rng, settled, course))


def _nodules(rng: np.random.Generator, graft: GraftState, course: str) -> tuple[Nodule, ...]:
    if course not in {"nodule", "fat"}:
        return ()
    left, up = (float(p) for p in rng.uniform(-0.2, 0.2, 2) * (graft.width_mm, graft.height_mm))
    if course == "nodule":
        return (Nodule((left, up), float(rng.uniform(3, 13)), Tissue.SOLID_NODULE),)
    fat = float(rng.uniform(0.4, 0.95))
    return (Nodule((left, up), float(rng.uniform(8, 18)), Tissue.HEPATOCYTE, fat),)


def _scaled(graft: GraftState, times: float) -> GraftState:
    side = times ** (1 / 3)
    return replace(
        graft,
        volume_ml=graft.volume_ml * times,
        width_mm=graft.width_mm * side,
        height_mm=graft.height_mm * side,
    )


def _plan(
    rng: np.random.Generator, at: tuple[VisitName, int], graft: GraftState | None, course: str
) -> VisitPlan:
    name, day = at
    pressed = course == "mass" and day > 0
    return VisitPlan(
        name,
        day,
        graft,
        bulge_mm=float(rng.uniform(2, 4)) if pressed else 0.0,
        linea_alba_shift_mm=float(rng.uniform(4, 6)) if pressed else 0.0,
        fat_residual_t2=float(rng.uniform(0.05, 0.2)),
        fat_residual_t1=float(rng.uniform(0.08, 0.2)),
        suppression_failure=float(rng.uniform(0.05, 0.6)),
        failure_over_graft_t2=float(rng.choice((0.0, 0.0, 0.0, 0.0, rng.uniform(0.2, 0.8)))),
        failure_over_graft_t1=float(rng.choice((0.0, 0.0, 0.0, 0.0, rng.uniform(0.2, 0.8)))),
        has_t1w=bool(rng.uniform() < 0.15),
    )
