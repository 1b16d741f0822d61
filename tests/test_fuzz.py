"""Damaged files are read or refused; `make fuzz` asks many more of them.

What fuzzing found once stands here as the mutation that found it.
"""

import struct
import time
import zipfile

import fuzzing
import numpy as np
import pytest
from dicom_files import write_dicomdir
from fuzzing import fault_of, originals
from mutations import CHEAP, COSTLY, mutated
from pydicom import DataElement, Dataset
from pydicom.dataelem import RawDataElement
from pydicom.tag import Tag

from imaging.loaders import find_series
from imaging.loaders.attributes import words
from imaging.protocol import load_protocol

FILES = 400


@pytest.fixture(scope="module")
def sound(tmp_path_factory, real_data):
    kinds = {}
    for original in originals(tmp_path_factory.mktemp("sound"), real_data):
        kinds.setdefault(original.name, []).append(original.content)
    return kinds


def content(sound, name):
    return sound[name][0]


def test_the_sound_files_are_read(sound, tmp_path):
    for name in ("slice.dcm", "rle.dcm", "series.zip", "t2w_fs.nii", "t2w_fs.nii.gz", "trial.toml"):
        assert fault_of(name, content(sound, name), tmp_path) is None


def test_damaged_files_are_read_or_refused(sound, tmp_path):
    rng = np.random.default_rng(20261125)
    names = sorted(sound)
    for number in range(FILES):
        name = names[number % len(names)]
        of_kind = sound[name]
        damaged = mutated(of_kind[number % len(of_kind)], rng)
        assert fault_of(name, damaged, tmp_path) is None, number


@pytest.mark.parametrize("mutation", [*CHEAP, *COSTLY], ids=lambda m: m.__name__)
def test_every_mutation_changes_a_slice_and_none_does_harm(sound, tmp_path, mutation):
    rng = np.random.default_rng(7)
    damaged = mutation(content(sound, "slice.dcm"), rng)
    assert damaged != content(sound, "slice.dcm")
    assert fault_of("slice.dcm", damaged, tmp_path) is None


def for_ever():
    while True:
        pass


def waiting():
    time.sleep(600)


@pytest.mark.parametrize("endless", [for_ever, waiting])
def test_what_never_ends_is_found_whether_it_works_or_waits(monkeypatch, endless):
    monkeypatch.setattr(fuzzing, "HANG_S", 0.1)
    monkeypatch.setattr(fuzzing, "WAIT_S", 600 if endless is for_ever else 0.1)
    with pytest.raises(fuzzing.HungError), fuzzing.bounded():
        endless()


def test_a_member_without_a_name_is_refused(tmp_path):
    path = tmp_path / "series.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo(""), b"content")
    (refusal,) = find_series([path], load_protocol()).refusals
    assert refusal.code == "zip_name"


def test_a_member_whose_name_is_damaged_is_refused(sound, tmp_path):
    plain = content(sound, "series.zip")
    at = plain.index(b"IM0001")
    path = tmp_path / "series.zip"
    path.write_bytes(
        plain[: at - 24] + b"\x00\x08" + plain[at - 22 : at] + b"\xf1" + plain[at + 1 :]
    )
    refusals = find_series([path], load_protocol()).refusals
    assert "file_unreadable" in {r.code for r in refusals}


@pytest.mark.filterwarnings("ignore:The value length")
def test_a_dicomdir_may_name_what_no_file_system_takes(tmp_path):
    write_dicomdir(tmp_path / "DICOMDIR", [("A" * 256, "IM0001")])
    refusals = find_series([tmp_path / "DICOMDIR"], load_protocol()).refusals
    assert sorted(r.code for r in refusals) == ["dicomdir_index", "dicomdir_names_missing"]


def test_a_sequence_where_a_file_name_belongs_is_no_name_even_if_it_cannot_be_printed():
    item = RawDataElement(Tag(0xFFFE, 0xE000), "NONE", 0, b"", 0, False, True)
    with pytest.raises(NotImplementedError):
        str(Dataset({item.tag: item}))
    record = Dataset()
    record.add(DataElement(Tag("ReferencedFileID"), "SQ", [Dataset({item.tag: item})]))
    assert words(record, "ReferencedFileID") == ()


def test_an_element_of_an_unknown_kind_is_a_damaged_header(sound, tmp_path):
    plain = content(sound, "slice.dcm")
    at = plain.index(b"\x18\x00\x81\x00DS") + 4  # Echo Time
    path = tmp_path / "slice.dcm"
    path.write_bytes(plain[:at] + b"UW" + plain[at + 2 :])
    assert fault_of("slice.dcm", path.read_bytes(), tmp_path) is None


@pytest.mark.parametrize("offset", [float("nan"), float("inf"), 1e30, -352.0])
def test_a_nifti_whose_voxels_begin_nowhere_is_refused(sound, tmp_path, offset):
    plain = content(sound, "t2w_fs.nii")
    path = tmp_path / "t2w_fs.nii"
    path.write_bytes(plain[:108] + struct.pack("<f", offset) + plain[112:])
    (refusal,) = find_series([path], load_protocol()).refusals
    assert refusal.code in ("nifti_damaged", "pixels_truncated")


def test_a_nifti_whose_scale_is_no_number_is_refused(sound, tmp_path):
    plain = content(sound, "t2w_fs.nii")
    path = tmp_path / "t2w_fs.nii"
    path.write_bytes(plain[:112] + struct.pack("<ff", 1.0, float("nan")) + plain[120:])
    (refusal,) = find_series([path], load_protocol()).refusals
    assert refusal.code == "nifti_damaged"


def test_a_nifti_header_that_a_library_would_repair_is_refused(sound, tmp_path):
    plain = content(sound, "t2w_fs.nii")
    path = tmp_path / "t2w_fs.nii"
    path.write_bytes(plain[:252] + struct.pack("<hh", 77, 1) + plain[256:])
    (refusal,) = find_series([path], load_protocol()).refusals
    assert refusal.code == "nifti_damaged"
    assert "qform_code" in refusal.message
