"""Morphology, signal and fat findings: every branch of every rule."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from cases import GRID, LEFT, PLATE, PROTOCOL, baseline, box, image, muscles, ring, timepoint, union

from imaging.change import measure_change
from imaging.deformation import unknown
from imaging.findings.evidence import Finding, Status, decided
from imaging.findings.fat import judge_fat
from imaging.findings.foci import Seen, is_new
from imaging.findings.morphology import judge_morphology
from imaging.findings.signal import judge_signal
from imaging.measurement import measured, missing
from imaging.measurements.fat import Fat, FatAnswer
from imaging.measurements.foci import Focus
from imaging.quality import QualityEntry, Severity
from imaging.reference import Side
from imaging.timepoint import Timepoint
from imaging.transform import RigidTransform
from imaging.visit import VisitName
from imaging.volume import Mask

FAVORABLE, ADVERSE, INDETERMINATE = Status.FAVORABLE, Status.ADVERSE, Status.INDETERMINATE
BULGING = union(LEFT, box((10, 39), (-11, 6), (-40, 40)))


def sentences(finding: Finding) -> str:
    return "\n".join(reason.sentence for reason in finding.reasons)


def error(endpoint: str) -> QualityEntry:
    return QualityEntry(
        "SNR_LOW",
        Severity.ERROR,
        "signal to noise 4, at least 10",
        4.0,
        10.0,
        "quality.snr_t2_min",
        (endpoint,),
    )


# One rule for every sign -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("beyond", "real", "reaches", "present"),
    [
        (True, True, True, True),
        (True, False, True, None),
        (False, True, True, None),
        (False, True, False, False),
        (False, False, True, False),
        (False, False, False, False),
    ],
)
def test_a_sign_is_present_absent_or_undecided(
    beyond: bool, real: bool, reaches: bool, present: bool | None
) -> None:
    assert decided(beyond=beyond, real=real, reaches=reaches) is present


# Morphology ------------------------------------------------------------------------------------


def morphology(
    visit: Timepoint, before: Timepoint | None = None, least: Timepoint | None = None
) -> Finding:
    before = before or baseline()
    changes = measure_change(visit, before), measure_change(visit, least or before)
    return judge_morphology(visit, *changes, PROTOCOL)


def with_size(percent: float, ml: float, ci95: tuple[float, float], rc: float = 15.0) -> Finding:
    """A finding whose only possible sign is the volume's."""
    visit = timepoint()
    change = measure_change(visit, baseline())
    size = replace(
        change.size,
        volume_percent=measured(percent, ci95),
        volume_repeatability_percent=(-rc, rc),
        volume_ml=measured(ml),
    )
    change = replace(change, size=size)
    return judge_morphology(visit, change, change, PROTOCOL)


def test_an_unchanged_graft_is_favorable() -> None:
    finding = morphology(timepoint())
    assert finding.status is FAVORABLE
    assert finding.signs == frozenset()


def test_every_reason_names_value_threshold_and_key() -> None:
    for reason in morphology(timepoint()).reasons:
        assert reason.value is not None
        assert reason.threshold is not None
        assert reason.protocol_key is not None
        assert reason.protocol_key in reason.sentence


def test_the_baseline_is_compared_with_nothing() -> None:
    first = baseline()
    finding = judge_morphology(first, None, None, PROTOCOL)
    assert finding.status is INDETERMINATE
    assert finding.reasons[0].sentence.startswith("baseline")


def test_without_a_baseline_nothing_is_judged() -> None:
    finding = judge_morphology(timepoint(), None, None, PROTOCOL)
    assert "no baseline" in sentences(finding)


@pytest.mark.parametrize(
    ("percent", "ml", "ci95", "rc", "status"),
    [
        (50.0, 2.0, (30.0, 73.0), 15.0, ADVERSE),  # beyond the limit and repeatability
        (25.0, 0.4, (9.0, 44.0), 15.0, INDETERMINATE),  # under half a mL, perhaps more
        (30.0, 2.0, (-13.0, 95.0), 50.0, INDETERMINATE),  # beyond the limit, not repeatable
        (18.0, 2.0, (7.0, 30.0), 10.0, INDETERMINATE),  # real, and its interval reaches 20 %
        (12.0, 2.0, (9.0, 15.0), 3.0, FAVORABLE),  # real but surely below 20 %
        (10.0, 2.0, (-4.0, 26.0), 15.0, FAVORABLE),  # within repeatability
        (-10.0, -2.0, (-22.0, 3.0), 15.0, FAVORABLE),
    ],
)
def test_volume_growth(
    percent: float, ml: float, ci95: tuple[float, float], rc: float, status: Status
) -> None:
    before = baseline().shape.volume_ml.value or 0.0
    assert before == pytest.approx(3.4, abs=0.1)
    assert with_size(percent, ml, ci95, rc).status is status


def test_growth_that_surely_stays_below_half_a_millilitre_is_none() -> None:
    # 6 x 5 x 10 mm, 0.3 mL: 40 % more is 0.12 mL, at most 61 % or 0.18 mL.
    small = box((24, 29), (-2, 2), (-4, 4))
    change = measure_change(timepoint(graft=small), baseline(graft=small))
    size = replace(
        change.size,
        volume_percent=measured(40.0, (22.0, 61.0)),
        volume_repeatability_percent=(-13.0, 15.0),
        volume_ml=measured(0.12),
    )
    change = replace(change, size=size)
    assert judge_morphology(timepoint(), change, change, PROTOCOL).status is FAVORABLE


def test_a_graft_of_nearly_twice_the_volume_has_grown() -> None:
    finding = morphology(timepoint(graft=box((12, 37), (-5, 6), (-12, 12))))
    assert finding.status is ADVERSE
    assert {"growth", "growth_volume"} <= finding.signs
    assert "morphology.growth_volume_fraction" in finding.reasons[0].sentence


def test_growth_is_counted_from_the_nadir_even_below_the_baseline() -> None:
    large = baseline(graft=box((12, 41), (-7, 8), (-16, 16)))
    least = timepoint(VisitName.D28, box((19, 30), (-3, 4), (-8, 8)))
    finding = morphology(timepoint(graft=box((15, 34), (-5, 6), (-12, 12))), large, least)
    assert "growth_volume" in finding.signs
    assert "since D28" in sentences(finding)


def test_a_graft_5_mm_and_20_percent_longer_has_grown() -> None:
    thin, long = box((15, 34), (0, 2), (0, 2)), box((10, 37), (0, 2), (0, 2))
    finding = morphology(timepoint(graft=long), baseline(graft=thin))
    assert "growth_diameter" in finding.signs


def test_a_graft_that_is_longer_but_not_larger_has_not_certainly_grown() -> None:
    thick, thin = box((15, 34), (0, 4), (0, 2)), box((10, 37), (0, 2), (0, 2))
    finding = morphology(timepoint(graft=thin), baseline(graft=thick))
    assert "growth_diameter" not in finding.signs
    assert finding.status is INDETERMINATE


def test_a_diameter_beyond_20_percent_whose_interval_reaches_below_5_mm_is_undecided() -> None:
    change = measure_change(
        timepoint(graft=box((10, 37), (0, 2), (0, 2))),
        baseline(graft=box((15, 34), (0, 2), (0, 2))),
    )
    wide = replace(change.size, diameter_mm=measured(8.0, (2.8, 13.2)))
    finding = judge_morphology(
        timepoint(), replace(change, size=wide), replace(change, size=wide), PROTOCOL
    )
    assert "growth_diameter" not in finding.signs
    assert finding.status is INDETERMINATE


def test_a_longer_diameter_along_thick_slices_may_be_chance() -> None:
    before, after = box((20, 21), (0, 1), (-8, 8)), box((20, 21), (0, 1), (-10, 12))
    change = measure_change(timepoint(graft=after), baseline(graft=before))
    assert change.size.diameter_mm.value == pytest.approx(6.0, abs=0.1)
    wide = replace(change.size, diameter_mm=measured(6.0, (-0.5, 12.5)))
    finding = judge_morphology(
        timepoint(), replace(change, size=wide), replace(change, size=wide), PROTOCOL
    )
    assert "growth_diameter" not in finding.signs
    assert finding.status is INDETERMINATE


def test_a_graft_half_as_large_in_its_old_outline_is_favorable() -> None:
    finding = morphology(timepoint(graft=box((17, 31), (-2, 3), (-7, 7))), baseline(graft=PLATE))
    assert finding.status is FAVORABLE
    assert "resorbing" in sentences(finding)


def test_a_remnant_at_one_end_of_its_old_outline_is_no_migration() -> None:
    end = timepoint(graft=box((15, 20), (-3, 4), (-10, 10)))
    finding = morphology(end)
    assert measure_change(end, baseline()).place.centroid_shift_mm.value == pytest.approx(7.0)
    assert finding.status is INDETERMINATE
    assert "migration" not in finding.signs


def test_a_graft_10_mm_away_has_migrated() -> None:
    finding = morphology(timepoint(graft=box((5, 24), (-3, 4), (-10, 10))))
    assert finding.status is ADVERSE
    assert "migration" in finding.signs


def test_a_shift_within_twice_the_registration_error_is_none() -> None:
    away = timepoint(graft=box((8, 27), (-3, 4), (-10, 10)), error=measured(4.0))
    assert "migration" not in morphology(away).signs


def test_without_registration_place_is_undecided() -> None:
    lost = timepoint(baseline_from_visit=None, registration_error_mm=missing("no overlap"))
    finding = morphology(lost)
    assert finding.status is INDETERMINATE
    assert "M3 could not be registered" in sentences(finding)


def test_certain_growth_is_adverse_even_without_registration() -> None:
    grown = box((12, 37), (-5, 6), (-12, 12))
    lost = timepoint(
        graft=grown, baseline_from_visit=None, registration_error_mm=missing("no overlap")
    )
    assert morphology(lost).status is ADVERSE


def test_another_shape_of_the_same_volume_is_not_favorable() -> None:
    upright = box((20, 29), (-3, 4), (-20, 21))
    finding = morphology(timepoint(graft=upright))
    assert "shape" in finding.signs
    assert finding.status is not FAVORABLE


def test_poor_overlap_that_contour_noise_explains_is_undecided() -> None:
    visit = timepoint()
    change = measure_change(visit, baseline())
    noisy = replace(
        change,
        place=replace(change.place, dice=measured(0.68)),
        size=replace(change.size, volume_repeatability_percent=(-60.0, 150.0)),
    )
    finding = judge_morphology(visit, noisy, noisy, PROTOCOL)
    assert finding.status is INDETERMINATE
    assert "shape" not in finding.signs
    clear = replace(noisy, size=change.size)
    assert "shape" in judge_morphology(visit, clear, clear, PROTOCOL).signs


def test_a_plate_that_became_a_ball_of_the_same_volume_is_noticed() -> None:
    flat, cube = box((10, 39), (0, 3), (-10, 10)), box((18, 31), (-6, 7), (-6, 6))
    finding = morphology(timepoint(graft=cube), baseline(graft=flat))
    assert "plate_to_ball" in finding.signs


def test_a_ball_left_after_resorption_is_no_plate_to_ball() -> None:
    flat, rest = box((10, 39), (0, 3), (-10, 10)), box((23, 26), (0, 3), (-1, 3))
    finding = morphology(timepoint(graft=rest), baseline(graft=flat))
    assert "plate_to_ball" not in finding.signs


def test_one_sign_of_mass_effect_is_indeterminate() -> None:
    finding = morphology(timepoint(wall=muscles(midline_x=-4.0)))
    assert finding.status is INDETERMINATE
    assert finding.signs == {"midline"}


def test_two_signs_of_mass_effect_are_adverse() -> None:
    finding = morphology(timepoint(wall=muscles(left=BULGING)))
    assert finding.status is ADVERSE
    assert {"thickening", "bulge", "mass_effect"} <= finding.signs


def test_a_ring_pushed_away_and_squeezed_is_one_sign_of_mass_effect() -> None:
    finding = morphology(timepoint(deformation=ring(0.2, 4.0)))
    assert finding.status is INDETERMINATE
    assert finding.signs == {"ring"}
    both = morphology(timepoint(deformation=ring(0.2, 4.0), wall=muscles(midline_x=-4.0)))
    assert both.status is ADVERSE
    assert "mass_effect" in both.signs


@pytest.mark.parametrize(("log_jacobian", "displacement_mm"), [(0.2, 2.9), (0.14, 6.0), (0.2, -4)])
def test_a_ring_that_only_moved_or_was_only_squeezed_is_no_sign(
    log_jacobian: float, displacement_mm: float
) -> None:
    finding = morphology(timepoint(deformation=ring(log_jacobian, displacement_mm)))
    assert finding.status is FAVORABLE


def test_a_ring_pushed_within_the_registration_error_is_undecided() -> None:
    finding = morphology(timepoint(deformation=ring(0.2, 4.0), error=measured(2.5)))
    assert finding.status is INDETERMINATE
    assert "ring" not in finding.signs


def test_a_deformation_that_was_not_found_leaves_the_other_three_signs_and_a_remark() -> None:
    finding = morphology(timepoint(deformation=unknown("it folds")))
    assert finding.status is FAVORABLE
    assert any("it folds" in reason.sentence for reason in finding.reasons)


def test_a_bulge_within_the_registration_error_is_undecided() -> None:
    finding = morphology(timepoint(wall=muscles(left=BULGING), error=measured(3.5)))
    assert "bulge" not in finding.signs
    assert finding.status is INDETERMINATE


def test_a_mass_effect_cannot_be_told_where_the_muscles_are_not_sure() -> None:
    unsure = replace(muscles(left=BULGING), confidence=0.49)
    finding = morphology(timepoint(wall=unsure))
    assert finding.status is INDETERMINATE
    assert finding.signs == set()
    assert "the rectus muscles of M3 were found with a confidence of 0.49" in sentences(finding)


def test_growth_is_told_without_sure_muscles() -> None:
    unsure = replace(muscles(), confidence=0.0)
    finding = morphology(timepoint(graft=box((10, 39), (0, 9), (-10, 10)), wall=unsure))
    assert finding.status is ADVERSE
    assert "growth" in finding.signs


def test_without_muscles_mass_effect_is_undecided() -> None:
    finding = morphology(timepoint(muscle=None))
    assert finding.status is INDETERMINATE
    assert "the rectus muscles were not found" in sentences(finding)


def test_a_quality_error_comes_first_and_closes_the_endpoint() -> None:
    grown = timepoint(
        graft=box((12, 37), (-5, 6), (-12, 12)), quality=(error("morphological_stability"),)
    )
    finding = morphology(grown)
    assert finding.status is INDETERMINATE
    assert finding.reasons[0].sentence == "signal to noise 4, at least 10"
    assert finding.signs == frozenset()


def test_a_quality_error_of_the_baseline_is_named_with_its_visit() -> None:
    finding = morphology(timepoint(), baseline(quality=(error("morphological_stability"),)))
    assert finding.reasons[0].sentence == "BASELINE: signal to noise 4, at least 10"


def test_a_quality_error_of_another_endpoint_or_a_warning_closes_nothing() -> None:
    other = error("fat_absence")
    warning = replace(error("morphological_stability"), severity=Severity.WARNING)
    assert morphology(timepoint(quality=(other, warning))).status is FAVORABLE


@pytest.mark.parametrize("who", ["visit", "baseline"])
def test_an_unsure_outline_needs_a_reader(who: str) -> None:
    unsure = {"confidence": 0.4}
    visit = timepoint(**unsure) if who == "visit" else timepoint()  # type: ignore[arg-type]
    first = baseline(**unsure) if who == "baseline" else baseline()
    finding = morphology(visit, first)
    assert finding.status is INDETERMINATE
    assert "needs a reader" in finding.reasons[0].sentence


def test_an_absent_graft_has_no_endpoint() -> None:
    finding = morphology(timepoint(graft=None))
    assert finding.status is INDETERMINATE
    assert "no graft was found at M3" in finding.reasons[0].sentence


# Signal ----------------------------------------------------------------------------------------

GRAFT = box((12, 41), (-7, 8), (-12, 12))
NODULE = box((20, 25), (-1, 2), (-2, 2))
MASS = box((20, 31), (-3, 4), (-4, 4))
SMALL = box((20, 22), (0, 2), (0, 0))


def at(parts: dict[float, Mask], name: VisitName = VisitName.M3, **changed: Any) -> Timepoint:
    return timepoint(name, GRAFT, volume=image({1.0: GRAFT, **parts}), **changed)


def start(parts: dict[float, Mask] | None = None, **changed: Any) -> Timepoint:
    return baseline(GRAFT, volume=image({1.0: GRAFT, **(parts or {})}), **changed)


def signal(
    visit: Timepoint, *earlier: Timepoint, references: tuple[Timepoint, ...] | None = None
) -> Finding:
    return judge_signal(visit, earlier, earlier if references is None else references, PROTOCOL)


def test_an_unchanged_homogeneous_graft_is_favorable() -> None:
    assert signal(at({}), start()).status is FAVORABLE


def test_a_graft_that_resolves_is_favorable() -> None:
    assert signal(at({}), start({1.8: GRAFT})).status is FAVORABLE


def test_the_baseline_signal_is_compared_with_nothing() -> None:
    finding = signal(start(), start())
    assert finding.reasons[0].sentence.startswith("baseline")


def test_without_a_baseline_signal_is_not_judged() -> None:
    assert "no baseline" in sentences(signal(at({})))


def test_a_new_nodule_after_day_28_is_adverse() -> None:
    finding = signal(at({2.5: NODULE}), start())
    assert finding.status is ADVERSE
    assert {"new_focus", "rank_up", "nodular"} <= finding.signs


def test_a_new_nodule_at_day_28_is_indeterminate() -> None:
    finding = signal(at({2.5: NODULE}, VisitName.D28, days=28), start())
    assert finding.status is INDETERMINATE
    assert "still resorbing" in sentences(finding)


@pytest.mark.parametrize("name", [VisitName.D28, VisitName.UNSCHEDULED])
def test_a_visit_without_days_is_as_early_as_its_name_allows(name: VisitName) -> None:
    assert signal(at({2.5: NODULE}, name, days=None), start()).status is INDETERMINATE


def test_a_month_3_visit_without_days_is_late() -> None:
    assert signal(at({2.5: NODULE}, days=None), start()).status is ADVERSE


def test_a_mass_at_day_28_is_adverse() -> None:
    finding = signal(at({2.5: MASS}, VisitName.D28, days=28), start())
    assert finding.status is ADVERSE
    assert {"new_mass_like", "rank_mass_like", "mass_like"} <= finding.signs


def test_a_new_focus_of_4_mm_is_indeterminate() -> None:
    finding = signal(at({2.5: SMALL}), start())
    assert finding.status is INDETERMINATE
    assert finding.signs == frozenset()


def test_a_focus_that_was_there_is_not_new() -> None:
    assert signal(at({2.5: SMALL}), start({2.5: SMALL})).status is FAVORABLE


def test_a_nodule_that_was_there_is_neither_adverse_nor_favorable() -> None:
    finding = signal(at({2.5: NODULE}), start({2.5: NODULE}))
    assert finding.status is INDETERMINATE
    assert "even if it was there before" in finding.reasons[0].sentence


def test_a_nodule_4_mm_beside_an_earlier_one_is_not_new() -> None:
    near = box((29, 34), (-1, 2), (-2, 2))
    assert "new_focus" not in signal(at({2.5: near}), start({2.5: NODULE})).signs


def test_a_nodule_10_mm_from_an_earlier_one_is_new() -> None:
    far = box((35, 40), (-1, 2), (-2, 2))
    assert "new_focus" in signal(at({2.5: far}), start({2.5: NODULE})).signs


def test_a_focus_seen_at_any_earlier_visit_is_not_new() -> None:
    between = at({2.5: NODULE}, VisitName.D28, days=28)
    first = start()
    finding = signal(at({2.5: NODULE}), first, between, references=(first,))
    assert "new_focus" not in finding.signs


def test_a_nodule_where_the_injectate_was_bright_may_have_surfaced() -> None:
    finding = signal(at({2.5: NODULE}), start({2.4: GRAFT}))
    assert finding.status is INDETERMINATE
    assert not finding.signs & {"new_focus", "rank_up"}


@pytest.mark.parametrize(("level", "status"), [(3.5, INDETERMINATE), (3.7, ADVERSE)])
def test_a_nodule_that_would_have_stood_out_of_the_injectate_is_new(
    level: float, status: Status
) -> None:
    """1.5 times an injectate of 2.4 is 3.6: what was brighter was a focus then."""
    finding = signal(at({level: NODULE}), start({2.4: GRAFT}))
    assert finding.status is status
    assert ("new_focus" in finding.signs) is (status is ADVERSE)


def test_a_nodule_that_appears_after_the_injectate_went_is_adverse() -> None:
    first, clear = start({2.4: GRAFT}), at({}, VisitName.D28, days=28)
    assert signal(at({2.5: NODULE}), first, clear).status is ADVERSE


def test_a_new_focus_without_registration_is_undecided_if_there_were_others() -> None:
    lost = at({2.5: NODULE}, baseline_from_visit=None)
    assert "new_focus" not in signal(lost, start({2.5: NODULE})).signs


def test_a_focus_at_the_rim_is_undecided() -> None:
    rim = box((12, 41), (7, 8), (-12, 12))
    finding = signal(at({2.5: rim}), start())
    assert finding.status is INDETERMINATE
    assert not finding.signs & {"new_focus", "new_mass_like", "rank_up", "mass_like"}


def test_a_focus_that_may_be_a_vessel_is_undecided() -> None:
    """5 x 4 mm and 26 mm through the slices."""
    tube = box((22, 26), (-1, 2), (-12, 12))
    finding = signal(at({2.5: tube}), start())
    assert finding.status is INDETERMINATE
    assert not finding.signs & {"new_focus", "new_mass_like", "rank_up", "mass_like"}


def test_a_nodule_that_became_a_mass_is_adverse() -> None:
    finding = signal(at({2.5: MASS}), start({2.5: NODULE}))
    assert finding.status is ADVERSE
    assert {"rank_mass_like", "focus_grown"} <= finding.signs


def test_a_nodule_beside_an_undecided_pattern_may_have_risen() -> None:
    rim = box((12, 41), (7, 8), (-12, 12))
    finding = signal(at({2.5: box((34, 39), (-3, 0), (-2, 2))}), start({2.5: rim}))
    assert "rank_up" not in finding.signs


def test_a_focus_3_mm_longer_and_beyond_its_repeatability_has_grown() -> None:
    small, large = box((22, 27), (-3, 2), (-4, 4)), box((20, 28), (-4, 3), (-6, 6))
    finding = signal(at({2.5: large}), start({2.5: small}))
    assert "focus_grown" in finding.signs


def test_a_focus_one_pixel_longer_has_not_grown() -> None:
    small, large = box((20, 25), (-1, 2), (-2, 2)), box((20, 26), (-1, 2), (-2, 2))
    assert "focus_grown" not in signal(at({2.5: large}), start({2.5: small})).signs


def test_a_graft_a_third_brighter_is_adverse() -> None:
    finding = signal(at({1.3: GRAFT}), start())
    assert finding.status is ADVERSE
    assert finding.signs == {"brighter"}


def test_a_graft_a_third_brighter_with_wide_intervals_is_indeterminate() -> None:
    visit, first = at({1.3: GRAFT}), start()
    assert visit.signal is not None
    wide = replace(visit.signal, ratio=measured(1.3, (0.9, 1.7)))
    finding = signal(replace(visit, signal=wide, signal_uncorrected=wide), first)
    assert finding.status is INDETERMINATE


def test_a_graft_a_tenth_brighter_is_favorable() -> None:
    assert signal(at({1.1: GRAFT}), start()).status is FAVORABLE


def test_a_ratio_to_muscle_of_the_other_side_is_not_compared() -> None:
    visit = at({1.3: GRAFT})
    assert visit.signal is not None
    right = replace(visit.signal, side=Side.RIGHT)
    finding = signal(replace(visit, signal=right, signal_uncorrected=right), start())
    assert finding.status is INDETERMINATE
    assert "muscle of different sides" in sentences(finding)


def test_a_ratio_without_interval_is_not_judged() -> None:
    visit, first = at({}), start()
    assert visit.signal is not None
    bare = replace(visit.signal, ratio=measured(1.0))
    finding = signal(replace(visit, signal=bare, signal_uncorrected=bare), first)
    assert "no confidence interval" in sentences(finding)


def test_a_black_baseline_graft_is_not_a_reference() -> None:
    black = start({0.0: GRAFT})
    assert black.signal is not None
    dark = replace(black.signal, ratio=measured(0.01, (-0.01, 0.02)))
    first = replace(black, signal=dark, signal_uncorrected=dark)
    assert "had no signal" in sentences(signal(at({}), first))


def test_a_signal_that_was_not_measured_is_indeterminate() -> None:
    assert "no T2W-FS" in sentences(signal(at({}, signal=None), start()))
    finding = signal(at({}), start(signal=None))
    assert finding.status is INDETERMINATE
    assert "at BASELINE" in sentences(finding)


def test_a_signal_that_failed_at_baseline_keeps_its_reason() -> None:
    first = start()
    assert first.signal is not None
    failed = replace(first.signal, ratio=missing("the reference muscle has no signal"))
    finding = signal(at({}), replace(first, signal=failed, signal_uncorrected=failed))
    assert "the reference muscle has no signal" in sentences(finding)


def test_a_high_fraction_that_was_not_measured_keeps_its_reason() -> None:
    visit = at({})
    assert visit.signal is not None
    partial = replace(visit.signal, high_fraction=missing("lost"))
    finding = signal(replace(visit, signal=partial, signal_uncorrected=partial), start())
    assert "lost" in sentences(finding)


def test_a_finding_that_hangs_on_the_bias_field_is_indeterminate() -> None:
    plain = at({2.5: NODULE}).signal
    finding = signal(at({}, signal_uncorrected=plain), start())
    assert finding.status is INDETERMINATE
    assert "bias field" in finding.reasons[0].sentence


def test_patterns_that_hang_on_the_bias_field_are_indeterminate() -> None:
    visit = at({})
    assert visit.signal is not None
    stippled = replace(visit.signal, pattern=at({2.5: NODULE}).signal.pattern)  # type: ignore[union-attr]
    assert signal(replace(visit, signal_uncorrected=stippled), start()).status is INDETERMINATE


def test_both_adverse_is_adverse_whatever_the_pattern() -> None:
    mass = at({2.5: MASS}).signal
    finding = signal(at({2.5: NODULE}, signal_uncorrected=mass), start())
    assert finding.status is ADVERSE
    assert "mass_like" not in finding.signs


def test_another_scanner_allows_no_statement_but_a_mass_is_still_seen() -> None:
    finding = signal(at({2.5: MASS}, manufacturer="Philips"), start())
    assert finding.status is INDETERMINATE
    assert "scanner" in finding.reasons[0].sentence
    assert finding.signs == {"nodular", "mass_like"}


def test_a_quality_error_closes_the_signal() -> None:
    finding = signal(at({2.5: MASS}, quality=(error("signal_characteristics"),)), start())
    assert finding.reasons[0].sentence == "signal to noise 4, at least 10"
    assert finding.signs == frozenset()


def test_new_since_baseline_is_unknown_where_nothing_can_be_laid_over() -> None:
    visit, first = at({2.5: NODULE}), start({2.5: NODULE})
    assert visit.signal is not None and first.signal is not None
    (focus,) = visit.signal.foci
    assert is_new(focus, visit, Seen(first, first.signal), PROTOCOL) is False
    lost = replace(visit, baseline_from_visit=None)
    assert is_new(focus, lost, Seen(first, first.signal), PROTOCOL) is None
    clear = start()
    assert clear.signal is not None
    assert is_new(focus, lost, Seen(clear, clear.signal), PROTOCOL) is True


def test_a_focus_outside_the_earlier_image_was_not_bright_there() -> None:
    shift = np.eye(4)
    shift[0, 3] = 500.0
    far = at({2.5: NODULE}, baseline_from_visit=RigidTransform(shift))
    assert "new_focus" in signal(far, start({2.4: GRAFT})).signs


# Fat -------------------------------------------------------------------------------------------


def fat(
    isointense: bool | None = True,
    answer: FatAnswer | None = FatAnswer.NONE,
    **changed: Any,
) -> Fat:
    ratio = {
        True: measured(1.0, (0.95, 1.05)),
        False: measured(1.5, (1.4, 1.6)),
        None: measured(0.85, (0.8, 0.9)),
    }[isointense]
    found = Fat(
        ratio=ratio,
        told_ratio=ratio,
        isointense=isointense,
        isointense_reason=None if isointense is not None else "the interval straddles",
        answer=answer,
        foci=(),
        suppression_ratio=measured(0.3),
        minimum_detectable_fraction=measured(0.21),
    )
    return replace(found, **changed)


def focus(ratio: float, at_rim: bool = False) -> Focus:
    return Focus(0.2, 50.0, 8.0, np.zeros(3), ratio, at_rim, np.zeros((1, 3)))


def judge(found: Fat | None, other: Fat | None = None, visit: Timepoint | None = None) -> Finding:
    return judge_fat(visit or timepoint(), found, other or found, PROTOCOL)


def test_isointense_is_favorable_and_says_what_could_have_been_seen() -> None:
    finding = judge(fat())
    assert finding.status is FAVORABLE
    assert "21 %" in sentences(finding)


def test_fat_is_judged_at_baseline_too() -> None:
    assert judge(fat(), visit=baseline()).status is FAVORABLE


def test_not_isointense_is_adverse() -> None:
    finding = judge(fat(False, FatAnswer.BRIGHT_NOT_FAT))
    assert finding.status is ADVERSE
    assert finding.signs == frozenset()
    assert "blood or protein" in sentences(finding)


def test_an_undecided_ratio_is_indeterminate() -> None:
    finding = judge(fat(None, None))
    assert finding.status is INDETERMINATE
    assert "the interval straddles" in sentences(finding)


@pytest.mark.parametrize("ratio", [0.5, 1.8])
def test_a_focus_is_named_with_its_limit(ratio: float) -> None:
    finding = judge(fat(False, FatAnswer.POSSIBLE, foci=(focus(ratio),)))
    assert ("fat.focus_dark_ratio" if ratio < 1 else "fat.focus_bright_ratio") in sentences(finding)


def test_a_rim_focus_is_named_as_one() -> None:
    finding = judge(fat(None, None, foci=(focus(0.5, at_rim=True),)))
    assert "rim" in sentences(finding)


def test_confirmed_fat_is_adverse_even_in_an_isointense_graft() -> None:
    finding = judge(fat(True, FatAnswer.CONFIRMED_MICROSCOPIC))
    assert finding.status is ADVERSE
    assert finding.signs == {"fat_confirmed"}


def test_isointense_where_fat_is_invisible_is_indeterminate() -> None:
    blind = fat(answer=None, minimum_detectable_fraction=missing("fat is as bright as muscle"))
    finding = judge(blind)
    assert finding.status is INDETERMINATE
    assert "fat is as bright as muscle" in sentences(finding)


def test_isointensity_that_hangs_on_the_bias_field_is_indeterminate() -> None:
    finding = judge(fat(True), fat(None, None))
    assert finding.status is INDETERMINATE
    assert "bias field" in finding.reasons[0].sentence


def test_without_t1_the_reason_is_said() -> None:
    finding = judge(None)
    assert finding.status is INDETERMINATE
    assert "no T1W-FS" in sentences(finding)


def test_a_ratio_that_failed_keeps_its_reason() -> None:
    failed = fat(None, None, ratio=missing("black"), isointense_reason="black")
    assert "black" in sentences(judge(failed))


def test_a_quality_error_closes_the_fat_endpoint() -> None:
    closed = timepoint(quality=(error("fat_absence"),))
    assert judge(fat(False), visit=closed).status is INDETERMINATE


def test_an_absent_graft_has_no_fat_endpoint() -> None:
    assert "no graft" in sentences(judge(fat(), visit=timepoint(graft=None)))


def test_the_cases_lie_on_one_grid() -> None:
    assert GRAFT.geometry is GRID
