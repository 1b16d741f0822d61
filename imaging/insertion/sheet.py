"""Sheet: a muscle as a curved sheet, with a middle surface, a thickness and two edges.

Coordinates are those of the image's own axes in mm: u to the patient's left, v backward and w
upward, counted from the corner of the axial grid. A straight graft laid into them follows the
muscle, and because v is only shifted its volume stays what it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.errors import MaskError
from imaging.geometry import FloatArray
from imaging.segmentation.axial import axial_geometry, to_axial
from imaging.volume import Mask

Points: TypeAlias = NDArray[np.floating[Any]]
STEP_MM = 1.0
"""Grid of the maps over (u, w)."""
_SMOOTH_MM, _SMOOTH_SLICES = 3.0, 0.7
"""An outline drawn slice by slice wavers by about a pixel; the muscle does not."""


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """One muscle.

    Parameters
    ----------
    middle_mm, thickness_mm
        (nu, nw): v of the middle surface and thickness along v, carried on beyond the edges.
    inside
        (nu, nw): whether the muscle is there.
    origin_mm
        (u, w) of the first element.
    """

    middle_mm: FloatArray
    thickness_mm: FloatArray
    inside: NDArray[np.bool_]
    origin_mm: tuple[float, float]

    def at(self, values: FloatArray, u_mm: Points, w_mm: Points) -> FloatArray:
        """Return a map's values at points; beyond the map its edge is carried on."""
        where = [(p - o) / STEP_MM for p, o in zip((u_mm, w_mm), self.origin_mm, strict=True)]
        return np.asarray(ndimage.map_coordinates(values, where, order=1, mode="nearest"))

    def place_mm(self, lateral: float, level: float) -> tuple[float, float]:
        """Return (u, w) at shares of the muscle's extent: 0 medial, 1 lateral; 0 low, 1 high."""
        rows = np.flatnonzero(self.inside.any(axis=0))
        row = round(rows[0] + level * (rows[-1] - rows[0]))
        columns = np.flatnonzero(self.inside[:, row])
        column = columns[0] + lateral * (columns[-1] - columns[0])
        return (
            float(self.origin_mm[0] + STEP_MM * column),
            float(self.origin_mm[1] + STEP_MM * row),
        )

    @property
    def height_mm(self) -> float:
        """How far the outline reaches along the body."""
        return STEP_MM * float(np.count_nonzero(self.inside.any(axis=0)))


def sheet_of(muscle: Mask) -> Sheet:
    """Return a muscle's sheet.

    Raises
    ------
    MaskError
        The mask is empty or one slice only.
    """
    axial = to_axial(muscle.array, muscle.geometry)
    spacing = axial_geometry(muscle.geometry).spacing_mm
    if np.count_nonzero(axial.any(axis=(0, 1))) < 2:
        raise MaskError("outline_too_small", slices=int(axial.any(axis=(0, 1)).sum()))
    count = axial.sum(axis=1)
    rows = np.arange(axial.shape[1], dtype=np.float64)
    middle = (axial * rows[None, :, None]).sum(axis=1) / np.maximum(count, 1)
    inside = _between_slices(count > 0)
    known = count > 0
    maps = [
        _on_grid(_smoothed(values * spacing[1], known, spacing), spacing)
        for values in (middle, count.astype(np.float64))
    ]
    share = _on_grid(ndimage.gaussian_filter(inside.astype(float), (0.5, 0)), spacing)
    return Sheet(maps[0], maps[1], share >= 0.5, (0.0, 0.0))


def _between_slices(known: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Fill slices that were left out between two that were drawn."""
    filled = known.copy()
    drawn = np.flatnonzero(known.any(axis=0))
    for k in range(drawn[0], drawn[-1] + 1):
        if not known[:, k].any():
            below, above = drawn[drawn < k].max(), drawn[drawn > k].min()
            filled[:, k] = known[:, below] & known[:, above]
    return filled


def _smoothed(
    values: FloatArray, known: NDArray[np.bool_], spacing_mm: tuple[float, ...]
) -> FloatArray:
    width = (_SMOOTH_MM / spacing_mm[0], _SMOOTH_SLICES)
    weight = ndimage.gaussian_filter(known.astype(float), width)
    total = ndimage.gaussian_filter(np.where(known, values, 0.0), width)
    seen = weight > 0.05
    nearest = ndimage.distance_transform_edt(
        ~seen, (spacing_mm[0], spacing_mm[2]), return_distances=False, return_indices=True
    )
    return np.asarray((total / np.maximum(weight, 1e-9))[tuple(nearest)])


def _on_grid(values: FloatArray, spacing_mm: tuple[float, ...]) -> FloatArray:
    size = [
        int((n - 1) * s / STEP_MM) + 1
        for n, s in zip(values.shape, (spacing_mm[0], spacing_mm[2]), strict=True)
    ]
    u, w = np.meshgrid(*(np.arange(n) * STEP_MM for n in size), indexing="ij")
    where = [u / spacing_mm[0], w / spacing_mm[2]]
    return np.asarray(ndimage.map_coordinates(values, where, order=1, mode="nearest"))
