"""Resampling: points land where the transform says."""

import numpy as np
import pytest
from imaged_person import Person, body, grid, image, points_of, rigid, wall

from imaging.geometry import Geometry
from imaging.resampling import carry, resample, shrink
from imaging.segmentation.masks import Muscles
from imaging.transform import RigidTransform, identity
from imaging.volume import Mask, Volume


def shift(x: float, y: float, z: float) -> RigidTransform:
    return rigid((0, 0, 0), (x, y, z))


def test_a_ramp_is_carried_exactly_on_oblique_and_flipped_grids() -> None:
    here = grid((4, 4, 6), (30, 30, 20))
    x, y, z = points_of(here)
    ramp = Volume((x + 2 * y - 3 * z).astype(np.float32), here)
    there = grid((3, 3, 4), (16, 16, 10), oblique_deg=15, flips=(-1, 1, -1))
    motion = rigid((2, 3, -4), (5, 1, -2))
    carried = resample(ramp, there, motion)
    points = motion @ points_of(there).reshape(3, -1).T
    expected = (points @ [1, 2, -3]).reshape(there.shape)
    assert here.contains(points).mean() > 0.9
    inside = here.crop(tuple(slice(1, n - 1) for n in here.shape)).contains(points)
    inner = inside.reshape(there.shape)
    assert np.abs(carried.array - expected)[inner].max() < 1e-2


def test_outside_the_field_of_view_there_is_zero() -> None:
    here = grid((2, 2, 2), (10, 10, 10))
    ones = Volume(np.ones(here.shape, np.float32), here)
    carried = resample(ones, here, shift(10, 0, 0))
    assert (carried.array[:5] == 1).all()
    assert (carried.array[5:] == 0).all()


def test_a_mask_moved_by_whole_voxels_keeps_every_voxel() -> None:
    here = grid((2, 2, 5), (20, 20, 10))
    array = np.zeros(here.shape, bool)
    array[5:9, 6:12, 3:5] = True
    carried = resample(Mask(array, here), here, shift(4, -2, 5))
    assert (carried.array == np.roll(array, (-2, 1, -1), (0, 1, 2))).all()


def test_a_mask_there_and_back_is_the_same_mask() -> None:
    here = grid((3, 3, 5), (60, 60, 20))
    mask = body(here)
    assert (resample(mask, here, identity()).array == mask.array).all()


def test_shrinking_averages_whole_blocks_and_stays_in_place() -> None:
    here = Geometry(np.diag([1.0, 1.0, 5.0, 1.0]), (4, 4, 2))
    volume = Volume(np.arange(32, dtype=np.float32).reshape(4, 4, 2), here)
    small = shrink(volume, 2.0)
    assert small.geometry.shape == (2, 2, 2)
    assert small.array[0, 0, 0] == pytest.approx(np.mean([0, 2, 8, 10]))
    assert small.geometry.to_world((0, 0, 0)) == pytest.approx([0.5, 0.5, 0.0])
    half = np.zeros((4, 4, 2), bool)
    half[:1] = True
    assert shrink(Mask(half, here), 2.0).array[0].all()


def test_muscles_are_carried_with_their_midline() -> None:
    here = grid((3, 3, 5), (104, 72, 10))
    part = wall(here)
    muscles = Muscles(body(here), part, part, np.array([[1.0, 2.0, 3.0]]), 0.7, ("faint",))
    carried = carry(muscles, here, shift(6, 0, 5))
    assert carried.linea_alba_mm.tolist() == [[7.0, 2.0, 8.0]]
    before, after = part.centroid_mm, carried.rectus_left.centroid_mm
    assert before is not None
    assert after is not None
    assert after[0] - before[0] == pytest.approx(6, abs=0.2)
    assert (carried.confidence, carried.reasons) == (0.7, ("faint",))


def test_a_volume_onto_its_own_grid_is_itself() -> None:
    here = grid((6, 6, 8), (50, 36, 12))
    volume = image(Person(), here)
    assert np.abs(resample(volume, here, identity()).array - volume.array).max() < 1e-3
