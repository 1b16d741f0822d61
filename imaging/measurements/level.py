"""Level: the signal of a graft without its foci, and how far above it a focus begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imaging.geometry import FloatArray
from imaging.protocol import SignalLimits

ROBUST_SD = 1.4826
"""Median absolute deviation to standard deviation, for a normal distribution."""


@dataclass(frozen=True, slots=True)
class Level:
    """Median and robust standard deviation of a graft without its foci, in the image's unit."""

    median: float
    robust_sd: float


def graft_level(core: FloatArray, graft: FloatArray, limits: SignalLimits) -> Level:
    """Return the level of a graft, from the intensities (n,) of its core and of all of it.

    Neither may be empty. A focus that fills most of a core is most of its median and would hide
    behind it: what stands out of the core's lower part as a focus does is left out. Not if it is
    most of the whole graft: then the rest is the exception, a part that went or no graft at all.
    """
    lower = float(np.quantile(core, limits.focus_free_share))
    calm_below = max(lower, limits.focus_over_graft * lower)
    most_is_calm = np.count_nonzero(graft <= calm_below) >= len(graft) / 2
    calm = core[core <= calm_below] if most_is_calm else core
    median = float(np.median(calm))
    return Level(median, ROBUST_SD * float(np.median(np.abs(calm - median))))


def focus_limits(
    level: Level, muscle_limit: float, slice_mm: float, limits: SignalLimits
) -> tuple[float, float]:
    """Return the intensity above which voxels may be of a focus, and of one as large as a nodule.

    A nodule as bright as a focus must be fills its slice in part, and shows that much less; what
    shows less must stand out of the graft's spread too. `muscle_limit`, in the image's unit,
    holds for both.
    """
    full = limits.focus_over_graft * level.median
    share = sum(shares(limits.focus_diluted_mm, slice_mm)) / 2
    diluted = level.median + share * (full - level.median)
    apart = level.median + limits.focus_spreads_min * level.robust_sd
    return max(muscle_limit, full), max(muscle_limit, diluted, min(full, apart))


def shares(diameter_mm: float, slice_mm: float) -> tuple[float, float]:
    """Return how much of a slice a ball fills along its axis, between two slices and within one.

    Of the slice that holds most of it: half of it where it lies between two, all where it lies in
    the middle of one, at most the whole slice.
    """
    return min(diameter_mm / 2, slice_mm) / slice_mm, min(diameter_mm, slice_mm) / slice_mm
