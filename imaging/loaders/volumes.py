"""Volumes: the frames of one DICOM series, parted into stacks that may become volumes."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import fields

import numpy as np

from imaging.loaders.frame import Frame, Repeat
from imaging.protocol import SeriesLimits


def parted(frames: Sequence[Frame], limits: SeriesLimits) -> list[list[Frame]]:
    """Split the frames of a series into candidate stacks, in a fixed order.

    First by what can never share a volume: orientation, matrix, spacing, image type, component,
    Dixon part, echo and b-value. Then, only where positions repeat, by the first attribute that
    explains every repetition: temporal position, gradient direction, acquisition number,
    inversion time, flip angle, trigger time, times, file, and the order of instance numbers.
    Repetitions that nothing explains stay together; the stack is then refused.
    """
    stacks: list[list[Frame]] = []
    for parallel in _by_orientation(sorted(frames, key=_order), limits.orientation_tolerance):
        groups: dict[Hashable, list[Frame]] = defaultdict(list)
        for frame in parallel:
            groups[(frame.kind, frame.rows, frame.columns, frame.spacing_mm)].append(frame)
        for group in groups.values():
            stacks += _repeats(group, limits)
    return stacks


def _order(frame: Frame) -> tuple[bool, int, str, int, tuple[int, int]]:
    return frame.instance is None, frame.instance or 0, frame.file, frame.index, frame.tile


def _by_orientation(frames: Sequence[Frame], tolerance: float) -> list[list[Frame]]:
    groups: list[tuple[object, list[Frame]]] = []
    for frame in frames:
        for reference, group in groups:
            if _parallel(reference, frame.orientation, tolerance):
                group.append(frame)
                break
        else:
            groups.append((frame.orientation, [frame]))
    return [group for _, group in groups]


def _parallel(a: object, b: object, tolerance: float) -> bool:
    if a is None or b is None:
        return a is b
    return bool(np.abs(np.array(a) - np.array(b)).max() <= tolerance)


def _repeats(frames: list[Frame], limits: SeriesLimits) -> list[list[Frame]]:
    places = [_place(frame, limits) for frame in frames]
    if len(set(places)) == len(places):
        return [frames]
    keys: tuple[Callable[[Frame], Hashable], ...] = (
        *_ATTRIBUTES,
        _file,
        _Occurrence(frames, places),
    )
    for key in keys:
        split = _split(frames, places, key)
        if split is not None:
            return split
    return [frames]


def _place(frame: Frame, limits: SeriesLimits) -> Hashable:
    if frame.position_mm is None:
        return None
    return tuple(round(x / limits.position_tolerance_mm) for x in frame.position_mm)


def _split(
    frames: list[Frame], places: list[Hashable], key: Callable[[Frame], Hashable]
) -> list[list[Frame]] | None:
    """Split by `key` when every part then holds each of the same positions exactly once."""
    parts: dict[Hashable, list[Frame]] = defaultdict(list)
    held: dict[Hashable, list[Hashable]] = defaultdict(list)
    for frame, place in zip(frames, places, strict=True):
        parts[key(frame)].append(frame)
        held[key(frame)].append(place)
    everywhere = set(places)
    complete = all(len(p) == len(everywhere) and set(p) == everywhere for p in held.values())
    return list(parts.values()) if complete else None


def _attribute(name: str) -> Callable[[Frame], Hashable]:
    return lambda frame: getattr(frame.repeat, name)


_ATTRIBUTES = tuple(_attribute(field.name) for field in fields(Repeat))


def _file(frame: Frame) -> Hashable:
    return frame.file


class _Occurrence:
    """The how-manieth image of its position a frame is, in order of instance numbers."""

    def __init__(self, frames: list[Frame], places: list[Hashable]) -> None:
        numbers = [frame.instance for frame in frames]
        told = None not in numbers and len(set(numbers)) == len(numbers)
        seen: Counter[Hashable] = Counter()
        self._rank: dict[int, int] = {}
        for frame, place in zip(frames, places, strict=True):
            self._rank[id(frame)] = seen[place] if told else 0
            seen[place] += 1

    def __call__(self, frame: Frame) -> Hashable:
        return self._rank[id(frame)]
