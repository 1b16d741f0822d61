"""Bias field: the smooth brightness of surface coils, found by N4 on a coarse grid.

N4 (Tustison et al., IEEE TMI 2010;29:1310): in rounds, the histogram of log intensities is
sharpened (Sled et al., IEEE TMI 1998;17:87), and what sharpening took away is explained by a
cubic B-spline surface (Lee et al., IEEE TVCG 1997;3:228) whose mesh halves from level to level.
Steps and constants are those of ITK's N4BiasFieldCorrectionImageFilter, which treats voxels as
scattered points; on a grid the B-spline is a product of three lines, which is forty times faster.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import FloatArray

BoolArray = NDArray[np.bool_]
Real = TypeVar("Real", np.float32, np.float64)

_SPANS = (1, 2, 4)
"""B-spline pieces along each axis, level by level."""
_ROUNDS = 15
_CONVERGED = 1e-3
"""Coefficient of variation of one round's change below which a level is done."""
_BINS, _PADDED = 200, 512
_WIDTH = 0.15
"""Full width at half maximum, in log intensity, of the blur that the coil gives the histogram."""
_WIENER_NOISE = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class BiasField:
    """A sum of B-spline surfaces over a box, one (s + 3)³ lattice for every level of s spans."""

    lattices: tuple[FloatArray, ...]

    def logarithm(self, shape: tuple[int, ...]) -> NDArray[np.float32]:
        """Return the natural logarithm of the field on a grid of `shape` over the box."""
        total = np.zeros(shape, dtype=np.float32)
        for lattice, spans in zip(self.lattices, _SPANS, strict=True):
            bases = [basis.astype(np.float32) for basis in _bases(shape, spans)]
            total += _spread(lattice.astype(np.float32), bases)
        return total


def bias_field(image: FloatArray, usable: BoolArray) -> BiasField:
    """Return the field of a coarse image, fitted to its `usable` voxels, all of them positive."""
    log = np.zeros(image.shape)
    log[usable] = np.log(image[usable])
    lattices, field = [], np.zeros(image.shape)
    for spans in _SPANS:
        bases = _bases(image.shape, spans)
        lattices.append(np.zeros([spans + 3] * 3))
        for _ in range(_ROUNDS):
            flat = (log - field)[usable]
            missing = np.zeros(image.shape)
            missing[usable] = flat - _sharpened(flat)
            step = _fitted(missing, usable, bases)
            lattices[-1] += step
            change = _spread(step, bases)
            field = field + change
            ratio = np.exp(change[usable])
            if ratio.std() <= _CONVERGED * ratio.mean():
                break
    return BiasField(tuple(lattices))


def _bases(shape: tuple[int, ...], spans: int) -> list[FloatArray]:
    """(n, spans + 3) for each axis: the cubic B-splines at n places from one end to the other."""
    return [_basis(np.linspace(0.0, spans, n), spans) for n in shape]


def _basis(place: FloatArray, spans: int) -> FloatArray:
    away = np.abs(place[:, None] - np.arange(-1, spans + 2))
    near = 2 / 3 - away**2 + away**3 / 2
    return np.where(away < 1, near, np.clip(2 - away, 0, None) ** 3 / 6)


def _spread(lattice: NDArray[Real], bases: list[NDArray[Real]]) -> NDArray[Real]:
    """Return the surface of a lattice on a grid; sums in a fixed order, without BLAS."""
    x, y, z = bases
    rows = np.einsum("ia,abc->ibc", x, lattice)
    planes = np.einsum("jb,ibc->ijc", y, rows)
    return np.asarray(np.einsum("kc,ijc->ijk", z, planes))


def _gathered(values: FloatArray, bases: list[FloatArray]) -> FloatArray:
    """Return the sum of values on a grid, weighted for every point of the lattice."""
    x, y, z = bases
    planes = np.einsum("kc,ijk->ijc", z, values)
    rows = np.einsum("jb,ijc->ibc", y, planes)
    return np.asarray(np.einsum("ia,ibc->abc", x, rows))


def _fitted(values: FloatArray, usable: BoolArray, bases: list[FloatArray]) -> FloatArray:
    """Return the lattice that comes near the usable values (Lee 1997, algorithm BA)."""
    squares = [basis**2 for basis in bases]
    x, y, z = (square.sum(axis=1) for square in squares)
    each = values / (x[:, None, None] * y[:, None] * z)
    weight = _gathered(usable.astype(np.float64), squares)
    pull = _gathered(each, [basis**3 for basis in bases])
    return np.divide(pull, weight, out=np.zeros_like(pull), where=weight > 0)


def _sharpened(log: FloatArray) -> FloatArray:
    """Return (n,) what log intensities most likely were before the coil blurred their histogram."""
    low, high = float(log.min()), float(log.max())
    if high <= low:
        return log
    step = (high - low) / (_BINS - 1)
    place = (log - low) / step
    seen = np.zeros(_PADDED)
    first = (_PADDED - _BINS) // 2
    index = np.minimum(place.astype(np.intp), _BINS - 2)
    share = place - index
    seen[first : first + _BINS] = np.bincount(index, 1 - share, _BINS) + np.bincount(
        index + 1, share, _BINS
    )
    blur = np.fft.rfft(_blur(step))
    sharp = np.fft.irfft(np.fft.rfft(seen) * (blur.conj() / (abs(blur) ** 2 + _WIENER_NOISE)).real)
    sharp = np.clip(sharp, 0, None)
    level = low + (np.arange(_PADDED) - first) * step
    total, count = (np.fft.irfft(np.fft.rfft(each) * blur) for each in (level * sharp, sharp))
    expected = np.divide(total, count, out=np.zeros(_PADDED), where=count != 0)
    return np.interp(place, np.arange(_BINS), expected[first : first + _BINS])


def _blur(step: float) -> FloatArray:
    """Return (_PADDED,), a Gaussian of `_WIDTH`, in bins of `step`, about index 0 of a circle."""
    width = _WIDTH / step
    away = np.arange(_PADDED)
    away = np.minimum(away, _PADDED - away)
    scale = 2 * np.sqrt(np.log(2) / np.pi) / width
    return np.asarray(scale * np.exp(-4 * np.log(2) * (away / width) ** 2))
