"""Selection: which of several candidates of one role is used, by one stated rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imaging.messages import text
from imaging.protocol import SeriesLimits
from imaging.series import Role, Series

_SUPPORTING = (
    Role.T1W,
    Role.DIXON_IN_PHASE,
    Role.DIXON_OPPOSED_PHASE,
    Role.DIXON_FAT,
)


def choose(
    series: Sequence[Series], role: Role, limits: SeriesLimits
) -> tuple[Series | None, tuple[str, ...]]:
    """Return the series to use for `role`, None when there is none, and the rule if it chose.

    Axial before other orientations, then the longer coverage along the slices, then the thinner
    slices, then the shorter echo (longer fades the muscle), then the latest acquisition.
    """
    candidates = [one for one in series if one.role is role]
    if len(candidates) < 2:
        return (candidates[0] if candidates else None), ()
    best = min(candidates, key=lambda one: _rank(one, limits))
    note = text(
        "visit.chosen",
        role=role.value,
        count=len(candidates),
        chosen=best.info.description or best.info.uid,
    )
    return best, (note,)


def supporting(series: Sequence[Series], limits: SeriesLimits) -> tuple[Series, ...]:
    """Return the best series of each role that only strengthens the fat answer."""
    found = (choose(series, role, limits)[0] for role in _SUPPORTING)
    return tuple(one for one in found if one is not None)


def _rank(one: Series, limits: SeriesLimits) -> tuple[bool, float, float, float, list[int], str]:
    spacing = one.geometry.spacing_mm[2]
    coverage = spacing * one.geometry.shape[2]
    later = [-ord(c) for c in one.info.acquisition_time or ""]
    return (
        not is_axial(one, limits),
        -round(coverage),
        round(spacing, 2),
        one.info.echo_time_ms or 0.0,
        later,
        one.info.uid,
    )


def is_axial(one: Series, limits: SeriesLimits) -> bool:
    """Whether the slices' normal lies within the protocol's tilt of head-foot."""
    a, b = one.geometry.affine[:3, 0], one.geometry.affine[:3, 1]
    normal = np.cross(a, b)
    cosine = abs(float(normal[2])) / float(np.linalg.norm(normal))
    return float(np.degrees(np.arccos(min(cosine, 1.0)))) < limits.axial_tilt_max_deg
