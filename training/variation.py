"""Variation: what is drawn anew every time a sample is shown.

Real images taught how far this must go, by looking, never by training: muscle of one side half as
bright as that of the other, fat of one side suppressed and not of the other, contrast so low that
muscle is a tenth brighter than fat, and blur of two pixels.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from training.tissue import Array

_T2, _T1 = slice(0, 3), slice(3, 6)
_LEVEL_MAX = 3.0


def varied(rng: np.random.Generator, seen: Array, wanted: Array) -> tuple[Array, Array]:
    """Return one sample (columns, depths, 6) and its answer (columns, depths, 2), varied."""
    if rng.random() < 0.5:
        seen, wanted = seen[::-1].copy(), wanted[::-1].copy()
    if rng.random() < 0.6:
        seen = _injectate(rng, seen, wanted[..., 1:])
    if rng.random() < 0.25:
        seen[..., _T1] = 0
    elif seen[..., _T1].any():
        seen[..., _T1] += rng.normal(0, 0.2)
    seen[..., _T2] = _contrast(rng, seen[..., _T2]) + _shading(rng, *seen.shape[:2])
    seen, wanted = _moved(rng, seen, wanted)
    return np.clip(seen, -_LEVEL_MAX, _LEVEL_MAX), wanted


def _injectate(rng: np.random.Generator, seen: Array, graft: Array) -> Array:
    """Make a graft more like fluid: brighter on T2W-FS, darker on T1W-FS, as on the first day."""
    seen = seen.copy()
    seen[..., _T2] += graft * rng.uniform(0, 1.0)
    if seen[..., _T1].any():
        seen[..., _T1] += graft * np.log(rng.uniform(0.3, 1.1))
    return seen


def _contrast(rng: np.random.Generator, t2: Array) -> Array:
    t2 = (t2 + rng.normal(0, 0.25)) * np.exp(rng.uniform(np.log(0.45), np.log(1.25)))
    if rng.random() < 0.4:
        t2 = ndimage.gaussian_filter(t2, (rng.uniform(0, 0.8), rng.uniform(0.3, 1.6), 0))
    return t2 + rng.normal(0, 0.08, 3)


def _shading(rng: np.random.Generator, columns: int, depths: int) -> Array:
    """(columns, depths, 1): one side brighter than the other, a wave, and a slope with depth."""
    a, d = (np.arange(columns) - (columns - 1) / 2)[:, None], np.arange(depths)[None, :]
    total = np.zeros((columns, depths))
    if rng.random() < 0.6:
        total += rng.normal(0, 0.4) * np.tanh((a + rng.normal(0, 2)) / rng.uniform(2, 15))
    if rng.random() < 0.5:
        turns = 4 * a / rng.uniform(60, 300) * rng.choice((-1, 1)) + d / rng.uniform(40, 300)
        total += rng.normal(0, 0.25) * np.cos(2 * np.pi * turns + rng.uniform(0, 2 * np.pi))
    if rng.random() < 0.4:
        total += rng.normal(0, 0.012) * (d - 20)
    return total[..., None]


def _moved(rng: np.random.Generator, seen: Array, wanted: Array) -> tuple[Array, Array]:
    deeper, aside = int(rng.integers(-6, 7)), int(rng.integers(-2, 3))
    depth = np.arange(seen.shape[1]) - deeper
    inside = (depth >= 0) & (depth < seen.shape[1])
    at = np.clip(depth, 0, seen.shape[1] - 1)
    wanted = wanted[:, at] * inside[None, :, None]
    return np.roll(seen[:, at], aside, axis=0), np.roll(wanted, aside, axis=0)
