"""Whole: whether a DICOM file has all the bytes that it says it has."""

from __future__ import annotations

from imaging.errors import FileError
from imaging.loaders.dicom_file import content, read_header
from imaging.loaders.files import InputFile

UNDEFINED_LENGTH = 0xFFFFFFFF
SEQUENCE_DELIMITER = b"\xfe\xff\xdd\xe0"


def is_whole(file: InputFile) -> bool:
    """Whether the header can be parsed and pixel data, if there are any, end where they should.

    Compressed pixel data have no stated length; they end with a sequence delimiter.
    """
    try:
        header = read_header(file)
    except FileError:
        return False
    if header.pixel_offset is None:
        return True
    if header.pixel_length != UNDEFINED_LENGTH:
        return header.pixel_offset + header.pixel_length <= header.size
    with content(file) as stream:
        stream.seek(header.pixel_offset)
        return SEQUENCE_DELIMITER in stream.read()
