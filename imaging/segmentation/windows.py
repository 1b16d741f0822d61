"""Windows: a network of limited view led over a volume, its answers blended.

Windows overlap by half and count less towards their borders, where a network sees least, as in
nnU-Net (Isensee, Nat Methods 2021;18:203-211).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
from numpy.typing import NDArray

FloatArray32 = NDArray[np.float32]
_SIGMA = 1 / 8
"""Of the Gaussian weight, as a share of the window."""


def blended(
    image: FloatArray32,
    size: tuple[int, int, int],
    classes: int,
    answer: Callable[[FloatArray32], FloatArray32],
) -> FloatArray32:
    """Return (classes, z, y, x) of an image (channels, z, y, x) by windows of `size`.

    An image smaller than the window is padded with 0 behind and cut back.
    """
    shape = image.shape[1:]
    missing = [max(want - have, 0) for want, have in zip(size, shape, strict=True)]
    padded = np.pad(image, ((0, 0), *((0, more) for more in missing)))
    weight = _weight(size)
    total = np.zeros((classes, *padded.shape[1:]), np.float32)
    weights = np.zeros(padded.shape[1:], np.float32)
    for start in product(*map(_starts, padded.shape[1:], size)):
        place = tuple(slice(at, at + step) for at, step in zip(start, size, strict=True))
        total[(slice(None), *place)] += weight * answer(padded[(slice(None), *place)])
        weights[place] += weight
    inside = tuple(slice(n) for n in shape)
    return np.asarray((total / weights)[(slice(None), *inside)], np.float32)


def _starts(length: int, size: int) -> list[int]:
    """Return where windows begin: evenly spread, half a window apart at most."""
    count = 1 + int(np.ceil(2 * (length - size) / size))
    return sorted({round(at) for at in np.linspace(0, length - size, count)})


def _weight(size: tuple[int, int, int]) -> FloatArray32:
    weight = np.ones(size, np.float32)
    for axis, n in enumerate(size):
        away = (np.arange(n) - (n - 1) / 2) / (_SIGMA * n)
        shape = [-1 if a == axis else 1 for a in range(3)]
        weight *= np.exp(-(away**2) / 2).astype(np.float32).reshape(shape)
    # Never so little that a voxel seen by a corner alone would be divided by next to nothing.
    return np.asarray(np.maximum(weight, 1e-3 * weight.max()), np.float32)
