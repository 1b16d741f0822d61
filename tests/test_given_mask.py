"""A mask drawn by a person is used as it is, or refused with the reason."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from numpy.typing import NDArray
from test_graft import PLATE, RIGHT, geometry, muscles

from imaging.errors import MaskError
from imaging.geometry import to_ras
from imaging.loaders.mask_target import MaskTarget
from imaging.segmentation.given import graft_from_mask
from imaging.segmentation.masks import Source

AFFINE = to_ras(geometry().affine)
TARGET = MaskTarget(geometry())


def saved(folder: Path, array: NDArray[np.generic], affine: NDArray[np.float64] = AFFINE) -> Path:
    file = folder / "graft.nii.gz"
    nib.save(nib.Nifti1Image(array, affine), file)
    return file


def test_a_mask_on_the_grid_comes_back_bit_for_bit(tmp_path: Path) -> None:
    graft = graft_from_mask(saved(tmp_path, PLATE.astype(np.uint8)), TARGET, muscles())
    assert graft.source is Source.EDITED
    assert graft.confidence == 1.0
    assert graft.mask is not None
    assert np.array_equal(graft.mask.array, PLATE)


def test_any_one_label_is_a_mask(tmp_path: Path) -> None:
    graft = graft_from_mask(saved(tmp_path, PLATE.astype(np.int16) * 255), TARGET, muscles())
    assert graft.mask is not None
    assert graft.mask.voxels == PLATE.sum()


def _mirrored() -> NDArray[np.float64]:
    affine = geometry().affine.copy()
    affine[:3, 3] = geometry().to_world((PLATE.shape[0] - 1, 0, 0))
    affine[:3, 0] *= -1
    return np.asarray(to_ras(affine))


def _shifted() -> NDArray[np.float64]:
    affine = AFFINE.copy()
    affine[0, 3] += 2.0
    return affine


@pytest.mark.parametrize(
    ("array", "affine", "code"),
    [
        (PLATE.astype(np.uint8), _shifted(), "mask_grid"),
        (PLATE[:-1].astype(np.uint8), AFFINE, "mask_shape"),
        (PLATE.astype(np.uint8), _mirrored(), "mask_flipped"),
        (PLATE.astype(np.float32) * 0.5 + RIGHT, AFFINE, "mask_not_binary"),
        (-PLATE.astype(np.int16), AFFINE, "mask_not_binary"),
        (np.zeros(PLATE.shape, np.uint8), AFFINE, "mask_empty"),
        (np.roll(PLATE, -25, 1).astype(np.uint8), AFFINE, "mask_outside_body"),
        (PLATE[::-1].astype(np.uint8), AFFINE, "mask_right_side"),
        (PLATE[..., None].repeat(2, 3).astype(np.uint8), AFFINE, "mask_not_an_image"),
        (np.where(PLATE, np.nan, 0).astype(np.float32), AFFINE, "mask_not_an_image"),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(
    tmp_path: Path, array: NDArray[np.generic], affine: NDArray[np.float64], code: str
) -> None:
    with pytest.raises(MaskError) as refused:
        graft_from_mask(saved(tmp_path, array, affine), TARGET, muscles())
    assert refused.value.code == code


def test_a_file_that_is_no_nifti_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "graft.nii.gz"
    file.write_text("not an image")
    for each in (file, tmp_path / "absent.nii"):
        with pytest.raises(MaskError) as refused:
            graft_from_mask(each, TARGET, muscles())
        assert refused.value.code == "mask_unreadable"
