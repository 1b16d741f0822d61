"""ZIP archives: read in memory, within bounds, and only when nothing about them is odd."""

import struct
import zipfile

import numpy as np
import pytest
from dicom_files import series

from imaging.loaders import archive, check_pixels, find_series
from imaging.protocol import load_protocol

PROTOCOL = load_protocol()


@pytest.fixture
def packed(tmp_path):
    """Return a function that packs a series, with further members, into export.zip."""

    def pack(members=(), slices=4, method=zipfile.ZIP_DEFLATED):
        paths = series(tmp_path / "plain", slices=slices)
        path = tmp_path / "export.zip"
        with zipfile.ZipFile(path, "w", method) as file:
            for one in paths:
                file.write(one, f"DICOM/{one.name}")
            for name, content in members:
                file.writestr(name, content)
        return path

    return pack


def found(path):
    return find_series([path], PROTOCOL)


def refusal(path):
    inventory = found(path)
    assert inventory.series == ()
    (line,) = inventory.refusals
    assert line.files == (str(path),)
    return line


def test_a_series_in_an_archive_equals_the_unpacked_one(tmp_path, packed):
    path = packed()
    inside, outside = found(path).series[0], found(tmp_path / "plain").series[0]
    assert inside.geometry.same_grid(outside.geometry)
    assert np.array_equal(inside.load().array, outside.load().array)
    assert inside.files[0] == f"{path}!DICOM/IM0001"


def test_an_archive_in_a_walked_folder_is_opened_whatever_its_name(tmp_path, packed):
    packed().rename(tmp_path / "plain" / "archive")
    codes = [r.code for r in found(tmp_path / "plain").refusals]
    assert codes == ["image_repeated"]


def test_nothing_is_written_to_disk(tmp_path, packed):
    path = packed()
    before = sorted(tmp_path.rglob("*"))
    check_pixels(found(path))
    assert sorted(tmp_path.rglob("*")) == before


def test_other_members_are_refused_one_by_one(packed):
    inventory = found(packed([("README.txt", "text")]))
    assert len(inventory.series) == 1
    assert [r.code for r in inventory.refusals] == ["not_an_image"]
    assert inventory.refusals[0].files[0].endswith("export.zip!README.txt")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:\\evil"])
def test_a_name_that_leads_out_of_the_archive_refuses_it(packed, name):
    assert refusal(packed([(name, "x")])).code == "zip_name"


def test_a_name_that_occurs_twice_refuses_it(packed):
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = packed([("twice", "x"), ("twice", "y")])
    assert refusal(path).code == "zip_name"


def test_a_bomb_is_refused_by_its_ratio(packed):
    line = refusal(packed([("bomb", bytes(8 * 2**20))]))
    assert line.code == "zip_ratio"
    assert "bomb" in line.message


def test_a_well_packed_image_of_zeros_is_no_bomb(packed):
    assert len(found(packed([("zeros", bytes(2**20))])).series) == 1


def test_an_archive_with_too_many_entries_is_refused(packed, monkeypatch):
    monkeypatch.setattr(archive, "ENTRIES_MAX", 3)
    assert refusal(packed()).code == "zip_entries"


@pytest.mark.parametrize("limit", ["TOTAL_BYTES_MAX", "MEMBER_BYTES_MAX"])
def test_an_archive_that_unpacks_to_too_much_is_refused(packed, monkeypatch, limit):
    monkeypatch.setattr(archive, limit, 700)
    assert refusal(packed()).code == "zip_size"


def test_an_archive_inside_an_archive_is_not_opened(packed):
    inner = packed().read_bytes()
    inventory = found(packed([("inner.zip", inner)]))
    assert len(inventory.series) == 1
    assert [r.code for r in inventory.refusals] == ["zip_nested"]


def test_an_empty_archive_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w"):
        pass
    assert refusal(tmp_path / "a.zip").code == "zip_empty"


def test_a_damaged_archive_is_refused(packed):
    path = packed()
    path.write_bytes(path.read_bytes()[:200])
    assert refusal(path).code == "file_unreadable"


def test_a_damaged_member_is_refused_and_the_others_are_read(packed):
    path = packed([("notes", "x" * 100)], method=zipfile.ZIP_STORED)
    content = path.read_bytes()
    path.write_bytes(content.replace(b"x" * 100, b"y" * 100))
    inventory = found(path)
    assert len(inventory.series) == 1
    assert [r.code for r in inventory.refusals] == ["file_unreadable"]


def test_an_encrypted_archive_is_refused(packed):
    path = packed()
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    flags = struct.unpack_from("<H", content, directory + 8)[0]
    struct.pack_into("<H", content, directory + 8, flags | 1)
    path.write_bytes(content)
    assert refusal(path).code == "zip_encrypted"


def test_an_archive_of_another_kind_is_refused(tmp_path):
    (tmp_path / "a.tar.xz").write_bytes(b"\xfd7zXZ\x00 packed")
    assert refusal(tmp_path / "a.tar.xz").code == "archive_unknown"
