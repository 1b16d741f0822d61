"""Guidance from the command line: `VISIT:X,Y,Z` seed points and `VISIT:FILE` masks.

Several points for one visit make a stroke.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from imaging.errors import UsageError
from imaging.guidance import Guidance


def parse_guidance(seed_points: Iterable[str], graft_masks: Iterable[str]) -> Guidance:
    """Read both options.

    Raises
    ------
    UsageError
        A value is not of its form, a visit has two masks, or a file does not exist.
    """
    seeds = _by_visit("--seed-point", seed_points)
    masks = _by_visit("--graft-mask", graft_masks)
    for visit, values in masks.items():
        if len(values) > 1:
            raise UsageError("guidance_form", option="--graft-mask", value=f"{visit}:{values[1]}")
    return Guidance(
        seeds={visit: tuple(map(_point, values)) for visit, values in seeds.items()},
        masks={visit: _file(file) for visit, (file,) in masks.items()},
    )


def _by_visit(option: str, values: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for value in values:
        visit, colon, rest = value.partition(":")
        if not colon or not visit:
            raise UsageError("guidance_form", option=option, value=value)
        found.setdefault(visit.upper(), []).append(rest)
    return found


def _point(value: str) -> tuple[float, float, float]:
    try:
        x, y, z = (float(part) for part in value.split(","))
    except ValueError as error:
        raise UsageError("guidance_form", option="--seed-point", value=value) from error
    return x, y, z


def _file(value: str) -> Path:
    if not Path(value).is_file():
        raise UsageError("guidance_file", file=value)
    return Path(value)
