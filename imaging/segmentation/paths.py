"""Paths: the cheapest smooth surface through a cost volume, by dynamic programming.

Viterbi's algorithm along one axis, all slices at once; the surface's position may change from
column to column by a few steps, and every step costs. Exact for each slice, and the same bits at
any number of threads (Li et al., Optimal surface segmentation, IEEE PAMI 2006;28:119-134, for the
idea of one surface per column).
"""

from __future__ import annotations

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
        (slices, columns, states...): one or more state axes.
    reach, step_cost
        For every state axis: the most steps from one column to the next, and the cost of one.

    Returns
    -------
    tuple
        One index array (slices, columns) for every state axis.
    """
    total = np.empty_like(cost)
    total[:, 0] = cost[:, 0]
    for column in range(1, cost.shape[1]):
        total[:, column] = cost[:, column] + _relaxed(total[:, column - 1], reach, step_cost)
    return _traced(total, reach, step_cost)


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
    found = np.empty((slices, columns, len(states)), dtype=np.intp)
    last = total[:, -1].reshape(slices, -1).argmin(axis=1)
    found[:, -1] = np.stack(np.unravel_index(last, states), axis=1)
    for z in range(slices):
        for column in range(columns - 2, -1, -1):
            found[z, column] = _before(total[z, column], found[z, column + 1], reach, step_cost)
    return tuple(found[..., axis] for axis in range(len(states)))


def _before(
    total: CostArray, state: IndexArray, reach: tuple[int, ...], step_cost: tuple[float, ...]
) -> IndexArray:
    first = np.maximum(state - reach, 0)
    window = total[tuple(slice(f, s + r + 1) for f, s, r in zip(first, state, reach, strict=True))]
    for axis, price in enumerate(step_cost):
        steps = np.abs(first[axis] + np.arange(window.shape[axis]) - state[axis])
        shape = [-1 if a == axis else 1 for a in range(window.ndim)]
        window = window + (price * steps).reshape(shape)
    return np.asarray(first + np.unravel_index(int(window.argmin()), window.shape))
