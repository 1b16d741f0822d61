"""Dicomdir: the index of a DICOM medium; it names files, and is no image itself."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from imaging.errors import FileError
from imaging.loaders.attributes import items, words
from imaging.loaders.dicom_file import read_header
from imaging.loaders.files import InputFile
from imaging.loaders.quiet import quiet
from imaging.loaders.refusal import Refusal, refuse

NAME = "DICOMDIR"


def with_referenced(paths: Sequence[Path]) -> list[Path]:
    """Add to a DICOMDIR given by itself the files it names, inside its own folder only."""
    wanted = list(paths)
    for path in paths:
        if path.name.upper() == NAME and path.is_file():
            names = (path.parent.joinpath(*parts) for parts in referenced(InputFile(str(path))))
            # Not `Path.is_file`, which raises for a name no file system takes.
            wanted += [name for name in names if os.path.isfile(name)]  # noqa: PTH113
    return wanted


def missing(files: Iterable[InputFile]) -> list[Refusal]:
    """Report each file that a DICOMDIR among `files` names and that is not there."""
    known = {file.name for file in files}
    refusals = []
    for index in files:
        if PurePosixPath(index.member or index.path).name.upper() != NAME:
            continue
        for parts in referenced(index):
            name = index.name[: -len(NAME)] + "/".join(parts)
            if name not in known:
                error = FileError("dicomdir_names_missing", file=index.name, named="/".join(parts))
                refusals.append(refuse(error, (), source=index.name))
    return refusals


def referenced(index: InputFile) -> list[tuple[str, ...]]:
    """Return the relative paths an index names; those that lead out of its folder are left out."""
    try:
        with quiet():
            ds = read_header(index).attributes
            found = [words(r, "ReferencedFileID") for r in items(ds, "DirectoryRecordSequence")]
    except (FileError, OSError):
        return []  # a broken index is refused as a file; its folder is still walked
    return sorted({parts for parts in found if parts and _inside(parts)})


def _inside(parts: tuple[str, ...]) -> bool:
    return not any(
        part in {"..", "."} or "/" in part or "\\" in part or ":" in part for part in parts
    )
