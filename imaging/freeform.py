"""Freeform: the smooth displacement of a wall on top of a rigid motion, by Gauss-Newton.

The fixed image f is explained by the moving image m as a line of it, carried by the motion and
a displacement u on B-splines: sum over points of ρ(f - a - b m(motion @ (x + u))) plus the bending
energy of u (Rueckert 1999). ρ is that of Geman and McClure (1987): what changed its signal has
no say. A graft does change, so it is left out altogether and bridged by the bending energy.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.bspline import Matrix, VectorField, basis, bending, control_grid, laid_out
from imaging.conjugate import solve
from imaging.geometry import FloatArray, Geometry
from imaging.resampling import looked_up, shrink
from imaging.resolution import linear, mapped, slope, smoothed
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume

_SPACINGS_MM = (5.0, 2.5)
"""Between points, coarse to fine; one slice where slices are thicker."""
_CONTROL_MM, _CONTROL_SLICES = 10.0, 1.5
"""Between control points, the larger of both."""
_PIECE_MM3 = 125.0
"""Tissue that counts as one observation: neighbouring points tell the same."""
_OUTLIER = 3.0
"""Robust standard deviations at which a residual counts a quarter."""
_NOISE_MIN = 0.01
"""Least standard deviation of a residual; compressed intensities run from 0 to 1."""
_ROUNDS = 6
_HALVINGS = 4
_SETTLED_MM = 0.02
_POINTS_MIN = 50


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two images laid over each other by `motion` (moving from fixed).

    `region` and `left_out` lie on the fixed grid, `moving_left_out` on the moving one.
    """

    fixed: Volume
    moving: Volume
    motion: RigidTransform
    region: Mask
    left_out: Mask
    moving_left_out: Mask


def displaced(pair: Pair, box: Geometry) -> VectorField:
    """Return u (mm, added to fixed points before `motion`) over `box`, part of the fixed grid.

    Zero where nothing speaks for a displacement: no points to compare, or blank images.
    """
    spacing = [max(_CONTROL_MM, _CONTROL_SLICES * mm) for mm in box.spacing_mm]
    control = control_grid(box, (spacing[0], spacing[1], spacing[2]))
    field = VectorField(control, np.zeros((3, *control.shape)))
    stiff = bending(control)
    for spacing_mm in _SPACINGS_MM:
        field = _refined(_level(pair, box, control, spacing_mm), field, stiff)
    return field


@dataclass(frozen=True, slots=True, eq=False)
class _Level:
    """One resolution; arrays of points are flat, in the order of `shape`."""

    shape: tuple[int, int, int]
    points_mm: FloatArray
    values: FloatArray
    used: NDArray[np.bool_]
    moving: NDArray[np.float32]
    gradient: tuple[NDArray[np.float32], ...]
    excluded: NDArray[np.float32]
    index_from_mm: FloatArray
    axes: tuple[Matrix, Matrix, Matrix]
    observations: float
    """That one point amounts to."""


def _level(pair: Pair, box: Geometry, control: Geometry, spacing_mm: float) -> _Level:
    fixed, moving = (shrink(image, spacing_mm / 2) for image in (pair.fixed, pair.moving))
    left_out = pair.moving_left_out
    excluded = Volume(left_out.array.astype(np.float32), left_out.geometry)
    lattice = _lattice(box, spacing_mm)
    index = np.indices(lattice.shape, dtype=np.float64).reshape(3, -1)
    points = mapped(lattice.affine, index)
    carried = smoothed(moving, spacing_mm / 2)
    there = mapped(np.asarray(np.linalg.inv(fixed.geometry.affine), np.float64), points)
    return _Level(
        shape=lattice.shape,
        points_mm=points,
        values=_sampled(smoothed(fixed, spacing_mm / 2), there),
        used=looked_up(pair.region, points.T) & ~looked_up(pair.left_out, points.T),
        moving=carried,
        gradient=tuple(slope(carried, axis) for axis in range(3)),
        excluded=shrink(excluded, spacing_mm / 2).array,
        index_from_mm=np.linalg.inv(moving.geometry.affine) @ pair.motion.matrix,
        axes=basis(control, lattice),
        observations=1000 * lattice.voxel_volume_ml / _PIECE_MM3,
    )


def _lattice(box: Geometry, spacing_mm: float) -> Geometry:
    stride = [max(1, round(spacing_mm / mm)) for mm in box.spacing_mm]
    i, j, k = (-(-n // s) for n, s in zip(box.shape, stride, strict=True))
    affine = box.affine.copy()
    affine[:3, :3] = affine[:3, :3] * stride
    return Geometry(affine, (i, j, k), box.frame_of_reference)


@dataclass(frozen=True, slots=True, eq=False)
class _State:
    """A displacement and how well it explains: `index` are the places in the moving image."""

    field: VectorField
    index: FloatArray
    residual: FloatArray
    weight: FloatArray
    gain: float
    noise: float
    energy: float


def _refined(at: _Level, field: VectorField, stiff: Matrix) -> VectorField:
    """Gauss-Newton with the noise measured anew in every round."""
    for _ in range(_ROUNDS):
        state = _state(at, field, stiff)
        if state is None:
            break
        better = _searched(at, state, _step(at, state, stiff), stiff)
        if better is None:
            break
        moved_mm = float(np.abs(better.coefficients - field.coefficients).max())
        field = better
        if moved_mm < _SETTLED_MM:
            break
    return field


def _searched(at: _Level, state: _State, step: FloatArray, stiff: Matrix) -> VectorField | None:
    for halving in range(_HALVINGS):
        moved = state.field.coefficients + step / 2**halving
        tried = _state(at, replace(state.field, coefficients=moved), stiff, state.noise)
        if tried is not None and tried.energy < state.energy:
            return tried.field
    return None


def _state(
    at: _Level, field: VectorField, stiff: Matrix, noise: float | None = None
) -> _State | None:
    """Compare at a displacement; None where too few points are left to compare."""
    shift = np.stack([laid_out(at.axes, part).ravel() for part in field.coefficients])
    index = mapped(at.index_from_mm, at.points_mm + shift)
    limits = np.array(at.moving.shape)[:, None] - 1
    used = at.used & ((index >= 0) & (index <= limits)).all(axis=0)
    used &= _sampled(at.excluded, index) < 0.5
    if np.count_nonzero(used) < _POINTS_MIN:
        return None
    found = _sampled(at.moving, index)
    gain, residual, weight, noise = _line(at.values, found, used, noise)
    far = (residual / (_OUTLIER * noise)) ** 2
    # A point that left the comparison counts as unexplained, or leaving would win.
    lost = np.count_nonzero(at.used & ~used)
    unlikely = _OUTLIER**2 * (float((far / (1 + far))[used].sum()) + lost)
    bent = sum(float((c.ravel() * (stiff @ c.ravel())).sum()) for c in field.coefficients)
    energy = at.observations * unlikely + bent
    return _State(field, index, residual, weight, gain, noise, energy)


def _line(
    values: FloatArray, found: FloatArray, used: NDArray[np.bool_], noise: float | None
) -> tuple[float, FloatArray, FloatArray, float]:
    """Fit values = a + gain · found robustly; return gain, residual, weight and noise."""
    weight = used.astype(np.float64)
    gain, residual, spread = 0.0, values, noise or _NOISE_MIN
    for _ in range(3):
        total = float(weight.sum())
        middle = float((weight * found).sum()) / total
        level = float((weight * values).sum()) / total
        squares = float((weight * (found - middle) ** 2).sum())
        together = float((weight * (found - middle) * (values - level)).sum())
        gain = together / squares if squares > 0 else 0.0
        residual = values - level - gain * (found - middle)
        spread = noise or max(1.4826 * float(np.median(np.abs(residual[used]))), _NOISE_MIN)
        weight = used / (1 + (residual / (_OUTLIER * spread)) ** 2) ** 2
    return gain, residual, weight, spread


def _sampled(array: NDArray[np.float32], index: FloatArray) -> FloatArray:
    return np.asarray(ndimage.map_coordinates(array, index, np.float64, order=1, mode="nearest"))


def _step(at: _Level, state: _State, stiff: Matrix) -> FloatArray:
    """Solve (J'WJ + H) step = J'Wr - H c, the images' linear model; (3, i, j, k) mm."""
    slopes = np.array([_sampled(part, state.index) for part in at.gradient])
    pull = (state.gain * mapped(linear(at.index_from_mm.T), slopes)).reshape(3, *at.shape)
    weight = (at.observations / state.noise**2 * state.weight).reshape(at.shape)
    back = tuple(axis.T.tocsr() for axis in at.axes)

    def bent(c: FloatArray) -> FloatArray:
        return np.stack([(stiff @ part.ravel()).reshape(part.shape) for part in c])

    def gathered(onto_points: FloatArray) -> FloatArray:
        return np.stack([laid_out(back, part * onto_points) for part in pull])

    def times(c: FloatArray) -> FloatArray:
        moved = sum(g * laid_out(at.axes, part) for g, part in zip(pull, c, strict=True))
        return gathered(weight * moved) + bent(c)

    c = state.field.coefficients
    right = gathered(weight * state.residual.reshape(at.shape)) - bent(c)
    squares = tuple(axis.power(2) for axis in back)
    diagonal = np.stack([laid_out(squares, part**2 * weight) for part in pull])
    return solve(times, right, diagonal + stiff.diagonal().reshape(c.shape[1:]))
