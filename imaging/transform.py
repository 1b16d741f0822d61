"""RigidTransform: a motion between two patient spaces, named for what it gives.

`visit_from_baseline @ point_mm` takes a point of the baseline and gives its place in the visit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from imaging.geometry import FloatArray


class Transform(Protocol):
    """Whatever maps LPS points (..., 3) of one patient space to another's."""

    def __matmul__(self, points_mm: ArrayLike) -> FloatArray: ...


@dataclass(frozen=True, slots=True, eq=False)
class RigidTransform:
    """Rotation and translation, (4, 4), LPS mm to LPS mm."""

    matrix: FloatArray

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64)
        matrix.setflags(write=False)
        object.__setattr__(self, "matrix", matrix)

    def __matmul__(self, points_mm: ArrayLike) -> FloatArray:
        """Map LPS points (..., 3)."""
        points = np.asarray(points_mm, dtype=np.float64)
        return np.asarray(points @ self.matrix[:3, :3].T + self.matrix[:3, 3], dtype=np.float64)

    def after(self, first: RigidTransform) -> RigidTransform:
        """Return the transform that applies `first`, then this one."""
        return RigidTransform(self.matrix @ first.matrix)

    @property
    def inverse(self) -> RigidTransform:
        """The transform that undoes this one."""
        return RigidTransform(np.linalg.inv(self.matrix).astype(np.float64))


def identity() -> RigidTransform:
    """Return the transform that moves nothing."""
    return RigidTransform(np.eye(4))
