"""Paths: the cheapest smooth surface through a cost volume, by dynamic programming.

Viterbi's algorithm along one axis, all slices at once; the surface's position may change from
column to column by a few steps, and every step costs. Exact for each slice, and the same bits at
any number of threads (Li et al., Optimal surface segmentation, IEEE PAMI 2006;28:119-134, for the
idea of one surface per column).
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

CostArray = NDArray[np.float32]
IndexArray = NDArray[np.intp]


def cheapest(
    cost: CostArray, reach: tuple[int, ...], step_cost: tuple[float, ...]
) -> tuple[IndexArray, ...]:
    """Return the states of the cheapest path of every slice.

    Parameters
    ----------
    cost
        (slices, columns, states...): one or more state axes. Used up: what every path costs so
        far takes its place.
    reach, step_cost
        For every state axis: the most steps from one column to the next, and the cost of one.

    Returns
    -------
    tuple
        One index array (slices, columns) for every state axis.
    """
    for column in range(1, cost.shape[1]):
        cost[:, column] += _relaxed(cost[:, column - 1], reach, step_cost)
    return _traced(cost, reach, step_cost)


def _relaxed(
    arriving: CostArray, reach: tuple[int, ...], step_cost: tuple[float, ...]
) -> CostArray:
    for axis, (most, price) in enumerate(zip(reach, step_cost, strict=True), start=1):
        source, arriving = arriving, arriving.copy()
        for step in range(1, most + 1):
            low, high = _shifted(source.ndim, axis, step)
            np.minimum(arriving[low], source[high] + price * step, out=arriving[low])
            np.minimum(arriving[high], source[low] + price * step, out=arriving[high])
    return arriving


def _shifted(axes: int, axis: int, step: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    low = tuple(slice(None, -step) if a == axis else slice(None) for a in range(axes))
    high = tuple(slice(step, None) if a == axis else slice(None) for a in range(axes))
    return low, high


def _traced(
    total: CostArray, reach: tuple[int, ...], step_cost: tuple[float, ...]
) -> tuple[IndexArray, ...]:
    slices, columns, *states = total.shape
    steps = np.array(list(product(*(range(-most, most + 1) for most in reach))))
    prices = (np.abs(steps) * step_cost).sum(axis=1).astype(total.dtype)
    found = np.empty((slices, columns, len(states)), dtype=np.intp)
    last = total[:, -1].reshape(slices, -1).argmin(axis=1)
    found[:, -1] = np.stack(np.unravel_index(last, states), axis=1)
    each = np.arange(slices)[:, None]
    for column in range(columns - 2, -1, -1):
        tried = found[:, column + 1, None] + steps
        within = ((tried >= 0) & (tried < states)).all(axis=2)
        at = np.moveaxis(np.clip(tried, 0, np.array(states) - 1), 2, 0)
        arriving = np.where(within, total[each, column, *at] + prices, np.inf)
        found[:, column] = tried[each[:, 0], arriving.argmin(axis=1)]
    return tuple(found[..., axis] for axis in range(len(states)))
