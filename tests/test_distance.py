"""Distance: overlap and surface distance of boxes moved by a known amount."""

import numpy as np
import pytest
from cases import EMPTY, GRID, PLATE, ball, box

from imaging.geometry import Geometry
from imaging.measurements.distance import compare
from imaging.transform import RigidTransform, identity
from imaging.volume import Mask


def moved(x: float = 0.0, y: float = 0.0, z: float = 0.0) -> RigidTransform:
    matrix = np.eye(4)
    matrix[:3, 3] = x, y, z
    return RigidTransform(matrix)


def test_a_graft_equals_itself() -> None:
    same = compare(PLATE, PLATE, identity(), align=False)
    assert same is not None
    assert (same.dice, same.containment) == (1.0, 1.0)
    assert same.hausdorff95_mm == same.mean_surface_distance_mm == same.protrusion_mm == 0.0


def test_a_20_mm_box_moved_by_half_its_length_overlaps_by_half() -> None:
    half = compare(PLATE, box((25, 44), (-3, 4), (-10, 10)), identity(), align=False)
    assert half is not None
    assert half.dice == pytest.approx(0.5, abs=0.01)
    assert half.containment == pytest.approx(0.5, abs=0.01)
    assert half.protrusion_mm == pytest.approx(10.0, abs=1.0)


def test_alignment_forgets_the_place() -> None:
    aligned = compare(PLATE, box((25, 44), (-3, 4), (-10, 10)), identity(), align=True)
    assert aligned is not None
    assert aligned.dice == pytest.approx(1.0)


def test_the_registration_puts_a_moved_graft_back() -> None:
    back = compare(box((25, 44), (-3, 4), (-10, 10)), PLATE, moved(x=-10.0), align=False)
    assert back is not None
    assert back.dice == pytest.approx(1.0)


def test_a_ball_3_mm_larger_all_round_is_3_mm_away() -> None:
    away = compare(ball((0, 0, 0), 15.0), ball((0, 0, 0), 12.0), identity(), align=True)
    assert away is not None
    assert away.mean_surface_distance_mm == pytest.approx(3.0, abs=0.3)
    assert away.hausdorff95_mm == pytest.approx(3.0, abs=0.8)
    assert away.dice == pytest.approx(2 * 12**3 / (12**3 + 15**3), abs=0.01)
    assert away.containment == pytest.approx((12 / 15) ** 3, abs=0.01)
    assert away.protrusion_mm == pytest.approx(3.0, abs=0.8)


def test_a_remnant_inside_the_former_outline_does_not_protrude() -> None:
    left = compare(box((15, 22), (-2, 3), (-6, 6)), PLATE, identity(), align=False)
    assert left is not None
    assert left.containment == pytest.approx(1.0, abs=0.01)
    assert left.protrusion_mm < 1.0
    assert left.dice < 0.5


def test_thick_slices_that_start_half_a_slice_later_are_the_same_shape() -> None:
    thick = Geometry(np.diag([1.0, 1.0, 6.0, 1.0]), (40, 20, 12))
    shifted = Geometry(
        np.diag([1.0, 1.0, 6.0, 1.0]) + 3.0 * np.eye(4)[[2]].T @ np.eye(4)[[3]], thick.shape
    )
    array = np.zeros(thick.shape, dtype=bool)
    array[5:35, 5:15, 3:8] = True
    same = compare(Mask(array, thick), Mask(array, shifted), identity(), align=True)
    assert same is not None
    assert same.dice == pytest.approx(1.0, abs=0.02)
    assert same.hausdorff95_mm < 1.0


def test_two_masks_far_apart_have_no_overlap() -> None:
    apart = compare(PLATE, box((-34, -15), (-3, 4), (-10, 10)), identity(), align=False)
    assert apart is not None
    assert apart.dice == 0.0
    assert apart.protrusion_mm > 20.0


@pytest.mark.parametrize(("visit", "reference"), [(EMPTY, PLATE), (PLATE, EMPTY)])
def test_nothing_is_compared_with_an_empty_mask(visit: Mask, reference: Mask) -> None:
    assert compare(visit, reference, identity(), align=True) is None


def test_a_speck_that_no_grid_point_meets_is_not_compared() -> None:
    fine = Geometry(np.diag([0.1, 0.1, 0.1, 1.0]) + 0.0, (3, 3, 3))
    array = np.zeros((3, 3, 3), dtype=bool)
    array[1, 1, 1] = True
    assert compare(Mask(array, fine), PLATE, identity(), align=False) is None
    assert GRID.spacing_mm[0] == 1.0
