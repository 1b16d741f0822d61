"""Place: a folder or an object store where results are kept; a file appears whole or not."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
from pyarrow import fs

from imaging.errors import OutputError, UsageError
from surveillance.errors import ResultsError
from surveillance.exports.writing import PARTIAL, make_folder, write_with

STALE_S = 3600.0
"""No single file takes an hour to write: an older half one is of a process that was killed."""


@dataclass(frozen=True, slots=True, order=True)
class Entry:
    """One file of a place: its name, with slashes, and what tells a changed one."""

    name: str
    size: int
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Place:
    """A folder on disk, or one of an object store; names are relative to it, with slashes.

    Parameters
    ----------
    filesystem
        How it is spoken to.
    root
        The folder, as the file system names it.
    folder
        The folder on disk; None for an object store.
    """

    filesystem: fs.FileSystem
    root: str
    folder: Path | None

    def read(self, name: str) -> bytes:
        """Return a file.

        Raises
        ------
        FileNotFoundError
            There is none of that name.
        ResultsError
            It cannot be read.
        """
        try:
            with self.filesystem.open_input_file(f"{self.root}/{name}") as stream:
                return bytes(stream.readall())
        except FileNotFoundError:
            raise
        except OSError as error:
            raise ResultsError(
                "results_unreadable", file=name, detail=_first_line(error)
            ) from error

    def write(self, name: str, content: bytes) -> None:
        """Write a file; a reader sees the old one or the new one.

        Raises
        ------
        OutputError
            It cannot be written (permission, full disk, no such bucket).
        """
        if self.folder is not None:
            write_with(self.folder / name, lambda temporary: temporary.write_bytes(content))
            return
        try:  # an object appears when its stream is closed
            path = f"{self.root}/{name}"
            # Without the None, what is called .gz would be compressed once more.
            with self.filesystem.open_output_stream(path, compression=None) as stream:
                stream.write(content)
        except OSError as error:
            raise OutputError("not_written", file=name, detail=_first_line(error)) from error

    def remove(self, name: str) -> None:
        """Remove a file; none of that name is no error."""
        try:
            self.filesystem.delete_file(f"{self.root}/{name}")
        except FileNotFoundError:
            return
        except OSError as error:
            raise OutputError("not_written", file=name, detail=_first_line(error)) from error

    def entries(self, below: str) -> list[Entry]:
        """Return all whole files below a folder, in order of their names; none gives none."""
        selector = fs.FileSelector(f"{self.root}/{below}", allow_not_found=True, recursive=True)
        try:
            found = self.filesystem.get_file_info(selector)
        except OSError as error:
            raise ResultsError(
                "results_unreadable", file=below, detail=_first_line(error)
            ) from error
        cut = len(self.root) + 1
        return sorted(
            Entry(info.path[cut:], info.size, info.mtime_ns or 0)
            for info in found
            if info.type == fs.FileType.File and not info.base_name.startswith(PARTIAL)
        )

    def digest_of(self, name: str) -> str:
        """Return the SHA-256 of a file."""
        return hashlib.sha256(self.read(name)).hexdigest()

    def sweep(self) -> None:
        """Remove the half files that processes left when they were killed, an hour ago or more."""
        if self.folder is None:
            return
        for file in self.folder.rglob(f"{PARTIAL}*"):
            if file.stat().st_mtime < time.time() - STALE_S:
                file.unlink(missing_ok=True)


@lru_cache(maxsize=8)
def open_place(url: str) -> Place:
    """Open a folder, or an object store by its URL (`s3://bucket/folder`, or `fsspec+…://`).

    Raises
    ------
    UsageError
        The address is of no known kind.
    """
    if "://" not in url or url.startswith("file://"):
        folder = Path(url.removeprefix("file://")).absolute()
        return Place(fs.LocalFileSystem(), str(folder), folder)
    if "@" in url.partition("://")[2].partition("/")[0]:
        # What is in an address ends up in logs; the environment and profiles hold secrets.
        raise UsageError("results_secret", url=url.partition("://")[0])
    try:
        filesystem, root = fs.FileSystem.from_uri(url)
    except (pa.ArrowException, OSError, ValueError, ImportError) as error:
        raise UsageError("results_address", url=url, detail=_first_line(error)) from error
    return Place(filesystem, root.rstrip("/"), None)


def prepared(url: str) -> Place:
    """Open a place for writing, made when it is new, and cleared of half files.

    Raises
    ------
    UsageError, OutputError
        It is of no known kind; it cannot be made.
    """
    place = open_place(url)
    if place.folder is not None:
        make_folder(place.folder)
    place.sweep()
    return place


def existing(url: str) -> Place:
    """Open a place that holds results.

    Raises
    ------
    UsageError
        There are none.
    """
    place = open_place(url)
    if not place.entries("commits") and not place.entries("aside"):
        raise UsageError("results_none", url=url)
    return place


def _first_line(error: BaseException) -> str:
    strerror = getattr(error, "strerror", None)
    return str(strerror or error).partition("\n")[0][:200]
