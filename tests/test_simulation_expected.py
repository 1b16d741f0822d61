"""The expected findings follow the protocol's rules from the true quantities."""

from collections.abc import Callable
from math import exp

import pytest

from imaging.protocol import load_protocol
from imaging.simulation import GraftState, Scanner, Scenario, VisitPlan, simulate
from imaging.simulation.courses import (
    committed_set,
    failed_suppression,
    fat,
    full_set,
    growing,
    mass_effect,
    new_nodule,
    resolving,
    stable,
)
from imaging.simulation.expected import repeatability
from imaging.visit import VisitName

B, D28, M3, M6, M12 = list(VisitName)[:5]
COARSE = Scanner(
    matrix=(112, 84), pixel_mm=2.6, slices=12, slice_spacing_mm=7.0, t1_slices=4, t1_slice_mm=20.0
)
FAVORABLE, ADVERSE, INDETERMINATE = "favorable", "adverse", "indeterminate"
Course = Callable[[VisitName], VisitPlan]


def last_visit(course: Course, *visits: VisitName) -> tuple[str, ...]:
    plans = tuple(course(v) for v in visits)
    subject = simulate(Scenario("X", plans, scanner=COARSE, stature=0.8, seed=3))
    return tuple(subject.visits[-1].truth.expected.values())


@pytest.mark.parametrize(
    ("course", "visits", "expected"),
    [
        (stable, (B,), (INDETERMINATE, INDETERMINATE, FAVORABLE)),
        (stable, (B, M6), (FAVORABLE, FAVORABLE, FAVORABLE)),
        (growing, (B, M6), (ADVERSE, FAVORABLE, FAVORABLE)),
        (new_nodule, (B, M6), (FAVORABLE, ADVERSE, FAVORABLE)),
        (fat, (B, M6), (FAVORABLE, FAVORABLE, ADVERSE)),
        (resolving, (B, M3), (FAVORABLE, FAVORABLE, FAVORABLE)),
        (mass_effect, (B, M3), (ADVERSE, FAVORABLE, FAVORABLE)),
        (failed_suppression, (B, M3), (FAVORABLE, INDETERMINATE, INDETERMINATE)),
    ],
)
def test_each_course_has_the_findings_its_name_says(
    course: Course, visits: tuple[VisitName, ...], expected: tuple[str, ...]
) -> None:
    assert last_visit(course, *visits) == expected


def test_repeatability_of_a_ball_is_the_exponential_of_three_over_its_radius() -> None:
    # A ball of 10 mm radius: S/V = 3/r = 0.3 per mm, sigma 0.35 pixels of 1 mm.
    ball = GraftState(4.18879, 20.0, 20.0)
    plan = VisitPlan(VisitName.BASELINE, 0, ball)
    by_hand = exp(2.77 * 0.35 * 0.3) - 1
    assert repeatability(plan, load_protocol().morphology, 1.0) == pytest.approx(by_hand, rel=1e-3)


def test_the_committed_set_has_the_courses_the_trial_fears_and_both_age_groups() -> None:
    samples = committed_set()
    assert len({s.scenario.name for s in samples}) == len(samples)
    assert {s.scenario.age_group for s in samples} == {"adult", "child"}
    assert any(s.dialect.enhanced for s in samples)
    assert {s.dialect.clinical_trial for s in samples} == {True, False}
    assert any(not v.has_t1w_fs for s in samples for v in s.scenario.visits)
    assert all(s.scenario.scanner.pixel_mm <= 1.4 for s in samples)


def test_every_subject_of_the_full_set_has_all_five_visits() -> None:
    assert all(len(s.scenario.visits) == 5 for s in full_set())
