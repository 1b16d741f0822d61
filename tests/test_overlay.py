"""The picture a reader sees: the patient's left is on the right, the front is up."""

from itertools import product

import numpy as np
import pytest
from PIL import Image

from imaging.geometry import Geometry
from imaging.volume import Mask, Volume
from surveillance.exports.overlay import GRAFT, RECTUS_LEFT, RECTUS_RIGHT, save_overlay


def scene(signs, order):
    """A bright block front left of the patient, as left rectus and graft; a block right of it."""
    x = np.arange(40)[:, None, None] - 20.0
    y = np.arange(40)[None, :, None] - 20.0
    z = np.arange(4)[None, None, :] + 0.0
    left = (x > 5) & (x < 15) & (y < -5) & (y > -15) & (z == 2)
    right = (x < -5) & (x > -15) & (y < -5) & (y > -15) & (z == 2)
    affine = np.eye(4)
    affine[:3, 3] = -20, -20, 0
    arrays = [np.where(left, 300.0, 50.0), left, right]
    for axis, sign in enumerate(signs):
        if sign < 0:
            arrays = [np.flip(a, axis) for a in arrays]
            affine[:3, 3] += affine[:3, axis] * (arrays[0].shape[axis] - 1)
            affine[:3, axis] *= -1
    arrays = [np.transpose(a, order) for a in arrays]
    affine[:3, :3] = affine[:3, order]
    grid = Geometry(affine, arrays[0].shape)
    return Volume(arrays[0], grid), Mask(arrays[1], grid), Mask(arrays[2], grid)


def picture_in(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def centre_of(picture, colour):
    rows, columns = np.nonzero((picture == colour).all(axis=-1))
    return rows.mean() / picture.shape[0], columns.mean() / picture.shape[1]


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1)], ids=str)
@pytest.mark.parametrize("signs", list(product((1, -1), repeat=3)), ids=str)
def test_left_is_on_the_right_and_front_is_up_for_every_orientation(tmp_path, signs, order):
    t2, left, right = scene(signs, order)
    save_overlay(t2, left, left, right, 100.0, tmp_path / "o.png")
    picture = picture_in(tmp_path / "o.png")
    drawn = picture[:, picture.shape[1] // 2 :]
    graft_row, graft_column = centre_of(drawn, GRAFT)
    _, right_column = centre_of(drawn, RECTUS_RIGHT)
    assert graft_row < 0.5
    assert right_column < 0.5 < graft_column


def test_without_a_graft_the_muscles_are_still_outlined(tmp_path):
    t2, left, right = scene((1, 1, 1), (0, 1, 2))
    save_overlay(t2, None, left, right, None, tmp_path / "o.png")
    picture = picture_in(tmp_path / "o.png")
    assert (picture == RECTUS_LEFT).all(axis=-1).any()
    assert not (picture == GRAFT).all(axis=-1).any()


def test_an_image_without_any_mask_is_shown_whole(tmp_path):
    t2, left, _ = scene((1, 1, 1), (0, 1, 2))
    nothing = Mask(np.zeros(left.array.shape), left.geometry)
    save_overlay(t2, None, nothing, nothing, None, tmp_path / "o.png")
    assert picture_in(tmp_path / "o.png").shape == (100, 200, 3)
