"""BSpline: a smooth vector field given by cubic B-splines on a coarse grid of control points.

Rueckert et al., IEEE TMI 1999;18:712-721: the field is a tensor product, so it is laid out on a
lattice axis by axis, with four neighbours each. Sparse products run in one fixed order without
BLAS: the same bits at any number of threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, TypeAlias

import numpy as np
from scipy import sparse

from imaging.geometry import FloatArray, Geometry

Matrix: TypeAlias = Any
"""A scipy.sparse.csr_array; scipy has no types."""

_REACH = 4
"""Control points that reach a place, along each axis."""
_QUADRATURE = 4
"""Points per control spacing at which products of basis functions are integrated."""


@dataclass(frozen=True, slots=True, eq=False)
class VectorField:
    """A vector (mm, LPS) at every point, zero beyond the reach of the control points.

    Parameters
    ----------
    control
        Grid of the control points.
    coefficients
        (3, i, j, k), mm.
    """

    control: Geometry
    coefficients: FloatArray

    def __post_init__(self) -> None:
        held = np.array(self.coefficients, dtype=np.float64)
        if held.shape != (3, *self.control.shape):
            raise ValueError(f"coefficients {held.shape} do not lie on grid {self.control.shape}")
        held.setflags(write=False)
        object.__setattr__(self, "coefficients", held)

    def at(self, points_mm: FloatArray) -> FloatArray:
        """Return the field (n, 3) at LPS points (n, 3)."""
        return self._summed(points_mm, (0, 0, 0))

    def gradient(self, points_mm: FloatArray) -> FloatArray:
        """Return (n, 3, 3): derivative of each component (row) along x, y, z (column)."""
        along = [self._summed(points_mm, order) for order in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
        per_index = np.stack(along, axis=2)
        back = np.linalg.inv(self.control.affine)[:3, :3]
        return np.asarray(sum(per_index[:, :, a, None] * back[a] for a in range(3)))

    def _summed(self, points_mm: FloatArray, order: tuple[int, int, int]) -> FloatArray:
        place = self.control.to_index(np.asarray(points_mm, dtype=np.float64).reshape(-1, 3))
        first = np.floor(place).astype(np.intp) - 1
        weight = [_weights(place[:, a] - first[:, a] - 1, order[a]) for a in range(3)]
        total = np.zeros((len(place), 3))
        for steps in product(range(_REACH), repeat=3):
            index = first + steps
            inside = np.all((index >= 0) & (index < np.array(self.control.shape)), axis=1)
            i, j, k = np.where(inside[:, None], index, 0).T
            share = inside * weight[0][steps[0]] * weight[1][steps[1]] * weight[2][steps[2]]
            total += share[:, None] * self.coefficients[:, i, j, k].T
        return total


def control_grid(box: Geometry, spacing_mm: tuple[float, float, float]) -> Geometry:
    """Return control points along the axes of `box` that reach all of it with full weight."""
    affine = np.eye(4)
    affine[:3, :3] = box.directions * np.array(spacing_mm)
    affine[:3, 3] = box.to_world([0, 0, 0]) - affine[:3, :3].sum(axis=1)
    length = (np.array(box.shape) - 1) * np.array(box.spacing_mm)
    i, j, k = (int(n) for n in np.floor(length / np.array(spacing_mm)) + _REACH)
    return Geometry(affine, (i, j, k), box.frame_of_reference)


def basis(control: Geometry, lattice: Geometry) -> tuple[Matrix, Matrix, Matrix]:
    """Return one (points, control points) matrix an axis; both grids share their axes."""
    start = control.to_index(lattice.to_world([0, 0, 0]))
    step = np.array(lattice.spacing_mm) / np.array(control.spacing_mm)
    x, y, z = (
        _matrix(start[a] + step[a] * np.arange(lattice.shape[a]), control.shape[a], 0)
        for a in range(3)
    )
    return x, y, z


def laid_out(axes: tuple[Matrix, ...], coefficients: FloatArray) -> FloatArray:
    """Return one component on a lattice from its coefficients; with transposes, the adjoint."""
    for axis in axes:
        flat = axis @ coefficients.reshape(coefficients.shape[0], -1)
        coefficients = np.moveaxis(flat.reshape(-1, *coefficients.shape[1:]), 0, -1)
    return np.ascontiguousarray(coefficients)


def bending(control: Geometry) -> Matrix:
    """Return the matrix H of the bending energy: c·H·c is the integral of |second derivatives|².

    Of one component, over the control points' box in mm: thin-plate energy, which nothing affine
    pays (Rueckert 1999, equation 6).
    """
    gram = [
        [_gram(n, order, mm) for order in range(3)]
        for n, mm in zip(control.shape, control.spacing_mm, strict=True)
    ]
    orders = ((2, 0, 0, 1), (0, 2, 0, 1), (0, 0, 2, 1), (1, 1, 0, 2), (1, 0, 1, 2), (0, 1, 1, 2))
    parts = [
        times * sparse.kron(sparse.kron(gram[0][a], gram[1][b]), gram[2][c])
        for a, b, c, times in orders
    ]
    return sparse.csr_array(sum(parts[1:], parts[0]))


def _gram(count: int, order: int, spacing_mm: float) -> Matrix:
    """Integrals of products of two basis functions' derivatives, where all are complete."""
    place = 1 + (np.arange((count - 3) * _QUADRATURE) + 0.5) / _QUADRATURE
    matrix = _matrix(place, count, order)
    return sparse.csr_array(matrix.T @ matrix) * (spacing_mm ** (1 - 2 * order) / _QUADRATURE)


def _matrix(place: FloatArray, count: int, order: int) -> Matrix:
    first = np.floor(place).astype(np.intp) - 1
    weight = _weights(place - first - 1, order)
    column = first + np.arange(_REACH)[:, None]
    row = np.broadcast_to(np.arange(place.size), column.shape)
    inside = (column >= 0) & (column < count)
    entries = (weight[inside], (row[inside], column[inside]))
    return sparse.csr_array(sparse.coo_array(entries, shape=(place.size, count)))


def _weights(share: FloatArray, order: int) -> FloatArray:
    """(4, n): the cubic B-splines of the four neighbours, or their derivatives, per index."""
    s = share
    if order == 0:
        return np.array(
            [(1 - s) ** 3, 3 * s**3 - 6 * s**2 + 4, -3 * s**3 + 3 * s**2 + 3 * s + 1, s**3]
        ) / 6  # fmt: skip
    if order == 1:
        return np.array([-((1 - s) ** 2), 3 * s**2 - 4 * s, -3 * s**2 + 2 * s + 1, s**2]) / 2
    return np.array([1 - s, 3 * s - 2, -3 * s + 1, s])
