"""Shares: how much of each place of the unrolled wall is rectus, and how much is graft.

A small U-Net reads each slice with its neighbours, T2W-FS and, where there is one, T1W-FS. It was
trained on made walls alone, of random anatomy and random contrast (`training/`); its weights are
part of the program, nothing is fetched. One thread: the same bits whatever else the machine does.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.segmentation.fan import ALONG_STEP_MM, DEPTH_STEP_MM, Fan
from imaging.segmentation.inference import answer, session

Unrolled = NDArray[np.float32]

_COLUMNS_MM: FloatArray = 4.0 * (np.arange(56, dtype=np.float64) - 27.5)
_DEPTHS_MM: FloatArray = np.arange(72, dtype=np.float64) + 0.5
_MIDDLE_SLICES = [1, 4]
"""Of the channels of both contrasts: the slice looked at."""
_NEIGHBOUR_MM = 6.0
"""Slices beside the one looked at lie about this far from it."""
_COVERED_MIN = 0.4
"""Of the unrolled slice, air and all; half a slice is enough to see a wall."""
_LEVEL_MAX = 3.0
_DARK = 0.05
"""Of the median: below it noise would rule the logarithm."""


@dataclass(frozen=True, slots=True, eq=False)
class Shares:
    """(z, along, depth) each, 0 to 1, on the fan's grid; 0 beyond what the network looks at."""

    rectus: Unrolled
    graft: Unrolled


def wall_shares(fan: Fan, t2: Unrolled, t1: Unrolled | None) -> Shares:
    """Return the shares of an unrolled wall; `t1` is None, or 0 where it covers nothing."""
    seen = np.concatenate([_contrast(fan, t2), _contrast(fan, t1)], axis=1)
    # Both ways round, so that neither side of the body is judged by other rules.
    found = 0.5 * (_answer(seen) + _answer(seen[:, :, ::-1])[:, :, ::-1])
    if t1 is not None:
        found = _borrowed(found, t1)
    rectus, graft = (_on_fan(fan, found[:, part]) for part in (0, 1))
    return Shares(rectus, np.minimum(graft, rectus))


def _borrowed(found: Unrolled, t1: Unrolled) -> Unrolled:
    """Let slices beyond the field of view of T1W-FS borrow from the nearest one inside it."""
    covered = np.flatnonzero((t1 > 0).mean(axis=(1, 2)) > _COVERED_MIN)
    if covered.size == 0:
        return found
    nearest = np.abs(np.arange(len(found))[:, None] - covered).argmin(axis=1)
    return np.asarray(found[covered[nearest]], np.float32)


def _answer(seen: Unrolled) -> Unrolled:
    """(z, 2, columns, depths); the network also sees each slice as the other side sees it."""
    mirror = seen[:, _MIDDLE_SLICES, ::-1]
    every = np.concatenate([seen, mirror, _places(len(seen))], 1)
    return np.asarray(answer(_network(), {"seen": every}), np.float32)


@cache
def _network() -> Any:
    weights = files("imaging").joinpath("segmentation", "weights", "wall.onnx")
    return session(weights.read_bytes())


def _contrast(fan: Fan, image: Unrolled | None) -> Unrolled:
    """(z, 3, columns, depths): log intensity of a slice between its neighbours; 0 without one."""
    slices = fan.skin_mm.shape[0]
    if image is None or not (image > 0).any():
        return np.zeros((slices, 3, _COLUMNS_MM.size, _DEPTHS_MM.size), np.float32)
    middle = float(np.median(image[image > 0]))
    level = np.log(np.clip(image, 0, None) / middle + _DARK)
    coarse = np.clip(_on_network(fan, level), -_LEVEL_MAX, _LEVEL_MAX)
    apart = max(1, round(_NEIGHBOUR_MM / fan.spacing_mm[2]))
    z = np.arange(slices)
    beside = (np.maximum(z - apart, 0), z, np.minimum(z + apart, slices - 1))
    return np.stack([coarse[n] for n in beside], axis=1)


def _places(slices: int) -> Unrolled:
    """(z, 2, columns, depths): distance from the midline and depth, so that place can matter."""
    aside, deep = np.abs(_COLUMNS_MM) / 100.0, _DEPTHS_MM / _DEPTHS_MM.size
    both = np.stack(np.broadcast_arrays(aside[:, None], deep[None, :]))
    return np.broadcast_to(both, (slices, *both.shape)).astype(np.float32)


def _on_network(fan: Fan, level: Unrolled) -> Unrolled:
    # Two columns of the fan are one of the network.
    smooth = ndimage.gaussian_filter1d(level, 0.7, axis=1)
    along = np.clip((_COLUMNS_MM - fan.along_mm[0]) / ALONG_STEP_MM, 0, fan.along_mm.size - 1)
    return _sampled(smooth, np.asarray(along, np.float64), _DEPTHS_MM / DEPTH_STEP_MM)


def _on_fan(fan: Fan, shares: Unrolled) -> Unrolled:
    along = (fan.along_mm - _COLUMNS_MM[0]) / (_COLUMNS_MM[1] - _COLUMNS_MM[0])
    found = _sampled(shares, along, fan.depth_mm - _DEPTHS_MM[0])
    found[:, (along < -0.5) | (along > _COLUMNS_MM.size - 0.5)] = 0.0
    return found


def _sampled(array: Unrolled, along: FloatArray, depth: FloatArray) -> Unrolled:
    index = np.meshgrid(np.arange(array.shape[0]), along, depth, indexing="ij")
    return np.asarray(
        ndimage.map_coordinates(array, index, np.float32, order=1, mode="nearest"), np.float32
    )
