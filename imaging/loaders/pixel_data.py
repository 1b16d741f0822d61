"""PixelData: how a file's stored values are laid out, and whether all of them are there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from pydicom import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from imaging.errors import FileError
from imaging.loaders.attributes import integer, word
from imaging.loaders.dicom_file import Header
from imaging.loaders.files import InputFile

VOXELS_MAX = 2**29
"""512 x 512 x 2048: larger than any MR series, small enough for float32 in 2 GiB."""
NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)


@dataclass(frozen=True, slots=True)
class Layout:
    """Size and number format of the stored values."""

    rows: int
    columns: int
    frames: int
    bits_allocated: int
    bits_stored: int
    signed: bool

    @property
    def frame_bytes(self) -> int:
        """Bytes of one uncompressed frame."""
        return self.rows * self.columns * self.bits_allocated // 8


@dataclass(frozen=True, slots=True)
class PixelData:
    """Where the stored values of one file are and how they are laid out."""

    file: InputFile
    transfer_syntax: str
    offset: int
    layout: Layout

    @property
    def native(self) -> bool:
        """Whether the values are stored as they are, not compressed."""
        return self.transfer_syntax in NATIVE


def layout_of(ds: Dataset, file: InputFile) -> Layout:
    """Read the image pixel module.

    Raises
    ------
    FileError
        Colour pixels, missing or absurd sizes.
    """
    rows, columns = integer(ds, "Rows"), integer(ds, "Columns")
    bits, stored = integer(ds, "BitsAllocated"), integer(ds, "BitsStored")
    samples = integer(ds, "SamplesPerPixel") or 1
    if samples != 1 or (word(ds, "PhotometricInterpretation") or "").startswith("PALETTE"):
        raise FileError("colour_pixels", file=file.name, samples=samples)
    sized = rows and columns and rows > 0 and columns > 0
    if not sized or bits not in (8, 16, 32) or not stored or not 1 <= stored <= bits:
        raise FileError("pixel_layout", file=file.name, rows=rows, columns=columns, bits=bits)
    if integer(ds, "HighBit") not in (None, stored - 1):
        raise FileError("pixel_layout", file=file.name, rows=rows, columns=columns, bits=stored)
    frames = integer(ds, "NumberOfFrames")
    frames = 1 if frames is None else frames
    size = (rows or 0) * (columns or 0) * frames
    if frames < 1 or size > VOXELS_MAX:
        raise FileError("too_large", file=file.name, size=size, limit=VOXELS_MAX)
    signed = integer(ds, "PixelRepresentation") == 1
    return Layout(rows or 0, columns or 0, frames, bits or 0, stored, signed)


def locate_pixels(header: Header, layout: Layout) -> PixelData:
    """Say where the pixel data is, and check that the file holds all of it.

    Raises
    ------
    FileError
        No pixel data; fewer or more bytes than the header promises.
    """
    if header.pixel_offset is None:
        raise FileError("no_pixels", file=header.file.name)
    data = PixelData(header.file, header.transfer_syntax, header.pixel_offset, layout)
    if data.native:
        _check_native(data, header)
    else:
        with header.file.open() as stream:
            _check_encapsulated(data, stream, header.size)
    return data


def _check_native(data: PixelData, header: Header) -> None:
    expected = data.layout.frame_bytes * data.layout.frames
    found = min(header.size - data.offset, header.pixel_length)
    if found < expected:
        raise FileError("pixels_truncated", file=data.file.name, expected=expected, found=found)
    surplus = header.pixel_length - expected
    if surplus > 1:  # one byte may pad to an even length
        found = header.pixel_length
        raise FileError("pixels_surplus", file=data.file.name, expected=expected, found=found)


def _check_encapsulated(data: PixelData, stream: BinaryIO, size: int) -> None:
    """Follow the items to the delimiter: a file cut short ends before it."""
    position, items = data.offset, 0
    while True:
        stream.seek(position)
        head = stream.read(8)
        length = int.from_bytes(head[4:8], "little")
        if head[:4] != b"\xfe\xff\x00\xe0" or position + 8 + length > size:
            break
        position += 8 + length
        items += 1
    found, expected = max(items - 1, 0), data.layout.frames  # the first item: the offset table
    if head[:4] != b"\xfe\xff\xdd\xe0" or found < expected:
        raise FileError("pixels_cut", file=data.file.name, expected=expected, found=found)
