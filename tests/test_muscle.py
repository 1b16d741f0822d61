"""Muscle: slabs of known thickness, straight, tilted, and acquired in other planes."""

import math

import numpy as np
import pytest
from cases import EMPTY, GRID, LEFT, PLATE, box, coordinates, muscles, union

from imaging.geometry import Geometry
from imaging.measurements.muscle import (
    MuscleSize,
    linea_alba_shift_mm,
    measure_muscle,
    sheath_displacement_mm,
)
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.transform import RigidTransform, identity
from imaging.volume import Mask


def size(wall: Muscles | None = None, graft: Mask | None = PLATE) -> MuscleSize:
    return measure_muscle(wall or muscles(), Graft(graft, Source.AUTOMATIC, 1.0))


def test_a_12_mm_slab_is_12_mm_thick_on_both_sides() -> None:
    assert size().thickness_left_mm.value == pytest.approx(12.0)
    assert size().thickness_right_mm.value == pytest.approx(12.0)


def test_the_volume_is_what_the_image_covers() -> None:
    assert size().volume_left_ml.value == pytest.approx(30 * 12 * 41 * 2 / 1000)


def test_a_tilted_slab_is_measured_across_and_not_from_front_to_back() -> None:
    x, y, z = coordinates()
    tilt = math.radians(30)
    across = y * math.cos(tilt) - (x - 25) * math.sin(tilt)
    slab = Mask((np.abs(across) <= 5.0) & (np.abs(x - 25) < 14) & (np.abs(z) <= 40), GRID)
    assert size(muscles(left=slab)).thickness_left_mm.value == pytest.approx(10.0, abs=1.0)


def test_thickness_is_taken_at_the_graft_s_levels() -> None:
    thick_there = union(LEFT, box((10, 39), (-9, 6), (-10, 10)))
    assert size(muscles(left=thick_there)).thickness_left_mm.value == pytest.approx(16.0)
    assert size(muscles(left=thick_there), None).thickness_left_mm.value == pytest.approx(12.0)


def test_a_muscle_that_was_not_found_gives_reasons() -> None:
    lost = size(muscles(left=EMPTY))
    assert lost.thickness_left_mm.reason == "the muscle was not found at the graft's levels"
    assert lost.volume_left_ml.reason == "the mask is empty"
    assert len(lost.sheath_mm) == 0


def test_a_muscle_narrower_than_its_curve_can_be_fitted_is_measured_straight() -> None:
    strip = box((20, 22), (-5, 6), (-40, 40))
    assert size(muscles(left=strip)).thickness_left_mm.value == pytest.approx(12.0)


def test_the_sheath_is_the_front_face_of_every_column() -> None:
    found = size()
    assert found.sheath_mm.shape == (30 * 41, 3)
    assert np.allclose(found.sheath_mm[:, 1], -5.5)


def test_sheath_points_before_the_graft_are_marked() -> None:
    before = size().sheath_mm[size().before_graft]
    assert len(before) == 20 * 11
    assert (before[:, 0].min(), before[:, 0].max()) == (15.0, 34.0)


def test_without_a_graft_no_point_lies_before_it() -> None:
    assert not size(graft=None).before_graft.any()
    assert size(graft=None).graft_levels_mm is None


def _as_coronal(mask: Mask) -> Mask:
    """The same anatomy with i to the right, j to the feet and slices from back to front."""
    order, flips = (0, 2, 1), (0, 1, 2)
    affine = np.eye(4)
    affine[:3, :3] = -GRID.affine[:3, [order[0], order[1], order[2]]]
    shape = tuple(GRID.shape[axis] for axis in order)
    affine[:3, 3] = GRID.to_world(np.array(GRID.shape) - 1)
    array = np.flip(mask.array.transpose(order), flips)
    return Mask(array, Geometry(affine, (shape[0], shape[1], shape[2])))


def test_a_coronal_acquisition_gives_the_same_numbers() -> None:
    bumpy = union(LEFT, box((15, 34), (-9, 6), (-10, 10)))
    turned = Muscles(
        _as_coronal(EMPTY), _as_coronal(bumpy), _as_coronal(LEFT), np.zeros((0, 3)), 1.0
    )
    one, other = size(muscles(left=bumpy)), size(turned, _as_coronal(PLATE))
    assert other.thickness_left_mm == one.thickness_left_mm
    assert set(map(tuple, other.sheath_mm.round(6))) == set(map(tuple, one.sheath_mm.round(6)))
    assert other.before_graft.sum() == one.before_graft.sum()


def test_a_sheath_pushed_4_mm_forward_lies_4_mm_outward() -> None:
    bulging = size(muscles(left=union(LEFT, box((15, 34), (-9, 6), (-10, 10)))))
    outward = sheath_displacement_mm(bulging, size(), identity())
    assert np.allclose(outward[bulging.before_graft], 4.0)
    assert np.allclose(outward[~bulging.before_graft], 0.0)


def test_a_patient_who_lies_elsewhere_has_no_displaced_sheath() -> None:
    shift = np.eye(4)
    shift[:3, 3] = 0.5, 7.0, 3.0
    outward = sheath_displacement_mm(size(), size(), RigidTransform(shift))
    known = np.isfinite(outward)
    assert known.sum() > 1000
    assert np.allclose(outward[known], -7.0)


def test_without_a_sheath_to_compare_with_displacement_is_unknown() -> None:
    assert np.isnan(sheath_displacement_mm(size(), size(muscles(left=EMPTY)), identity())).all()
    assert len(sheath_displacement_mm(size(muscles(left=EMPTY)), size(), identity())) == 0


def test_a_sheath_of_one_level_is_known_at_that_level_alone() -> None:
    flat = size(muscles(left=box((10, 39), (-5, 6), (0, 0))))
    known = np.isfinite(sheath_displacement_mm(size(), flat, identity()))
    assert (size().sheath_mm[known][:, 2] == 0.0).all()
    assert known.sum() == 30


def test_between_columns_the_sheath_is_interpolated_and_beyond_it_is_unknown() -> None:
    ramp = union(*(box((10, 39), (-n, 6), (2 * n, 2 * n)) for n in range(1, 6)))
    half = np.eye(4)
    half[:3, 3] = 0.0, 0.0, 1.0  # half a level up
    outward = sheath_displacement_mm(
        size(muscles(left=ramp)), size(muscles(left=ramp)), RigidTransform(half)
    )
    known = np.isfinite(outward)
    assert known.sum() == 4 * 30  # the highest level has none above it
    assert np.allclose(outward[known], -0.5)


def test_a_midline_pushed_4_mm_to_the_right_has_shifted_by_4_mm() -> None:
    pushed = size(muscles(midline_x=-4.0))
    assert linea_alba_shift_mm(pushed, size(), identity()) == pytest.approx(4.0)
    assert linea_alba_shift_mm(size(), pushed, identity()) == pytest.approx(-4.0)


def test_a_midline_found_at_other_levels_only_gives_no_shift() -> None:
    shift = np.eye(4)
    shift[2, 3] = 200.0
    assert linea_alba_shift_mm(size(), size(), RigidTransform(shift)) is None


def test_without_a_midline_there_is_no_shift() -> None:
    wall = muscles()
    none = Muscles(wall.body, wall.rectus_left, wall.rectus_right, np.zeros((0, 3)), 1.0)
    assert linea_alba_shift_mm(size(none), size(), identity()) is None
