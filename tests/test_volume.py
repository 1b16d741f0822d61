import numpy as np
import pytest

from imaging.errors import GeometryError
from imaging.geometry import Geometry
from imaging.volume import Mask, Volume

GRID = Geometry(np.diag([1.0, 2.0, 5.0, 1.0]), (2, 3, 4))


def test_a_volume_keeps_its_own_copy_that_nobody_can_write():
    source = np.ones((2, 3, 4))
    volume = Volume(source, GRID)
    source[0, 0, 0] = 7
    assert volume.array[0, 0, 0] == 1
    assert volume.array.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        volume.array[0, 0, 0] = 7


def test_an_array_of_another_shape_than_its_grid_is_refused():
    with pytest.raises(GeometryError, match="does not fit"):
        Volume(np.ones((4, 3, 2)), GRID)


def test_a_mask_of_two_voxels_has_their_volume_and_their_mean_position():
    array = np.zeros(GRID.shape, bool)
    array[0, 1, 1] = array[1, 1, 1] = True
    mask = Mask(array, GRID)
    assert mask.voxels == 2
    assert mask.voxel_volume_ml == pytest.approx(0.02)
    np.testing.assert_allclose(mask.points_mm, [[0, 2, 5], [1, 2, 5]])
    np.testing.assert_allclose(mask.centroid_mm, [0.5, 2, 5])


def test_an_empty_mask_has_no_volume_no_points_and_no_centroid():
    mask = Mask(np.zeros(GRID.shape), GRID)
    assert mask.is_empty
    assert mask.voxel_volume_ml == 0
    assert mask.points_mm.shape == (0, 3)
    assert mask.centroid_mm is None
