"""DicomFile: one file's header, and where its pixel bytes lie; the pixels stay unread.

The header is parsed once, with only the attributes this program uses; reading stops at the
pixel data.
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
from imaging.loaders.attributes import word
from imaging.loaders.files import InputFile
from imaging.loaders.plain_header import START_BYTES, plain_header
from imaging.loaders.quiet import quiet
from imaging.loaders.tags import TAGS

INFLATED_BYTES_MAX = 2 * 2**30
INFLATED_RATIO_MAX = 200
_LONG_LENGTH_VRS = (b"OB", b"OW", b"UN", b"OF", b"OD", b"OL", b"OV")
_IDENTIFYING = ("SOPClassUID", "Modality", "DirectoryRecordSequence")
_GROUP_STARTS = (b"\x08\x00", b"\x02\x00", b"\x00\x08")


@dataclass(frozen=True, slots=True, eq=False)
class Header:
    """A parsed header.

    Parameters
    ----------
    transfer_syntax
        UID; that of the inflated content for a deflated file.
    pixel_offset, pixel_length
        Where the value of Pixel Data begins, and how long it says it is; None without it.
    size
        Bytes of the (inflated) file.
    """

    file: InputFile
    attributes: Dataset
    transfer_syntax: str
    pixel_offset: int | None
    pixel_length: int
    size: int


def read_header(file: InputFile) -> Header:
    """Read one file's header.

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
        ds, syntax = _parse(file, stream)
        if not any(name in ds for name in _IDENTIFYING):
            if start[128:] == b"DICM":
                raise FileError("header_damaged", file=file.name, detail="no SOP Class UID")
            raise FileError("not_an_image", file=file.name)
        offset, length = _pixel_field(stream, syntax)
        return Header(file, ds, syntax, offset, length, stream.seek(0, os.SEEK_END))


def _transfer_syntax(ds: Dataset) -> str:
    meta = getattr(ds, "file_meta", None)
    stated = word(meta, "TransferSyntaxUID") if meta else None
    if stated not in (None, DeflatedExplicitVRLittleEndian):
        return str(stated)
    implicit, little = ds.original_encoding
    explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
    return str(ImplicitVRLittleEndian if implicit else explicit)


def _pixel_field(stream: BinaryIO, syntax: str) -> tuple[int | None, int]:
    """Return offset and length of the pixel data's value, at whose element parsing stopped."""
    offset = stream.tell()
    head = stream.read(12)
    big = syntax == ExplicitVRBigEndian
    order: Literal["big", "little"] = "big" if big else "little"
    tag = b"\x7f\xe0\x00\x10" if big else b"\xe0\x7f\x10\x00"
    if head[:4] != tag or len(head) < 12:
        return None, 0
    if head[4:6] in _LONG_LENGTH_VRS and syntax != ImplicitVRLittleEndian:
        return offset + 12, int.from_bytes(head[8:12], order)
    return offset + 8, int.from_bytes(head[4:8], order)


def _parse(file: InputFile, stream: BinaryIO) -> tuple[Dataset, str]:
    """Return attributes and transfer syntax; the stream is left where the pixel data begins."""
    try:
        with quiet():
            if plain := plain_header(stream.read(START_BYTES)):
                ds, syntax, place = plain
                stream.seek(place)
                return ds, syntax
            stream.seek(0)
            ds = pydicom.dcmread(stream, stop_before_pixels=True, force=True, specific_tags=TAGS)
            return ds, _transfer_syntax(ds)
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
