"""Lettering drawn into an image is found; measured tissue is none."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lettering import draw
from pydicom import dcmread
from pydicom.misc import is_dicom

from surveillance.deidentification.drawn_text import shows_text

SERIES = [
    "prostatex_0218/t2_localizer_mixed.dcm",
    "prostatex_0218/t2_tse_sag.dcm",
    "prostatex_0218/t2_tse_tra.dcm",
    "prostatex_0218/twist_40.dcm",
    "prostatex_0218/vibe_pre_flip2.dcm",
    "prostatex_0218/vibe_pre_flip20.dcm",
    "uta4_t1spair_p3/t1_fl3d_tra_spair.dcm",
    "ukat_ge_fatsat/series.dcm",
    "ukat_ge_nofatsat/series.dcm",
    "dcm_qa_ge/01_Ax_DWI_TENSOR_R2",
]
HARD = [(9, False), (12, False), (24, False), (40, False)]
SMOOTHED = [(16, True), (24, True), (40, True)]
CORNERS = ["top left", "top right", "bottom left", "bottom right"]


def frames(folder):
    """The frames of a real series; every third of a long one, so that the test stays short."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and is_dicom(path))
    for path in paths[:: 3 if len(paths) > 12 else 1]:
        yield dcmread(path).pixel_array


@pytest.mark.parametrize("name", SERIES)
def test_no_real_series_is_suspected(unpack, name):
    seen = list(frames(unpack(name)))
    assert len(seen) >= 3
    assert not any(map(shows_text, seen))


@pytest.mark.parametrize("name", SERIES)
def test_a_name_is_found_in_every_corner_of_a_real_image_hard_or_smoothed(unpack, name):
    seen = list(frames(unpack(name)))
    frame = seen[len(seen) // 2]
    for size, smoothed in (*HARD, *SMOOTHED):
        for corner in CORNERS:
            for value in (int(frame.max()), 4095):
                drawn = draw(frame, corner, size, smoothed, value)
                assert shows_text(drawn), (size, smoothed, corner, value)


def noise(seed=1):
    return np.random.default_rng(seed).integers(0, 60, (128, 160), dtype=np.uint16)


def test_a_text_that_runs_along_the_columns_is_found():
    drawn = draw(noise(), "top left", 14, False, 900)
    assert shows_text(drawn)
    assert shows_text(np.rot90(drawn))


def test_a_saturated_vessel_and_a_row_of_three_dots_are_no_text():
    """A clipped image has one value too, but in blobs; and three pieces make no word."""
    frame = noise()
    frame[40:80, 40:100] = 900
    frame[10:13, 20:23] = frame[10:13, 40:43] = frame[10:13, 60:63] = 900
    assert not shows_text(frame)


def test_an_annotation_of_one_letter_is_below_what_can_be_told():
    """R and L of our own key images; docs/deidentification.md says so."""
    assert not shows_text(draw(noise(), "top left", 20, False, 900, text="R"))


@pytest.mark.parametrize("shape", [(1, 1), (1, 64), (4, 4)])
def test_an_image_smaller_than_a_letter_holds_none(shape):
    assert not shows_text(np.full(shape, 7, dtype=np.uint8))


@settings(max_examples=30)
@given(arrays(np.uint16, (48, 48), elements=st.integers(0, 4095)))
def test_any_image_gets_an_answer(frame):
    assert shows_text(frame) in {True, False}


def test_noise_of_a_few_grey_values_is_no_text():
    """The empty end of a real series: fifteen values in all, each in thousands of pixels."""
    rng = np.random.default_rng(3)
    frame = np.hypot(*rng.normal(0, 2.0, (2, 256, 256))).astype(np.uint16)
    assert len(np.unique(frame)) < 16
    assert not shows_text(frame)
