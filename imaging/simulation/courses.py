"""Courses: the subjects of the sample set, what happens to each graft and how it was scanned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from imaging.simulation.dialect import Dialect
from imaging.simulation.scenario import Coil, GraftState, Nodule, Scanner, Scenario, VisitPlan
from imaging.simulation.tissue import Tissue
from imaging.visit import VisitName

DAYS = {
    VisitName.BASELINE: 0,
    VisitName.D28: 28,
    VisitName.M3: 91,
    VisitName.M6: 182,
    VisitName.M12: 364,
}
SMALL_GRID = Scanner(
    matrix=(200, 152),
    pixel_mm=1.4,
    slices=24,
    slice_spacing_mm=5.5,
    t1_slices=24,
    t1_slice_mm=5.0,
    grey_top=500.0,
)
"""Small enough to commit, inside the protocol's limits."""
BASE = GraftState(5.5, 38.0, 48.0, lateral_mm=33.0, level_mm=38.0, fluid_fraction=0.14)
Course = Callable[[VisitName], VisitPlan]


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """One subject of the set and how its files are written."""

    scenario: Scenario
    dialect: Dialect


def _plan(visit: VisitName, graft: GraftState, **values: object) -> VisitPlan:
    return VisitPlan(visit, DAYS[visit], graft, **values)  # type: ignore[arg-type]


def _settled(visit: VisitName, graft: GraftState = BASE) -> GraftState:
    """Injectate is gone after the baseline, and with it a little of the volume."""
    if visit is VisitName.BASELINE:
        return graft
    left = 0.04 if visit is VisitName.D28 else 0.0
    return replace(graft, volume_ml=0.88 * graft.volume_ml, fluid_fraction=left)


def stable(visit: VisitName) -> VisitPlan:
    """Show nothing but the injectate's resorption."""
    return _plan(visit, _settled(visit))


def growing(visit: VisitName) -> VisitPlan:
    """More than double the volume from month 3 on."""
    volume = {VisitName.M3: 12.0, VisitName.M6: 19.0, VisitName.M12: 28.0}.get(visit)
    if volume is None:
        return _plan(visit, _settled(visit))
    size = {VisitName.M3: 1.15, VisitName.M6: 1.28, VisitName.M12: 1.36}[visit]
    grown = replace(_settled(visit), volume_ml=volume, width_mm=38 * size, height_mm=48 * size)
    return _plan(visit, grown)


def new_nodule(visit: VisitName) -> VisitPlan:
    """Let a bright focus appear in an unchanged graft from month 3 on."""
    diameter = {VisitName.M3: 6.0, VisitName.M6: 8.5, VisitName.M12: 9.5}.get(visit)
    graft = _settled(visit)
    if diameter:
        graft = replace(graft, nodules=(Nodule((5.0, -7.0), diameter),))
    return _plan(visit, graft)


def fat(visit: VisitName) -> VisitPlan:
    """Let a focus of fat appear, bright without and dark with suppression."""
    graft = _settled(visit)
    if visit in {VisitName.M3, VisitName.M6, VisitName.M12}:
        focus = Nodule((-3.0, 5.0), 12.0, Tissue.HEPATOCYTE, fat_fraction=0.9)
        graft = replace(graft, nodules=(focus,))
    return _plan(visit, graft, has_t1w=True)


def resolving(visit: VisitName) -> VisitPlan:
    """Start bright and thick with injectate at first, end smaller and dark."""
    share = {VisitName.BASELINE: 0.35, VisitName.D28: 0.10}.get(visit, 0.0)
    volume = {VisitName.BASELINE: 8.0, VisitName.D28: 6.4}.get(visit, 5.4)
    return _plan(visit, replace(BASE, volume_ml=volume, fluid_fraction=share))


def mass_effect(visit: VisitName) -> VisitPlan:
    """Let a larger, rounder graft push sheath and linea alba aside."""
    if visit in {VisitName.BASELINE, VisitName.D28}:
        return _plan(visit, _settled(visit))
    ball = replace(_settled(visit), volume_ml=16.0, width_mm=36.0, height_mm=44.0)
    return _plan(visit, ball, bulge_mm=2.5, linea_alba_shift_mm=5.0)


def failed_suppression(visit: VisitName) -> VisitPlan:
    """Keep a stable graft under unsuppressed fat from month 3 on."""
    if visit in {VisitName.BASELINE, VisitName.D28}:
        return stable(visit)
    return _plan(visit, _settled(visit), failure_over_graft_t2=0.6, failure_over_graft_t1=0.7)


def _visits(course: Course, *names: VisitName) -> tuple[VisitPlan, ...]:
    return tuple(course(name) for name in names)


def _child(course: Course) -> Course:
    def smaller(visit: VisitName) -> VisitPlan:
        plan = course(visit)
        assert plan.graft is not None  # noqa: S101  (every course has a graft)
        graft = replace(
            plan.graft,
            volume_ml=plan.graft.volume_ml * 0.42,
            width_mm=25.0,
            height_mm=34.0,
            lateral_mm=23.0,
            level_mm=28.0,
        )
        return replace(plan, graft=graft)

    return smaller


B, D28, M3, M6, M12 = DAYS
GE = "GE MEDICAL SYSTEMS"


def committed_set() -> tuple[Sample, ...]:
    """Return the subjects that are kept in the repository."""
    no_trial = Dialect(clinical_trial=False)
    plain = Dialect()
    grid = SMALL_GRID
    ge = replace(grid, vendor="GE MEDICAL SYSTEMS")
    philips = replace(grid, vendor="Philips", oblique_deg=4.0)
    small = replace(
        grid,
        pixel_mm=1.15,
        slices=24,
        slice_spacing_mm=4.0,
        slice_thickness_mm=4.0,
        t1_slice_mm=3.0,
        t1_slices=30,
    )
    absent_t1 = replace(stable(M3), has_t1w_fs=False)

    def adult(
        name: str, seed: int, scanner: Scanner, visits: tuple[VisitPlan, ...], fat_mm: float
    ) -> Scenario:
        return Scenario(name, visits, "adult", scanner, 0.80, fat_mm, seed=seed)

    return (
        Sample(adult("S01", 101, grid, _visits(stable, B, D28, M12), 11.0), plain),
        Sample(adult("S02", 102, ge, _visits(growing, B, D28, M6), 8.0), plain),
        Sample(adult("S03", 103, grid, _visits(new_nodule, B, M6), 14.0), no_trial),
        Sample(
            adult("S04", 104, philips, _visits(fat, B, M6), 10.0), replace(plain, rescale_slope=0.5)
        ),
        Sample(adult("S05", 105, ge, _visits(resolving, B, D28, M3), 6.0), no_trial),
        Sample(adult("S06", 106, grid, _visits(mass_effect, B, M3), 12.0), plain),
        Sample(adult("S07", 107, grid, _visits(failed_suppression, B, M3), 15.0), plain),
        Sample(
            Scenario("C08", _visits(_child(stable), B, M3), "child", small, fat_mm=6.0, seed=108),
            plain,
        ),
        Sample(
            adult("S09", 109, philips, (stable(B), absent_t1, stable(M12)), 9.0),
            replace(no_trial, extra_series=(1,)),
        ),
        Sample(
            adult("S10", 110, replace(grid, slices=21, t1_slices=22), _visits(stable, B, M6), 10.0),
            Dialect(enhanced=True, clinical_trial=False, transfer_syntax="rle"),
        ),
    )


def full_set() -> tuple[Sample, ...]:
    """Return every course at all five visits on a whole-body grid, and harder physiques."""
    scanner = Scanner()
    courses = (stable, growing, new_nodule, fat, resolving, mass_effect, failed_suppression)
    samples = [
        Sample(
            Scenario(
                f"F{n:02d}",
                _visits(course, *DAYS),
                "adult",
                scanner,
                fat_mm=10.0 + 3 * n,
                seed=200 + n,
            ),
            Dialect(transfer_syntax="explicit"),
        )
        for n, course in enumerate(courses, start=1)
    ]
    obese = Scenario(
        "F11",
        _visits(stable, *DAYS),
        "adult",
        replace(scanner, matrix=(288, 224), pixel_mm=1.4),
        fat_mm=45.0,
        seed=211,
    )
    ascites = Scenario(
        "F12",
        _visits(new_nodule, *DAYS),
        "adult",
        replace(scanner, vendor="Philips", oblique_deg=7.0),
        ascites=0.8,
        seed=212,
    )
    older_scanner = Scenario(
        "F13",
        _visits(stable, *DAYS),
        "adult",
        replace(scanner, field_strength_t=1.5, coil=Coil.BODY, snr=16.0, stir=True),
        seed=213,
    )
    dose = replace(BASE, volume_ml=45.0, width_mm=58.0, height_mm=95.0)
    high = tuple(_plan(v, _settled(v, dose)) for v in DAYS)
    high_dose = Scenario("F14", high, "adult", scanner, seed=214)
    child = Scenario(
        "F15",
        _visits(_child(growing), *DAYS),
        "child",
        replace(scanner, pixel_mm=0.9),
        fat_mm=5.0,
        seed=215,
    )
    samples += [Sample(s, Dialect()) for s in (obese, ascites, older_scanner, high_dose, child)]
    return tuple(samples)
