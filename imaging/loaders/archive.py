"""Archive: ZIP files read in memory within bounds; nothing is ever extracted to disk.

The bounds protect the machine, they are no clinical choice: an honest export of a whole trial
arm stays far below them, a ZIP bomb far above.
"""

from __future__ import annotations

import lzma
import os
import struct
import zipfile
import zlib
from functools import lru_cache
from pathlib import Path, PurePosixPath

from imaging.errors import FileError

ENTRIES_MAX = 200_000
TOTAL_BYTES_MAX = 32 * 2**30
MEMBER_BYTES_MAX = 2 * 2**30
RATIO_MAX = 200
"""Packed MR images shrink 2 to 5 times, empty ones (all zero) up to about 150 times."""
RATIO_COUNTS_FROM_BYTES = 2**20
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,  # encrypted, or packed in a way that zipfile does not know
    ValueError,  # a name that is no UTF-8
)
_SIGNATURES = (b"PK\x03\x04", b"PK\x05\x06")


def is_zip(path: str) -> bool:
    """Whether the file begins as a ZIP archive does."""
    with Path(path).open("rb") as file:
        return file.read(4) in _SIGNATURES


def members(path: str) -> list[str]:
    """Return the names of the files inside.

    Raises
    ------
    FileError
        Damaged, encrypted, too many entries, too large unpacked, an entry packed too tightly,
        a name that leads out of the archive or occurs twice, or nothing inside.
    """
    # Not `is_dir()`, which takes for granted that a name has a character.
    entries = [entry for entry in _open(path).infolist() if not entry.filename.endswith("/")]
    names = [entry.filename for entry in entries]
    if not entries:
        raise FileError("zip_empty", file=path)
    if len(entries) > ENTRIES_MAX:
        raise FileError("zip_entries", file=path, entries=len(entries), limit=ENTRIES_MAX)
    total = sum(entry.file_size for entry in entries)
    if total > TOTAL_BYTES_MAX:
        raise FileError("zip_size", file=path, size=total, limit=TOTAL_BYTES_MAX)
    for entry in entries:
        _check_entry(path, entry)
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise FileError("zip_name", file=path, member=twice)
    return names


def _check_entry(path: str, entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    if entry.flag_bits & 1:
        raise FileError("zip_encrypted", file=path, member=name)
    parts = PurePosixPath(name.replace("\\", "/")).parts
    if not parts or parts[0] == "/" or ".." in parts or ":" in parts[0]:
        raise FileError("zip_name", file=path, member=name)
    if entry.file_size > MEMBER_BYTES_MAX:
        raise FileError("zip_size", file=path, size=entry.file_size, limit=MEMBER_BYTES_MAX)
    ratio = entry.file_size / max(entry.compress_size, 1)
    if entry.file_size > RATIO_COUNTS_FROM_BYTES and ratio > RATIO_MAX:
        raise FileError("zip_ratio", file=path, member=name, ratio=round(ratio), limit=RATIO_MAX)


def is_nested(path: str, member: str) -> bool:
    """Whether a member is itself a ZIP archive; damaged ones are found when they are read."""
    try:
        with _open(path).open(member) as stream:
            return stream.read(4) in _SIGNATURES
    except _DAMAGED:
        return False


def size_of(path: str, member: str) -> int:
    """Return the unpacked size of one member."""
    return _open(path).getinfo(member).file_size


def content_of(path: str, member: str) -> bytes:
    """Unpack one member; zipfile never gives more bytes than the checked size.

    Raises
    ------
    FileError
        The packed bytes are damaged.
    """
    try:
        return _open(path).read(member)
    except _DAMAGED as error:
        name = f"{path}!{member}"
        raise FileError("file_unreadable", file=name, detail=type(error).__name__) from error


def _open(path: str) -> zipfile.ZipFile:
    return _opened(path, Path(path).stat().st_mtime_ns, os.getpid())


@lru_cache(maxsize=4)
def _opened(path: str, _changed_ns: int, _process: int) -> zipfile.ZipFile:
    # Kept open: reading the list of members again for each of them would cost their square.
    # Per process, because a forked child would share the file's position with its parent.
    try:
        return zipfile.ZipFile(path)
    except _DAMAGED as error:
        raise FileError("file_unreadable", file=path, detail=type(error).__name__) from error
