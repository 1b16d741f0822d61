"""Rectus: linea alba, semilunar lines, and the two compartments between them.

All lines run through the slices as `along` positions (mm from the body's middle, positive to the
patient's left) and are the cheapest smooth path over a profile of the muscle band.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.segmentation.body import BoolArray
from imaging.segmentation.fan import ALONG_STEP_MM, Fan
from imaging.segmentation.paths import cheapest
from imaging.segmentation.sheath import Sheath
from imaging.segmentation_limits import SegmentationLimits

_MIDLINE_REACH = 0.09  # linea alba to the plane of symmetry, over half the body's width
_MIDLINE_PRIOR = 0.8  # cost of being that far off
_LATERAL_PRIOR = 0.35  # cost of one spread away from the usual place
_WEIGHTS = (0.5, 1.0)  # T2W-FS, T1W-FS: how much a dark column speaks against muscle
_PLATEAU = (0.08, 0.33)  # of half the body's width: surely rectus
_LEARNED, _SEEN_MIN = 1.5, 0.25  # weight of the network, and the share of muscle it must see
_STEP_PRICE = 0.15  # per 2 mm from slice to slice


@dataclass(frozen=True, slots=True, eq=False)
class Borders:
    """Lines of one image, (z,) each, mm along; left ones are larger than `alba_mm`."""

    alba_mm: FloatArray
    left_mm: tuple[FloatArray, FloatArray]
    right_mm: tuple[FloatArray, FloatArray]
    """(medial, lateral) of the left and of the right compartment."""


def find_borders(
    fan: Fan,
    sheath: Sheath,
    limits: SegmentationLimits,
    rectus: NDArray[np.float32] | None = None,
) -> Borders:
    """Find linea alba and semilunar lines; `rectus` is what the network sees, or None."""
    evidence = _evidence(fan, sheath)
    if rectus is not None:
        evidence = evidence + _learned(fan, sheath, rectus)
    alba = _alba(fan, evidence)
    sides = []
    for sign in (1, -1):
        profile = _from_alba(fan, evidence, alba, sign)
        medial = _medial(profile, limits)
        lateral = _lateral(profile, fan.radius_mm, limits)
        sides.append((alba + sign * medial, alba + sign * lateral))
    return Borders(alba, sides[0], sides[1])


def compartment(
    fan: Fan, sheath: Sheath, border_mm: tuple[FloatArray, FloatArray], shape: tuple[int, int, int]
) -> BoolArray:
    """Return the voxels of an axial array between the surfaces and between two lines."""
    result = np.zeros(shape, dtype=np.bool_)
    for z in range(shape[2]):
        along, depth = fan.coordinates(shape[:2], z)
        front = np.interp(along, fan.along_mm, sheath.front_mm[z])
        back = np.interp(along, fan.along_mm, sheath.back_mm[z])
        low, high = sorted((border_mm[0][z], border_mm[1][z]))
        between = (along >= low) & (along <= high)
        result[:, :, z] = between & (depth >= front) & (depth <= back)
    return result


def _evidence(fan: Fan, sheath: Sheath) -> FloatArray:
    """(z, along): about 0 in the belly, negative where the band is thin or dark."""
    belly = np.abs(fan.along_mm)
    belly_columns = (belly > _PLATEAU[0] * fan.radius_mm) & (belly < _PLATEAU[1] * fan.radius_mm)
    thickness = sheath.thickness_mm
    usual = np.median(thickness[:, belly_columns], axis=1, keepdims=True)
    total = np.clip(thickness / usual - 1, -1, 0.2)
    for level, weight in zip(sheath.muscle_level, _WEIGHTS, strict=False):
        plateau = np.median(level[:, belly_columns], axis=1, keepdims=True)
        total = total + weight * np.clip((level - plateau) / 0.7, -1, 0.2)
    return np.asarray(ndimage.gaussian_filter(total, (0.6, 0.7), mode="nearest"))


def _learned(fan: Fan, sheath: Sheath, rectus: NDArray[np.float32]) -> FloatArray:
    """(z, along): 0 where the network sees as much muscle as in the belly, negative beside it."""
    depth = fan.depth_mm
    inside = (depth >= sheath.front_mm[..., None]) & (depth <= sheath.back_mm[..., None])
    seen = (rectus * inside).sum(axis=2) / np.maximum(inside.sum(axis=2), 1)
    seen = ndimage.gaussian_filter(seen, (0.6, 0.7), mode="nearest")
    result = np.zeros(seen.shape)
    for side in (fan.along_mm >= 0, fan.along_mm < 0):
        plateau = np.percentile(seen[:, side], 80, axis=1, keepdims=True)
        share = np.clip(seen[:, side] / np.maximum(plateau, _SEEN_MIN), 0, 1)
        # A side of which the network sees nothing says nothing about its borders.
        trust = np.clip(plateau / _SEEN_MIN - 1, 0, 1)
        result[:, side] = _LEARNED * trust * (share - 1)
    return result


def _alba(fan: Fan, evidence: FloatArray) -> FloatArray:
    reach_mm = _MIDLINE_REACH * fan.radius_mm
    columns = np.abs(fan.along_mm) <= reach_mm
    along = fan.along_mm[columns]
    wide = ndimage.uniform_filter1d(evidence, 3, axis=1)
    cost = wide[:, columns] + _MIDLINE_PRIOR * (along / reach_mm) ** 2
    return _path(cost, along)


def _from_alba(fan: Fan, evidence: FloatArray, alba_mm: FloatArray, sign: int) -> FloatArray:
    """(z, distance): evidence by distance from the linea alba in columns of the fan's step."""
    distance = np.arange(0.0, (1 - _MIDLINE_REACH) * fan.along_mm[-1], ALONG_STEP_MM)
    rows = [
        np.interp(a + sign * distance, fan.along_mm, row)
        for a, row in zip(alba_mm, evidence, strict=True)
    ]
    return np.stack(rows)


def _distances(profile: FloatArray) -> FloatArray:
    return np.asarray(np.arange(profile.shape[1]) * ALONG_STEP_MM, dtype=np.float64)


def _medial(profile: FloatArray, limits: SegmentationLimits) -> FloatArray:
    """Where the evidence steps up beside the linea alba."""
    distance = _distances(profile)
    reach = distance <= limits.muscle_linea_alba_max_mm / 2
    rise = ndimage.gaussian_filter1d(profile, 1.2, axis=1, order=1)
    cost = -2.0 * rise[:, reach] + 0.3 * distance[reach] / limits.muscle_linea_alba_max_mm
    return _path(cost[:, 1:], distance[reach][1:])


def _lateral(profile: FloatArray, radius_mm: float, limits: SegmentationLimits) -> FloatArray:
    """Where the band begins to pinch, not far from the usual place."""
    distance = _distances(profile)
    spread = limits.muscle_lateral_spread_fraction
    away = (distance / radius_mm - limits.muscle_lateral_fraction) / spread
    reach = np.abs(away) <= 2.5
    rise = ndimage.gaussian_filter1d(profile, 1.2, axis=1, order=1)
    cost = 2.0 * rise + 0.3 * profile + _LATERAL_PRIOR * away**2 / 2
    return _path(cost[:, reach], distance[reach])


def _path(cost: FloatArray, place_mm: FloatArray) -> FloatArray:
    """(z,): the cheapest smooth line through the slices."""
    (index,) = cheapest(cost[None].astype(np.float32), (2,), (_STEP_PRICE,))
    return np.asarray(ndimage.gaussian_filter1d(place_mm[index[0]], 0.7, mode="nearest"))
