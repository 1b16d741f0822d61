"""Signal: how bright the graft is against reference muscle on T2W-FS, and in what pattern."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from imaging.geometry import FloatArray
from imaging.measurement import Measurement, measured, missing
from imaging.measurements.bootstrap import ratio_ci95, sample
from imaging.measurements.foci import ROUNDING_MM, Focus, find_foci, gap_mm, is_tube, largest_first
from imaging.measurements.level import ROBUST_SD, focus_limits, graft_level
from imaging.measurements.region import core, cropped_pair
from imaging.messages import text
from imaging.protocol import Protocol, ReferenceMuscle, SignalLimits
from imaging.reference import Reference, Side
from imaging.transform import identity
from imaging.volume import Mask, Volume


class Pattern(StrEnum):
    """How the signal is spread over the graft."""

    HOMOGENEOUS = "homogeneous"
    STIPPLED = "stippled"
    NODULAR = "nodular"


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """T2W-FS signal of one graft.

    Parameters
    ----------
    ratio
        Median of the graft's core over the median of reference muscle, with bootstrap interval.
    told_ratio
        The same with the interval that is told, see `told`.
    side
        Whose muscle the ratio is to; None when not measured.
    contrast_to_noise
        Their difference over the robust standard deviation of reference muscle.
    coefficient_of_variation
        Standard deviation over mean of the core (IBSI 7TET).
    robust_cov
        1.4826 times median absolute deviation over median of the core; decides the pattern.
    high_limit
        Ratio above which signal is high.
    high_fraction
        Share of the graft above it.
    focus_limit, nodule_limit
        Signal over that of the graft without its foci, above which voxels may be of a focus, and
        of one as large as a nodule, which slices dilute less than they would hide it.
    foci
        Largest first; those `at_rim` may be partial volume, `tubular` ones vessels.
    pattern
        None when the rules do not decide it, see `pattern_reason`.
    mass_like
        Whether a nodule is as large as a mass; None when not decided.
    high
        The part of the graft with high signal, on the graft's bounding box; None when not measured.
    """

    ratio: Measurement
    told_ratio: Measurement
    side: Side | None
    contrast_to_noise: Measurement
    coefficient_of_variation: Measurement
    robust_cov: Measurement
    high_limit: Measurement
    high_fraction: Measurement
    focus_limit: Measurement
    nodule_limit: Measurement
    foci: tuple[Focus, ...]
    pattern: Pattern | None
    pattern_reason: str | None
    mass_like: bool | None
    high: Mask | None


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and spread of a set of intensities, in their unit or dimensionless."""

    median: float
    coefficient_of_variation: Measurement
    robust_cov: Measurement


def measure_signal(
    volume: Volume,
    graft: Mask,
    reference: Reference,
    protocol: Protocol,
) -> Signal:
    """Measure the graft on one T2W-FS image; an empty graft or black muscle gives reasons.

    Raises
    ------
    GeometryError
        The graft is not on the image's grid.
    """
    limits, sampling = protocol.signal, protocol.reference_muscle
    if graft.is_empty or reference.median <= 0:
        reason = text("reason.empty_mask" if graft.is_empty else "reason.reference_not_positive")
        nothing = missing(reason)
        return Signal(*(nothing,) * 2, None, *(nothing,) * 7, (), None, reason, None, None)
    ratio = muscle_ratio(volume, graft, reference, sampling)
    volume, graft = cropped_pair(volume, graft)
    inner = core(graft, sampling.erosion_pixels)
    spread = describe(volume.array[inner.array].astype(np.float64))
    high_limit = _high_limit(reference, limits)
    high = graft.array & (volume.array > high_limit * reference.median)
    foci, least, least_large = _bright_foci(volume, graft, reference, high_limit, protocol)
    pattern, mass_like, reason_ = _pattern(foci, spread.robust_cov, limits)
    return Signal(
        ratio=ratio,
        told_ratio=told(ratio, reference, sampling),
        side=reference.side,
        contrast_to_noise=_contrast(spread.median, reference),
        coefficient_of_variation=spread.coefficient_of_variation,
        robust_cov=spread.robust_cov,
        high_limit=measured(high_limit),
        high_fraction=measured(np.count_nonzero(high) / graft.voxels),
        focus_limit=least,
        nodule_limit=least_large,
        foci=foci,
        pattern=pattern,
        pattern_reason=reason_,
        mass_like=mass_like,
        high=Mask(high, graft.geometry),
    )


def muscle_ratio(
    volume: Volume, graft: Mask, reference: Reference, sampling: ReferenceMuscle
) -> Measurement:
    """Return the median of a graft's core over that of reference muscle.

    Neither may be empty. There is no interval when there is too little of either.
    """
    small, part = cropped_pair(volume, graft)
    ours = sample(small, core(part, sampling.erosion_pixels), sampling.bootstrap_block_mm)
    muscle = sample(*cropped_pair(volume, reference.mask), sampling.bootstrap_block_mm)
    interval = ratio_ci95(ours, muscle, sampling.bootstrap_draws, sampling.bootstrap_seed)
    return measured(float(np.median(ours.values)) / reference.median, interval)


def told(ratio: Measurement, reference: Reference, sampling: ReferenceMuscle) -> Measurement:
    """Return a `muscle_ratio` with the interval that is told: what voxels do not tell is in it.

    The trial's rules look at the bootstrap's interval; whoever reads a ratio wants to know where
    the true one lies. The systematic error adds in quadrature, on the logarithm; then the interval
    is widened to hold the ratio to the muscle of either side alone, for which of them is like the
    muscle at the graft's own place, under the coil's shading, is not known. A ratio without an
    interval, or one that reaches 0, stays as it is.
    """
    if ratio.value is None or ratio.ci95 is None or min(ratio.value, *ratio.ci95) <= 0:
        return ratio
    beyond = 1.96 * sampling.systematic_sd
    low, high = (math.hypot(math.log(end / ratio.value), beyond) for end in ratio.ci95)
    darkest, brightest = _sides(reference)
    least = ratio.value * math.exp(-low) * reference.median / brightest
    return measured(ratio.value, (least, ratio.value * math.exp(high) * reference.median / darkest))


def _sides(reference: Reference) -> tuple[float, float]:
    """Return the least and greatest median of the reference and of both sides, above 0."""
    sides = (reference.left_median.value, reference.right_median.value)
    medians = [reference.median, *(side for side in sides if side is not None and side > 0)]
    return min(medians), max(medians)


def describe(values: FloatArray) -> Spread:
    """Return median and spread of intensities (n,), n at least 1."""
    mean, median = float(values.mean()), float(np.median(values))
    deviation = ROBUST_SD * float(np.median(np.abs(values - median)))
    undefined = missing(text("reason.zero_intensity"))
    return Spread(
        median=median,
        coefficient_of_variation=undefined if mean == 0 else measured(values.std() / mean),
        robust_cov=undefined if median == 0 else measured(deviation / abs(median)),
    )


def _high_limit(reference: Reference, limits: SignalLimits) -> float:
    return max(1 + limits.high_sd * reference.robust_sd / reference.median, limits.high_ratio_min)


def _contrast(median: float, reference: Reference) -> Measurement:
    if reference.robust_sd <= 0:
        return missing(text("reason.reference_without_spread"))
    return measured((median - reference.median) / reference.robust_sd)


def _bright_foci(
    volume: Volume, graft: Mask, reference: Reference, high_limit: float, protocol: Protocol
) -> tuple[tuple[Focus, ...], Measurement, Measurement]:
    """Return the foci, and how many times the rest of the graft one must be, and a large one."""
    limits, slice_mm = protocol.signal, graft.geometry.spacing_mm[2]
    inner, whole = (volume.array[m.array].astype(np.float64) for m in (core(graft, 1), graft))
    level = graft_level(inner, whole, limits)
    least = focus_limits(level, high_limit * reference.median, slice_mm, limits)
    small, large = (
        find_foci(
            graft.array & (volume.array > limit),
            volume,
            graft,
            reference.median,
            pixels_min=limits.focus_pixels_min,
            rim_mm=limits.rim_mm,
            level=level.median,
        )
        for limit in least
    )
    through = (graft.geometry.directions[:, 2], slice_mm, protocol.segmentation)
    nodules = [focus for focus in large if focus.diameter_mm >= limits.nodule_min_mm]
    foci = [replace(f, tubular=is_tube(f, *through)) for f in (*nodules, *_beside(small, nodules))]
    if level.median <= 0:
        unknown = missing(text("reason.zero_intensity"))
        return largest_first(foci), unknown, unknown
    full, diluted = (measured(limit / level.median) for limit in least)
    return largest_first(foci), full, diluted


def _beside(small: Iterable[Focus], nodules: Sequence[Focus]) -> list[Focus]:
    """Return the foci that share no voxel with a nodule."""
    same = identity()
    return [f for f in small if all(gap_mm(f, n, same) > ROUNDING_MM for n in nodules)]


def _pattern(
    foci: tuple[Focus, ...], robust_cov: Measurement, limits: SignalLimits
) -> tuple[Pattern | None, bool | None, str | None]:
    """Pattern, mass-likeness and, without a pattern, why; doubtful foci can only cast doubt."""
    with_doubtful, without = (
        _rank(foci, robust_cov, limits),
        _rank(tuple(f for f in foci if not f.doubtful), robust_cov, limits),
    )
    if with_doubtful != without:
        same_mass = with_doubtful[1] if with_doubtful[1] == without[1] else None
        return None, same_mass, text("reason.pattern_rim")
    pattern, mass_like = without
    reason = None if pattern else text("reason.pattern_between", minimum=limits.focus_min_mm)
    return pattern, mass_like, reason


def _rank(
    foci: tuple[Focus, ...], robust_cov: Measurement, limits: SignalLimits
) -> tuple[Pattern | None, bool]:
    largest = max((f.diameter_mm for f in foci), default=0.0)
    mass_like = any(is_mass_like(f, limits) for f in foci)
    if mass_like or largest >= limits.nodule_min_mm:
        return Pattern.NODULAR, mass_like
    uneven = robust_cov.value is None or robust_cov.value > limits.cov_homogeneous_max
    if uneven or len(foci) >= limits.stipples_min:
        return Pattern.STIPPLED, False
    return (None if largest >= limits.focus_min_mm else Pattern.HOMOGENEOUS), False


def is_mass_like(focus: Focus, limits: SignalLimits) -> bool:
    """Whether a focus is as long or as large as a mass."""
    return focus.diameter_mm >= limits.mass_min_mm or focus.volume_ml >= limits.mass_min_ml
