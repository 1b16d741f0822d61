"""Who takes part in the contests: one module a program, run by `benchmarks.worker`.

A task is a function of the folder of its inputs. It reads them and returns the work to be timed
and a function that tells the work's result in JSON. A module imports nothing but its own program:
that is all that is installed where it runs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np

Task: TypeAlias = tuple[Callable[[], Any], Callable[[Any], Any]]
"""The work, and how its result is told."""


def voxels(array: Any, spacing_mm: Sequence[float]) -> dict[str, float]:
    """Tell an image by what no flip of axes changes."""
    values = np.asarray(array, dtype=np.float64)
    sides = zip(("least", "middle", "greatest"), sorted(spacing_mm), strict=True)
    return {
        "sum": float(values.sum()),
        "sum of squares": float((values**2).sum()),
        **{f"{name} spacing": float(mm) for name, mm in sides},
    }
