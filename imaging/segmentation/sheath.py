"""Sheath: the front and back surface of the muscle band in the unrolled anterior wall.

Every column is read as three layers below the skin: fat, muscle, and whatever lies behind. For
each pair of surfaces the cost says how even the two layers are, how strong the steps between
them, and how usual the thickness; the cheapest smooth pair wins (piecewise-constant model of
Mumford and Shah along the depth, surfaces by dynamic programming). Means are per column, so coil
shading does not matter, and a column's cost is capped, so a graft cannot outvote its neighbours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.segmentation.fan import DEPTH_STEP_MM, Fan, depth_steps, log_level
from imaging.segmentation.paths import CostArray, cheapest
from imaging.segmentation_limits import SegmentationLimits

Unrolled = NDArray[np.float32]

# Weights of the cost, in units of a squared residual: algorithm, not anatomy.
_NOISE = 0.15  # unevenness of one tissue in log intensity: noise, septa, vessels
_CLUTTER = 0.6  # gain per sample that a layer explains
_STEP = 0.4  # log intensity step that counts as a full edge
_EDGE_T2, _EDGE_T1 = 6.0, 9.0  # weight of a full edge
_RISING = 0.3  # weight of a rising edge behind the muscle on T1W-FS
_ORDER = 60.0  # muscle on the wrong side of fat, per unit of log intensity
_THICKNESS = 1.0  # per mm outside the usual thickness
_FAILED = 0.6  # log intensity above the usual fat: its suppression failed
_FAT_SAMPLE_MM = (3.0, 9.0)  # below the skin and in front of the muscle
_CAP_T2, _CAP_T1 = 25.0, 40.0  # most that one column of an image can object
_REACH, _SLOPE = (2, 2), (4.0, 1.5)  # steps per column and their price
_POOLED_MM = 10.0  # slices this near share one pair of surfaces to begin with
_PULL_FRONT, _PULL_THIN, _PULL_THICK = 2.0, 4.5, 0.4  # per mm from the surfaces in common
_LEFT = 0.3  # weight of the left side in the surfaces in common
_GRAFT = -2.0  # cost of a muscle that a graft fills, however uneven
_SWELLING_MM = 1.5  # beyond the muscle in common
_BORROWED = np.float32(0.5)  # weight of T1W-FS carried to a slice that has none
_T2_BESIDE_T1 = 0.4  # weight of T2W-FS when there is T1W-FS, in this slice or its neighbours

_LEARNED, _LEARNED_CAP = np.float32(2.0), np.float32(20.0)  # weight and most of a column's odds
_DOUBT = np.float32(0.018)  # no place is more certain than e^4 to 1
_LEARNED_POOLED_MM = 6.0  # slices this near are read together


@dataclass(frozen=True, slots=True, eq=False)
class Sheath:
    """Two surfaces, (z, along) each, mm below the skin.

    `front_step`, `back_step` are the log intensity steps at them, of the sharper contrast;
    `muscle_level` the mean log intensity between them, one array (z, along) for each image.
    """

    front_mm: FloatArray
    back_mm: FloatArray
    front_step: FloatArray
    back_step: FloatArray
    muscle_level: tuple[FloatArray, ...]

    @property
    def thickness_mm(self) -> FloatArray:
        """(z, along) thickness of the muscle band."""
        return np.asarray(self.back_mm - self.front_mm)


@dataclass(frozen=True, slots=True, eq=False)
class _States:
    """The surfaces to choose from: depth of the front one, and thickness, in mm and samples."""

    front: NDArray[np.intp]
    thick: NDArray[np.intp]

    @property
    def front_mm(self) -> FloatArray:
        return np.asarray(self.front * DEPTH_STEP_MM, dtype=np.float64)

    @property
    def thick_mm(self) -> FloatArray:
        return np.asarray(self.thick * DEPTH_STEP_MM, dtype=np.float64)


def find_sheath(
    fan: Fan,
    t2: Unrolled,
    t1: Unrolled | None,
    limits: SegmentationLimits,
    rectus: Unrolled | None = None,
) -> Sheath:
    """Find both surfaces of the muscle band.

    The costs of all pairs of surfaces are the largest arrays of an assessment: they are changed
    in place, and let go as soon as they have said what they can.

    `t2`, `t1` are `fan.unrolled` images; T1W-FS counts where it covers a column. `rectus` is the
    share of muscle that the network sees at each place, None to do without.
    """
    states = _states(limits, t2.shape[2])
    left = slice(int(np.searchsorted(fan.along_mm, 0, side="right")), None)
    levels = [log_level(image, fan.spacing_mm[2]) for image in (t2, t1) if image is not None]
    even, filled = _cost(levels[0], states, _EDGE_T2, _CAP_T2, 1.0, left)
    if t1 is not None:
        seen = (t1 > 0).mean(axis=2) > 0.7
        second = _cost(levels[1], states, _EDGE_T1, _CAP_T1, _RISING, left)
        weight = np.float32(_T2_BESIDE_T1 if seen.any() else 1.0)
        for one, two in zip((even, filled), second, strict=True):
            np.multiply(one, weight, out=one)
            np.add(one, _borrowed(two, seen), out=one)
        del second, two
    if rectus is not None:
        for index, learned in enumerate(_learned(fan, rectus, states)):
            even[..., index] += learned
            filled[..., index] += learned[:, left]
    even += _usual_thickness(states, limits)
    front, thick = _common(fan, even)
    np.copyto(even[:, left], filled, where=_swollen(states, thick[:, left]))
    del filled
    _pull(even, front, thick)
    front, thick = cheapest(even, _REACH, _SLOPE)
    return _measured(levels, states.front[front], states.thick[thick])


def _states(limits: SegmentationLimits, depths: int) -> _States:
    thick = np.arange(
        round(limits.muscle_band_min_mm / DEPTH_STEP_MM),
        round(limits.muscle_thickness_max_mm / DEPTH_STEP_MM) + 1,
    )
    deepest = min(round(limits.muscle_fat_max_mm / DEPTH_STEP_MM), depths - 2 - int(thick[-1]))
    return _States(np.arange(round(limits.muscle_fat_min_mm / DEPTH_STEP_MM), deepest), thick)


def _usual_thickness(states: _States, limits: SegmentationLimits) -> CostArray:
    low, high = limits.muscle_thickness_low_mm, limits.muscle_thickness_high_mm
    outside = np.maximum(low - states.thick_mm, 0) + np.maximum(states.thick_mm - high, 0)
    return (_THICKNESS * outside).astype(np.float32)[None, None, None, :]


def _cost(
    level: Unrolled, states: _States, edge: float, cap: float, rising: float, grafted: slice
) -> tuple[CostArray, CostArray]:
    """(z, along, front, thick) twice: cost of every pair of surfaces in one image, 0 ... cap.

    Suppressed fat is darker than muscle, at most a little brighter; columns where suppression
    failed tell of the muscle's back only. In the second one, of the columns `grafted` alone, the
    muscle may be uneven, as if a graft filled it.
    """
    sums = [np.cumsum(np.pad(level**p, ((0, 0), (0, 0), (1, 0))), axis=2) for p in (1, 2)]
    low, high = int(states.front[0]), int(states.front[-1]) + 1
    step = np.clip(depth_steps(level) / _STEP, -1, 1) * np.float32(edge)
    # On T1W-FS what lies behind muscle is darker, but for liver or gut that touches the wall.
    behind = np.maximum(-step, rising * step)
    trusted = _suppressed(level)[:, :, None]
    fat_mean, fat = _layer(sums, slice(low - 1, low), slice(low, high), states.front - (low - 1))
    fat = (fat - np.maximum(step[:, :, low:high], 0)) * trusted
    # Thickness comes first in memory: each step of the loop writes one block.
    shape = (states.thick.size, *level.shape[:2], high - low)
    even = np.empty(shape, dtype=np.float32)
    filled = np.empty_like(even[:, :, grafted])
    for index, thick in enumerate(states.thick):
        back = slice(low + thick, high + thick)
        mean, muscle = _layer(sums, slice(low, high), back, thick)
        order = _ORDER * np.clip(fat_mean - mean + 0.08, 0, 0.5) * trusted
        shared = fat + order - behind[:, :, back]
        np.add(shared, muscle, out=even[index])
        uneven = np.minimum(muscle[:, grafted], _GRAFT)
        np.add(shared[:, grafted], uneven, out=filled[index])
    best = even.min(axis=(0, 3))[None, :, :, None]
    for cost, least in ((even, best), (filled, best[:, :, grafted])):
        np.subtract(cost, least, out=cost)
        np.clip(cost, 0, cap, out=cost)
    return np.moveaxis(even, 0, 3), np.moveaxis(filled, 0, 3)


def _borrowed(cost: CostArray, seen: NDArray[np.bool_]) -> CostArray:
    """Let slices beyond the field of view of T1W-FS borrow from the nearest one inside it.

    The costs may be of the last columns alone; whether a slice lies inside is seen in all.
    """
    cost *= seen[:, -cost.shape[1] :, None, None]
    inside = np.flatnonzero(seen.mean(axis=1) > 0.5)
    for z in np.setdiff1d(np.arange(seen.shape[0]), inside) if inside.size else ():
        cost[z] = _BORROWED * cost[inside[np.argmin(np.abs(inside - z))]]
    return cost


def _learned(fan: Fan, rectus: Unrolled, states: _States) -> Iterator[CostArray]:
    """Yield (z, along, front) for every thickness: the network's log odds against, 0 ... cap."""
    odds = np.log((rectus + _DOUBT) / (1 - rectus + _DOUBT))
    along_z = _LEARNED_POOLED_MM / fan.spacing_mm[2]
    odds = ndimage.gaussian_filter1d(odds, along_z, axis=0, mode="nearest")
    sums = np.cumsum(np.pad(odds, ((0, 0), (0, 0), (1, 0))), axis=2) * np.float32(DEPTH_STEP_MM)
    before = sums[:, :, states.front]
    least = np.full((*before.shape[:2], 1), np.inf, dtype=np.float32)
    for thick in states.thick:
        against = before - sums[:, :, states.front + thick]
        np.minimum(least, against.min(axis=2, keepdims=True), out=least)
    for thick in states.thick:
        against = before - sums[:, :, states.front + thick] - least
        yield np.asarray(np.minimum(against, _LEARNED_CAP) * _LEARNED, dtype=np.float32)


def _suppressed(level: Unrolled) -> NDArray[np.bool_]:
    """Columns whose fat below the skin is not far brighter than the wall's fat usually is."""
    first, last = (round(mm / DEPTH_STEP_MM) for mm in _FAT_SAMPLE_MM)
    fat = np.median(level[:, :, first:last], axis=2)
    failed = fat > np.median(fat) + _FAILED
    return np.asarray(~ndimage.binary_dilation(failed, np.ones((1, 7))))


def _layer(
    sums: list[Unrolled], first: slice, last: slice, samples: NDArray[np.intp] | int
) -> tuple[Unrolled, Unrolled]:
    """Mean of the samples first ... last - 1, and what it costs to call them one tissue."""
    total, squares = (s[:, :, last] - s[:, :, first] for s in sums)
    count = np.asarray(samples, dtype=np.float32)
    mean: Unrolled = total / count
    uneven = np.maximum(squares - total * mean, 0) / np.float32(4 * _NOISE**2)
    return mean, np.asarray(uneven - np.float32(_CLUTTER) * count, dtype=np.float32)


def _common(fan: Fan, cost: CostArray) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Surfaces that suit both sides and the neighbouring slices, at half the resolution.

    A failed suppression or a dark patch of fat is on one side and in a few slices; the right
    side counts more, because the graft lies in the left.
    """
    coarse = cost[:, :, ::2, ::2]
    left = (fan.along_mm > 0)[None, :, None, None]
    coarse = coarse * np.where(left, np.float32(_LEFT), np.float32(1))
    along_z = _POOLED_MM / fan.spacing_mm[2]
    both = ndimage.gaussian_filter1d(coarse + coarse[:, ::-1], along_z, axis=0, mode="nearest")
    front, thick = cheapest(both, (1, 1), _SLOPE)
    return 2 * front, 2 * thick


def _swollen(states: _States, thick: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Pairs of surfaces clearly thicker than muscle alone."""
    more = (np.arange(states.thick.size) - thick[:, :, None]) * DEPTH_STEP_MM >= _SWELLING_MM
    return np.asarray(more[:, :, None, :])


def _pull(cost: CostArray, front: NDArray[np.intp], thick: NDArray[np.intp]) -> None:
    """Add a pull towards the surfaces given; muscle may be swollen sooner than thinned."""
    away_front = np.abs(np.arange(cost.shape[2]) - front[:, :, None]) * DEPTH_STEP_MM
    thicker = (np.arange(cost.shape[3]) - thick[:, :, None]) * DEPTH_STEP_MM
    pull_front = _PULL_FRONT * np.minimum(away_front, 15.0)
    pull_thick = np.where(thicker < 0, -_PULL_THIN * thicker, _PULL_THICK * thicker)
    cost += pull_front.astype(np.float32)[..., None]
    cost += pull_thick.astype(np.float32)[:, :, None, :]


def _measured(levels: list[Unrolled], front: NDArray[np.intp], thick: NDArray[np.intp]) -> Sheath:
    edges = [np.abs(depth_steps(level)) for level in levels]
    surfaces = (front, front + thick)
    at = [np.max([_taken(e, i) for e in edges], axis=0) for i in surfaces]
    depth = [_smooth(np.asarray(i * DEPTH_STEP_MM, dtype=np.float64)) for i in surfaces]
    inside = tuple(_middle(level, front, thick) for level in levels)
    return Sheath(depth[0], depth[1], at[0], at[1], inside)


def _taken(values: Unrolled, depth: NDArray[np.intp]) -> FloatArray:
    return np.asarray(np.take_along_axis(values, depth[..., None], 2)[..., 0], dtype=np.float64)


def _middle(level: Unrolled, front: NDArray[np.intp], thick: NDArray[np.intp]) -> FloatArray:
    """Mean of the middle half of the band."""
    sums = np.cumsum(np.pad(level, ((0, 0), (0, 0), (1, 0))), axis=2)
    first = front + thick // 4
    count = np.maximum(thick // 2, 1)
    return np.asarray((_taken(sums, first + count) - _taken(sums, first)) / count)


def _smooth(surface_mm: FloatArray) -> FloatArray:
    return np.asarray(ndimage.gaussian_filter(surface_mm, (0.4, 0.8), mode="nearest"))
