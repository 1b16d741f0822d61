"""Shape: cubes, plates and balls with known size, on straight, oblique and flipped grids."""

import math

import numpy as np
import pytest
from cases import EMPTY, GRID, PROTOCOL, ball, box
from hypothesis import given, settings
from hypothesis import strategies as st

from imaging.geometry import Geometry
from imaging.measurements.region import core, cropped, pixel_mm
from imaging.measurements.shape import measure_shape, mesh
from imaging.volume import Mask

LIMITS = PROTOCOL.morphology


def cube(side: int, spacing: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Mask:
    array = np.zeros((side + 4,) * 3, dtype=bool)
    array[2:-2, 2:-2, 2:-2] = True
    return Mask(array, Geometry(np.diag([*spacing, 1.0]), array.shape))


def test_one_voxel_is_an_octahedron_of_one_sixth_of_its_volume() -> None:
    shape = measure_shape(cube(1, (2.0, 2.0, 2.0)), LIMITS)
    assert shape.voxel_volume_ml.value == pytest.approx(0.008)
    assert shape.volume_ml.value == pytest.approx(0.008 / 6)
    assert shape.max_diameter_mm.value == pytest.approx(2.0)


def test_one_voxel_has_no_axes() -> None:
    shape = measure_shape(cube(1), LIMITS)
    assert shape.elongation.reason == "one voxel has no axes"
    assert shape.flatness.reason == "one voxel has no axes"


def test_a_cube_is_as_long_as_wide_as_thick() -> None:
    shape = measure_shape(cube(9), LIMITS)
    assert shape.elongation.value == pytest.approx(1.0)
    assert shape.flatness.value == pytest.approx(1.0)
    assert shape.centroid_mm == pytest.approx([6.0, 6.0, 6.0])


def test_a_plate_one_voxel_thick_is_perfectly_flat() -> None:
    assert measure_shape(box((0, 9), (0, 9), (0, 0)), LIMITS).flatness.value == pytest.approx(0.0)


def test_elongation_and_flatness_of_a_box_follow_from_the_variance_of_its_sides() -> None:
    # n voxels in a row have variance (n^2 - 1) / 12: 20 and 8 of 1 mm, 11 of 2 mm.
    shape = measure_shape(box((15, 34), (-3, 4), (-10, 10)), LIMITS)
    x, y, z = (400 - 1) / 12, (64 - 1) / 12, 4 * (121 - 1) / 12
    assert shape.elongation.value == pytest.approx(math.sqrt(min(x, z) / max(x, z)))
    assert shape.flatness.value == pytest.approx(math.sqrt(y / max(x, z)))


def test_a_ball_of_10_mm_has_the_volume_and_diameter_of_a_ball() -> None:
    fine = Geometry(np.diag([0.5, 0.5, 0.5, 1.0]), (48, 48, 48))
    shape = measure_shape(ball((11.75, 11.75, 11.75), 10.0, fine), LIMITS)
    assert shape.volume_ml.value == pytest.approx(4 / 3 * math.pi, rel=0.01)
    assert shape.max_diameter_mm.value == pytest.approx(20.0, abs=0.6)
    # A staircase has more area than a ball: 1.08 times for the voxel mesh at any resolution.
    assert 0.9 < (shape.sphericity.value or 0) < 1.0


def test_the_volume_interval_is_that_of_a_contour_displaced_by_its_standard_deviation() -> None:
    shape = measure_shape(box((0, 19), (0, 19), (0, 38)), LIMITS)
    volume, area = shape.volume_ml.value, shape.surface_area_mm2.value
    assert volume is not None and area is not None and shape.volume_ml.ci95 is not None
    cv = 0.35 * 1.0 * area / (1000 * volume)
    assert shape.within_subject_cv.value == pytest.approx(cv)
    assert shape.repeatability_up.value == pytest.approx(math.exp(2.77 * cv) - 1)
    assert shape.repeatability_down.value == pytest.approx(1 - math.exp(-2.77 * cv))
    assert shape.volume_ml.ci95[0] == pytest.approx(volume * math.exp(-1.96 * cv))
    assert shape.volume_ml.ci95[1] == pytest.approx(volume * math.exp(1.96 * cv))


def test_the_diameter_along_thick_slices_is_less_certain_than_in_plane() -> None:
    across = measure_shape(box((0, 30), (0, 1), (0, 2)), LIMITS).max_diameter_mm
    along = measure_shape(box((0, 1), (0, 1), (-20, 20)), LIMITS).max_diameter_mm
    assert across.ci95 is not None and along.ci95 is not None
    # Each end is off by 0.35 voxel, 1 mm across and 2 mm along: half-width 1.96 * 1.41 * 0.35.
    assert (across.ci95[1] - across.ci95[0]) / 2 == pytest.approx(0.97, abs=0.02)
    assert (along.ci95[1] - along.ci95[0]) / 2 == pytest.approx(1.94, abs=0.02)


def test_an_empty_mask_gives_reasons_and_no_zeros() -> None:
    shape = measure_shape(EMPTY, LIMITS)
    assert shape.volume_ml.reason == "the mask is empty"
    assert shape.sphericity.value is None
    assert shape.centroid_mm is None


def test_a_mask_that_touches_the_edge_of_its_grid_is_closed_there() -> None:
    full = Mask(np.ones((4, 4, 4), dtype=bool), Geometry(np.eye(4), (4, 4, 4)))
    inner = cube(4)
    assert mesh(full).volume_mm3 == pytest.approx(mesh(inner).volume_mm3)
    assert mesh(full).area_mm2 == pytest.approx(mesh(inner).area_mm2)


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.booleans(), min_size=60, max_size=60).filter(any),
    st.tuples(*[st.floats(-3.1, 3.1)] * 3),
    st.tuples(*[st.sampled_from([1, -1])] * 3),
)
def test_size_does_not_depend_on_how_the_grid_is_turned_flipped_or_placed(
    voxels: list[bool], angles: tuple[float, float, float], flips: tuple[int, int, int]
) -> None:
    array = np.array(voxels).reshape(3, 4, 5)
    straight = np.diag([0.8, 1.1, 3.0, 1.0])
    turned = np.eye(4)
    turned[:3, :3] = _rotation(angles) @ np.diag(flips) @ straight[:3, :3]
    turned[:3, 3] = 37.0, -120.0, 900.0
    one = measure_shape(Mask(array, Geometry(straight, (3, 4, 5))), LIMITS)
    other = measure_shape(Mask(array, Geometry(turned, (3, 4, 5))), LIMITS)
    for name in ("volume_ml", "surface_area_mm2", "max_diameter_mm", "sphericity", "elongation"):
        assert getattr(other, name).value == pytest.approx(getattr(one, name).value, abs=1e-6)


def _rotation(angles: tuple[float, float, float]) -> np.ndarray:
    a, b, c = angles
    z = np.array([[math.cos(a), -math.sin(a), 0], [math.sin(a), math.cos(a), 0], [0, 0, 1]])
    y = np.array([[math.cos(b), 0, math.sin(b)], [0, 1, 0], [-math.sin(b), 0, math.cos(b)]])
    x = np.array([[1, 0, 0], [0, math.cos(c), -math.sin(c)], [0, math.sin(c), math.cos(c)]])
    return z @ y @ x


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_reversing_the_voxel_order_along_an_axis_changes_nothing(axis: int) -> None:
    whole = box((15, 34), (-3, 4), (-10, 10))
    affine = GRID.affine.copy()
    affine[:3, 3] += affine[:3, axis] * (GRID.shape[axis] - 1)
    affine[:3, axis] *= -1
    flipped = Mask(np.flip(whole.array, axis), Geometry(affine, GRID.shape))
    one, other = measure_shape(whole, LIMITS), measure_shape(flipped, LIMITS)
    assert other.volume_ml.value == pytest.approx(one.volume_ml.value)
    assert other.centroid_mm == pytest.approx(one.centroid_mm)


def test_cropping_keeps_every_voxel_in_its_place() -> None:
    plate = box((15, 34), (-3, 4), (-10, 10))
    small = cropped(plate)
    assert small.geometry.shape == (20, 8, 11)
    assert np.allclose(small.points_mm, plate.points_mm)


def test_cropping_an_empty_mask_leaves_it_as_it_is() -> None:
    assert cropped(EMPTY) is EMPTY


def test_the_core_lacks_one_pixel_in_plane_and_none_across_slices() -> None:
    assert core(box((0, 9), (0, 9), (0, 4)), 1).voxels == 8 * 8 * 3


def test_a_plate_too_thin_for_a_core_is_its_own_core() -> None:
    thin = box((0, 9), (0, 1), (0, 4))
    assert core(thin, 1) is thin


def test_the_pixel_is_the_geometric_mean_of_both_sides() -> None:
    assert pixel_mm(Geometry(np.diag([0.5, 2.0, 7.0, 1.0]), (2, 2, 2))) == pytest.approx(1.0)
