"""The patient is told from the air, whatever way the voxels run."""

from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.geometry import Geometry, from_ras
from imaging.segmentation.axial import axial_geometry, from_axial, to_axial
from imaging.segmentation.body import body_mask, midline_index
from imaging.volume import Volume

ORDERS = list(permutations(range(3)))
SIGNS = list(product((1, -1), repeat=3))


def turned_grid(order: tuple[int, ...], signs: tuple[int, ...], tilt_deg: float = 0.0) -> Geometry:
    """Voxel axis `order[a]` runs along LPS axis a, with that sign; 1, 2 and 3 mm."""
    tilt = np.radians(tilt_deg)
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    affine = np.eye(4)
    affine[:3, :3] = 0
    for lps, axis in enumerate(order):
        affine[lps, axis] = signs[lps] * (1.0, 2.0, 3.0)[axis]
    affine[:3, :3] = turn @ affine[:3, :3]
    affine[:3, 3] = (5.0, -7.0, 11.0)
    return Geometry(affine, (4, 5, 6))


@given(st.sampled_from(ORDERS), st.sampled_from(SIGNS), st.floats(0, 25))
def test_reordering_axes_goes_back_bit_for_bit(order, signs, tilt):
    grid = turned_grid(order, signs, tilt)
    array = np.arange(120).reshape(grid.shape)
    assert np.array_equal(from_axial(to_axial(array, grid), grid), array)


@given(st.sampled_from(ORDERS), st.sampled_from(SIGNS), st.floats(0, 25))
def test_a_voxel_keeps_its_place_in_the_patient(order, signs, tilt):
    grid = turned_grid(order, signs, tilt)
    where = np.moveaxis(grid.to_world(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0)
    axial = axial_geometry(grid)
    expected = axial.to_world(np.moveaxis(np.indices(axial.shape), 0, -1))
    moved = np.stack([to_axial(component, grid) for component in where], axis=-1)
    assert np.allclose(moved, expected)
    assert (np.diag(axial.affine[:3, :3]) > 0).all()


def disc(noise: float = 3.0) -> tuple[Volume, np.ndarray]:
    """A body of 100 x 60 mm in air, with a gas bubble inside; 1 mm pixels."""
    x, y = np.mgrid[:140, :100]
    inside = ((x - 65) / 50) ** 2 + ((y - 50) / 30) ** 2 < 1
    image = np.where(inside, 120.0, 0.0)
    image[(x - 65) ** 2 + (y - 50) ** 2 < 100] = 0.0
    image = np.repeat(image[:, :, None], 3, axis=2)
    image = np.abs(image + np.random.default_rng(1).normal(0, noise, image.shape))
    return Volume(image.astype(np.float32), Geometry(np.eye(4), image.shape)), inside


def test_the_body_is_found_within_a_pixel_and_its_gas_is_filled():
    image, inside = disc()
    found = body_mask(image).array[:, :, 1]
    overlap = 2 * (found & inside).sum() / (found.sum() + inside.sum())
    assert found[65, 50]
    assert overlap > 0.95


def test_the_midline_halves_the_body():
    image, _ = disc()
    assert midline_index(body_mask(image).array) == pytest.approx([65, 65, 65], abs=0.5)


@pytest.mark.parametrize("value", [0.0, 7.0])
def test_an_even_image_has_no_body_and_no_midline(value):
    grid = Geometry(np.eye(4), (20, 20, 2))
    mask = body_mask(Volume(np.full(grid.shape, value, np.float32), grid))
    assert mask.is_empty
    assert np.isnan(midline_index(mask.array)).all()


@pytest.mark.parametrize("case", [1, 2, 5, 8])
def test_a_real_abdomen_fills_the_body(real_data: Path, case: int):
    image = nib.load(real_data / "chaos_t2spir" / f"image_{case}.nii.gz")
    array = np.asarray(image.dataobj, dtype=np.float32)
    grid = Geometry(from_ras(image.affine), array.shape)
    labels = np.asarray(nib.load(real_data / "chaos_t2spir" / f"label_{case}.nii.gz").dataobj)
    body = body_mask(Volume(array, grid))
    # Liver, kidneys and spleen were outlined by radiologists: all of them lie inside the body.
    assert body.array[labels > 0].mean() > 0.995
    # A trunk of about 35 cm by 22 cm, no more: the air in front is not part of it.
    area_cm2 = body.voxel_volume_ml / (array.shape[2] * grid.spacing_mm[2] / 10)
    assert 350 < area_cm2 < 1000
