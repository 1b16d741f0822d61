"""Conjugate gradients (Hestenes and Stiefel 1952), preconditioned by the diagonal."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from imaging.geometry import FloatArray

_STEPS = 20
_TOLERANCE = 0.03


def solve(
    times: Callable[[FloatArray], FloatArray], right: FloatArray, diagonal: FloatArray
) -> FloatArray:
    """Return x with times(x) close to `right`, for a symmetric positive definite matrix.

    A Gauss-Newton step need not be exact: it stops at 20 steps or 3 % of the error at the start.
    Zero when `right` is.
    """
    x = np.zeros_like(right)
    rest = right.copy()
    scaled = rest / diagonal
    direction, error = scaled, float((rest * scaled).sum())
    least = _TOLERANCE**2 * error
    for _ in range(_STEPS):
        if error <= least:
            break
        image = times(direction)
        length = error / float((direction * image).sum())
        x += length * direction
        rest = rest - length * image
        scaled = rest / diagonal
        before, error = error, float((rest * scaled).sum())
        direction = scaled + (error / before) * direction
    return x
