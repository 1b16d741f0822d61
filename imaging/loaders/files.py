"""Files: every regular file under the given paths, archives opened, each exactly once."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from imaging.errors import FileError
from imaging.loaders import archive
from imaging.loaders.refusal import Refusal, refuse

NO_INPUT = {"SHA256SUMS"}
"""Checksums that lie beside images (`graftsite pull` writes them) are not an input of their own."""


@dataclass(frozen=True, slots=True, order=True)
class InputFile:
    """A file on disk, or a member of a ZIP archive; `name` is how the user sees it."""

    path: str
    member: str | None = None

    @property
    def name(self) -> str:
        """The path as given, with `!member` for a file inside an archive."""
        return self.path if self.member is None else f"{self.path}!{self.member}"

    @property
    def size(self) -> int:
        """Number of bytes, uncompressed."""
        if self.member is None:
            return Path(self.path).stat().st_size
        return archive.size_of(self.path, self.member)

    def open(self) -> BinaryIO:
        """Open for reading and seeking; a member is decompressed in memory, never on disk."""
        if self.member is None:
            return Path(self.path).open("rb")
        return io.BytesIO(archive.content_of(self.path, self.member))


@dataclass(frozen=True, slots=True)
class Found:
    """What a walk found."""

    files: tuple[InputFile, ...]
    refusals: tuple[Refusal, ...]


def walk(paths: Iterable[Path]) -> Found:
    """List all files under `paths`, sorted, archives replaced by their members.

    A path that is not there, an empty folder, something that is not a regular file and an
    unsafe archive each become one refusal. A file reached twice is listed once.
    """
    found: list[InputFile] = []
    refusals: list[Refusal] = []
    seen: set[str] = set()
    for path in sorted(_regular(paths, refusals)):
        real = os.path.realpath(path)
        if real in seen:
            continue
        seen.add(real)
        try:
            found += _members(path, refusals)
        except (FileError, OSError) as error:
            refusals.append(refuse(_as_file_error(error, path), [path]))
    return Found(tuple(sorted(found)), tuple(refusals))


def _as_file_error(error: FileError | OSError, path: str) -> FileError:
    if isinstance(error, FileError):
        return error
    return FileError("file_unreadable", file=path, detail=error.strerror or type(error).__name__)


def _regular(paths: Iterable[Path], refusals: list[Refusal]) -> Iterator[str]:
    for path in paths:
        if path.is_dir():
            yield from _in_folder(path, refusals)
        elif path.is_file():
            yield str(path)
        else:
            error = FileError("input_missing", file=str(path))
            refusals.append(refuse(error, (), source=str(path)))


def _in_folder(folder: Path, refusals: list[Refusal]) -> Iterator[str]:
    nothing = True
    for root, _, names in os.walk(folder):
        for name in names:
            if name in NO_INPUT:
                continue
            nothing = False
            path = Path(root, name)
            if path.is_file():
                yield str(path)
            else:  # a broken link, a pipe, a device: opening it could hang
                refusals.append(refuse(FileError("not_regular", file=str(path)), [str(path)]))
    if nothing:
        error = FileError("folder_empty", file=str(folder))
        refusals.append(refuse(error, (), source=str(folder)))


def _members(path: str, refusals: list[Refusal]) -> Sequence[InputFile]:
    if not archive.is_zip(path):
        return [InputFile(path)]
    members = [InputFile(path, member) for member in archive.members(path)]
    nested = [file for file in members if archive.is_nested(path, file.member or "")]
    refusals += [refuse(FileError("zip_nested", file=f.name), [f.name]) for f in nested]
    return [file for file in members if file not in nested]
