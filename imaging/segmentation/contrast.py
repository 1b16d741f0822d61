"""Contrast: every intensity as a ratio to the normal muscle at the same place.

The level of normal muscle is one factor a slice (slices of a 2-D acquisition differ in gain), one a
side and one slope across each side (what bias correction leaves of the coil). It is fitted
to the voxels that look like muscle, so that a bright graft does not raise it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray

BoolArray = NDArray[np.bool_]

_ROUNDS = 6
_LOW, _HIGH = np.log(0.65), np.log(1.3)
"""Voxels kept in the fit: fascia and fat below, graft and vessels above are left out."""

_SLICE_VOXELS = 20
"""A slice with fewer muscle voxels takes the gain of its neighbours."""

_SIDE_VOXELS = 200
"""A level taken from fewer voxels is noise."""

_SIDE_STARTS = (0.1, 0.35, 0.6, 0.85)
"""Quantiles of the left muscle at which the search for its level starts."""

_OWN_MAX = np.log(2.0)
"""A slice in which left and right differ by more than this is not corrected further."""

_MODE_SHARE = 0.15
"""A level is one of muscle only if this share of the left compartment lies near it."""


@dataclass(frozen=True, slots=True, eq=False)
class Contrast:
    """One image as ratio to muscle, smoothed in plane, and the spread of normal muscle.

    `sides` is the ratio of the left muscle's level to the right one's in the image. `darker` is
    the share of the left compartment at a second, darker level: fat in a bad outline, or the
    true muscle under a graft so large that it was taken for muscle.
    """

    ratio: NDArray[np.float32]
    sd: float
    sides: float
    darker: float


def contrast(
    image: NDArray[np.float32],
    left: BoolArray,
    right: BoolArray,
    excluded: BoolArray,
    smoothing_px: tuple[float, float],
) -> Contrast | None:
    """Return axial `image` as ratio to muscle; None when too few muscle voxels tell the level.

    `excluded` voxels (an earlier graft) take no part in the fit.
    """
    smooth = ndimage.gaussian_filter(image, (*smoothing_px, 0))
    sample = (left | right) & ~excluded & (smooth > 0)
    if min(np.count_nonzero(sample & side) for side in (left, right)) < _SIDE_VOXELS:
        return None
    level, sides, darker = _level(smooth, left, sample, slice_gains(smooth, left | right))
    ratio = (smooth / level).astype(np.float32)
    normal = ratio[sample & (np.abs(np.log(np.maximum(ratio, 1e-3))) < _HIGH * 1.6)]
    sd = 1.4826 * float(np.median(np.abs(normal - 1.0)))
    return Contrast(ratio, sd, sides, darker)


def _level(
    smooth: FloatArray, left: BoolArray, sample: BoolArray, jitter: FloatArray
) -> tuple[FloatArray, float, float]:
    x, _, z = np.nonzero(sample)
    log = np.log(smooth[sample].astype(np.float64)) - jitter[z]
    on_left = left[sample]
    centre = (float(x[on_left].mean()), float(x[~on_left].mean()) if (~on_left).any() else 0.0)
    design = _design(x.astype(float), on_left, centre)
    gain = _gains(log[~on_left], z[~on_left], smooth.shape[2])
    side = np.array([_side_offset((log - gain[z])[on_left]), 0.0, 0.0])
    for _ in range(_ROUNDS):
        residual = log - gain[z] - design @ side
        keep = (residual > _LOW) & (residual < _HIGH)
        # A ridge on the slopes: a few voxels of a bad mask must not tilt the whole side.
        ridge = np.diag([1e-6, keep.sum() * 25.0, keep.sum() * 25.0])
        gram = design[keep].T @ design[keep] + ridge
        side = np.linalg.solve(gram, design[keep].T @ (log - gain[z])[keep])
        gain = _gains((log - design @ side)[keep], z[keep], smooth.shape[2])
    grid = np.arange(smooth.shape[0], dtype=float)
    in_left = grid > sum(centre) / 2
    across = (_design(grid, in_left, centre) @ side)[:, None]
    usable = left.sum(axis=(0, 1)) < 2 * np.bincount(z[on_left], minlength=gain.size)
    own = _slice_offsets((log - gain[z] - design @ side)[on_left], z[on_left], usable)
    level = np.exp(across + (gain + jitter)[None, :] + own[None, :] * in_left[:, None])
    darker = _second_level((log - gain[z] - design @ side - own[z])[on_left])
    return level[:, None, :], float(np.exp(side[0])), darker


def slice_gains(image: NDArray[np.float32], muscle: BoolArray) -> FloatArray:
    """(z,): logarithm of the gain of every slice against its neighbours, from the whole wall.

    Muscle alone would take a tendinous intersection for a dark slice.
    """
    wall = ndimage.binary_dilation(muscle, np.ones((1, 9, 1))) & (image > 0)
    log = np.log(np.where(wall, image, 1.0))
    gains = np.zeros(image.shape[2])
    for z in range(image.shape[2]):
        steps = [_step(log, wall, z, n) for n in (z - 2, z - 1, z + 1, z + 2)]
        known = [step for step in steps if step is not None]
        gains[z] = np.median(known) if known else 0.0
    return gains


def _step(log: FloatArray, wall: BoolArray, z: int, other: int) -> float | None:
    if not 0 <= other < wall.shape[2]:
        return None
    both = wall[:, :, z] & wall[:, :, other]
    if np.count_nonzero(both) < _SIDE_VOXELS:
        return None
    return float(np.median((log[:, :, z] - log[:, :, other])[both]))


def _slice_offsets(residual: FloatArray, z: NDArray[np.int_], usable: BoolArray) -> FloatArray:
    """Return how the left side of each slice darkens by itself, as where signal drops near gas.

    Never how it brightens: that may be a graft that fills the slice. Only from `usable` slices,
    whose left muscle was mostly sampled: the rest beside an earlier graft may be fascia.
    """
    slices = usable.size
    counts = np.bincount(z, minlength=slices)
    known = np.flatnonzero(usable & (counts >= 2 * _SLICE_VOXELS))
    if known.size == 0:
        return np.zeros(slices)
    own = [_side_offset(residual[z == k]) for k in known]
    smooth = ndimage.median_filter(np.clip(own, -_OWN_MAX, 0.0), 3, mode="nearest")
    return np.asarray(np.interp(np.arange(slices), known, smooth))


def _second_level(residual: FloatArray) -> float:
    """Share of the left muscle that lies at one darker level than the one taken for muscle."""
    dark = residual < -_HIGH
    if not dark.any():
        return 0.0
    middle = float(np.median(residual[dark]))
    return float(np.mean(np.abs(residual - middle) < _HIGH / 2))


def _side_offset(log: FloatArray) -> float:
    """Return the left muscle's level over the right one's, natural logarithm.

    A large graft, or fat in a bad outline, is a second level of the left compartment: of the
    levels that enough voxels share, the one nearest to the right muscle's is muscle.
    """
    modes = []
    for quantile in _SIDE_STARTS:
        offset = float(np.quantile(log, quantile))
        for _ in range(2 * _ROUNDS):
            before, near = offset, log[(log > offset + _LOW) & (log < offset + _HIGH)]
            offset = float(np.median(near))
            if offset == before:
                break
        tight = np.abs(log - offset) < _HIGH
        if tight.mean() >= _MODE_SHARE:
            modes.append(offset)
    return min(modes, key=abs) if modes else float(np.median(log))


def _design(x: FloatArray, on_left: BoolArray, centre: tuple[float, float]) -> FloatArray:
    slopes = np.where(on_left, x - centre[0], x - centre[1])
    return np.stack([on_left, slopes * on_left, slopes * ~on_left], axis=1).astype(np.float64)


def _gains(log: FloatArray, z: NDArray[np.int_], slices: int) -> FloatArray:
    counts = np.bincount(z, minlength=slices)
    known = np.flatnonzero(counts >= _SLICE_VOXELS)
    if known.size == 0:
        return np.full(slices, float(np.median(log)))
    medians = [float(np.median(log[z == k])) for k in known]
    return np.asarray(np.interp(np.arange(slices), known, _along(medians)))


def _along(medians: list[float]) -> FloatArray:
    """Smooth the level of muscle along z; a tendinous intersection is one dark slice."""
    filtered = ndimage.median_filter(np.array(medians), 3, mode="nearest")
    return np.asarray(ndimage.gaussian_filter1d(filtered, 1.0, mode="nearest"))
