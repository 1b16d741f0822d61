import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.errors import GeometryError
from imaging.geometry import Geometry, from_ras, to_ras


def axial(shape=(4, 5, 6), spacing=(1.0, 2.0, 3.0), origin=(10.0, 20.0, 30.0), frame=None):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return Geometry(affine, shape, frame)


def rotation(angles):
    a, b, c = angles
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    ry = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return rx @ ry @ rz


def test_a_voxel_index_maps_to_origin_plus_spacing_times_index():
    np.testing.assert_allclose(axial().to_world([1, 2, 3]), [11, 24, 39])


def test_spacing_and_voxel_volume_are_read_from_the_affine():
    assert axial().spacing_mm == (1.0, 2.0, 3.0)
    assert axial().voxel_volume_ml == pytest.approx(0.006)


@given(
    st.tuples(*[st.floats(-3, 3)] * 3),
    st.tuples(*[st.floats(0.3, 8)] * 3),
    st.tuples(*[st.floats(-500, 500)] * 3),
)
def test_world_to_index_undoes_index_to_world_on_any_oblique_grid(angles, spacing, point):
    affine = np.eye(4)
    affine[:3, :3] = rotation(angles) * np.array(spacing)
    grid = Geometry(affine, (3, 3, 3))
    np.testing.assert_allclose(grid.to_world(grid.to_index(point)), point, atol=1e-6)
    assert grid.spacing_mm == pytest.approx(spacing)


def test_the_grid_contains_its_outer_half_voxel_and_nothing_beyond():
    grid = axial()
    assert grid.contains([9.6, 20, 30])
    assert not grid.contains([9.4, 20, 30])


def test_the_middle_of_the_grid_is_half_way_between_its_first_and_last_voxel():
    np.testing.assert_allclose(axial().centre_mm, [11.5, 24, 37.5])


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (np.eye(3), [(0, 1), (1, 1), (2, 1)]),
        (np.diag([-1, -1, 1]), [(0, -1), (1, -1), (2, 1)]),
        (np.array([[0, 0, 1], [1, 0, 0], [0, -1, 0]]), [(2, 1), (0, 1), (1, -1)]),
    ],
    ids=["axial", "axial turned over", "sagittal"],
)
def test_axis_toward_names_the_voxel_axis_and_its_sign_for_left_posterior_superior(
    columns, expected
):
    affine = np.eye(4)
    affine[:3, :3] = columns
    grid = Geometry(affine, (2, 2, 2))
    assert [grid.axis_toward(axis) for axis in range(3)] == expected


def test_a_grid_oblique_by_45_degrees_still_gives_three_different_axes():
    affine = np.eye(4)
    affine[:3, :3] = rotation((0, 0, np.pi / 4))
    grid = Geometry(affine, (2, 2, 2))
    assert {grid.axis_toward(axis)[0] for axis in range(3)} == {0, 1, 2}


def test_a_cropped_grid_keeps_every_voxel_where_it_was():
    grid = axial(frame="1.2.3")
    part = grid.crop((slice(1, 3), slice(2, 5), slice(0, 6)))
    assert part.shape == (2, 3, 6)
    assert part.frame_of_reference == "1.2.3"
    np.testing.assert_allclose(part.to_world([0, 0, 0]), grid.to_world([1, 2, 0]))


def test_equal_numbers_in_two_frames_of_reference_are_not_the_same_grid():
    assert axial(frame="1.2").same_grid(axial(frame="1.2"))
    assert axial(frame="1.2").same_grid(axial())
    assert not axial(frame="1.2").same_grid(axial(frame="1.3"))


def test_grids_differ_when_a_corner_moves_or_the_shape_changes():
    assert not axial().same_grid(axial(origin=(10.0, 20.0, 30.01)))
    assert not axial().same_grid(axial(shape=(4, 5, 7)))
    assert not axial().same_grid(axial(spacing=(1.001, 2, 3)))


def test_lps_and_ras_differ_in_the_sign_of_the_first_two_axes():
    lps = axial().affine
    np.testing.assert_allclose(to_ras(lps)[:2], -lps[:2])
    np.testing.assert_allclose(to_ras(lps)[2:], lps[2:])
    np.testing.assert_allclose(from_ras(to_ras(lps)), lps)


def test_the_affine_cannot_be_changed_after_the_fact():
    with pytest.raises(ValueError, match="read-only"):
        axial().affine[0, 0] = 2


def test_a_position_matrix_with_nan_is_refused():
    with pytest.raises(GeometryError, match="missing or infinite"):
        Geometry(np.full((4, 4), np.nan), (2, 2, 2))


@pytest.mark.parametrize("shape", [(0, 2, 2), (2, 2, 2)])
def test_a_grid_without_volume_is_refused(shape):
    with pytest.raises(GeometryError, match="no volume"):
        Geometry(np.diag([1.0, 0.0 if all(shape) else 1.0, 1.0, 1.0]), shape)
