"""PlainHeader: the header of the files that scanners write most, in one pass over its bytes.

Explicit little endian with a preamble, tags rising, every value of a stated length. The attributes
are those pydicom would give, element for element, in a fraction of the time; any other file is left
to pydicom.
"""

from __future__ import annotations

from functools import lru_cache
from struct import Struct
from typing import Any

from pydicom import Dataset, uid
from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import RawDataElement, convert_raw_data_element, empty_value_for_VR
from pydicom.tag import BaseTag
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, STANDARD_VR

from imaging.loaders.tags import TAGS

START_BYTES = 2**17
"""Longer headers are few: a large private block, a sequence of frames."""
_SYNTAXES = {
    str(syntax).encode(): str(syntax)
    for syntax in (
        uid.ExplicitVRLittleEndian, uid.RLELossless, uid.JPEGBaseline8Bit, uid.JPEGExtended12Bit,
        uid.JPEGLossless, uid.JPEGLosslessSV1, uid.JPEGLSLossless, uid.JPEGLSNearLossless,
        uid.JPEG2000, uid.JPEG2000Lossless,
    )
}  # fmt: skip
_WANTED = {int(tag): tag for tag in TAGS}
_LONG = {str(vr) for vr in EXPLICIT_VR_LENGTH_32}
_REPRESENTATIONS = {str(vr).encode(): (str(vr), str(vr) in _LONG) for vr in STANDARD_VR}
_PIXELS = {0x7FE00008, 0x7FE00009, 0x7FE00010}
_SYNTAX, _CHARACTER_SET = 0x00020010, 0x00080005
_element, _length = Struct("<HH2sH").unpack_from, Struct("<L").unpack_from


def plain_header(start: bytes) -> tuple[Dataset, str, int] | None:
    """Read a file's first bytes.

    Returns
    -------
    The wanted attributes, the transfer syntax and where the pixel data's element begins; None for
    a file that is not plain, or whose header is longer than `start`.
    """
    if start[128:132] != b"DICM":
        return None
    kept: dict[BaseTag, Any] = {}
    syntax, last, place = None, 0, 132
    while place + 12 <= len(start):
        group, element, code, length = _element(start, place)
        number = group << 16 | element
        representation, long = _REPRESENTATIONS.get(code, ("", False))
        at = place + 8
        if number in _PIXELS and representation and syntax:
            return _dataset(kept, syntax, place)
        if long:
            (length,), at = _length(start, at), at + 4
        end = at + length
        if number <= last or not representation or end > len(start):
            return None
        if number == _SYNTAX:
            syntax = _SYNTAXES.get(start[at:end].rstrip(b"\0"))
        if (tag := _WANTED.get(number)) is not None:
            if representation == "SQ":
                return None
            value: Any = start[at:end] or empty_value_for_VR(representation, raw=True)
            kept[tag] = RawDataElement(tag, representation, length, value, at, False, True)
        last, place = number, end
    return None


def _dataset(kept: dict[BaseTag, Any], syntax: str, place: int) -> tuple[Dataset, str, int] | None:
    stated = kept.get(_WANTED[_CHARACTER_SET])
    encoding = default_encoding if stated is None else _encoding(stated)
    if encoding is None:
        return None
    ds = Dataset(kept, parent_encoding=default_encoding)
    ds.set_original_encoding(False, True, encoding)
    return ds, syntax, place


def _encoding(stated: RawDataElement) -> Any:
    return _encoding_of(stated._replace(value_tell=0))


@lru_cache(maxsize=64)
def _encoding_of(stated: RawDataElement) -> Any:
    """Return Python's names of a character set, None where pydicom shall say what is wrong."""
    try:
        return convert_encodings(convert_raw_data_element(stated).value)
    except Exception:  # noqa: BLE001  (it raises whatever the bytes provoke)
        return None
