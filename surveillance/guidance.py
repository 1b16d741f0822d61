"""Guidance from the command line: `VISIT:X,Y,Z` seed points, `VISIT:FILE#REGION` masks.

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
    given = _by_visit("--graft-mask", graft_masks)
    for visit, values in given.items():
        if len(values) > 1:
            raise UsageError("guidance_form", option="--graft-mask", value=f"{visit}:{values[1]}")
    masks = {visit: _file(value) for visit, (value,) in given.items()}
    return Guidance(
        seeds={visit: tuple(map(_point, values)) for visit, values in seeds.items()},
        masks={visit: file for visit, (file, _) in masks.items()},
        regions={visit: region for visit, (_, region) in masks.items() if region is not None},
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


def _file(value: str) -> tuple[Path, str | None]:
    """Part `FILE#REGION`; a file whose own name holds the sign is found first."""
    name, sign, region = value.rpartition("#")
    if Path(value).is_file():
        return Path(value), None
    if sign and region and Path(name).is_file():
        return Path(name), region
    raise UsageError("guidance_file", file=value)
