"""Volume and Mask: a read-only array that knows where it is in the patient."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.errors import GeometryError
from imaging.geometry import FloatArray, Geometry


def _frozen(array: NDArray[Any], dtype: type, geometry: Geometry) -> NDArray[Any]:
    if array.shape != geometry.shape:
        raise GeometryError("array_shape", array=array.shape, grid=geometry.shape)
    held: NDArray[Any] = array.astype(dtype, copy=bool(array.flags.writeable))
    held.setflags(write=False)
    return held


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """Image intensities, float32, indexed [i, j, k] on `geometry`."""

    array: NDArray[np.float32]
    geometry: Geometry

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", _frozen(self.array, np.float32, self.geometry))


@dataclass(frozen=True, slots=True, eq=False)
class Mask:
    """A region, bool, indexed [i, j, k] on `geometry`."""

    array: NDArray[np.bool_]
    geometry: Geometry

    def __post_init__(self) -> None:
        object.__setattr__(self, "array", _frozen(self.array, np.bool_, self.geometry))

    @property
    def voxels(self) -> int:
        """Number of voxels inside."""
        return int(np.count_nonzero(self.array))

    @property
    def is_empty(self) -> bool:
        """Whether no voxel is inside."""
        return not self.array.any()

    @property
    def voxel_volume_ml(self) -> float:
        """Voxel count times voxel volume; 0 mL for an empty mask."""
        return self.voxels * self.geometry.voxel_volume_ml

    @property
    def points_mm(self) -> FloatArray:
        """(n, 3): LPS positions of the voxels inside; (0, 3) when empty."""
        return self.geometry.to_world(np.argwhere(self.array))

    @property
    def centroid_mm(self) -> FloatArray | None:
        """(3,): mean position of the voxels inside, None when empty."""
        inside = np.argwhere(self.array)
        return self.geometry.to_world(inside.mean(axis=0)) if len(inside) else None
