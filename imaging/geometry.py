"""Geometry: a grid of voxels placed in the patient, in DICOM LPS millimetres.

Inside the program every point is LPS (x to the patient's Left, y to Posterior, z to Superior)
and every array is indexed `[i, j, k]`: i runs along a DICOM row (columns change), j down the
rows, k from slice to slice. RAS, the convention of NIfTI, exists only in the two functions
at the end of this file.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from imaging.errors import GeometryError

FloatArray = NDArray[np.float64]

RAS_FROM_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""The flip between DICOM's and NIfTI's world; it is its own inverse."""


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """A regular grid of voxels.

    Parameters
    ----------
    affine
        (4, 4), maps a voxel index (i, j, k, 1) to the LPS position of the voxel's centre in mm.
    shape
        Number of voxels along i, j, k.
    frame_of_reference
        DICOM Frame of Reference UID, None when the source has none (NIfTI).

    Raises
    ------
    GeometryError
        The affine is not finite, not invertible, or the shape is empty.
    """

    affine: FloatArray
    shape: tuple[int, int, int]
    frame_of_reference: str | None = None

    def __post_init__(self) -> None:
        affine = np.array(self.affine, dtype=np.float64)
        if affine.shape != (4, 4) or not np.isfinite(affine).all():
            raise GeometryError("affine_not_finite", affine=affine.tolist())
        if abs(np.linalg.det(affine[:3, :3])) < 1e-9 or min(self.shape) < 1:
            raise GeometryError("grid_is_flat", shape=self.shape)
        affine.setflags(write=False)
        object.__setattr__(self, "affine", affine)
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along i, j and k."""
        i, j, k = np.linalg.norm(self.affine[:3, :3], axis=0)
        return float(i), float(j), float(k)

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0

    @property
    def directions(self) -> FloatArray:
        """(3, 3): unit vectors of the i, j and k axes as columns, in LPS."""
        return np.asarray(self.affine[:3, :3] / np.asarray(self.spacing_mm))

    @property
    def corners_mm(self) -> FloatArray:
        """(8, 3): LPS positions of the eight corner voxels' centres."""
        ends = product(*((0, n - 1) for n in self.shape))
        return self.to_world(np.array(list(ends), dtype=np.float64))

    @property
    def centre_mm(self) -> FloatArray:
        """(3,): LPS position of the middle of the grid."""
        return self.to_world((np.array(self.shape) - 1) / 2)

    def to_world(self, index: ArrayLike) -> FloatArray:
        """Map voxel indices (..., 3) to LPS mm (..., 3)."""
        world = np.asarray(index, dtype=np.float64) @ self.affine[:3, :3].T + self.affine[:3, 3]
        return np.asarray(world, dtype=np.float64)

    def to_index(self, point_mm: ArrayLike) -> FloatArray:
        """Map LPS mm (..., 3) to fractional voxel indices (..., 3)."""
        inverse = np.linalg.inv(self.affine)
        index = np.asarray(point_mm, dtype=np.float64) @ inverse[:3, :3].T + inverse[:3, 3]
        return np.asarray(index, dtype=np.float64)

    def contains(self, point_mm: ArrayLike) -> NDArray[np.bool_]:
        """Whether LPS points (..., 3) lie inside the grid, its outer half voxel included."""
        index = self.to_index(point_mm)
        inside = (index >= -0.5) & (index <= np.array(self.shape) - 0.5)
        return np.asarray(inside.all(axis=-1))

    def axis_toward(self, lps_axis: int) -> tuple[int, int]:
        """Return the voxel axis closest to an LPS axis (0, 1, 2) and the sign of its run.

        Sign +1 means that growing indices run toward +L, +P or +S. Each voxel axis answers for
        one LPS axis only, so an oblique grid still has three different answers.
        """
        best = max(
            ((0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)),
            key=lambda order: sum(abs(self.directions[lps, order[lps]]) for lps in range(3)),
        )
        axis = best[lps_axis]
        return axis, 1 if self.directions[lps_axis, axis] >= 0 else -1

    def crop(self, slices: tuple[slice, slice, slice]) -> Geometry:
        """Return the geometry of `array[slices]`; slices have explicit bounds and step 1."""
        start = np.array([s.start for s in slices], dtype=np.float64)
        affine = self.affine.copy()
        affine[:3, 3] = self.to_world(start)
        i, j, k = (int(s.stop - s.start) for s in slices)
        return replace(self, affine=affine, shape=(i, j, k))

    def same_grid(self, other: Geometry, tolerance_mm: float = 1e-3) -> bool:
        """Whether both grids have the same voxels at the same places, corner by corner.

        Frames of reference count when both are known: equal numbers in two frames are two places.
        """
        if self.shape != other.shape:
            return False
        frames = {self.frame_of_reference, other.frame_of_reference} - {None}
        worst = float(np.abs(self.corners_mm - other.corners_mm).max())
        return len(frames) < 2 and worst <= tolerance_mm


def from_ras(affine_ras: ArrayLike) -> FloatArray:
    """Turn a NIfTI (RAS mm) affine into an LPS one."""
    return np.asarray(RAS_FROM_LPS @ np.asarray(affine_ras, dtype=np.float64))


def to_ras(affine_lps: ArrayLike) -> FloatArray:
    """Turn an LPS affine into a NIfTI (RAS mm) one."""
    return np.asarray(RAS_FROM_LPS @ np.asarray(affine_lps, dtype=np.float64))
