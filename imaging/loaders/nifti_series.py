"""NiftiSeries: NIfTI files with their side-cars, told apart from everything else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from imaging.errors import FileError, GraftsiteError, SeriesError
from imaging.loaders.files import InputFile
from imaging.loaders.naming import SUFFIXES, read_sidecar
from imaging.loaders.nifti import NiftiPixels, geometry_of, info_of
from imaging.loaders.refusal import Refusal, refuse
from imaging.protocol import SeriesLimits
from imaging.roles import decide_role
from imaging.series import Series

_OTHER_FORMATS = {
    ".hdr": "analyze",
    ".img": "analyze",
    ".par": "par_rec",
    ".rec": "par_rec",
    ".nrrd": "format_unknown",
    ".mha": "format_unknown",
    ".tar": "archive_unknown",
    ".gz": "archive_unknown",
    ".xz": "archive_unknown",
    ".7z": "archive_unknown",
    ".rar": "archive_unknown",
    ".bz2": "archive_unknown",
}


@dataclass(slots=True)
class Collected:
    """Series and refusals so far."""

    series: list[Series] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


def collect(files: Iterable[InputFile], limits: SeriesLimits) -> tuple[list[InputFile], Collected]:
    """Take the NIfTI files, their side-cars and known other formats out of `files`.

    Returns
    -------
    tuple
        The files left, which may be DICOM; and what was collected.
    """
    left: list[InputFile] = []
    collected = Collected()
    sidecars = {_key(f): f for f in files if _lower(f).endswith(".json")}
    for file in files:
        name = _lower(file)
        if name.endswith(SUFFIXES):
            _add(file, sidecars.pop(_key(file), None), limits, collected)
        elif not name.endswith(".json"):
            _other(file, left, collected)
    for side in sidecars.values():
        collected.refusals.append(refuse(FileError("sidecar_alone", file=side.name), [side.name]))
    return left, collected


def _lower(file: InputFile) -> str:
    return file.name.lower()


def _key(file: InputFile) -> str:
    """Return the name without suffix, by which a side-car finds its image."""
    lower = _lower(file)
    suffix = next(s for s in (*SUFFIXES, ".json") if lower.endswith(s))
    return file.name[: -len(suffix)]


def _add(file: InputFile, side: InputFile | None, limits: SeriesLimits, into: Collected) -> None:
    names = [file.name, *([side.name] if side else [])]
    try:
        into.series.append(_series(file, side, tuple(names), limits))
    except GraftsiteError as error:
        into.refusals.append(refuse(error, names, source=file.name))
    except OSError as error:
        unreadable = FileError("file_unreadable", file=file.name, detail=type(error).__name__)
        into.refusals.append(refuse(unreadable, names, source=file.name))


def _series(
    file: InputFile, side: InputFile | None, names: tuple[str, ...], limits: SeriesLimits
) -> Series:
    sidecar: dict[str, Any] | None = read_sidecar(side) if side else None
    info = info_of(file, sidecar, side)
    geometry = geometry_of(file, limits)
    if min(geometry.shape) < limits.slices_min:
        raise SeriesError(
            "slices_few",
            series=info.description or info.uid,
            file=file.name,
            slices=min(geometry.shape),
            limit=limits.slices_min,
        )
    decision = decide_role(info, limits)
    return Series(info, geometry, decision, names, NiftiPixels(file, geometry))


def _other(file: InputFile, left: list[InputFile], into: Collected) -> None:
    """Refuse formats that are known by name and not read; a DICOM file may be called anything."""
    code = next((c for ending, c in _OTHER_FORMATS.items() if _lower(file).endswith(ending)), None)
    if code is None or _signed_dicom(file):
        left.append(file)
    else:
        into.refusals.append(refuse(FileError(code, file=file.name), [file.name]))


def _signed_dicom(file: InputFile) -> bool:
    try:
        with file.open() as stream:
            return stream.read(132)[128:] == b"DICM"
    except (FileError, OSError):
        return True  # reading it as DICOM reports why it cannot be read
