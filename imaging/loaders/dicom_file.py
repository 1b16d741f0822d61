"""DicomFile: one file's header, and where its pixel bytes lie; the pixels stay unread.

The header is parsed once with only the attributes this program uses. Reading stops at the
pixel data, whose place and length are remembered and checked against the file's size, so a
truncated file is found without decoding it.
"""

from __future__ import annotations

import io
import os
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Literal

import pydicom
from pydicom import Dataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

from imaging.errors import FileError
from imaging.loaders.attributes import integer, quiet, word
from imaging.loaders.files import InputFile
from imaging.loaders.tags import TAGS

INFLATED_BYTES_MAX = 2 * 2**30
INFLATED_RATIO_MAX = 200
VOXELS_MAX = 2**29
"""512 x 512 x 2048: larger than any MR series, small enough for float32 in 2 GiB."""
PIXEL_DATA = 0x7FE00010
UNDEFINED_LENGTH = 0xFFFFFFFF
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
_LONG_LENGTH_VRS = (b"OB", b"OW", b"UN", b"OF", b"OD", b"OL", b"OV")
_GROUP_STARTS = (b"\x08\x00", b"\x02\x00", b"\x00\x08")


@dataclass(frozen=True, slots=True)
class PixelData:
    """Where the stored values of one file are and how they are laid out."""

    file: InputFile
    transfer_syntax: str
    offset: int
    length: int
    rows: int
    columns: int
    frames: int
    bits_allocated: int
    bits_stored: int
    signed: bool

    @property
    def native(self) -> bool:
        """Whether the values are stored as they are, not compressed."""
        return self.transfer_syntax in NATIVE

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame."""
        return self.rows * self.columns * self.bits_allocated // 8


def read_header(file: InputFile) -> tuple[Dataset, int, str]:
    """Return the header, the offset of the pixel data element, and the transfer syntax.

    Raises
    ------
    FileError
        Empty, not DICOM, or a header that cannot be parsed.
    """
    with content(file) as stream:
        start = stream.read(132)
        if not start:
            raise FileError("file_empty", file=file.name)
        if start[128:] != b"DICM" and start[:2] not in _GROUP_STARTS:
            raise FileError("not_an_image", file=file.name)
        stream.seek(0)
        ds = _parse(file, stream)
        offset = stream.tell()
    if "SOPClassUID" not in ds and "Modality" not in ds:
        if start[128:] == b"DICM":
            raise FileError("header_damaged", file=file.name, detail="no SOP Class UID")
        raise FileError("not_an_image", file=file.name)
    meta = getattr(ds, "file_meta", None)
    syntax = word(meta, "TransferSyntaxUID") if meta else None
    if syntax in (None, DeflatedExplicitVRLittleEndian):
        implicit, little = ds.original_encoding
        explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
        syntax = ImplicitVRLittleEndian if implicit else explicit
    return ds, offset, str(syntax)


def _parse(file: InputFile, stream: BinaryIO) -> Dataset:
    try:
        with quiet():
            return pydicom.dcmread(stream, stop_before_pixels=True, force=True, specific_tags=TAGS)
    except Exception as error:  # a header from outside can break the parser in any way
        detail = type(error).__name__
        raise FileError("header_damaged", file=file.name, detail=detail) from error


def content(file: InputFile) -> BinaryIO:
    """Open the file; a deflated one is inflated in memory, within bounds."""
    stream = file.open()
    head = stream.read(1024)
    stream.seek(0)
    if head[128:132] != b"DICM" or DeflatedExplicitVRLittleEndian.encode() not in head:
        return stream
    with stream:
        return io.BytesIO(_inflated(file, stream.read()))


def _inflated(file: InputFile, packed: bytes) -> bytes:
    meta_end = 144 + int.from_bytes(packed[140:144], "little")
    limit = min(INFLATED_BYTES_MAX, INFLATED_RATIO_MAX * len(packed))
    try:
        plain = zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed[meta_end:], limit + 1)
    except zlib.error as error:
        raise FileError("header_damaged", file=file.name, detail=str(error)) from error
    if len(plain) > limit:
        raise FileError("too_large", file=file.name, size=len(plain), limit=limit)
    return plain


def locate_pixels(file: InputFile, ds: Dataset, offset: int, syntax: str) -> PixelData:
    """Describe the pixel data and check that the file holds all of it.

    Raises
    ------
    FileError
        No pixel data, colour pixels, missing or absurd sizes, fewer or more bytes than
        the header promises.
    """
    rows, columns = integer(ds, "Rows"), integer(ds, "Columns")
    bits, stored = integer(ds, "BitsAllocated"), integer(ds, "BitsStored")
    if not rows or not columns or bits not in (8, 16, 32) or not stored:
        raise FileError("pixel_layout", file=file.name, rows=rows, columns=columns, bits=bits)
    high = integer(ds, "HighBit")
    samples = integer(ds, "SamplesPerPixel") or 1
    if samples != 1 or (word(ds, "PhotometricInterpretation") or "").startswith("PALETTE"):
        raise FileError("colour_pixels", file=file.name, samples=samples)
    if not 1 <= stored <= bits or high not in (None, stored - 1):
        raise FileError("pixel_layout", file=file.name, rows=rows, columns=columns, bits=stored)
    frames = integer(ds, "NumberOfFrames") or 1
    if frames < 1 or rows * columns * frames > VOXELS_MAX:
        size = rows * columns * frames
        raise FileError("too_large", file=file.name, size=size, limit=VOXELS_MAX)
    signed = integer(ds, "PixelRepresentation") == 1
    with content(file) as stream:
        start, length = _value_field(file, stream, offset, syntax)
        data = PixelData(file, syntax, start, length, rows, columns, frames, bits, stored, signed)
        if data.native:
            _check_native(data, stream.seek(0, os.SEEK_END) - start)
        else:
            _check_encapsulated(data, stream)
    return data


def _value_field(file: InputFile, stream: BinaryIO, offset: int, syntax: str) -> tuple[int, int]:
    stream.seek(offset)
    head = stream.read(12)
    big = syntax == ExplicitVRBigEndian
    order: Literal["big", "little"] = "big" if big else "little"
    tag = b"\x7f\xe0\x00\x10" if big else b"\xe0\x7f\x10\x00"
    if head[:4] != tag or len(head) < 12:
        raise FileError("no_pixels", file=file.name)
    if head[4:6] in _LONG_LENGTH_VRS and syntax != ImplicitVRLittleEndian:
        return offset + 12, int.from_bytes(head[8:12], order)
    return offset + 8, int.from_bytes(head[4:8], order)


def _check_native(data: PixelData, available: int) -> None:
    expected = data.frame_bytes * data.frames
    found = min(available, data.length)
    if found < expected:
        raise FileError("pixels_truncated", file=data.file.name, expected=expected, found=found)
    if data.length not in (expected, expected + 1):  # one byte may pad to an even length
        raise FileError("pixels_surplus", file=data.file.name, expected=expected, found=data.length)


def _check_encapsulated(data: PixelData, stream: BinaryIO) -> None:
    """Follow the items to the delimiter: a file cut short ends before it."""
    end = stream.seek(0, os.SEEK_END)
    position, items = data.offset, 0
    while True:
        stream.seek(position)
        head = stream.read(8)
        length = int.from_bytes(head[4:8], "little")
        item = head[:4] == b"\xfe\xff\x00\xe0" and position + 8 + length <= end
        if not item:
            break
        position += 8 + length
        items += 1
    frames = max(items - 1, 0)  # the first item is the offset table
    if head[:4] != b"\xfe\xff\xdd\xe0" or frames < data.frames:
        raise FileError("pixels_cut", file=data.file.name, expected=data.frames, found=frames)
