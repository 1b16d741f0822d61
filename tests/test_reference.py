"""Reference muscle: hand-checkable samples on a grid of 1 mm pixels and 5 mm slices."""

import numpy as np
import pytest

from imaging.geometry import Geometry
from imaging.protocol import load_protocol
from imaging.reference import NoReference, Reference, reference_muscle
from imaging.segmentation.masks import Muscles
from imaging.volume import Mask, Volume

LIMITS = load_protocol().reference_muscle
HERE = Geometry(np.diag([1.0, 1.0, 5.0, 1.0]), (60, 30, 24))
"""Slices at z = 0, 5 … 115 mm; +x is the patient's left."""


def box(i: tuple[int, int], j: tuple[int, int], k: tuple[int, int]) -> Mask:
    array = np.zeros(HERE.shape, bool)
    array[slice(*i), slice(*j), slice(*k)] = True
    return Mask(array, HERE)


LEFT, RIGHT = box((35, 55), (10, 20), (0, 24)), box((5, 25), (10, 20), (0, 24))
GRAFT = box((40, 50), (12, 18), (10, 14))
"""Slices 10 to 13: from z = 47.5 to 67.5 mm, half a slice beyond the outer centres."""
MUSCLES = Muscles(box((0, 60), (0, 30), (0, 24)), LEFT, RIGHT, np.array([[30.0, 10, 0]]), 1.0)


def painted(left: float, right: float, graft: float = 900.0) -> Volume:
    array = np.full(HERE.shape, 5.0, np.float32)
    array[LEFT.array], array[RIGHT.array] = left, right
    array[GRAFT.array] = graft
    return Volume(array, HERE)


def sampled(volume: Volume, graft: Mask | None = GRAFT) -> Reference:
    result = reference_muscle(volume, MUSCLES, graft, LIMITS)
    assert isinstance(result, Reference)
    return result


def without_left(volume: Volume) -> Reference:
    nothing = Mask(np.zeros(HERE.shape, bool), HERE)
    muscles = Muscles(MUSCLES.body, nothing, RIGHT, MUSCLES.linea_alba_mm, 1.0)
    result = reference_muscle(volume, muscles, GRAFT, LIMITS)
    assert isinstance(result, Reference)
    return result


def slices_of(reference: Reference) -> list[int]:
    return sorted(set(np.nonzero(reference.mask.array)[2].tolist()))


def test_the_left_side_is_sampled_10_to_30_mm_beyond_the_graft_and_the_right_at_its_level() -> None:
    # z <= 37.5 and >= 17.5 mm: slices 4 to 7; z >= 77.5 and <= 97.5 mm: slices 16 to 19.
    assert slices_of(sampled(painted(100, 100))) == [4, 5, 6, 7, 16, 17, 18, 19]
    assert slices_of(without_left(painted(100, 100))) == [10, 11, 12, 13]


def test_one_pixel_is_eroded_in_plane_and_none_across_slices() -> None:
    # 20 x 10 pixels become 18 x 8: 144 a slice, 8 slices left and 4 right.
    assert sampled(painted(100, 100)).mask.voxels == 8 * 144
    assert without_left(painted(100, 100)).mask.voxels == 4 * 144


def test_the_muscle_of_the_grafts_own_side_is_the_reference_whatever_the_coil_does() -> None:
    reference = sampled(painted(100, 220))
    assert reference.median == 100
    assert not (reference.mask.array & RIGHT.array).any()
    assert without_left(painted(100, 220)).median == 220


def test_both_sides_are_sampled_for_the_noise() -> None:
    reference = sampled(painted(100, 220))
    assert reference.sampled.voxels == (8 + 4) * 144


def test_medians_and_disagreement_are_those_of_the_two_sides() -> None:
    reference = sampled(painted(110, 90))
    assert reference.left_median.value == 110
    assert reference.right_median.value == 90
    assert reference.disagreement.value == pytest.approx(0.2)
    assert reference.robust_sd == 0


def test_the_spread_is_that_of_the_side_used_not_what_the_sides_differ_by() -> None:
    """Every voxel is 2 from its own side's median; the sides lie 40 apart."""
    stripes = np.where(np.arange(HERE.shape[0]) % 2, 2.0, -2.0)[:, None, None]
    volume = painted(80, 120)
    reference = sampled(Volume((volume.array + stripes).astype(np.float32), HERE))
    assert reference.robust_sd == pytest.approx(1.4826 * 2)


def test_the_graft_never_counts_as_its_own_reference() -> None:
    assert sampled(painted(100, 100, graft=9000)).median == 100


def test_the_brightest_and_darkest_percents_are_trimmed() -> None:
    array = painted(100, 100).array.copy()
    array[37, 12, 4], array[38, 12, 4] = 5000, 0
    reference = sampled(Volume(array, HERE))
    assert not reference.mask.array[37:39, 12, 4].any()


def test_without_a_graft_the_whole_compartments_are_sampled() -> None:
    reference = sampled(painted(100, 80, graft=100), graft=None)
    assert reference.mask.voxels == 24 * 144
    assert reference.right_median.value == 80


def test_one_side_alone_gives_a_reference_without_a_disagreement() -> None:
    nothing = Mask(np.zeros(HERE.shape, bool), HERE)
    muscles = Muscles(MUSCLES.body, LEFT, nothing, MUSCLES.linea_alba_mm, 1.0)
    reference = reference_muscle(painted(100, 100), muscles, GRAFT, LIMITS)
    assert isinstance(reference, Reference)
    assert reference.median == 100
    assert reference.right_median.value is None
    assert reference.disagreement.value is None
    assert reference.disagreement.reason


def test_too_little_muscle_and_black_muscle_give_a_reason_instead() -> None:
    thin = Muscles(
        MUSCLES.body, box((35, 38), (10, 13), (0, 24)), box((5, 8), (10, 13), (0, 24)),
        MUSCLES.linea_alba_mm, 1.0,
    )  # fmt: skip
    small = reference_muscle(painted(100, 100), thin, GRAFT, LIMITS)
    black = reference_muscle(painted(0, 0), MUSCLES, GRAFT, LIMITS)
    assert isinstance(small, NoReference)
    assert "200 voxels" in small.reason
    assert isinstance(black, NoReference)
    assert "no signal" in black.reason


def test_opposite_signs_left_and_right_have_no_relative_disagreement() -> None:
    reference = reference_muscle(painted(100, -200), MUSCLES, GRAFT, LIMITS)
    assert isinstance(reference, Reference)
    assert reference.disagreement.value is None
