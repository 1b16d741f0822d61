import nibabel as nib
import numpy as np
import SimpleITK as sitk

from imaging.geometry import Geometry
from imaging.volume import Mask
from surveillance.exports.mask_nifti import save_mask


def oblique_mask():
    angle = np.deg2rad(15)
    affine = np.eye(4)
    affine[:3, :3] = [
        [np.cos(angle), 0, np.sin(angle)],
        [0, 1, 0],
        [-np.sin(angle), 0, np.cos(angle)],
    ]
    affine[:3, :3] *= [1.1, 0.9, 5.0]
    affine[:3, 3] = 12, -30, 7
    array = np.zeros((4, 5, 6), bool)
    array[1, 2, 3] = True
    return Mask(array, Geometry(affine, array.shape))


def test_a_mask_is_uint8_and_lies_in_the_same_place_for_two_other_readers(tmp_path):
    mask = oblique_mask()
    save_mask(mask, tmp_path / "m.nii.gz")
    image = nib.load(tmp_path / "m.nii.gz")
    assert image.get_data_dtype() == np.uint8
    ras = image.affine @ [1, 2, 3, 1]
    np.testing.assert_allclose(ras[:3] * [-1, -1, 1], mask.centroid_mm, atol=1e-4)
    other = sitk.ReadImage(str(tmp_path / "m.nii.gz"))
    assert other.GetPixel(1, 2, 3) == 1
    place = other.TransformIndexToPhysicalPoint((1, 2, 3))
    np.testing.assert_allclose(place, mask.centroid_mm, atol=1e-4)


def test_the_same_mask_gives_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        save_mask(oblique_mask(), tmp_path / f"{name}.nii.gz")
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
