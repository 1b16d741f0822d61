"""Which files are read, which are refused, and that none is forgotten."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from dicom_files import MR, ROOT, another, image, save, series, write_dicomdir
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
)

from imaging.loaders import find_series
from imaging.loaders.files import walk
from imaging.protocol import load_protocol

PROTOCOL = load_protocol()


def found(*paths):
    return find_series(paths, PROTOCOL)


def accounted(inventory):
    """Return every file of every series and refusal, each series counted once a file."""
    in_series = {name for one in inventory.series for name in one.files}
    refused = [name for refusal in inventory.refusals for name in refusal.files]
    assert len(refused) == len(set(refused))
    assert not in_series & set(refused)
    return sorted([*in_series, *refused])


def refused(path, code):
    inventory = found(path)
    assert inventory.series == ()
    assert [r.code for r in inventory.refusals] == [code]
    return inventory.refusals[0]


def test_a_text_file_called_im0001_is_refused_in_one_line(tmp_path):
    path = tmp_path / "IM0001"
    path.write_text("patient notes " * 50)
    assert refused(tmp_path, "not_an_image").files == (str(path),)


def test_a_file_of_zeros_is_refused(tmp_path):
    (tmp_path / "x").write_bytes(bytes(500))
    refused(tmp_path, "not_an_image")


def test_bytes_that_look_like_dicom_and_are_none_are_refused(tmp_path):
    (tmp_path / "x").write_bytes(b"\x08\x00\x05\x00" + bytes(400))
    refused(tmp_path, "not_an_image")


def test_a_dicom_signature_without_a_header_is_a_damaged_header(tmp_path):
    (tmp_path / "x").write_bytes(bytes(128) + b"DICM" + bytes(60))
    refused(tmp_path, "header_damaged")


def test_an_empty_file_and_an_empty_folder_are_refused(tmp_path):
    (tmp_path / "a").mkdir()
    assert refused(tmp_path / "a", "folder_empty").files == ()
    (tmp_path / "a" / "IM1").touch()
    refused(tmp_path / "a", "file_empty")


def test_a_path_that_does_not_exist_is_refused(tmp_path):
    assert str(tmp_path / "nowhere") in refused(tmp_path / "nowhere", "input_missing").message


def test_a_broken_link_is_not_opened(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    refused(tmp_path, "not_regular")


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs Linux's /proc")
def test_a_file_that_the_system_will_not_read_is_refused():
    refused(Path("/proc/self/mem"), "file_unreadable")


def test_a_wrong_value_for_a_date_or_a_number_is_no_value(tmp_path):
    for path in series(tmp_path):
        content = path.read_bytes()
        path.write_bytes(content.replace(b"20260105", b"2026AB05").replace(b"80.0", b"8x.0"))
    (one,) = found(tmp_path).series
    assert one.info.identity.study_date is None
    assert one.info.echo_time_ms is None


def test_a_folder_that_links_to_itself_is_walked_once(tmp_path):
    series(tmp_path)
    (tmp_path / "loop").symlink_to(tmp_path)
    assert len(accounted(found(tmp_path))) == 4


def test_a_file_given_twice_is_used_once(tmp_path):
    paths = series(tmp_path)
    inventory = found(tmp_path, *paths)
    assert len(inventory.series) == 1
    assert inventory.refusals == ()


@pytest.mark.parametrize(
    ("modality", "sop_class"),
    [
        ("CT", "1.2.840.10008.5.1.4.1.1.2"),
        ("US", "1.2.840.10008.5.1.4.1.1.6.1"),
        ("SEG", "1.2.840.10008.5.1.4.1.1.66.4"),
        ("SR", "1.2.840.10008.5.1.4.1.1.88.22"),
        ("MR", "1.2.840.10008.5.1.4.1.1.7"),
    ],
)
def test_a_series_of_another_kind_is_refused_in_one_line(tmp_path, modality, sop_class):
    series(tmp_path, Modality=modality, SOPClassUID=sop_class)
    refusal = refused(tmp_path, "not_mr")
    assert len(refusal.files) == 4
    assert modality in refusal.message
    assert refusal.series == f"{ROOT}3"


def test_an_absurdly_deflated_file_is_refused_before_it_fills_memory(tmp_path):
    whole = save(image(0, TransferSyntaxUID=DeflatedExplicitVRLittleEndian), tmp_path / "x")
    content = whole.read_bytes()
    start = 144 + struct.unpack("<I", content[140:144])[0]
    bomb = zlib.compressobj(wbits=-15)
    whole.write_bytes(content[:start] + bomb.compress(bytes(2**26)) + bomb.flush())
    refused(whole, "too_large")


def test_damaged_deflated_content_is_refused(tmp_path):
    path = save(image(0, TransferSyntaxUID=DeflatedExplicitVRLittleEndian), tmp_path / "x")
    content = path.read_bytes()
    start = 144 + struct.unpack("<I", content[140:144])[0]
    path.write_bytes(content[:start] + b"\xff" * 200)
    refused(path, "header_damaged")


def test_no_direct_identifier_reaches_series_or_messages(tmp_path):
    series(tmp_path / "a")
    series(tmp_path / "b", slices=2, **another(2))
    inventory = found(tmp_path)
    shown = repr([s.info for s in inventory.series]) + repr(inventory.refusals)
    for secret in ("MRN-0042", "Doe", "Jane", "19700101"):
        assert secret not in shown


def test_a_patient_named_in_the_description_is_left_out_of_it(tmp_path):
    series(tmp_path, SeriesDescription="DOE_Jane t2_tse_fs_tra MRN-0042")
    described = found(tmp_path).series[0].info.description.lower()
    assert "t2_tse_fs_tra" in described
    assert all(word not in described for word in ("doe", "jane", "0042"))


def test_control_characters_of_a_header_do_not_reach_the_terminal(tmp_path):
    series(tmp_path, SeriesDescription="t2\x1b[31m fs")
    assert "\x1b" not in found(tmp_path).series[0].info.description


def test_a_dicomdir_reads_the_files_it_names_and_reports_missing_ones(tmp_path):
    paths = series(tmp_path / "IMAGES")
    series(tmp_path / "OTHER", **another(2))
    index = tmp_path / "DICOMDIR"
    write_dicomdir(index, [("IMAGES", p.name) for p in paths])
    inventory = found(index)
    assert [len(s.files) for s in inventory.series] == [4]
    assert [r.code for r in inventory.refusals] == ["dicomdir_index"]
    paths[-1].unlink()
    codes = sorted(r.code for r in found(index).refusals)
    assert codes == ["dicomdir_index", "dicomdir_names_missing"]


def test_a_dicomdir_cannot_lead_out_of_its_folder(tmp_path):
    series(tmp_path / "SECRET", slices=1)
    (tmp_path / "medium").mkdir()
    index = tmp_path / "medium" / "DICOMDIR"
    write_dicomdir(index, [("AA", "SECRET", "IM0001")])
    index.write_bytes(index.read_bytes().replace(b"AA\\SECRET", b"..\\SECRET"))
    inventory = found(index)
    assert accounted(inventory) == [str(index)]


def test_a_broken_dicomdir_is_refused_and_its_folder_still_walked(tmp_path):
    series(tmp_path)
    (tmp_path / "DICOMDIR").write_bytes(b"no index")
    inventory = found(tmp_path)
    assert len(inventory.series) == 1
    assert [r.code for r in inventory.refusals] == ["not_an_image"]


KINDS = ("slice", "other series", "text", "empty", "truncated", "ct", "copy", "json", "nifti")


def write_kind(folder, kind, number):
    path = folder / f"{number:03d}"
    if kind in {"slice", "copy"}:
        k = number if kind == "slice" else 0
        save(image(k), path)
    elif kind == "other series":
        changes = another(2)
        changes["SOPInstanceUID"] = changes["SOPInstanceUID"](number)
        save(image(number, **changes), path)
    elif kind == "truncated":
        path.write_bytes(save(image(number), path).read_bytes()[:-7])
    elif kind == "ct":
        save(image(number, Modality="CT", SOPClassUID=MR[:-1] + "2"), path)
    else:
        suffix = {"json": ".json", "nifti": ".nii.gz"}.get(kind, "")
        (folder / f"{path.name}{suffix}").write_bytes({"text": b"hello"}.get(kind, b""))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=12))
def test_every_file_is_in_exactly_one_series_or_refusal(tmp_path_factory, kinds):
    folder = tmp_path_factory.mktemp("mixed")
    for number, kind in enumerate(kinds):
        write_kind(folder, kind, number)
    inventory = found(folder)
    assert accounted(inventory) == [file.name for file in walk([folder]).files]


def test_the_order_of_the_paths_given_changes_nothing(tmp_path):
    paths = series(tmp_path)
    paths += series(tmp_path, start=20, **another(2))
    shuffled = [paths[k] for k in np.random.default_rng(1).permutation(len(paths))]
    first, second = found(*paths), found(*shuffled)
    assert [s.files for s in first.series] == [s.files for s in second.series]
