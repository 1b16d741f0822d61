"""Files appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory

from imaging.errors import OutputError

PARTIAL = ".partial-"
"""How the names of files begin that are not yet whole."""


def make_folder(path: Path) -> None:
    """Make a folder, or find it there, before any work is done for it.

    Raises
    ------
    OutputError
        It cannot be made, or is a file.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError("not_written", file=path, detail=error.strerror or error) from error


@contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Hold a folder of our own where temporary files belong; it is gone afterwards.

    Raises
    ------
    OutputError
        It cannot be made.
    """
    try:
        folder = TemporaryDirectory(prefix=prefix)
    except OSError as error:
        detail = error.strerror or error
        raise OutputError("not_written", file="TMPDIR", detail=detail) from error
    with folder as path:
        yield Path(path)


def write_text(path: Path, content: str) -> None:
    """Write UTF-8 text to `path`; a reader sees the old file or the new one, never half.

    Raises
    ------
    OutputError
        The folder cannot be made or written (permission, full disk).
    """
    write_with(path, lambda temporary: temporary.write_bytes(content.encode("utf-8")))


def write_with(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write(temporary)` make the file, then put it in place of `path`.

    The temporary name keeps the suffix of `path`, because some writers choose a format by it.

    Raises
    ------
    OutputError
        The folder cannot be made or written (permission, full disk).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = _temporary_beside(path)
        try:
            write(temporary)
            temporary.chmod(0o666 & ~_umask())
            _to_disk(temporary)
            temporary.replace(path)
            _to_disk(path.parent)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError("not_written", file=path, detail=error.strerror or error) from error


def _temporary_beside(path: Path) -> Path:
    suffix = "".join(path.suffixes)
    with NamedTemporaryFile(dir=path.parent, prefix=PARTIAL, suffix=suffix, delete=False) as f:
        return Path(f.name)


def _to_disk(path: Path) -> None:
    """Wait until the disk has it: a name must not outlive a power cut that its content did not."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
