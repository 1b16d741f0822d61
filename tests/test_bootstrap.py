"""Bootstrap: the interval of a ratio of medians."""

import numpy as np
import pytest
from cases import EMPTY, LEFT, PLATE, RIGHT, image
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.measurements.bootstrap import Sample, ratio_ci95, sample
from imaging.volume import Mask, Volume


def test_voxels_of_one_5_mm_cube_are_one_block() -> None:
    # From the grid's corner the plate fills 65-84, 22-29 and 30-50 mm: 4 x 2 x 5 cubes.
    assert sample(image(), PLATE, 5.0).blocks == 4 * 2 * 5


def test_constant_tissue_has_an_interval_of_no_width() -> None:
    flat = image({1.2: PLATE}, noise=0.0)
    interval = ratio_ci95(sample(flat, PLATE, 5.0), sample(flat, RIGHT, 5.0), 200, 1)
    assert interval == pytest.approx((1.2, 1.2))


def test_nineteen_of_twenty_intervals_hold_the_true_ratio() -> None:
    held = 0
    for seed in range(100):
        noisy = image({1.1: PLATE}, noise=15.0, seed=seed)
        interval = ratio_ci95(sample(noisy, PLATE, 5.0), sample(noisy, RIGHT, 5.0), 300, seed)
        assert interval is not None
        held += interval[0] <= 1.1 <= interval[1]
    # 95 of 100 expected; fewer than 88 or more than 99 would have a chance below 1 in 300.
    assert 88 <= held <= 99


def test_uneven_tissue_gives_a_wider_interval_than_independent_voxels() -> None:
    cubes = np.random.default_rng(4).normal(100.0, 20.0, (20, 10, 9))
    patches = cubes.repeat(5, axis=0).repeat(5, axis=1).repeat(5, axis=2)[:, :, :41]
    rough = Volume(patches, LEFT.geometry)
    blocked = ratio_ci95(sample(rough, PLATE, 5.0), sample(rough, RIGHT, 5.0), 500, 1)
    single = ratio_ci95(sample(rough, PLATE, 0.5), sample(rough, RIGHT, 0.5), 500, 1)
    assert blocked is not None and single is not None
    assert blocked[1] - blocked[0] > 1.5 * (single[1] - single[0])


def test_the_same_seed_gives_the_same_interval() -> None:
    noisy = image(noise=10.0)
    data = sample(noisy, PLATE, 5.0), sample(noisy, RIGHT, 5.0)
    assert ratio_ci95(*data, 300, 7) == ratio_ci95(*data, 300, 7)


def test_a_single_block_has_no_interval() -> None:
    few = Mask(np.zeros(PLATE.geometry.shape, dtype=bool), PLATE.geometry)
    one = np.array(few.array)
    one[0, 0, 0] = True
    lone = sample(image(), Mask(one, PLATE.geometry), 5.0)
    assert ratio_ci95(lone, sample(image(), RIGHT, 5.0), 100, 1) is None


def test_no_voxels_have_no_blocks_and_no_interval() -> None:
    nothing = sample(image(), EMPTY, 5.0)
    assert nothing.blocks == 0
    assert ratio_ci95(nothing, sample(image(), RIGHT, 5.0), 100, 1) is None


def test_black_reference_tissue_has_no_interval() -> None:
    black = image({0.0: RIGHT}, noise=0.0)
    assert ratio_ci95(sample(black, PLATE, 5.0), sample(black, RIGHT, 5.0), 100, 1) is None


def test_few_voxels_are_not_binned() -> None:
    data = Sample(np.array([1.0, 2.0, 3.0, 10.0]), np.array([0, 1, 2, 3]))
    same = Sample(np.array([1.0, 1.0]), np.array([0, 1]))
    interval = ratio_ci95(data, same, 2000, 1)
    assert interval is not None
    assert interval[0] == 1.0
    assert interval[1] == 10.0


@settings(max_examples=20, deadline=None)
@given(st.floats(0.01, 1e4))
def test_the_interval_does_not_depend_on_the_scale_of_the_image(scale: float) -> None:
    noisy = image({1.3: PLATE}, noise=8.0)
    scaled = Volume(noisy.array * np.float32(scale), noisy.geometry)
    one = ratio_ci95(sample(noisy, PLATE, 5.0), sample(noisy, RIGHT, 5.0), 100, 3)
    other = ratio_ci95(sample(scaled, PLATE, 5.0), sample(scaled, RIGHT, 5.0), 100, 3)
    assert other == pytest.approx(one, rel=1e-4)
