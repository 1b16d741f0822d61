"""How volumes and masks travel."""

import gc
import gzip
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from viewer_scenes import axial

from imaging.errors import MaskError
from imaging.volume import Mask, Volume
from surveillance.ui.viewer.bits import inflated, packed
from surveillance.ui.viewer.voxels import (
    OUTSIDE,
    SLAB_BYTES,
    ServedMask,
    ServedVolume,
    served_mask,
    served_volume,
)

SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, max_side=7)


def volume(array):
    return Volume(np.asarray(array, np.float32), axial(np.shape(array), (1.0, 1.0, 1.0)))


def travelled(served):
    """Return the voxels as the browser puts them together."""
    bodies, slab = [], 0
    while (body := served.body(slab)) is not None:
        bodies.append(np.frombuffer(gzip.decompress(body), "<i2"))
        slab += 1
    voxels = np.concatenate(bodies).reshape(served.volume.geometry.shape, order="F")
    return np.where(voxels == OUTSIDE, np.nan, voxels * served.slope + served.intercept)


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.int32, SHAPES, elements=st.integers(-30000, 30000)))
def test_whole_numbers_travel_exactly(array):
    served = ServedVolume(volume(array))
    assert served.slope == 1
    assert (travelled(served) == array).all()


@pytest.mark.parametrize("low", [0, 30_000, -70_000])
def test_unsigned_numbers_travel_exactly_too(low):
    array = low + np.array([0, 1, 40_000, 65_000]).reshape(2, 2, 1)
    assert (travelled(ServedVolume(volume(array))) == array).all()


@settings(max_examples=60, deadline=None)
@given(hnp.arrays(np.float32, SHAPES, elements=st.floats(-1e4, 1e5, width=32)))
def test_fractions_travel_to_within_a_step_of_their_range(array):
    step = float(array.max() - array.min()) / 65534
    apart = np.abs(travelled(ServedVolume(volume(array))) - array).max()
    assert apart <= 0.51 * step + 1e-6 * np.abs(array).max()


def test_what_was_not_imaged_is_told_apart_from_every_value():
    array = np.array([np.nan, 0.25, 7.5, np.inf]).reshape(2, 2, 1)
    back = travelled(ServedVolume(volume(array))).ravel()
    assert np.isnan(back[[0, 3]]).all()
    assert back[1:3] == pytest.approx([0.25, 7.5], abs=1e-3)


def test_an_image_of_nothing_and_one_of_a_single_value_travel():
    assert np.isnan(travelled(ServedVolume(volume(np.full((2, 2, 2), np.nan))))).all()
    assert (travelled(ServedVolume(volume(np.full((2, 2, 2), 0.5)))) == 0.5).all()


def test_a_volume_travels_in_slabs_of_whole_slices():
    array = np.arange(512 * 512 * 9, dtype=np.float32).reshape(512, 512, 9) % 1000
    served = ServedVolume(volume(array))
    assert served.slab_slices == SLAB_BYTES // (512 * 512 * 2)
    assert (travelled(served) == array).all()
    assert served.body(-1) is None
    assert served.body(3) is None


def test_a_slab_is_compressed_once():
    served = ServedVolume(volume(np.zeros((4, 4, 4))))
    assert served.body(0) is served.body(0)


def test_equal_arrays_give_equal_bytes():
    array = np.arange(60.0).reshape(3, 4, 5)
    assert ServedVolume(volume(array)).body(0) == ServedVolume(volume(array)).body(0)


def test_a_volume_is_served_once_for_as_long_as_it_is_held():
    image = volume(np.zeros((2, 2, 2)))
    served = served_volume(image)
    assert served_volume(image) is served
    name = served.id
    del served
    gc.collect()
    assert served_volume(image).id != name


def test_names_of_volumes_say_nothing_of_them():
    array = np.zeros((2, 2, 2))
    assert ServedVolume(volume(array)).id != ServedVolume(volume(array)).id


def test_bright_is_the_99th_percentile_and_never_0():
    assert ServedVolume(volume(np.arange(1000.0).reshape(10, 10, 10))).bright == pytest.approx(
        989, abs=1
    )
    assert ServedVolume(volume(np.zeros((2, 2, 2)))).bright > 0
    assert ServedVolume(volume(np.full((2, 2, 2), np.nan))).bright > 0


@settings(max_examples=80, deadline=None)
@given(hnp.arrays(np.bool_, SHAPES))
def test_a_mask_comes_back_bit_for_bit(array):
    mask = Mask(array, axial(array.shape, (1, 1, 1)))
    again = inflated(zlib.compress(packed(mask)), mask.geometry)
    assert (again.array == array).all()
    assert again.geometry is mask.geometry


def test_bits_count_with_i_fastest_and_the_first_voxel_lowest():
    array = np.zeros((3, 2, 2), bool)
    array[0, 0, 0] = array[1, 0, 0] = array[2, 1, 1] = True
    assert packed(Mask(array, axial((3, 2, 2), (1, 1, 1)))) == bytes([0b11, 0b1000])


GRID = axial((3, 2, 2), (1, 1, 1))


@pytest.mark.parametrize(
    ("deflated", "code"),
    [
        (zlib.compress(bytes(1)), "mask_message_size"),
        (zlib.compress(bytes(3)), "mask_message_size"),
        (zlib.compress(bytes(10**8)), "mask_message_size"),  # a bomb unfolds no further than needed
        (zlib.compress(bytes([0, 0b10000])), "mask_message_damaged"),  # past the last voxel
        (zlib.compress(bytes(2))[:-2], "mask_message_damaged"),
        (zlib.compress(bytes(2)) + b"x", "mask_message_damaged"),
        (b"no stream", "mask_message_damaged"),
        (b"", "mask_message_size"),
    ],
)
def test_a_forged_mask_is_refused(deflated, code):
    with pytest.raises(MaskError) as refused:
        inflated(deflated, GRID)
    assert refused.value.code == code


def test_a_large_edit_is_collected_once_with_its_receipt():
    mask = Mask(np.zeros((3, 2, 2), bool), GRID)
    served = served_mask(mask)
    assert served_mask(mask) is served
    receipt = served.receive(zlib.compress(bytes([1, 0])))
    assert served.collect("another") is None
    assert served.collect(receipt).voxels == 1
    assert served.collect(receipt) is None


def test_the_middle_of_a_mask_is_where_to_look_first():
    array = np.zeros((3, 2, 2), bool)
    assert ServedMask(Mask(array, GRID)).middle is None
    array[0, 1, 1] = array[2, 1, 1] = True
    assert ServedMask(Mask(array, GRID)).middle == (1.0, 1.0, 1.0)
