"""Foci: what counts as one, how large it is, and what noise and borders must not make."""

import numpy as np
import pytest
from cases import EMPTY, GRID, MUSCLE, PLATE, box, image, union

from imaging.measurements.foci import Focus, find_foci, gap_mm
from imaging.transform import RigidTransform, identity
from imaging.volume import Mask


def foci_of(region: Mask, graft: Mask = PLATE, rim_mm: float = 2.0) -> tuple[Focus, ...]:
    volume = image({2.0: region}, noise=0.0)
    inside = region.array & graft.array
    return find_foci(inside, volume, graft, MUSCLE, pixels_min=3, rim_mm=rim_mm)


def test_a_bright_cuboid_is_one_focus_with_its_volume_and_place() -> None:
    (focus,) = foci_of(box((20, 25), (-1, 2), (-2, 2)))
    assert focus.volume_ml == pytest.approx(6 * 4 * 3 * 2 / 1000)
    assert focus.centroid_mm == pytest.approx([22.5, 0.5, 0.0])
    assert focus.ratio == pytest.approx(2.0)
    assert not focus.at_rim


def test_the_diameter_is_the_longest_in_plane_plus_one_pixel() -> None:
    (focus,) = foci_of(box((20, 25), (-1, 2), (-6, 6)))
    assert focus.diameter_mm == pytest.approx(np.hypot(5, 3) + 1)


def test_a_lone_bright_voxel_is_no_focus() -> None:
    assert foci_of(box((20, 20), (0, 0), (0, 0))) == ()


def test_a_column_of_single_voxels_through_the_slices_is_no_focus() -> None:
    assert foci_of(box((20, 20), (0, 0), (-10, 10))) == ()


def test_voxels_that_touch_at_corners_only_are_no_cluster() -> None:
    diagonal = union(*(box((20 + n, 20 + n), (-2 + n, -2 + n), (0, 0)) for n in range(5)))
    assert foci_of(diagonal) == ()


def test_three_pixels_in_a_row_are_a_focus_of_three_mm() -> None:
    (focus,) = foci_of(box((20, 22), (0, 0), (0, 0)))
    assert focus.diameter_mm == pytest.approx(3.0)


def test_a_bright_border_one_pixel_wide_is_no_focus() -> None:
    assert foci_of(box((15, 34), (4, 4), (-10, 10))) == ()


def test_a_bright_border_two_pixels_wide_is_a_focus_at_the_rim() -> None:
    (focus,) = foci_of(box((15, 34), (3, 4), (-10, 10)))
    assert focus.at_rim


def test_a_focus_through_a_thin_plate_is_not_at_the_rim() -> None:
    thin = box((15, 34), (0, 3), (-10, 10))
    (focus,) = foci_of(box((22, 26), (0, 3), (-2, 2)), thin)
    assert not focus.at_rim


def test_foci_come_largest_first() -> None:
    small, large = box((17, 19), (-1, 1), (0, 0)), box((24, 30), (-2, 2), (-4, 4))
    assert [f.centroid_mm[0] for f in foci_of(union(small, large))] == [27.0, 18.0]


def test_nothing_bright_gives_no_foci() -> None:
    assert foci_of(EMPTY) == ()


def test_the_gap_is_between_the_closest_voxels() -> None:
    left, right = foci_of(union(box((17, 19), (-1, 1), (0, 0)), box((25, 28), (-1, 1), (0, 0))))
    assert gap_mm(left, right, identity()) == pytest.approx(6.0)


def test_the_gap_is_measured_in_registered_space() -> None:
    (focus,) = foci_of(box((22, 26), (0, 1), (0, 0)))
    shift = np.eye(4)
    shift[0, 3] = 10.0
    assert gap_mm(focus, focus, identity()) == 0.0
    assert gap_mm(focus, focus, RigidTransform(shift)) == pytest.approx(10.0 - 4.0)


def test_noise_at_three_standard_deviations_makes_no_focus() -> None:
    noisy = image(noise=10.0, seed=5)
    bright = PLATE.array & (noisy.array > MUSCLE + 30.0)
    assert np.count_nonzero(bright) > 0
    assert find_foci(bright, noisy, PLATE, MUSCLE, pixels_min=3, rim_mm=2.0) == ()


def test_dense_noise_does_not_join_into_one_large_focus() -> None:
    # One voxel in twelve above a limit that lies 1.4 standard deviations off the graft's level.
    noisy = image(noise=7.0, seed=2)
    bright = PLATE.array & (noisy.array > MUSCLE + 10.0)
    found = find_foci(bright, noisy, PLATE, MUSCLE, pixels_min=3, rim_mm=2.0)
    assert all(focus.volume_ml < 0.1 for focus in found)


def test_the_grid_is_the_one_the_cases_say() -> None:
    assert GRID.spacing_mm == (1.0, 1.0, 2.0)
