"""Samples: pairs of what the network sees and what it shall say."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from training.anatomy import draw
from training.contrast import SUB_DEPTHS, SUB_SLICES, acquired, log_level, t1_levels, t2_levels
from training.tissue import Array, Grid

COLUMNS, DEPTHS, SLICES = 56, 72, 3
ALONG_MM, DEPTH_MM = 4.0, 1.0


class Sample(NamedTuple):
    """`seen` (columns, depths, 6); `rectus`, `graft` (columns, depths) 0..1."""

    seen: Array
    rectus: Array
    graft: Array


def sample(seed: int) -> Sample:
    """Return one sample; the same seed gives the same one."""
    rng = np.random.default_rng([seed, 5])
    grid = _grid(rng)
    drawn = draw(rng, grid)
    t2 = log_level(acquired(rng, drawn, grid, t2_levels(rng)))
    t1 = np.zeros_like(t2)
    if rng.random() < 0.5:
        t1 = log_level(acquired(rng, drawn, grid, t1_levels(rng)))
        t1 = np.roll(t1, (int(rng.integers(-1, 2)), int(rng.integers(-2, 3))), axis=(1, 2))
    seen = np.concatenate([t2, t1])
    seen = np.moveaxis(np.clip(seen, -3, 3), 0, -1)
    middle = slice(SLICES // 2 * SUB_SLICES, (SLICES // 2 + 1) * SUB_SLICES)
    return Sample(
        seen.astype(np.float16), _coarse(drawn.rectus[middle]), _coarse(drawn.graft[middle])
    )


def channels(seen: Array) -> Array:
    """Append what the program appends: the slice mirrored, distance from the midline, depth."""
    aside = np.abs(ALONG_MM * (np.arange(COLUMNS) - (COLUMNS - 1) / 2)) / 100.0
    deep = (np.arange(DEPTHS) + 0.5) / DEPTHS
    places = np.stack(np.broadcast_arrays(aside[:, None], deep[None, :]), axis=-1)
    places = np.broadcast_to(places, (len(seen), *places.shape)).astype(np.float32)
    return np.concatenate([seen, seen[:, ::-1][..., (1, 4)], places], axis=-1)


def _grid(rng: np.random.Generator) -> Grid:
    along = ALONG_MM * (np.arange(COLUMNS) - (COLUMNS - 1) / 2)
    depth = DEPTH_MM / SUB_DEPTHS * (np.arange(DEPTHS * SUB_DEPTHS) + 0.5)
    apart, thick = rng.uniform(3.5, 9.0), rng.uniform(0.6, 1.0)
    inside = (np.arange(SUB_SLICES) - (SUB_SLICES - 1) / 2) / SUB_SLICES * thick
    z = (np.arange(SLICES) - SLICES // 2)[:, None] + inside
    return Grid(*(v.astype(np.float32) for v in (along, depth, apart * z.ravel())))


def _coarse(labels: NDArray[np.bool_]) -> Array:
    share = labels.mean(axis=0)
    return share.reshape(share.shape[0], -1, SUB_DEPTHS).mean(axis=2).astype(np.float16)
