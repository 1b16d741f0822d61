"""Change: what grew, moved or bulged by a known amount, and what could not be compared."""

import math
from dataclasses import replace

import numpy as np
import pytest
from cases import (
    EMPTY,
    LEFT,
    PLATE,
    baseline,
    box,
    image,
    muscles,
    ring,
    timepoint,
    union,
)

from imaging.change import measure_change
from imaging.measurement import missing
from imaging.reference import Side
from imaging.scanner import scanner_differs
from imaging.timepoint import nadir, reference_from_visit
from imaging.transform import RigidTransform
from imaging.visit import VisitName

LARGER = box((15, 34), (-3, 4), (-20, 20))


def moved(x: float) -> RigidTransform:
    matrix = np.eye(4)
    matrix[0, 3] = x
    return RigidTransform(matrix)


def test_an_unchanged_graft_has_not_changed() -> None:
    change = measure_change(timepoint(), baseline())
    assert change.size.volume_percent.value == 0.0
    assert change.size.diameter_mm.value == 0.0
    assert change.place.centroid_shift_mm.value == 0.0
    assert change.place.dice.value == 1.0
    assert change.muscle.thickness_log_ratio.value == 0.0
    assert change.muscle.bulge_mm.value == 0.0
    assert change.muscle.linea_alba_shift_mm.value == 0.0
    assert change.ratio_percent.value == pytest.approx(0.0)
    assert change.reference.label == "BASELINE"


def test_a_graft_of_nearly_twice_the_length_has_nearly_doubled() -> None:
    change = measure_change(timepoint(graft=LARGER), baseline())
    # 21 slices for 11; the mesh lacks the same edges in both.
    assert change.size.volume_percent.value == pytest.approx(100 * (21 / 11 - 1), abs=2.0)
    assert change.size.volume_ml.value == pytest.approx(10 * 0.32, abs=0.05)


def test_the_repeatability_interval_is_that_of_both_outlines() -> None:
    visit, before = timepoint(graft=LARGER), baseline()
    change = measure_change(visit, before)
    ours, theirs = visit.shape.within_subject_cv.value, before.shape.within_subject_cv.value
    assert ours is not None and theirs is not None
    cv = math.sqrt((ours**2 + theirs**2) / 2)
    assert change.size.volume_repeatability_percent == pytest.approx(
        (100 * (math.exp(-2.77 * cv) - 1), 100 * (math.exp(2.77 * cv) - 1))
    )


def test_a_graft_that_doubles_in_90_days_has_that_doubling_time() -> None:
    change = measure_change(timepoint(graft=LARGER, days=90), baseline())
    ratio = 1 + (change.size.volume_percent.value or 0) / 100
    assert change.size.doubling_time_days.value == pytest.approx(90 / math.log2(ratio))


def test_a_graft_that_did_not_grow_has_no_doubling_time() -> None:
    change = measure_change(timepoint(), baseline())
    assert change.size.doubling_time_days.reason == "the graft did not grow"


@pytest.mark.parametrize("days", [None, 0])
def test_without_days_between_there_is_no_doubling_time(days: int | None) -> None:
    change = measure_change(timepoint(graft=LARGER, days=days), baseline())
    assert change.size.doubling_time_days.reason == "the days between the visits are not known"


def test_a_graft_6_mm_farther_left_has_moved_6_mm_and_kept_its_shape() -> None:
    change = measure_change(timepoint(graft=box((21, 40), (-3, 4), (-10, 10))), baseline())
    assert change.place.centroid_shift_mm.value == pytest.approx(6.0)
    assert change.place.dice.value == pytest.approx(1.0)
    assert change.place.protrusion_mm.value == pytest.approx(6.0, abs=1.0)


def test_a_patient_6_mm_farther_left_has_a_graft_that_did_not_move() -> None:
    visit = timepoint(graft=box((21, 40), (-3, 4), (-10, 10)), baseline_from_visit=moved(-6.0))
    change = measure_change(visit, baseline())
    assert change.place.centroid_shift_mm.value == pytest.approx(0.0, abs=1e-9)
    assert change.place.protrusion_mm.value == pytest.approx(0.0)


def test_two_follow_ups_are_compared_through_the_baseline() -> None:
    one = timepoint(baseline_from_visit=moved(-6.0))
    other = timepoint(VisitName.M6, baseline_from_visit=moved(-10.0))
    motion = reference_from_visit(other, one)
    assert motion is not None
    assert motion @ [0.0, 0.0, 0.0] == pytest.approx([-4.0, 0.0, 0.0])


def test_registration_errors_of_both_visits_add_in_quadrature() -> None:
    one, other = timepoint(), timepoint(VisitName.M6)
    error = measure_change(other, one).registration_error_mm.value
    assert error == pytest.approx(math.sqrt(0.5**2 + 0.5**2))


def test_without_registration_size_is_compared_and_place_is_not() -> None:
    lost = timepoint(baseline_from_visit=None, registration_error_mm=missing("no overlap"))
    change = measure_change(lost, baseline())
    assert change.size.volume_percent.value == 0.0
    assert change.place.centroid_shift_mm.reason == "M3 could not be registered to baseline"
    assert change.muscle.bulge_mm.reason == "M3 could not be registered to baseline"
    assert change.muscle.thickness_log_ratio.value == 0.0
    assert change.registration_error_mm.reason == "no overlap"


def test_without_a_graft_nothing_is_compared() -> None:
    change = measure_change(timepoint(graft=None), baseline())
    assert change.size.volume_percent.reason == "the mask is empty"
    assert change.size.volume_repeatability_percent is None
    assert change.place.dice.reason == "no graft was found at M3"
    assert change.muscle.bulge_mm.reason == "the anterior sheath was not found at the same place"


def test_without_any_graft_there_is_no_slice_distance() -> None:
    change = measure_change(timepoint(graft=None), baseline(graft=None))
    assert change.slice_mm.reason == "the mask is empty"


def test_a_graft_outlined_by_nothing_counts_as_absent() -> None:
    change = measure_change(timepoint(graft=EMPTY), baseline())
    assert change.place.dice.reason == "no graft was found at M3"


def test_a_muscle_6_mm_thicker_bulges_by_6_mm() -> None:
    thick = muscles(left=union(LEFT, box((10, 39), (-11, 6), (-40, 40))))
    change = measure_change(timepoint(wall=thick), baseline())
    assert change.muscle.thickness_mm.value == pytest.approx(6.0)
    assert change.muscle.thickness_log_ratio.value == pytest.approx(math.log(18 / 12))
    assert change.muscle.bulge_mm.value == pytest.approx(6.0)
    assert change.muscle.displacement_mm.value == pytest.approx(6.0)


def test_a_midline_pushed_right_is_positive() -> None:
    change = measure_change(timepoint(wall=muscles(midline_x=-4.0)), baseline())
    assert change.muscle.linea_alba_shift_mm.value == pytest.approx(4.0)


def test_a_midline_that_was_not_found_is_missing() -> None:
    wall = replace(muscles(), linea_alba_mm=np.zeros((0, 3)))
    change = measure_change(timepoint(wall=wall), baseline())
    assert change.muscle.linea_alba_shift_mm.reason is not None


def test_muscles_that_were_not_found_are_missing() -> None:
    change = measure_change(timepoint(muscle=None), baseline())
    assert change.muscle.thickness_mm.reason == "the rectus muscles were not found"
    lost = measure_change(timepoint(wall=muscles(right=EMPTY)), baseline())
    assert lost.muscle.thickness_log_ratio.value is None


def test_the_wall_round_the_graft_is_compared_with_the_baseline_only() -> None:
    visit = timepoint(deformation=ring(0.2, 4.0))
    since_baseline = measure_change(visit, baseline()).muscle
    assert (since_baseline.log_jacobian.value, since_baseline.ring_displacement_mm.value) == (
        0.2,
        4,
    )
    since_month_3 = measure_change(visit, timepoint(VisitName.M3)).muscle
    for value in (since_month_3.log_jacobian, since_month_3.ring_displacement_mm):
        assert value.reason == "deformation is measured against the baseline only"


def test_a_brighter_graft_has_a_higher_ratio() -> None:
    change = measure_change(timepoint(volume=image({1.5: PLATE})), baseline())
    assert change.ratio_percent.value == pytest.approx(50.0, abs=1.0)


@pytest.mark.parametrize(
    "scanner", [{"manufacturer": "GE MEDICAL SYSTEMS"}, {"field_strength_t": 1.5}]
)
def test_another_scanner_allows_no_comparison_of_signal(scanner: dict[str, object]) -> None:
    change = measure_change(replace(timepoint(), **scanner), baseline())  # type: ignore[arg-type]
    assert change.ratio_percent.reason is not None
    assert "vendor" in change.ratio_percent.reason


def test_the_same_scanner_by_another_spelling_is_the_same() -> None:
    spelt = replace(timepoint(), manufacturer="Siemens Healthineers", field_strength_t=2.89)
    assert not scanner_differs(spelt, baseline())


def test_an_unknown_scanner_is_not_another_one() -> None:
    unknown = replace(timepoint(), manufacturer=None, field_strength_t=None)
    assert not scanner_differs(unknown, baseline())


def test_without_signal_there_is_no_ratio_to_compare() -> None:
    assert measure_change(timepoint(signal=None), baseline()).ratio_percent.value is None
    empty = timepoint(graft=EMPTY)
    assert measure_change(empty, baseline()).ratio_percent.reason == "the mask is empty"


def test_ratios_to_muscle_of_different_sides_are_not_compared() -> None:
    visit = timepoint()
    assert visit.signal is not None
    right = replace(visit, signal=replace(visit.signal, side=Side.RIGHT))
    reason = measure_change(right, baseline()).ratio_percent.reason
    assert reason == "the ratios are to muscle of different sides"


def test_a_black_baseline_graft_has_no_relative_change() -> None:
    black = baseline(volume=image({0.0: PLATE}, noise=0.0))
    assert measure_change(timepoint(), black).ratio_percent.value is None


def test_the_nadir_is_the_smallest_sure_graft() -> None:
    small = timepoint(VisitName.D28, box((20, 29), (-3, 4), (-10, 10)))
    unsure = timepoint(VisitName.M3, box((22, 27), (-3, 4), (-10, 10)), confidence=0.2)
    absent = timepoint(VisitName.M6, None)
    assert nadir([baseline(), small, unsure, absent], 0.5) is small


def test_without_a_measured_graft_there_is_no_nadir() -> None:
    assert nadir([timepoint(graft=None)], 0.5) is None
    assert nadir([], 0.5) is None


def test_the_change_to_a_guess_may_be_any_that_the_guess_stands_for() -> None:
    before, now = baseline(), timepoint()
    ml = now.shape.volume_ml.value or 0.0
    guess = replace(now, graft=replace(now.graft, range_ml=(0.25 * ml, 2.0 * ml)))
    told, guessed = (measure_change(t, before).size.volume_percent for t in (now, guess))
    assert told.value == guessed.value == 0.0
    assert guessed.ci95 == pytest.approx((-75.0, 100.0))
    assert told.ci95 is not None
    assert -75.0 < told.ci95[0] < 0.0 < told.ci95[1] < 100.0
