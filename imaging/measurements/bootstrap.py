"""Bootstrap: a confidence interval for a ratio of medians of spatially correlated voxels.

Neighbouring voxels repeat each other, so whole cubes of tissue are drawn with replacement
instead of voxels (block bootstrap; Künsch, Ann Statist 1989;17:1217).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import FloatArray
from imaging.volume import Mask, Volume

BINS = 256
"""Values are ranked into so many groups of equal size; a median is right to 1/256 of the ranks."""


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Voxel values (n,) and the number of the cube, 0 to blocks - 1, that each lies in (n,)."""

    values: FloatArray
    block: NDArray[np.int64]

    @property
    def blocks(self) -> int:
        """Number of cubes."""
        return int(self.block.max()) + 1 if len(self.block) else 0


def sample(volume: Volume, mask: Mask, block_mm: float) -> Sample:
    """Return the voxels of a mask with the cube of side `block_mm` each belongs to."""
    index = np.argwhere(mask.array)
    cube = np.floor(index * (np.asarray(volume.geometry.spacing_mm) / block_mm)).astype(np.int64)
    values = volume.array[mask.array].astype(np.float64)
    if not len(index):
        return Sample(values, np.zeros(0, dtype=np.int64))
    sides = cube.max(axis=0) + 1
    block = np.unique(np.ravel_multi_index(tuple(cube.T), tuple(sides)), return_inverse=True)[1]
    return Sample(values, block.astype(np.int64))


def ratio_ci95(
    numerator: Sample, denominator: Sample, draws: int, seed: int
) -> tuple[float, float] | None:
    """Return the 95 % interval of median(numerator) / median(denominator).

    None when either sample has fewer than two blocks (nothing to draw from) or a drawn
    denominator is not positive. The same seed gives the same interval at any thread count:
    the sums are of whole numbers.
    """
    if min(numerator.blocks, denominator.blocks) < 2:
        return None
    generator = np.random.default_rng(seed)
    top = _drawn_medians(numerator, draws, generator)
    bottom = _drawn_medians(denominator, draws, generator)
    if (bottom <= 0).any():
        return None
    low, high = np.percentile(top / bottom, [2.5, 97.5])
    return float(low), float(high)


def _drawn_medians(data: Sample, draws: int, generator: np.random.Generator) -> FloatArray:
    count = len(data.values)
    order = np.argsort(data.values, kind="stable")
    bins = min(count, BINS)
    rank = np.arange(count) * bins // count
    level = np.bincount(rank, data.values[order]) / np.bincount(rank)
    cells = np.bincount(data.block[order] * bins + rank, minlength=data.blocks * bins)
    times = generator.multinomial(data.blocks, np.full(data.blocks, 1 / data.blocks), size=draws)
    table = cells.reshape(data.blocks, bins).astype(np.float64)
    filled = np.cumsum(times.astype(np.float64) @ table, axis=1)
    middle = (filled < filled[:, -1:] / 2).sum(axis=1)
    return np.asarray(level[middle], dtype=np.float64)
