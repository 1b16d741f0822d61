"""Inventory: what the given paths hold; every file is in exactly one series or one refusal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from imaging.errors import FileError, GraftsiteError, InputError, NotUsableError, SeriesError
from imaging.loaders import dicomdir, nifti_series
from imaging.loaders.dicom_header import Memory, read_frames
from imaging.loaders.files import InputFile, walk
from imaging.loaders.frame import Frame
from imaging.loaders.pixels import StackPixels
from imaging.loaders.refusal import Refusal, refuse
from imaging.loaders.stack import label, stack
from imaging.loaders.volumes import parted
from imaging.messages import text
from imaging.protocol import Protocol, SeriesLimits
from imaging.roles import decide_role
from imaging.series import Role, Series, SeriesInfo

_FEW_SLICES_ARE_NORMAL = {Role.LOCALIZER, Role.DWI}


@dataclass(frozen=True, slots=True, eq=False)
class Inventory:
    """All usable series, and one refusal for everything else, both in a fixed order."""

    series: tuple[Series, ...]
    refusals: tuple[Refusal, ...]


@dataclass(slots=True)
class _Sorted:
    """Files as they are told apart."""

    frames: dict[tuple[str, ...], list[Frame]] = field(default_factory=lambda: defaultdict(list))
    refused: dict[tuple[str, ...], list[tuple[GraftsiteError, str, SeriesInfo | None]]] = field(
        default_factory=lambda: defaultdict(list)
    )


def find_series(paths: Sequence[Path], protocol: Protocol) -> Inventory:
    """Find all series under `paths`; headers and geometry now, pixels when asked for.

    Parameters
    ----------
    paths
        Folders (walked), DICOM files, DICOMDIR, ZIP archives, NIfTI files.
    protocol
        Its `[series]` section says how regular a stack must be.

    Returns
    -------
    Inventory
        Empty paths give no series and one refusal. Independent of the order of files. Never
        raises for what the files hold.
    """
    found = walk(dicomdir.with_referenced(paths))
    images, nifti = nifti_series.collect(found.files, protocol.series)
    told_apart = _Sorted()
    memory: Memory = {}
    for file in images:
        _sort_in(file, told_apart, memory)
    series, refusals = list(nifti.series), [*found.refusals, *nifti.refusals]
    refusals += _refusals(told_apart)
    refusals += dicomdir.missing(found.files)
    for key in sorted(told_apart.frames):
        usable, lost = _series_of(told_apart.frames[key], protocol.series)
        series += usable
        refusals += lost
    series.sort(key=lambda s: (s.info.identity.subject, s.info.uid, s.files, s.info.part))
    refusals.sort(key=lambda r: (r.source, r.code, r.files))
    return Inventory(tuple(series), tuple(refusals))


def check_pixels(inventory: Inventory) -> Inventory:
    """Decode every series, one at a time, and refuse those that cannot be decoded."""
    good: list[Series] = []
    refusals = list(inventory.refusals)
    for series in inventory.series:
        try:
            series.load()
            good.append(series)
        except InputError as error:
            refusals.append(_of_series(error, series.files, series.info))
    # A file may hold several volumes: it is refused only when none of them is left.
    kept = {name for series in good for name in series.files}
    refusals = [replace(r, files=tuple(f for f in r.files if f not in kept)) for r in refusals]
    return Inventory(tuple(good), tuple(_each_file_once(refusals)))


def _each_file_once(refusals: Iterable[Refusal]) -> list[Refusal]:
    seen: set[str] = set()
    once = []
    for refusal in refusals:
        files = tuple(f for f in refusal.files if f not in seen)
        seen.update(files)
        once.append(replace(refusal, files=files))
    return once


def _sort_in(file: InputFile, into: _Sorted, memory: Memory) -> None:
    try:
        frames = read_frames(file, memory)
    except NotUsableError as error:
        series = error.info.uid if error.info else file.name
        into.refused[(error.code, series)].append((error, file.name, error.info))
    except FileError as error:
        into.refused[(error.code, file.name)].append((error, file.name, None))
    except OSError as error:
        detail = error.strerror or type(error).__name__
        unreadable = FileError("file_unreadable", file=file.name, detail=detail)
        into.refused[("file_unreadable", file.name)].append((unreadable, file.name, None))
    else:
        info = frames[0].info
        patient = info.identity.patient or ""
        into.frames[(patient, info.identity.study_uid or "", info.uid)] += frames


def _refusals(told_apart: _Sorted) -> list[Refusal]:
    """One line for each series that is no MR series, one for each file of no series."""
    lines = []
    for group in told_apart.refused.values():
        error, source, info = group[0]
        files = [name for _, name, _ in group]
        if info is None:
            lines.append(refuse(error, files, source))
        else:
            lines.append(_of_series(error, files, info, source))
    return lines


def _of_series(
    error: GraftsiteError, files: Iterable[str], info: SeriesInfo, source: str | None = None
) -> Refusal:
    return refuse(error, files, source, subject=info.identity.subject, series=info.uid)


def _series_of(frames: list[Frame], limits: SeriesLimits) -> tuple[list[Series], list[Refusal]]:
    """Turn the frames of one DICOM series into volumes; each stack stands or falls alone."""
    frames, lost = _without_copies(frames)
    stacks = parted(frames, limits)
    planes = len({frame.orientation for part in stacks for frame in part[:1]})
    made: list[Series] = []
    failed: dict[str, tuple[SeriesError, list[str], SeriesInfo]] = {}
    for part in stacks:
        try:
            made.append(_series(part, planes, len(stacks), limits))
        except SeriesError as error:
            _, files, _ = failed.setdefault(error.code, (error, [], part[0].info))
            files += [frame.file for frame in part]
    used = {name for series in made for name in series.files}
    # A file of several volumes may be lost in part: then it is named, and not counted as lost.
    lost += [
        _of_series(error, set(files) - used, info, min(files))
        for error, files, info in failed.values()
    ]
    return made, _each_file_once(lost)


def _without_copies(frames: list[Frame]) -> tuple[list[Frame], list[Refusal]]:
    """Leave out further files with the same SOP Instance UID."""
    first: dict[str, str] = {}
    for frame in sorted(frames, key=lambda f: f.file):
        first.setdefault(frame.sop_uid, frame.file)
    copies = sorted({f.file for f in frames if first[f.sop_uid] != f.file})
    kept = [f for f in frames if first[f.sop_uid] == f.file]
    if not copies:
        return kept, []
    error = FileError("image_repeated", file=copies[0], count=len(copies), series=label(frames[0]))
    return kept, [_of_series(error, copies, frames[0].info)]


def _series(part: list[Frame], planes: int, parts: int, limits: SeriesLimits) -> Series:
    geometry, ordered = stack(part, limits)
    first = ordered[0]
    info = replace(
        first.info,
        orientations=planes,
        acquisition_time=first.repeat.acquisition_time or first.info.acquisition_time,
        source=min(frame.file for frame in ordered),
        part=_part(first, geometry.shape[2]) if parts > 1 else "",
    )
    decision = decide_role(info, limits)
    if len(ordered) < limits.slices_min and decision.role not in _FEW_SLICES_ARE_NORMAL:
        raise SeriesError(
            "slices_few", series=label(first), file=first.file, slices=len(ordered),
            limit=limits.slices_min,
        )  # fmt: skip
    files = tuple(sorted({frame.file for frame in ordered}))
    return Series(info, geometry, decision, files, StackPixels(ordered, geometry))


def _part(frame: Frame, slices: int) -> str:
    """Say which volume of its series this is."""
    echo, repeat = frame.kind.echo_time_ms, frame.repeat
    return text(
        "role.part",
        slices=slices,
        component=frame.kind.component.lower(),
        echo="?" if echo is None else f"{echo:g}",
        acquisition="?" if repeat.acquisition_number is None else f"{repeat.acquisition_number:g}",
    )
