"""Below the voxel: plates and balls of known volume, imaged by hand on coarse oblique grids."""

import numpy as np
import pytest
from cases import EMPTY, GRID, PROTOCOL
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

from imaging.errors import GeometryError
from imaging.geometry import Geometry
from imaging.measurements.partial_volume import shares, subvoxel_volume
from imaging.measurements.shape import measure_shape
from imaging.volume import Mask, Volume

LIMITS = PROTOCOL.morphology
SPACING = np.array([1.2, 1.2, 5.0])
SHAPE = (50, 42, 14)
POINTS = (4, 4, 6)
"""Inside a voxel, at which a form is asked for."""
MUSCLE, NOISE = 100.0, 4.0
Array = NDArray[np.float64]


def imaged(form: str, size_mm: tuple[float, ...], ratio: float, seed: int) -> tuple[Volume, Array]:
    """A box or an ellipsoid in muscle on a turned and shifted grid, and its share of each voxel."""
    rng = np.random.default_rng(seed)
    turn = Rotation.from_euler("xyz", rng.uniform(-10, 10, 3), degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = turn * SPACING
    centre = (np.array(SHAPE) - 1) / 2 + rng.uniform(-0.5, 0.5, 3)
    affine[:3, 3] = -affine[:3, :3] @ centre
    index = np.moveaxis(np.indices(SHAPE, dtype=np.float64), 0, -1)
    share = np.zeros(SHAPE)
    for offset in np.ndindex(*POINTS):
        inside = (np.array(offset) + 0.5) / POINTS - 0.5
        unit = (index + inside) @ affine[:3, :3].T + affine[:3, 3]
        unit = np.abs(unit / (np.array(size_mm) / 2))
        share += (unit <= 1).all(-1) if form == "box" else (unit**2).sum(-1) <= 1
    share /= np.prod(POINTS)
    clean = ndimage.gaussian_filter(MUSCLE * (1 + (ratio - 1) * share), (0.4, 0.4, 0))
    noisy = clean + rng.normal(0, NOISE, SHAPE)
    return Volume(noisy.astype(np.float32), Geometry(affine, SHAPE)), share


def half_maximum(volume: Volume, share: Array) -> Mask:
    """What a threshold half way from muscle to the form's own brightness outlines."""
    smooth = ndimage.gaussian_filter(volume.array.astype(np.float64), (0.6, 0.6, 0))
    level = (MUSCLE + float(np.percentile(smooth[share > 0.3], 60))) / 2
    labels, _ = ndimage.label(smooth > level)
    largest = 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return Mask(labels == largest, volume.geometry)


def errors(form: str, size_mm: tuple[float, ...], ratio: float) -> dict[str, list[float]]:
    """Relative errors of six placements, of the mesh, the voxels and below the voxel."""
    true = np.prod(size_mm) / 1000 * (1.0 if form == "box" else np.pi / 6)
    found: dict[str, list[float]] = {"mesh": [], "voxels": [], "subvoxel": []}
    for seed in range(6):
        volume, share = imaged(form, size_mm, ratio, seed)
        mask = half_maximum(volume, share)
        shape = measure_shape(mask, LIMITS)
        for name, said in (
            ("mesh", shape.volume_ml),
            ("voxels", shape.voxel_volume_ml),
            ("subvoxel", subvoxel_volume(volume, mask, LIMITS)),
        ):
            assert said.value is not None
            found[name].append(said.value / true - 1)
    return found


def worst(found: list[float]) -> float:
    return max(abs(each) for each in found)


def mean(found: list[float]) -> float:
    return abs(float(np.mean(found)))


@pytest.mark.parametrize("ratio", [1.6, 2.5])
@pytest.mark.parametrize("voxels_thick", [2.0, 3.0])
def test_a_plate_of_two_or_three_voxels_errs_less_than_its_mask(voxels_thick, ratio):
    """A mask that blur made one pixel too fat is half as large again: the shares say so."""
    found = errors("box", (34.0, 1.2 * voxels_thick, 40.0), ratio)
    assert mean(found["subvoxel"]) < 0.6 * mean(found["voxels"])
    assert worst(found["subvoxel"]) < worst(found["voxels"])
    assert worst(found["subvoxel"]) < 0.15


@pytest.mark.parametrize("voxels_thick", [1.0, 1.5])
def test_a_plate_thinner_than_two_voxels_errs_half_as_much_as_its_mask(voxels_thick):
    """It has no pure voxel: brightness is lost to blur together with thickness."""
    found = errors("box", (34.0, 1.2 * voxels_thick, 40.0), 2.5)
    assert mean(found["subvoxel"]) < 0.5 * mean(found["voxels"])
    assert worst(found["subvoxel"]) < worst(found["voxels"])


@pytest.mark.parametrize("ratio", [1.6, 2.5])
def test_a_ball_of_three_slices_is_measured_better_than_by_counting(ratio):
    found = errors("ball", (14.0, 14.0, 14.0), ratio)
    assert np.std(found["subvoxel"]) < np.std(found["voxels"])
    assert worst(found["subvoxel"]) < min(worst(found["voxels"]), worst(found["mesh"]))
    assert worst(found["subvoxel"]) < 0.10


def test_a_thick_graft_is_right_to_three_percent_and_inside_its_interval():
    volume, share = imaged("ellipsoid", (34.0, 12.0, 40.0), 1.8, 1)
    true = 34.0 * 12.0 * 40.0 / 1000 * np.pi / 6
    said = subvoxel_volume(volume, half_maximum(volume, share), LIMITS)
    assert said.value == pytest.approx(true, rel=0.03)
    assert said.ci95 is not None
    assert said.ci95[0] < true < said.ci95[1]


def test_a_graft_darker_than_its_surroundings_is_shared_out_alike():
    bright, share = imaged("ellipsoid", (34.0, 12.0, 40.0), 1.6, 2)
    dark = Volume((2 * MUSCLE - bright.array).astype(np.float32), bright.geometry)
    mask = Mask(share >= 0.5, bright.geometry)
    assert np.allclose(shares(dark, mask), shares(bright, mask), atol=1e-3)


def test_where_nothing_differs_the_mask_decides():
    rng = np.random.default_rng(3)
    flat = Volume(rng.normal(MUSCLE, NOISE, SHAPE).astype(np.float32), Geometry(np.eye(4), SHAPE))
    inside = np.zeros(SHAPE, np.bool_)
    inside[15:35, 15:30, 4:10] = True
    mask = Mask(inside, flat.geometry)
    assert subvoxel_volume(flat, mask, LIMITS).value == pytest.approx(
        mask.voxel_volume_ml, rel=0.03
    )


def test_one_bright_voxel_and_a_graft_at_the_images_edge_have_a_volume():
    array = np.full(SHAPE, MUSCLE, np.float32)
    for where in (np.s_[20:21, 20:21, 7:8], np.s_[:6, :5, :3]):
        inside = np.zeros(SHAPE, np.bool_)
        inside[where] = True
        volume = Volume(np.where(inside, 300, array).astype(np.float32), Geometry(np.eye(4), SHAPE))
        said = subvoxel_volume(volume, Mask(inside, volume.geometry), LIMITS)
        assert said.value == pytest.approx(inside.sum() / 1000)


def test_a_mask_that_the_image_denies_has_no_volume_below_the_voxel():
    """One voxel a little brighter than what lies beyond a black ring round it."""
    array = np.full(SHAPE, MUSCLE, np.float32)
    array[19:22, 19:22, 7] = array[20, 20, 6:9] = 0.0
    array[20, 20, 7] = 2 * MUSCLE
    inside = np.zeros(SHAPE, np.bool_)
    inside[20, 20, 7] = True
    volume = Volume(array, Geometry(np.eye(4), SHAPE))
    said = subvoxel_volume(volume, Mask(inside, volume.geometry), LIMITS)
    assert said.value is None
    assert said.reason is not None
    assert "mixture" in said.reason


@settings(max_examples=10, deadline=None, derandomize=True)
@given(st.permutations([0, 1]), st.tuples(*[st.booleans()] * 3))
def test_axes_stored_another_way_give_the_same_volume(order, flipped):
    volume, share = imaged("ellipsoid", (20.0, 10.0, 30.0), 2.0, 4)
    axes = (*order, 2)
    steps = tuple(slice(None, None, -1 if each else 1) for each in flipped)
    image, inside = (np.transpose(a, axes)[steps].copy() for a in (volume.array, share >= 0.5))
    affine = volume.geometry.affine.copy()
    start = [n - 1 if each else 0 for n, each in zip(image.shape, flipped, strict=True)]
    affine[:3, :3] = affine[:3, list(axes)]
    affine[:3, 3] += affine[:3, :3] @ np.array(start)
    affine[:3, :3] *= np.where(flipped, -1, 1)
    turned = Geometry(affine, image.shape)
    one = subvoxel_volume(volume, Mask(share >= 0.5, volume.geometry), LIMITS).value
    other = subvoxel_volume(Volume(image, turned), Mask(inside, turned), LIMITS).value
    assert one == pytest.approx(other, rel=1e-6)


def test_no_graft_has_no_volume_and_another_grid_is_refused():
    volume = Volume(np.ones(GRID.shape, np.float32), GRID)
    assert subvoxel_volume(volume, EMPTY, LIMITS).reason
    other = Geometry(np.eye(4), (4, 4, 4))
    with pytest.raises(GeometryError):
        subvoxel_volume(volume, Mask(np.ones(other.shape, np.bool_), other), LIMITS)
