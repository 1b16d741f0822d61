"""Left and right rectus: found where they are, never swapped, never sure without cause."""

from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from abdomen import GAP_MM, abdomen
from hypothesis import given, settings
from hypothesis import strategies as st
from outlined import chaos, chaos_outlines

from imaging.errors import GeometryError
from imaging.geometry import Geometry, from_ras
from imaging.normalization import correct_bias
from imaging.protocol import load_protocol
from imaging.segmentation.body import body_mask
from imaging.segmentation.muscles import segment_muscles
from imaging.volume import Mask, Volume

LIMITS = load_protocol().segmentation


def dice(one: Mask, other: Mask) -> float:
    return 2 * np.count_nonzero(one.array & other.array) / (one.voxels + other.voxels)


def reordered(image: Volume, order: tuple[int, ...], flips: tuple[int, ...]) -> Volume:
    """The same voxels at the same places, stored along other axes."""
    array = image.array.transpose(order)
    affine = image.geometry.affine.copy()
    affine[:3, :3] = affine[:3, :3][:, list(order)]
    for axis, flip in enumerate(flips):
        if flip < 0:
            affine[:3, 3] += affine[:3, axis] * (array.shape[axis] - 1)
            affine[:3, axis] *= -1
            array = np.flip(array, axis)
    return Volume(np.ascontiguousarray(array), Geometry(affine, array.shape))


@pytest.mark.parametrize("graft", [False, True])
def test_both_compartments_are_found_with_the_graft_inside(graft):
    t2, t1, left, right = abdomen(graft)
    found = segment_muscles(t2, t1, LIMITS)
    assert dice(found.rectus_left, left) > 0.85
    assert dice(found.rectus_right, right) > 0.85
    assert dice(found.rectus_left, right) == 0
    assert found.confidence > 0.5


def test_the_linea_alba_has_one_point_a_slice_in_the_gap():
    t2, t1, *_ = abdomen()
    alba = segment_muscles(t2, t1, LIMITS).linea_alba_mm
    assert alba.shape == (8, 3)
    assert np.abs(alba[:, 0]).max() < GAP_MM + 1
    assert alba[:, 2] == pytest.approx(np.arange(8) * 6.0)


@settings(max_examples=6, deadline=None)
@given(st.permutations((0, 1, 2)), st.tuples(*[st.sampled_from((1, -1))] * 3))
def test_left_is_the_patients_left_however_the_voxels_are_stored(order, flips):
    t2, t1, *_ = abdomen()
    plain = segment_muscles(t2, t1, LIMITS)
    turned = (reordered(image, tuple(order), flips) for image in (t2, t1))
    found = segment_muscles(*turned, LIMITS)
    assert found.rectus_left.points_mm[:, 0].min() > 0 > found.rectus_right.points_mm[:, 0].max()
    assert found.rectus_left.voxels == plain.rectus_left.voxels
    assert found.confidence == pytest.approx(plain.confidence)


def test_without_t1_the_answer_is_less_sure_and_says_why():
    t2, t1, *_ = abdomen()
    alone = segment_muscles(t2, None, LIMITS)
    assert alone.confidence < segment_muscles(t2, t1, LIMITS).confidence
    assert any("no T1W-FS" in reason for reason in alone.reasons)


def test_a_t1_that_covers_nothing_does_not_break_the_search():
    t2, t1, *_ = abdomen()
    empty = Volume(np.zeros_like(t1.array), t1.geometry)
    found = segment_muscles(t2, empty, LIMITS)
    assert 0 <= found.confidence <= 1


def test_slices_beyond_the_field_of_view_of_t1_take_their_depth_from_the_others():
    t2, t1, left, right = abdomen()
    cut = t1.array.copy()
    cut[:, :, 6:] = 0
    found = segment_muscles(t2, Volume(cut, t1.geometry), LIMITS)
    for side, truth in ((found.rectus_left, left), (found.rectus_right, right)):
        end = side.array[:, :, 6:] & truth.array[:, :, 6:]
        total = side.array[:, :, 6:].sum() + truth.array[:, :, 6:].sum()
        assert 2 * end.sum() / total > 0.8


def test_coronal_slices_are_refused_with_the_pixel_size():
    t2, *_ = abdomen()
    affine = np.array([[1.5, 0, 0, 0], [0, 0, 6.0, 0], [0, 1.5, 0, 0], [0, 0, 0, 1]])
    found = segment_muscles(Volume(t2.array, Geometry(affine, t2.geometry.shape)), None, LIMITS)
    assert (found.confidence, found.rectus_left.is_empty) == (0.0, True)
    assert "6.0 mm" in found.reasons[0]


def test_strongly_tilted_slices_are_refused_with_the_angle():
    t2, *_ = abdomen()
    tilt = np.radians(40)
    turn = np.eye(4)
    turn[1:3, 1:3] = [[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]
    grid = replace(t2.geometry, affine=turn @ t2.geometry.affine)
    found = segment_muscles(Volume(t2.array, grid), None, LIMITS)
    assert found.confidence == 0
    assert "40°" in found.reasons[0]


def test_an_image_without_a_patient_has_no_muscles():
    grid = Geometry(np.diag([1.5, 1.5, 6, 1]), (30, 30, 4))
    found = segment_muscles(Volume(np.zeros(grid.shape, np.float32), grid), None, LIMITS)
    assert found.confidence == 0
    assert found.linea_alba_mm.shape == (0, 3)


def test_a_t1_on_another_grid_is_refused():
    t2, t1, *_ = abdomen()
    other = Volume(t1.array[:-1], replace(t1.geometry, shape=(191, 130, 8)))
    with pytest.raises(GeometryError) as refused:
        segment_muscles(t2, other, LIMITS)
    assert refused.value.code == "t1_grid"


def test_the_same_image_gives_the_same_masks():
    t2, t1, *_ = abdomen()
    one, other = (segment_muscles(t2, t1, LIMITS) for _ in range(2))
    assert np.array_equal(one.rectus_left.array, other.rectus_left.array)
    assert one.confidence == other.confidence


@pytest.mark.parametrize("case", [1, 2, 3, 5, 8])
def test_real_t2_alone_is_never_sure_and_never_swaps_sides(real_data: Path, case: int):
    image = nib.load(real_data / "chaos_t2spir" / f"image_{case}.nii.gz")
    array = np.asarray(image.dataobj, dtype=np.float32)
    found = segment_muscles(
        Volume(array, Geometry(from_ras(image.affine), array.shape)), None, LIMITS
    )
    assert found.confidence < 0.5
    assert found.reasons
    sides = [mask.points_mm[:, 0] for mask in (found.rectus_left, found.rectus_right)]
    assert np.median(sides[0]) > np.median(sides[1])
    both = found.rectus_left.array & found.rectus_right.array
    assert not both.any()


@pytest.mark.parametrize(("case", "least"), [(1, 0.7), (2, 0.7), (3, 0.6)])
def test_the_left_rectus_of_a_real_abdomen_is_found_on_t2_alone(
    real_data: Path, case: int, least: float
):
    image = chaos(real_data, case)
    truth, _ = chaos_outlines(case, image.geometry)
    found = segment_muscles(correct_bias(image, body_mask(image)), None, LIMITS).rectus_left
    outlined = truth.array.any(axis=(0, 1))
    shared = np.count_nonzero(found.array & truth.array)
    assert 2 * shared / (found.array[:, :, outlined].sum() + truth.voxels) > least
