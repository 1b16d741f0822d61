"""Foci in thick slices are found; vessels, intersections, ringing and ghosts make none.

A plate of 40 x 14 x 70 mm and 1.6 times muscle lies in muscle, with suppressed fat in front and
fluid of 8 times muscle 8 mm behind it, imaged from points three times finer than the pixels.
"""

import numpy as np
import pytest
from cases import PROTOCOL, reference_of
from numpy.typing import NDArray

from imaging.geometry import Geometry
from imaging.measurements.foci import Focus
from imaging.measurements.signal import measure_signal
from imaging.volume import Mask, Volume

PIXEL_MM, FINE, MUSCLE, NOISE = 1.2, 3, 100.0, 3.0
FIELD_MM = (96.0, 72.0, 120.0)
Points = tuple[NDArray[np.float64], ...]


def points(slice_mm: float, through: int) -> Points:
    """x, y, z of every fine point in plane, at `through` heights in each slice."""
    fine = PIXEL_MM / FINE
    x = (np.arange(round(FIELD_MM[0] / fine)) + 0.5) * fine - FIELD_MM[0] / 2
    y = (np.arange(round(FIELD_MM[1] / fine)) + 0.5) * fine - FIELD_MM[1] / 2
    step = slice_mm / through
    z = (np.arange(round(FIELD_MM[2] / slice_mm) * through) + 0.5) * step - FIELD_MM[2] / 2
    return tuple(np.meshgrid(x, y, z, indexing="ij"))


def plate(at: Points) -> NDArray[np.bool_]:
    x, y, z = at
    return (np.abs(x - 20) <= 20) & (np.abs(y) <= 7) & (np.abs(z) <= 35)


def tissue(at: Points, graft_ratio: float = 1.6) -> NDArray[np.float64]:
    _, y, _ = at
    level = np.where(y < -15, 0.6, np.where(y > 15, 8.0, 1.0))
    return MUSCLE * np.where(plate(at), graft_ratio, level)


def averaged(fine: NDArray[np.float64], through: int) -> NDArray[np.float64]:
    """Every pixel the mean of its points: no ringing."""
    i, j, k = (n // s for n, s in zip(fine.shape, (FINE, FINE, through), strict=True))
    return np.asarray(fine.reshape(i, FINE, j, FINE, k, through).mean(axis=(1, 3, 5)))


def truncated(fine: NDArray[np.float64], through: int) -> NDArray[np.float64]:
    """What a scanner sees of it: the middle of k-space alone, with its ringing (Gibbs)."""
    slices = fine.reshape(*fine.shape[:2], -1, through).mean(axis=3)
    lines = np.fft.fftshift(np.fft.fft2(slices, axes=(0, 1)), axes=(0, 1))
    i, j = (n // FINE for n in slices.shape[:2])
    first, second = (n // 2 - m // 2 for n, m in zip(slices.shape, (i, j), strict=False))
    middle = lines[first : first + i, second : second + j]
    image = np.fft.ifft2(np.fft.ifftshift(middle, axes=(0, 1)), axes=(0, 1))
    return np.asarray(np.abs(image)) / FINE**2


def foci(
    image: NDArray[np.float64], slice_mm: float, graft: NDArray[np.bool_]
) -> tuple[Focus, ...]:
    noisy = image + np.random.default_rng(4).normal(0, NOISE, image.shape)
    affine = np.diag([PIXEL_MM, PIXEL_MM, slice_mm, 1.0])
    affine[:3, 3] = [(PIXEL_MM - FIELD_MM[0]) / 2, (PIXEL_MM - FIELD_MM[1]) / 2,
                     (slice_mm - FIELD_MM[2]) / 2]  # fmt: skip
    volume = Volume(noisy.astype(np.float32), Geometry(affine, image.shape))
    x = volume.geometry.to_world(np.moveaxis(np.indices(image.shape), 0, -1))
    muscle = (x[..., 0] < -5) & (x[..., 0] > -45) & (np.abs(x[..., 1]) < 10)
    reference = reference_of(volume, Mask(muscle, volume.geometry))
    mask = Mask(graft, volume.geometry)
    return measure_signal(volume, mask, reference, PROTOCOL).foci


def certain(found: tuple[Focus, ...]) -> list[Focus]:
    return [focus for focus in found if not focus.doubtful]


def graft_of(at: Points, through: int) -> NDArray[np.bool_]:
    return averaged(plate(at).astype(float), through) >= 0.5


@pytest.mark.parametrize("slice_mm", [5.0, 6.0, 8.0])
@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_a_focus_of_ten_mm_and_twice_the_graft_is_found_in_thick_slices(slice_mm, shift):
    """Also on the border of two slices, where a ball of 10 mm fills 5 of the 8 mm of each.

    There it is as bright as half way only within 3 mm of its middle: 6 mm are to be seen.
    """
    at = points(slice_mm, 5)
    x, y, z = at
    slices = round(FIELD_MM[2] / slice_mm)
    middle = (slices // 2 + 0.5 + shift) * slice_mm - FIELD_MM[2] / 2
    ball = (x - 20) ** 2 + y**2 + (z - middle) ** 2 <= 5.0**2
    made = averaged(np.where(ball, 2 * 1.6 * MUSCLE, tissue(at)), 5)
    (focus,) = certain(foci(made, slice_mm, graft_of(at, 5)))
    assert focus.centroid_mm == pytest.approx([20, 0, middle], abs=slice_mm / 2)
    least = 6.0 if shift and slice_mm == 8.0 else 8.0
    assert least <= focus.diameter_mm <= 10.0 + 2 * PIXEL_MM


@pytest.mark.parametrize("slice_mm", [5.0, 8.0])
def test_a_plate_alone_has_no_focus_in_thick_slices(slice_mm):
    at = points(slice_mm, 5)
    assert foci(averaged(tissue(at), 5), slice_mm, graft_of(at, 5)) == ()


def test_an_epigastric_vessel_through_the_graft_is_no_focus():
    at = points(5.0, 1)
    vessel = (at[0] - 24) ** 2 + (at[1] - 2 - 0.05 * at[2]) ** 2 <= 2.2**2
    made = averaged(np.where(vessel, 6 * MUSCLE, tissue(at)), 1)
    assert certain(foci(made, 5.0, graft_of(at, 1))) == []


def test_a_nodule_beside_a_vessel_is_still_a_focus():
    at = points(5.0, 1)
    vessel = (at[0] - 30) ** 2 + (at[1] - 1) ** 2 <= 2.2**2
    ball = (at[0] - 12) ** 2 + at[1] ** 2 + (at[2] - 2.5) ** 2 <= 5.0**2
    made = averaged(np.where(vessel | ball, 6 * MUSCLE, tissue(at)), 1)
    (focus,) = certain(foci(made, 5.0, graft_of(at, 1)))
    assert focus.centroid_mm[0] == pytest.approx(12.0, abs=PIXEL_MM)


def test_a_column_as_wide_as_a_nodule_is_a_mass_and_no_vessel():
    at = points(5.0, 1)
    column = ((at[0] - 20) ** 2 + at[1] ** 2 <= 5.0**2) & (np.abs(at[2]) <= 25)
    made = averaged(np.where(column, 3.2 * MUSCLE, tissue(at)), 1)
    assert len(certain(foci(made, 5.0, graft_of(at, 1)))) == 1


def test_a_tendinous_intersection_across_the_graft_makes_no_focus():
    """A dark band 5 mm high, slanted, in graft and muscle: the rest is not bright by it."""
    at = points(5.0, 5)
    band = np.abs(at[2] - 0.2 * at[0]) <= 2.5
    made = averaged(np.where(band & (np.abs(at[1]) < 15), 0.5 * MUSCLE, tissue(at)), 5)
    assert foci(made, 5.0, graft_of(at, 5)) == ()


@pytest.mark.parametrize("ratio", [1.2, 1.6, 3.0])
def test_ringing_from_the_grafts_own_edge_and_from_fluid_behind_makes_no_certain_focus(ratio):
    at = points(5.0, 1)
    made = truncated(tissue(at, ratio), 1)
    assert certain(foci(made, 5.0, graft_of(at, 1))) == []


@pytest.mark.parametrize("shift_mm", [18.0, 36.0])
def test_a_ghost_of_five_percent_makes_no_certain_focus(shift_mm):
    """The phantom's own copy along the phase encoding (front to back), fluid and all."""
    at = points(5.0, 1)
    clean = averaged(tissue(at), 1)
    ghosted = clean + 0.05 * np.roll(clean, round(shift_mm / PIXEL_MM), axis=1)
    assert certain(foci(ghosted, 5.0, graft_of(at, 1))) == []
