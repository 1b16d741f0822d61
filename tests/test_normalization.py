"""Bias correction: a known shading is taken out, and nothing else changes."""

import numpy as np
import pytest
import SimpleITK as sitk
from imaged_person import body, grid, points_of

from imaging.bias_field import bias_field
from imaging.interop import array_of, to_sitk
from imaging.normalization import correct_bias
from imaging.resampling import shrink
from imaging.volume import Mask, Volume

HERE = grid((4, 4, 6), (78, 54, 24))
BODY = body(HERE)
X, Y, Z = points_of(HERE)
TWO_TISSUES = np.where(np.sin(X / 17) * np.sin(Y / 13) * np.cos(Z / 19) > 0, 100.0, 160.0)
NOISE = np.random.default_rng(5).normal(0, 2, HERE.shape)
PLAIN = Volume((BODY.array * (TWO_TISSUES + NOISE)).astype(np.float32), HERE)
SHADED = Volume((PLAIN.array * np.exp(-Y / 250)).astype(np.float32), HERE)


def log_spread(one: Volume, other: Volume, region: Mask) -> float:
    inside = region.array & (one.array > 0) & (other.array > 0)
    return float(np.log(one.array[inside] / other.array[inside]).std())


def test_a_known_shading_of_two_tissues_is_mostly_gone() -> None:
    before = log_spread(SHADED, PLAIN, BODY)
    assert log_spread(correct_bias(SHADED, BODY), PLAIN, BODY) < before / 3


def test_an_even_image_stays_even() -> None:
    assert log_spread(correct_bias(PLAIN, BODY), PLAIN, BODY) < 0.02


def test_the_mean_inside_the_body_is_kept() -> None:
    result = correct_bias(SHADED, BODY)
    inside = BODY.array & (SHADED.array > 0)
    before = SHADED.array[inside].mean(dtype=float)
    assert abs(result.array[inside].mean(dtype=float) / before - 1) < 1e-4


def test_without_a_body_the_image_is_returned_as_it_is() -> None:
    assert correct_bias(PLAIN, Mask(np.zeros(HERE.shape, bool), HERE)) is PLAIN


def test_the_same_bits_come_out_at_any_number_of_threads() -> None:
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    found = set()
    try:
        for threads in (1, 2, 4):
            sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(threads)
            found.add(correct_bias(SHADED, BODY).array.tobytes())
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)
    assert len(found) == 1


@pytest.mark.parametrize("image", [SHADED, PLAIN], ids=["shaded", "plain"])
def test_the_field_is_the_one_that_itk_finds(image: Volume) -> None:
    coarse, usable = shrink(image, 12.0), shrink(BODY, 12.0)
    itk = sitk.N4BiasFieldCorrectionImageFilter()
    itk.SetMaximumNumberOfIterations((15, 15, 15))
    itk.SetConvergenceThreshold(1e-3)
    itk.Execute(to_sitk(coarse), to_sitk(usable))
    expected = array_of(itk.GetLogBiasFieldAsImage(to_sitk(image)))
    field = bias_field(coarse.array.astype(float), usable.array & (coarse.array > 0))
    found = field.logarithm(image.geometry.shape)
    assert np.abs(found - expected)[BODY.array].max() < 0.002
    assert np.ptp(expected[BODY.array]) > 0.02


def test_a_constant_image_has_no_field() -> None:
    flat = np.full((8, 8, 8), 5.0)
    assert not bias_field(flat, flat > 0).logarithm((16, 16, 16)).any()
