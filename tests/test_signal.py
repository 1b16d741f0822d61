"""Signal: ratios, spread, foci and pattern of grafts with known intensities."""

from dataclasses import replace

import numpy as np
import pytest
from cases import EMPTY, GRID, PROTOCOL, RIGHT, ball, box, image, reference_of, signal_of
from cases import union as joined
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from imaging.errors import GeometryError
from imaging.geometry import Geometry
from imaging.measurement import Measurement, measured, missing
from imaging.measurements.signal import Pattern, Signal, describe, measure_signal, told
from imaging.reference import Reference, Side
from imaging.volume import Mask, Volume

GRAFT = box((12, 41), (-7, 8), (-12, 12))
"""30 x 16 x 26 mm."""


def of(parts: dict[float, Mask], noise: float = 3.0) -> Signal:
    found: Signal = signal_of(image(parts, noise=noise), GRAFT)
    return found


def test_the_ratio_is_that_of_the_medians_and_its_interval_holds_it() -> None:
    ratio = of({1.5: GRAFT}).ratio
    assert ratio.value == pytest.approx(1.5, abs=0.01)
    assert ratio.ci95 is not None
    assert ratio.ci95[0] < 1.5 < ratio.ci95[1]


def test_the_interval_that_is_told_holds_that_to_either_sides_muscle_alone() -> None:
    """Muscle of 80 and of 120: a graft of 150 is 1.88 times the one and 1.25 times the other."""
    picture = image({1.5: GRAFT})
    even = reference_of(picture)
    uneven = replace(even, left_median=measured(80.0), right_median=measured(120.0))
    exact = PROTOCOL.reference_muscle.model_copy(update={"systematic_sd": 0.0})
    sampled = measure_signal(picture, GRAFT, uneven, PROTOCOL).ratio
    plain, wide = (told(sampled, r, exact) for r in (even, uneven))
    assert plain.value == wide.value == pytest.approx(1.5, abs=0.01)
    assert plain.ci95 == pytest.approx((1.5, 1.5), abs=0.05)
    assert wide.ci95 == pytest.approx((1.5 / 1.2, 1.5 / 0.8), abs=0.05)


def test_the_interval_that_is_told_has_what_voxels_do_not_tell_in_it() -> None:
    """A bootstrap of exp(+-0.03) and 1.96 times 0.02 of systematic error: exp(+-0.0493)."""
    two = PROTOCOL.reference_muscle.model_copy(update={"systematic_sd": 0.02})
    sampled = measured(1.2, (1.2 * np.exp(-0.03), 1.2 * np.exp(0.03)))
    whole = told(sampled, reference_of(image()), two)
    assert whole.value == 1.2
    assert whole.ci95 == pytest.approx((1.2 * np.exp(-0.04936), 1.2 * np.exp(0.04936)), rel=1e-4)


@pytest.mark.parametrize(
    "ratio", [missing("no signal"), measured(1.2), measured(0.0, (0.0, 0.1))], ids=str
)
def test_a_ratio_without_an_interval_above_0_is_told_as_it_is(ratio: Measurement) -> None:
    assert told(ratio, reference_of(image()), PROTOCOL.reference_muscle) == ratio


def test_contrast_to_noise_is_the_difference_in_standard_deviations_of_muscle() -> None:
    assert of({1.5: GRAFT}, noise=5.0).contrast_to_noise.value == pytest.approx(10.0, rel=0.05)


def test_the_border_pixel_does_not_count_for_the_ratio() -> None:
    border = Mask(GRAFT.array & ~box((13, 40), (-6, 7), (-12, 12)).array, GRID)
    assert of({1.2: GRAFT, 9.0: border}).ratio.value == pytest.approx(1.2, abs=0.01)


def test_spread_of_four_values_by_hand() -> None:
    spread = describe(np.array([1.0, 2.0, 3.0, 6.0]))
    assert spread.median == 2.5
    # Mean 3, squared deviations 4 + 1 + 0 + 9; absolute ones from 2.5: 1.5, 0.5, 0.5, 3.5.
    assert spread.coefficient_of_variation.value == pytest.approx(np.sqrt(14 / 4) / 3)
    assert spread.robust_cov.value == pytest.approx(1.4826 * 1.0 / 2.5)


def test_a_region_without_intensity_has_no_coefficient_of_variation() -> None:
    spread = describe(np.zeros(5))
    assert spread.coefficient_of_variation.reason == "the region's intensity is zero"
    assert spread.robust_cov.reason == "the region's intensity is zero"


def test_high_signal_begins_at_the_larger_of_the_floor_and_three_deviations() -> None:
    assert of({1.0: GRAFT}, noise=3.0).high_limit.value == pytest.approx(1.30)
    assert of({1.0: GRAFT}, noise=15.0).high_limit.value == pytest.approx(1.45, abs=0.02)


def test_the_high_fraction_is_the_share_of_the_graft_above_the_limit() -> None:
    tenth = box((12, 14), (-7, 8), (-12, 12))
    found = of({1.0: GRAFT, 2.0: tenth})
    assert found.high_fraction.value == pytest.approx(0.1, abs=0.001)
    assert found.high is not None
    assert found.high.voxels == tenth.voxels


def test_an_even_graft_is_homogeneous() -> None:
    found = of({1.1: GRAFT})
    assert (found.pattern, found.mass_like, found.foci) == (Pattern.HOMOGENEOUS, False, ())


def test_an_even_graft_brighter_than_muscle_is_homogeneous() -> None:
    assert of({2.5: GRAFT}).pattern is Pattern.HOMOGENEOUS


def test_three_foci_below_5_mm_are_stippled() -> None:
    dots = joined(*(box((x, x + 2), (0, 2), (0, 0)) for x in (16, 24, 32)))
    found = of({1.0: GRAFT, 2.5: dots})
    assert len(found.foci) == 3
    assert (found.pattern, found.mass_like) == (Pattern.STIPPLED, False)


def test_a_speckled_graft_without_foci_is_stippled() -> None:
    even = np.indices(GRID.shape).sum(axis=0) % 2 == 0
    checked = Mask(GRAFT.array & even, GRID)
    assert of({1.0: GRAFT, 1.8: checked}).pattern is Pattern.STIPPLED


def test_one_focus_of_4_mm_is_neither_homogeneous_nor_stippled() -> None:
    found = of({1.0: GRAFT, 2.5: box((20, 22), (0, 2), (0, 0))})
    assert (found.pattern, found.mass_like) == (None, False)
    assert found.pattern_reason is not None
    assert "3 mm" in found.pattern_reason


def test_one_focus_of_7_mm_is_nodular() -> None:
    found = of({1.0: GRAFT, 2.5: box((20, 25), (-1, 2), (-2, 2))})
    assert (found.pattern, found.mass_like) == (Pattern.NODULAR, False)


def test_one_focus_of_11_mm_is_mass_like() -> None:
    found = of({1.0: GRAFT, 2.5: box((20, 30), (0, 1), (0, 0))})
    assert (found.pattern, found.mass_like) == (Pattern.NODULAR, True)


def test_a_focus_of_half_a_millilitre_is_mass_like_whatever_its_diameter() -> None:
    found = of({1.0: GRAFT, 2.5: box((20, 25), (-3, 2), (-10, 10))})
    assert found.foci[0].diameter_mm < 10.0
    assert found.mass_like


def test_a_focus_only_at_the_rim_leaves_the_pattern_open() -> None:
    found = of({1.0: GRAFT, 2.5: box((12, 41), (7, 8), (-12, 12))})
    assert (found.pattern, found.mass_like) == (None, None)
    assert found.pattern_reason is not None
    assert "rim" in found.pattern_reason


def test_a_rim_focus_beside_a_mass_leaves_no_doubt_about_the_mass() -> None:
    rim, mass = box((12, 41), (7, 8), (-12, 12)), box((20, 31), (-3, 2), (-4, 4))
    found = of({1.0: GRAFT, 2.5: joined(rim, mass)})
    assert (found.pattern, found.mass_like) == (Pattern.NODULAR, True)


def test_a_focus_must_stand_out_of_its_own_graft() -> None:
    # 2.5 is 1.25 times a graft of 2.0: high, but no focus.
    assert of({2.0: GRAFT, 2.5: box((20, 30), (-2, 2), (-4, 4))}).foci == ()


def test_a_lone_bright_voxel_changes_nothing() -> None:
    found = of({1.0: GRAFT, 20.0: box((20, 20), (0, 0), (0, 0))})
    assert (found.foci, found.pattern) == ((), Pattern.HOMOGENEOUS)


def test_a_ball_of_7_mm_is_found_where_it_is_and_as_large_as_it_is() -> None:
    (focus,) = of({1.0: GRAFT, 2.5: ball((26, 0, 0), 3.5)}).foci
    assert focus.centroid_mm == pytest.approx([26, 0, 0], abs=0.1)
    assert focus.diameter_mm == pytest.approx(7.0, abs=0.5)
    assert focus.ratio == pytest.approx(2.5, abs=0.05)


def test_a_nodule_that_fills_most_of_its_graft_is_found() -> None:
    (focus,) = of({1.4: GRAFT, 4.0: box((14, 37), (-6, 7), (-9, 9))}).foci
    assert focus.ratio == pytest.approx(4.0, abs=0.05)
    assert focus.diameter_mm == pytest.approx(np.hypot(23, 13) + 1)


def test_a_blurred_focus_ends_at_half_its_height() -> None:
    sharp = image({1.0: GRAFT, 4.0: ball((26, 0, 0), 4.5)}, noise=0.0)
    blurred = Volume(gaussian_filter(sharp.array, (1.5, 1.5, 0.0)), GRID)
    (focus,) = measure_signal(blurred, GRAFT, reference_of(sharp), PROTOCOL).foci
    assert focus.diameter_mm == pytest.approx(9.0, abs=1.0)


@pytest.mark.parametrize(
    "core", [ball((26, 0, 0), 2.0), box((25, 27), (0, 0), (0, 0))], ids=["4 mm", "3 pixels"]
)
def test_a_hot_core_does_not_make_a_mass_small(core: Mask) -> None:
    found = of({1.0: GRAFT, 2.4: ball((26, 0, 0), 6.0), 4.2: core})
    assert found.mass_like
    assert found.foci[0].diameter_mm == pytest.approx(12.0, abs=1.1)


def test_an_outline_with_a_third_of_muscle_in_it_has_no_focus_for_that() -> None:
    assert of({1.8: GRAFT, 1.0: box((12, 21), (-7, 8), (-12, 12))}).foci == ()


@pytest.mark.parametrize(
    ("slice_mm", "pixels", "found"),
    [
        pytest.param(3.0, 6, 0, id="a slice that it would fill"),
        pytest.param(8.0, 6, 1, id="a slice that dilutes it"),
        pytest.param(8.0, 3, 0, id="smaller than a nodule"),
    ],
)
def test_a_nodule_that_thick_slices_dilute_is_found(
    slice_mm: float, pixels: int, found: int
) -> None:
    grid = Geometry(np.diag([1.0, 1.0, slice_mm, 1.0]), (50, 40, 9))
    array = np.random.default_rng(1).normal(100.0, 3.0, grid.shape)
    graft, focus = np.zeros((2, *grid.shape), dtype=bool)
    graft[10:40, 10:30, 2:7] = True
    focus[22 : 22 + pixels, 17 : 17 + pixels, 4] = True
    array[graft] *= 2.0
    array[focus] *= 1.37  # 1.65 times the graft where it is, in 0.56 of the slice
    muscle = Mask(~graft, grid)
    signal = measure_signal(
        Volume(array, grid), Mask(graft, grid), reference_of(Volume(array, grid), muscle), PROTOCOL
    )
    assert len(signal.foci) == found


def test_an_empty_graft_gives_reasons() -> None:
    found = signal_of(image(), EMPTY)
    assert found.ratio.reason == found.pattern_reason == "the mask is empty"
    assert (found.foci, found.pattern, found.high) == ((), None, None)


def test_muscle_without_signal_gives_reasons() -> None:
    black = image({0.0: RIGHT}, noise=0.0)
    assert signal_of(black, GRAFT).ratio.reason == "the reference muscle has no signal"


def test_muscle_without_spread_has_no_contrast_to_noise() -> None:
    found = of({1.2: GRAFT}, noise=0.0)
    assert found.contrast_to_noise.reason == "the reference muscle has no spread"
    assert found.ratio.value == pytest.approx(1.2)


def test_a_graft_on_another_grid_is_refused() -> None:
    other = Geometry(np.eye(4), GRID.shape)
    volume = image()
    with pytest.raises(GeometryError, match="not on the grid"):
        measure_signal(volume, Mask(GRAFT.array, other), reference_of(volume), PROTOCOL)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.01, 1000.0))
def test_nothing_depends_on_the_scale_of_the_image(scale: float) -> None:
    volume = image({1.0: GRAFT, 2.5: ball((26, 0, 0), 3.5)})
    scaled = Volume(volume.array * np.float32(scale), GRID)
    one, other = signal_of(volume, GRAFT), signal_of(scaled, GRAFT)
    assert other.ratio.value == pytest.approx(one.ratio.value, rel=1e-5)
    assert other.contrast_to_noise.value == pytest.approx(one.contrast_to_noise.value, abs=1e-4)
    assert other.robust_cov.value == pytest.approx(one.robust_cov.value, rel=1e-4)
    assert other.pattern is one.pattern


def test_a_reference_of_one_voxel_gives_a_ratio_without_interval() -> None:
    volume = image(noise=0.0)
    voxel, one = box((-20, -20), (0, 0), (0, 0)), measured(1)
    lone = Reference(Side.LEFT, voxel, voxel, 100.0, 1.0, one, one, measured(0))
    found = measure_signal(volume, GRAFT, lone, PROTOCOL)
    assert found.ratio.value == pytest.approx(1.0)
    assert found.ratio.ci95 is None
