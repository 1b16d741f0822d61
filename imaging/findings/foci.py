"""Foci over time: whether a high-signal focus is new, had been hidden, or has grown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imaging.measurements.foci import Focus, gap_mm
from imaging.measurements.region import pixel_mm
from imaging.measurements.shape import REPEATABILITY_95
from imaging.measurements.signal import Signal, is_mass_like
from imaging.protocol import Protocol, SignalLimits
from imaging.timepoint import Timepoint, reference_from_visit


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A visit and the one of its two signal measurements that is being looked at."""

    visit: Timepoint
    signal: Signal


def is_nodule(focus: Focus, limits: SignalLimits) -> bool:
    """Whether a focus is at least as long as a nodule, or mass-like."""
    return focus.diameter_mm >= limits.nodule_min_mm or is_mass_like(focus, limits)


def is_new(focus: Focus, visit: Timepoint, reference: Seen, protocol: Protocol) -> bool | None:
    """Return whether a focus of a visit lies away from all foci of an earlier one.

    None when the two cannot be laid over each other and the earlier one had foci.
    """
    motion = reference_from_visit(visit, reference.visit)
    if motion is None:
        return None if reference.signal.foci else True
    limit = protocol.signal.new_focus_distance_mm
    return all(gap_mm(focus, other, motion) > limit for other in reference.signal.foci)


def surfaced(focus: Focus, visit: Timepoint, earlier: Sequence[Seen], limits: SignalLimits) -> bool:
    """Return whether a focus may have lain hidden in every earlier visit's high signal.

    Then it may have come out of a bright injectate that went, rather than have grown.
    """
    return bool(earlier) and all(hidden(focus, visit, seen, limits) for seen in earlier)


def hidden(focus: Focus, visit: Timepoint, reference: Seen, limits: SignalLimits) -> bool:
    """Return whether a focus would not have been seen in a reference visit's high signal.

    What is brighter now than a focus of that visit's graft had to be would have been one then.
    """
    level = reference.signal.ratio.value
    if level is not None and focus.ratio > limits.focus_over_graft * level:
        return False
    return was_high(focus, visit, reference)


def was_high(focus: Focus, visit: Timepoint, reference: Seen) -> bool:
    """Return whether at least half of a focus had high signal in a reference visit."""
    high, motion = reference.signal.high, reference_from_visit(visit, reference.visit)
    if high is None or motion is None:
        return False
    points = motion @ focus.points_mm
    inside = points[high.geometry.contains(points)]
    index = np.rint(high.geometry.to_index(inside)).astype(np.int64)
    index = np.clip(index, 0, np.array(high.geometry.shape) - 1)
    return bool(2 * np.count_nonzero(high.array[tuple(index.T)]) >= len(points))


def is_certainly_new(
    focus: Focus, visit: Timepoint, earlier: Sequence[Seen], protocol: Protocol
) -> bool | None:
    """Return whether no earlier visit had a focus; None when that cannot be told.

    Not told: no earlier visit, one that could not be laid over, a doubtful focus (at the
    rim, or like a vessel), and one that may have surfaced.
    """
    apart = [is_new(focus, visit, seen, protocol) for seen in earlier]
    if False in apart:
        return False
    if not apart or None in apart or focus.doubtful:
        return None
    if surfaced(focus, visit, earlier, protocol.signal):
        return None
    return True


def growth(
    focus: Focus, visit: Timepoint, reference: Seen, protocol: Protocol
) -> tuple[bool | None, float]:
    """Return whether a focus has grown since a reference, and by how many mm.

    (False, 0.0) when the reference had none there. None when it has but the rim or earlier high
    signal round it may explain that.
    """
    known = _counterpart(focus, visit, reference, protocol)
    if known is None or focus.diameter_mm < protocol.signal.focus_min_mm:
        return False, 0.0
    more = focus.diameter_mm - known.diameter_mm
    grown = more >= protocol.signal.focus_growth_mm
    if not grown and not _beyond_repeatability(focus, known, visit, protocol):
        return False, more
    lay_hidden = hidden(focus, visit, reference, protocol.signal)
    doubt = focus.doubtful or known.doubtful or lay_hidden
    return (None if doubt else True), more


def _counterpart(
    focus: Focus, visit: Timepoint, reference: Seen, protocol: Protocol
) -> Focus | None:
    """Return the largest focus of the reference at the same place, if any."""
    motion = reference_from_visit(visit, reference.visit)
    if motion is None:
        return None
    limit = protocol.signal.new_focus_distance_mm
    near = [f for f in reference.signal.foci if gap_mm(focus, f, motion) <= limit]
    return max(near, key=lambda f: f.volume_ml, default=None)


def _beyond_repeatability(focus: Focus, known: Focus, visit: Timepoint, protocol: Protocol) -> bool:
    """Whether the volume rose by more than contours of this uncertainty allow."""
    if visit.graft.mask is None:
        return False
    sd_mm = protocol.morphology.boundary_sd_pixels * pixel_mm(visit.graft.mask.geometry)
    ours, theirs = (sd_mm * f.surface_area_mm2 / (1000 * f.volume_ml) for f in (focus, known))
    limit = REPEATABILITY_95 * math.hypot(ours, theirs) / math.sqrt(2)
    return math.log(focus.volume_ml / known.volume_ml) > limit
