"""Stored values to intensities: transfer syntaxes, bits, rescale, truncation."""

import io
import os
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pydicom
import pytest
from dicom_files import COLUMNS, ROWS, another, image, save, series
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    RLELossless,
)

from imaging.errors import FileError, SeriesError
from imaging.loaders import check_pixels, find_series
from imaging.loaders.remarks import remarks
from imaging.protocol import load_protocol
from imaging.series import Role

PROTOCOL = load_protocol()


def found(folder):
    return find_series([folder], PROTOCOL)


def expected():
    """(8, 6, 4): value 100k + i, as `dicom_files.image` writes."""
    i, _, k = np.indices((COLUMNS, ROWS, 4))
    return (100 * k + i).astype(np.float32)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
def test_uncompressed_syntaxes_give_the_same_voxels(tmp_path, syntax):
    series(tmp_path, TransferSyntaxUID=syntax)
    assert np.array_equal(found(tmp_path).series[0].load().array, expected())


def test_big_endian_gives_the_same_voxels(tmp_path):
    for k in range(4):
        ds = image(k, TransferSyntaxUID=ExplicitVRBigEndian)
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
        ds["PixelData"].VR = "OW"
        pydicom.dcmwrite(
            tmp_path / f"{k}", ds, implicit_vr=False, little_endian=False, force_encoding=True
        )
    assert np.array_equal(found(tmp_path).series[0].load().array, expected())


LARGE = np.random.default_rng(5).integers(0, 4000, (64, 48), dtype=np.uint16)
"""The JPEG 2000 encoder needs more pixels than the smallest images have."""


def compressed(folder, syntax):
    for k in range(4):
        ds = image(k, Rows=64, Columns=48, PixelData=(LARGE + np.uint16(k)).tobytes())
        ds.compress(syntax, generate_instance_uid=False)
        save(ds, folder / f"{k}")


@pytest.mark.parametrize("syntax", [RLELossless, JPEG2000Lossless])
def test_compressed_syntaxes_give_the_same_voxels(tmp_path, syntax):
    compressed(tmp_path, syntax)
    array = found(tmp_path).series[0].load().array
    assert all(np.array_equal(array[:, :, k], LARGE.T + np.float32(k)) for k in range(4))


def jpeg(k):
    """A ramp as JPEG baseline; that of slice 1 has a restart marker in its midst."""
    ramp = np.add.outer(np.arange(64), np.arange(64)).astype(np.uint8)
    with io.BytesIO() as buffer:
        Image.fromarray(ramp).save(buffer, "JPEG", quality=90)
        content = buffer.getvalue()
    half = len(content) // 2
    return encapsulate([content[:half] + b"\xff\xd0" * (k == 1) + content[half:]])


def test_what_a_decoder_says_of_damaged_pixels_names_the_file(tmp_path, capfd, caplog):
    eight = {"BitsAllocated": 8, "BitsStored": 8, "HighBit": 7, "Rows": 64, "Columns": 64}
    series(tmp_path, TransferSyntaxUID=JPEGBaseline8Bit, PixelData=jpeg, **eight)
    found(tmp_path).series[0].load()
    assert capfd.readouterr().err == ""
    ours = (r for r in caplog.records if r.name == "imaging.loaders.pixels")
    (message,) = [record.getMessage() for record in ours]
    assert message.startswith(f"{tmp_path}/IM0002: a decoder says 'Corrupt JPEG data")


@pytest.mark.parametrize("in_memory", [True, False])
def test_what_others_say_while_an_image_is_decoded_is_passed_on(capfd, monkeypatch, in_memory):
    if not in_memory:
        monkeypatch.delattr(os, "memfd_create")
    with remarks() as said:
        os.write(2, b"Corrupt JPEG data: bad Huffman code\nanother library\nno end of line")
    assert said == {"Corrupt JPEG data: bad Huffman code"}
    assert capfd.readouterr().err == "another library\nno end of line"


def test_two_threads_hear_each_their_own_decoder(capfd):
    def decode(number):
        with remarks() as said:
            os.write(2, f"Corrupt JPEG data: {number} extraneous bytes\n".encode())
        return said

    with ThreadPoolExecutor(4) as threads:
        heard = list(threads.map(decode, range(100)))
    assert heard == [{f"Corrupt JPEG data: {n} extraneous bytes"} for n in range(100)]
    assert capfd.readouterr().err == ""


def test_where_there_is_no_standard_error_no_file_is_taken_for_it(capfd, monkeypatch):
    monkeypatch.setattr(sys, "__stderr__", None)
    with remarks() as said:
        os.write(2, b"Premature end of JPEG file\n")
    assert said == set()
    assert capfd.readouterr().err == "Premature end of JPEG file\n"


def test_files_without_preamble_are_read(tmp_path):
    for path in series(tmp_path):
        content = path.read_bytes()
        # Meta information begins at 132; its group length says where the data set begins.
        start = 144 + int.from_bytes(content[140:144], "little")
        path.write_bytes(content[start:])
    assert np.array_equal(found(tmp_path).series[0].load().array, expected())


def test_each_image_is_rescaled_by_its_own_slope_and_intercept(tmp_path):
    series(tmp_path, RescaleSlope=lambda k: k + 1, RescaleIntercept=lambda k: -10 * k)
    array = found(tmp_path).series[0].load().array
    assert (array[5, 0, 0], array[5, 0, 2]) == (5, 205 * 3 - 20)


def test_signed_values_of_twelve_stored_bits_keep_their_sign(tmp_path):
    # -3 in 12 bits is 0xFFD; the four bits above may hold anything, here zero.
    stored = np.full((ROWS, COLUMNS), 0x0FFD, dtype=np.uint16).tobytes()
    series(tmp_path, BitsStored=12, HighBit=11, PixelRepresentation=1, PixelData=stored)
    assert set(found(tmp_path).series[0].load().array.ravel()) == {-3.0}


def test_graphics_above_the_stored_bits_are_dropped(tmp_path):
    stored = np.full((ROWS, COLUMNS), 0x8000 | 7, dtype=np.uint16).tobytes()
    series(tmp_path, BitsStored=12, HighBit=11, PixelData=stored)
    assert set(found(tmp_path).series[0].load().array.ravel()) == {7.0}


def test_loaded_voxels_cannot_be_changed(tmp_path):
    series(tmp_path)
    with pytest.raises(ValueError, match="read-only"):
        found(tmp_path).series[0].load().array[0, 0, 0] = 1


def test_a_series_travels_to_another_process(tmp_path):
    series(tmp_path)
    copy = pickle.loads(pickle.dumps(found(tmp_path).series[0]))
    assert copy.role is Role.T2W_FS
    assert np.array_equal(copy.load().array, expected())


def test_a_truncated_file_is_refused_at_once_with_both_sizes(tmp_path):
    path = series(tmp_path)[1]
    path.write_bytes(path.read_bytes()[:-20])
    refusals = {r.code: r for r in found(tmp_path).refusals}
    assert "76 of 96" in refusals["pixels_truncated"].message
    assert "IM0002" in refusals["pixels_truncated"].message


def test_more_pixels_than_the_header_says_are_refused(tmp_path):
    series(tmp_path, PixelData=bytes(ROWS * COLUMNS * 4))
    assert [r.code for r in found(tmp_path).refusals] == ["pixels_surplus"]


def test_a_file_cut_after_it_was_found_is_refused_when_loaded(tmp_path):
    path = series(tmp_path)[1]
    one = found(tmp_path).series[0]
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(FileError, match="truncated"):
        one.load()


def test_a_compressed_file_cut_short_is_refused_without_decoding(tmp_path):
    for k in range(4):
        ds = image(k)
        ds.compress(RLELossless, generate_instance_uid=False)
        save(ds, tmp_path / f"{k}")
    path = tmp_path / "2"
    path.write_bytes(path.read_bytes()[:-30])
    assert "pixels_cut" in {r.code for r in found(tmp_path).refusals}


def damaged_codestream(folder):
    compressed(folder, JPEG2000Lossless)
    content = bytearray((folder / "2").read_bytes())
    start = content.index(b"\xff\x4f\xff\x51")
    content[start + 4 : start + 60] = bytes(56)
    (folder / "2").write_bytes(content)


def test_pixels_that_cannot_be_decoded_are_refused_when_loaded(tmp_path):
    damaged_codestream(tmp_path)
    with pytest.raises(FileError, match="cannot be decoded"):
        found(tmp_path).series[0].load()


def test_checking_pixels_moves_what_cannot_be_decoded_to_the_refusals(tmp_path):
    damaged_codestream(tmp_path / "bad")
    series(tmp_path / "good", **another(2))
    checked = check_pixels(found(tmp_path))
    assert len(checked.series) == 1
    (refusal,) = checked.refusals
    assert refusal.code == "pixels_undecodable"
    assert len(refusal.files) == 4


def test_the_size_inside_a_codestream_must_be_that_of_the_header(tmp_path):
    for k in range(4):
        ds = image(k)
        ds.compress(RLELossless, generate_instance_uid=False)
        ds.Rows, ds.Columns = COLUMNS, ROWS + 2
        save(ds, tmp_path / f"{k}")
    with pytest.raises(FileError, match="cannot be decoded"):
        found(tmp_path).series[0].load()


def test_values_that_overflow_when_rescaled_are_refused(tmp_path):
    series(tmp_path, RescaleSlope="1e38")
    with pytest.raises(SeriesError, match="not finite"):
        found(tmp_path).series[0].load()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Rows": None}, "pixel_layout"),
        ({"BitsAllocated": 64}, "pixel_layout"),
        ({"HighBit": 7}, "pixel_layout"),
        ({"SamplesPerPixel": 3, "PhotometricInterpretation": "RGB"}, "colour_pixels"),
        ({"PixelData": None}, "no_pixels"),
        ({"Rows": 65535, "Columns": 65535}, "too_large"),
        ({"NumberOfFrames": 2}, "pixels_truncated"),
        ({"NumberOfFrames": 2, "Rows": ROWS // 2}, "frames_without_place"),
        ({"NumberOfFrames": 0}, "too_large"),
    ],
)
def test_a_pixel_description_that_makes_no_image_is_refused(tmp_path, changes, code):
    series(tmp_path, **changes)
    inventory = found(tmp_path)
    assert inventory.series == ()
    assert [r.code for r in inventory.refusals] == [code]
