"""Fat: whether the graft region looks like muscle on T1W-FS, and whether it holds fat.

Two answers, because they differ: blood is not isointense and is no fat, and fat half suppressed
is isointense and cannot be seen. The smallest fat fraction that could have been seen stands
beside both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from imaging.measurement import Measurement, measured, missing
from imaging.measurements.foci import Focus, find_foci
from imaging.measurements.region import cropped_pair
from imaging.measurements.signal import muscle_ratio, told
from imaging.measurements.supporting import (
    SupportingImages,
    Voxels,
    require_grid,
    shows_fat_edge,
    shows_macroscopic_fat,
    shows_microscopic_fat,
)
from imaging.messages import text
from imaging.protocol import FatLimits, Protocol, QualityLimits
from imaging.reference import Reference
from imaging.volume import Mask, Volume


class FatAnswer(StrEnum):
    """Field B: what the supporting images add to isointensity."""

    NONE = "none"
    POSSIBLE = "possible"
    CONFIRMED_MACROSCOPIC = "confirmed_macroscopic"
    CONFIRMED_MICROSCOPIC = "confirmed_microscopic"
    BRIGHT_NOT_FAT = "bright_not_fat"


@dataclass(frozen=True, slots=True, eq=False)
class Fat:
    """T1W-FS answer of one graft.

    Parameters
    ----------
    ratio
        Median of the graft's core over that of reference muscle, with bootstrap interval.
    told_ratio
        The same with the interval that is told, see `measurements.signal.told`.
    isointense
        Field A; None is indeterminate, see `isointense_reason`.
    answer
        Field B; None is indeterminate.
    foci
        Parts darker or brighter than the limits and large enough, largest first.
    suppression_ratio
        Subcutaneous fat over muscle near the graft, ε, as given.
    minimum_detectable_fraction
        Smallest fat fraction that would have changed the ratio by the detectable contrast;
        missing when no fraction would.
    """

    ratio: Measurement
    told_ratio: Measurement
    isointense: bool | None
    isointense_reason: str | None
    answer: FatAnswer | None
    foci: tuple[Focus, ...]
    suppression_ratio: Measurement
    minimum_detectable_fraction: Measurement


def measure_fat(
    t1: Volume,
    graft: Mask,
    reference: Reference,
    epsilon: Measurement,
    supporting: SupportingImages,
    protocol: Protocol,
) -> Fat:
    """Answer both fields for one T1W-FS image; an empty graft or black muscle gives reasons.

    Raises
    ------
    GeometryError
        The graft or a supporting image is not on the image's grid.
    """
    limits = protocol.fat
    require_grid(supporting, t1)
    detectable = _minimum_detectable(epsilon, limits)
    if graft.is_empty or reference.median <= 0:
        reason = text("reason.empty_mask" if graft.is_empty else "reason.reference_not_positive")
        nothing = missing(reason)
        return Fat(nothing, nothing, None, reason, None, (), epsilon, detectable)
    ratio = muscle_ratio(t1, graft, reference, protocol.reference_muscle)
    told_ratio = told(ratio, reference, protocol.reference_muscle)
    foci = _foci(*cropped_pair(t1, graft), reference, protocol)
    isointense, reason_ = _isointense(ratio, told_ratio, foci, limits)
    fat_visible = detectable.known and _suppressed(epsilon, protocol.quality)
    answer = _confirmed(t1, graft, foci, reference, supporting, limits)
    if answer is None and fat_visible:
        answer = _unconfirmed(ratio, told_ratio, foci, isointense, limits)
    return Fat(ratio, told_ratio, isointense, reason_, answer, foci, epsilon, detectable)


def _suppressed(epsilon: Measurement, quality: QualityLimits) -> bool:
    return epsilon.value is not None and epsilon.value <= quality.fat_suppression_t1_max


def _minimum_detectable(epsilon: Measurement, limits: FatLimits) -> Measurement:
    if epsilon.value is None:
        return missing(epsilon.reason or text("reason.no_fat_suppression_ratio"))
    contrast = abs(1 - epsilon.value)
    if contrast < limits.detectable_contrast:
        return missing(text("reason.fat_invisible", epsilon=epsilon.value))
    return measured(limits.detectable_contrast / contrast)


def _foci(t1: Volume, graft: Mask, reference: Reference, protocol: Protocol) -> tuple[Focus, ...]:
    limits = protocol.fat
    dark = graft.array & (t1.array < limits.focus_dark_ratio * reference.median)
    bright = graft.array & (t1.array > limits.focus_bright_ratio * reference.median)
    found = (
        focus
        for region in (dark, bright)
        for focus in find_foci(
            region,
            t1,
            graft,
            reference.median,
            pixels_min=protocol.signal.focus_pixels_min,
            rim_mm=limits.rim_mm,
        )
        if focus.diameter_mm >= limits.focus_min_mm and focus.volume_ml >= limits.focus_min_ml
    )
    return tuple(sorted(found, key=lambda focus: -focus.volume_ml))


def _isointense(
    ratio: Measurement, told_ratio: Measurement, foci: tuple[Focus, ...], limits: FatLimits
) -> tuple[bool | None, str | None]:
    """Answer field A by the sampling interval, but for bright: fat is dark, and an alarm a biopsy.

    A ratio is too bright only when the interval that is told lies beyond the limit too.
    """
    if any(not focus.at_rim for focus in foci):
        return False, None
    if ratio.ci95 is None:
        return None, text("reason.no_interval")
    low, high = ratio.ci95
    if high < limits.isointense_low or _too_bright(told_ratio, limits):
        return False, None
    if foci:
        return None, text("reason.focus_at_rim")
    if low >= limits.isointense_low and high <= limits.isointense_high:
        return True, None
    bright = low > limits.isointense_high
    return None, text("reason.bright_within_error" if bright else "reason.interval_straddles")


def _too_bright(told_ratio: Measurement, limits: FatLimits) -> bool:
    return told_ratio.ci95 is not None and told_ratio.ci95[0] > limits.isointense_high


def _unconfirmed(
    ratio: Measurement,
    told_ratio: Measurement,
    foci: tuple[Focus, ...],
    isointense: bool | None,
    limits: FatLimits,
) -> FatAnswer | None:
    """Return what the T1W-FS image alone says, when fat would have been dark in it."""
    certain = [focus for focus in foci if not focus.at_rim]
    _, high = ratio.ci95 or (limits.isointense_low, limits.isointense_high)
    if high < limits.isointense_low or any(f.ratio < limits.focus_dark_ratio for f in certain):
        return FatAnswer.POSSIBLE
    if _too_bright(told_ratio, limits) or certain:
        return FatAnswer.BRIGHT_NOT_FAT
    return FatAnswer.NONE if isointense else None


def _confirmed(
    t1: Volume,
    graft: Mask,
    foci: tuple[Focus, ...],
    reference: Reference,
    supporting: SupportingImages,
    limits: FatLimits,
) -> FatAnswer | None:
    """Return which kind of fat the supporting images show in the graft or one of its foci."""
    muscle = np.nonzero(reference.mask.array)
    inner = [_voxels(focus, t1) for focus in foci if not focus.at_rim]
    regions = [np.nonzero(graft.array), *inner]
    if any(shows_macroscopic_fat(supporting, t1, where, muscle, limits) for where in regions):
        return FatAnswer.CONFIRMED_MACROSCOPIC
    if any(shows_fat_edge(supporting, where, limits) for where in inner):
        return FatAnswer.CONFIRMED_MACROSCOPIC
    if any(shows_microscopic_fat(supporting, where, muscle, limits) for where in regions):
        return FatAnswer.CONFIRMED_MICROSCOPIC
    return None


def _voxels(focus: Focus, t1: Volume) -> Voxels:
    return tuple(np.rint(t1.geometry.to_index(focus.points_mm)).astype(np.intp).T)
