"""PlainHeader: what it reads is what pydicom reads; what it cannot be sure of it leaves alone."""

import io
from pathlib import Path

import pydicom
import pytest
from dicom_files import image
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from imaging.loaders.plain_header import START_BYTES, plain_header
from imaging.loaders.quiet import quiet
from imaging.loaders.tags import TAGS

SAMPLE = Path(__file__).parents[1] / "sample_dicom" / "subjects"


def written(**changes: object) -> bytes:
    ds, stream = image(3, **changes), io.BytesIO()
    syntax = ds.file_meta.TransferSyntaxUID
    plain = {"implicit_vr": syntax.is_implicit_VR, "little_endian": syntax.is_little_endian}
    pydicom.dcmwrite(stream, ds, **plain, enforce_file_format=True)
    return stream.getvalue()


def elements(ds: Dataset) -> list[tuple[object, ...]]:
    """Every element as it was stored; pydicom has already understood the character set."""
    raw = ((ds.get_item(tag), tag) for tag in ds.keys())  # noqa: SIM118
    return [(e.tag, e.VR, str(ds[tag].value) if tag == 0x00080005 else e.value) for e, tag in raw]


def by_pydicom(data: bytes) -> tuple[Dataset, int]:
    stream = io.BytesIO(data)
    with quiet():
        ds = pydicom.dcmread(stream, stop_before_pixels=True, force=True, specific_tags=TAGS)
    return ds, stream.tell()


def agrees_with_pydicom(data: bytes) -> bool:
    """Whether the file was plain; if it was, everything must be what pydicom finds."""
    found = plain_header(data[:START_BYTES])
    if found is None:
        return False
    ds, syntax, place = found
    expected, expected_place = by_pydicom(data)
    assert elements(ds) == elements(expected)
    assert (syntax, place) == (expected.file_meta.TransferSyntaxUID, expected_place)
    assert ds.original_encoding == expected.original_encoding
    assert ds.original_character_set == expected.original_character_set
    return True


@pytest.mark.parametrize("subject", ["S01", "S03", "C08"])
def test_a_vendors_headers_are_read_as_pydicom_reads_them(subject: str) -> None:
    files = [path for path in sorted((SAMPLE / subject).rglob("*")) if path.is_file()][::40]
    assert [agrees_with_pydicom(path.read_bytes()) for path in files] == [True] * len(files)


@pytest.mark.parametrize(
    "changes",
    [
        {"SeriesDescription": ""},
        {"SpecificCharacterSet": "ISO_IR 192", "PatientName": "王^小明"},
        {"SpecificCharacterSet": ["", "ISO 2022 IR 87"]},
        {"SpecificCharacterSet": ""},
        {"ImageComments": "not asked for"},
    ],
)
def test_empty_values_and_character_sets_are_kept(changes: dict[str, object]) -> None:
    assert agrees_with_pydicom(written(**changes))


def test_what_is_not_plain_is_left_to_pydicom() -> None:
    plain = written()
    sequence = Dataset()
    sequence.CodeMeaning = "agent"
    for data in (
        written(TransferSyntaxUID=ImplicitVRLittleEndian),
        written(TransferSyntaxUID=ExplicitVRBigEndian),
        written(ContrastBolusAgentSequence=[sequence]),
        written(PixelData=None),
        plain[:600],
        plain[132:],
        b"",
    ):
        assert plain_header(data) is None
    assert plain_header(plain) is not None
    assert plain.count(ExplicitVRLittleEndian.encode()) == 1
    unknown = plain.replace(ExplicitVRLittleEndian.encode(), b"1.2.3.4.5.6.7.8.9.0")
    assert plain_header(unknown) is None


def test_tags_that_fall_are_left_to_pydicom() -> None:
    """Rows and columns exchanged: each is 2 of tag group, 2 of element, 2 of VR, 2 + 2 more."""
    plain = written()
    at = plain.index(b"\x28\x00\x10\x00US")
    fallen = plain[:at] + plain[at + 10 : at + 20] + plain[at : at + 10] + plain[at + 20 :]
    assert plain_header(fallen) is None


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_damaged_header_is_read_as_pydicom_reads_it_or_left_alone(data: st.DataObject) -> None:
    damaged = bytearray(written())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(128, len(damaged) - 1))
        damaged[place] = data.draw(st.integers(0, 255))
    agrees_with_pydicom(bytes(damaged))
