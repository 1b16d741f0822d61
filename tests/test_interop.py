import numpy as np

from imaging.geometry import Geometry
from imaging.interop import array_of, geometry_of, to_sitk
from imaging.volume import Mask, Volume


def oblique():
    angle = np.deg2rad(20)
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    affine[:3, :3] *= [0.8, 1.2, 5.0]
    affine[:3, 3] = -30, 40, 50
    return Geometry(affine, (2, 3, 4), "1.2.3")


def test_an_oblique_volume_has_the_same_voxels_at_the_same_places_in_simpleitk():
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    image = to_sitk(Volume(array, oblique()))
    assert image.GetPixel(1, 2, 3) == array[1, 2, 3]
    place = image.TransformIndexToPhysicalPoint((1, 2, 3))
    np.testing.assert_allclose(place, oblique().to_world([1, 2, 3]))


def test_the_way_back_gives_the_same_grid_and_voxels():
    array = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    image = to_sitk(Volume(array, oblique()))
    np.testing.assert_array_equal(array_of(image), array)
    assert geometry_of(image, "1.2.3").same_grid(oblique(), tolerance_mm=1e-9)


def test_a_mask_becomes_zeros_and_ones():
    mask = Mask(np.arange(24).reshape(2, 3, 4) % 2 == 0, oblique())
    assert set(np.unique(array_of(to_sitk(mask)))) == {0, 1}
