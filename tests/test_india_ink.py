"""India ink: a black line round fat in water, out of phase only."""

import numpy as np
import pytest
from cases import GRID, NOISE, PROTOCOL, box, coordinates, image, reference_of

from imaging.measurement import measured
from imaging.measurements.fat import FatAnswer, measure_fat
from imaging.measurements.india_ink import shows_india_ink
from imaging.measurements.supporting import SupportingImages
from imaging.volume import Mask, Volume

GRAFT = box((12, 41), (-9, 10), (-12, 12))
FOCUS = box((20, 26), (-3, 3), (-4, 4))
"""7 x 7 pixels in five slices: an edge of 24 pixels in each."""
LINE = Mask(FOCUS.array & ~box((21, 25), (-2, 2), (-4, 4)).array, GRID)
LEFT_SIDE = box((26, 26), (-3, 3), (-4, 4))
FLAT = image(noise=0.0)
WATER, FAT = 100.0, 200.0


def ink(in_phase: Volume, opposed: Volume, region: Mask = FOCUS) -> bool:
    return shows_india_ink(in_phase, opposed, np.nonzero(region.array), PROTOCOL.fat)


def test_a_line_out_of_phase_is_ink() -> None:
    assert ink(FLAT, image({0.2: LINE}, noise=0.0))


def test_a_line_in_both_phases_is_a_capsule() -> None:
    lined = image({0.2: LINE}, noise=0.0)
    assert not ink(lined, lined)


def test_a_focus_dark_all_over_is_no_line() -> None:
    dark = image({0.2: FOCUS}, noise=0.0)
    assert not ink(dark, dark)
    assert not ink(FLAT, dark)


def test_a_vessel_along_one_side_is_no_line() -> None:
    assert not ink(FLAT, image({0.2: LEFT_SIDE}, noise=0.0))


def test_chemical_shift_darkens_one_side_and_brightens_the_other_in_both_phases() -> None:
    right_side = box((20, 20), (-3, 3), (-4, 4))
    shifted = image({0.2: LEFT_SIDE, 1.8: right_side}, noise=0.0)
    assert not ink(shifted, shifted)


def test_a_line_less_than_30_percent_darker_is_none() -> None:
    assert not ink(FLAT, image({0.75: LINE}, noise=0.0))
    assert ink(FLAT, image({0.65: LINE}, noise=0.0))


def test_noise_draws_no_line() -> None:
    assert not any(ink(image(noise=8.0, seed=n), image(noise=8.0, seed=n + 50)) for n in range(20))


def test_a_line_at_the_border_of_the_image_and_one_with_no_middle_are_judged_without_error() -> (
    None
):
    assert not ink(FLAT, FLAT, box((-50, -44), (-25, -20), (-40, -30)))
    assert not ink(FLAT, image({0.2: LEFT_SIDE}, noise=0.0), LEFT_SIDE)


def rod(x_mm: float, y_mm: float, radius_mm: float) -> np.ndarray:
    """Share of fat in each voxel of a rod along z, 9 x 9 places a voxel."""
    x, y, z = coordinates()
    places = np.linspace(-4, 4, 9) / 9
    inside = [np.hypot(x + a - x_mm, y + b - y_mm) <= radius_mm for a in places for b in places]
    return np.mean(inside, axis=0) * (np.abs(z) <= 6)


def imaged(signal: np.ndarray, seed: int) -> Volume:
    noise = np.random.default_rng(seed).normal(0, NOISE, GRID.shape)
    return Volume((signal + noise).astype(np.float32), GRID)


@pytest.mark.parametrize("radius_mm", [4.0, 6.0])
@pytest.mark.parametrize("x_mm", [26.0, 26.25, 26.5])
def test_a_rod_of_fat_in_the_graft_is_confirmed_by_its_edge(x_mm: float, radius_mm: float) -> None:
    fat = rod(x_mm, 0.4, radius_mm)
    t1w_fs = imaged(WATER * (1 - fat) + 0.3 * WATER * fat, 1)
    phases = SupportingImages(
        in_phase=imaged(WATER * (1 - fat) + FAT * fat, 2),
        opposed_phase=imaged(np.abs(WATER * (1 - fat) - FAT * fat), 3),
    )
    answers = [
        measure_fat(t1w_fs, GRAFT, reference_of(t1w_fs), measured(0.3), images, PROTOCOL).answer
        for images in (SupportingImages(), phases)
    ]
    assert answers == [FatAnswer.POSSIBLE, FatAnswer.CONFIRMED_MACROSCOPIC]


def test_a_dark_rod_without_fat_is_confirmed_by_nothing() -> None:
    dark = WATER * (1 - 0.7 * rod(26.25, 0.4, 5.0))
    phases = SupportingImages(in_phase=imaged(dark, 2), opposed_phase=imaged(dark, 3))
    t1w_fs = imaged(dark, 1)
    found = measure_fat(t1w_fs, GRAFT, reference_of(t1w_fs), measured(0.3), phases, PROTOCOL)
    assert found.answer is FatAnswer.POSSIBLE
