"""Level: a graft's signal without its foci, and where a focus begins, by numbers made by hand."""

import numpy as np
import pytest
from cases import PROTOCOL
from hypothesis import given
from hypothesis import strategies as st

from imaging.measurements.level import Level, focus_limits, graft_level, shares

LIMITS = PROTOCOL.signal


def level_of(core: np.ndarray, whole: np.ndarray | None = None) -> Level:
    return graft_level(core, core if whole is None else whole, LIMITS)


def nodule_limit(level: Level, muscle_limit: float, slice_mm: float) -> float:
    return focus_limits(level, muscle_limit, slice_mm, LIMITS)[1]


def graft(*parts: tuple[int, float]) -> np.ndarray:
    """Return so many voxels of each signal, every other one a little brighter."""
    values = np.concatenate([np.full(count, signal) for count, signal in parts])
    return values + np.where(np.arange(len(values)) % 2, 0.02, -0.02)


def test_an_even_graft_has_its_own_median() -> None:
    assert level_of(graft((100, 1.4))).median == pytest.approx(1.4)


def test_a_focus_that_fills_most_of_a_graft_is_not_its_level() -> None:
    level = level_of(graft((40, 1.4), (60, 4.0)), graft((90, 1.4), (60, 4.0)))
    assert level.median == pytest.approx(1.4, abs=0.03)
    assert level.robust_sd == pytest.approx(1.4826 * 0.02)


def test_beyond_three_quarters_nothing_tells_a_focus_from_its_graft() -> None:
    assert level_of(
        graft((20, 1.4), (80, 4.0)), graft((90, 1.4), (80, 4.0))
    ).median == pytest.approx(4.0, abs=0.03)


@pytest.mark.parametrize("gone", [7, 8, 12])
def test_a_part_that_faded_does_not_make_a_focus_of_the_rest(gone: int) -> None:
    assert level_of(graft((gone, 1.15), (30 - gone, 1.8))).median == pytest.approx(1.8, abs=0.03)


@pytest.mark.parametrize("values", [[0.0], [-3.0, -2.0], [-1.0, 0.0, 5.0]])
def test_a_graft_without_signal_has_a_level_too(values: list[float]) -> None:
    assert np.isfinite(level_of(np.array(values)).median)


def test_a_ball_fills_half_as_much_of_a_slice_between_two_as_within_one() -> None:
    assert shares(6.0, 8.0) == (0.375, 0.75)
    assert shares(6.0, 4.0) == (0.75, 1.0)
    assert shares(6.0, 3.0) == (1.0, 1.0)


def test_in_thin_slices_a_nodule_must_be_half_as_bright_again_as_its_graft() -> None:
    assert nodule_limit(Level(200.0, 1.0), 0.0, 3.0) == pytest.approx(300.0)


def test_a_small_focus_must_be_so_in_thick_slices_too() -> None:
    assert focus_limits(Level(200.0, 1.0), 0.0, 8.0, LIMITS)[0] == pytest.approx(300.0)


def test_in_thick_slices_a_nodule_shows_less_and_counts() -> None:
    # 6 mm in slices of 8 mm fill 0.5625 of one on average: 1 + 0.5625 x 0.5.
    assert nodule_limit(Level(200.0, 1.0), 0.0, 8.0) == pytest.approx(256.25)


def test_what_shows_less_must_stand_out_of_the_spread_too() -> None:
    assert nodule_limit(Level(200.0, 20.0), 0.0, 8.0) == pytest.approx(280.0)
    assert nodule_limit(Level(200.0, 90.0), 0.0, 8.0) == pytest.approx(300.0)


def test_the_limit_of_muscle_holds_in_any_case() -> None:
    assert nodule_limit(Level(200.0, 1.0), 320.0, 8.0) == 320.0


@given(st.floats(1.0, 1e4), st.floats(0.0, 1e3), st.floats(1.0, 20.0), st.floats(0.01, 100.0))
def test_the_limit_goes_with_the_scale_of_the_image_and_never_beyond_a_full_focus(
    median: float, spread: float, slice_mm: float, scale: float
) -> None:
    limit = nodule_limit(Level(median, spread), 0.0, slice_mm)
    assert median < limit <= LIMITS.focus_over_graft * median * (1 + 1e-12)
    scaled = nodule_limit(Level(scale * median, scale * spread), 0.0, slice_mm)
    assert scaled == pytest.approx(scale * limit)
