"""Voxels: a volume as it travels, int16 in slabs of slices, each compressed once.

MR pixels are whole numbers and travel exactly. A resampled image is rounded to 65,534 steps of
its range, less than a hundred-thousandth of it and far below noise; values that are kept with a
read are measured on the server's own array.
"""

from __future__ import annotations

import gzip
import secrets
from functools import cached_property
from threading import Lock
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from imaging.volume import Mask, Volume
from surveillance.ui.viewer.bits import inflated, packed

OUTSIDE = -32768
"""The voxel value that stands for NaN."""
LARGEST = 32767
SLAB_BYTES = 2 << 20


class ServedVolume:
    """One volume ready to travel; `id` is random and lets the browser know what it has."""

    def __init__(self, volume: Volume) -> None:
        self.volume = volume
        self.id = secrets.token_hex(8)
        i, j, k = volume.geometry.shape
        self.slab_slices = max(1, min(k, SLAB_BYTES // (2 * i * j)))
        self.slope, self.intercept = _scale(volume.array)
        self._bodies: dict[int, bytes] = {}
        self._lock = Lock()

    @cached_property
    def bright(self) -> float:
        """99th percentile of a sample of the voxels, never 0."""
        sample = self.volume.array.ravel()[:: max(1, self.volume.array.size // 100_000)]
        seen = sample[np.isfinite(sample)]
        return max(float(np.percentile(seen, 99)), 1e-6) if seen.size else 1.0

    def body(self, slab: int) -> bytes | None:
        """Return slab number `slab` of little-endian int16, i fastest, gzip; None past the end."""
        first = slab * self.slab_slices
        if not 0 <= first < self.volume.geometry.shape[2]:
            return None
        with self._lock:
            found = self._bodies.get(slab)
        if found is None:
            part = self.volume.array[:, :, first : first + self.slab_slices]
            voxels = _encoded(part, self.slope, self.intercept)
            found = gzip.compress(voxels.tobytes(order="F"), compresslevel=1, mtime=0)
            with self._lock:
                self._bodies[slab] = found
        return found


class ServedMask:
    """One mask ready to travel, and the place where a large edit of it arrives."""

    def __init__(self, mask: Mask) -> None:
        self.mask = mask
        self.bits = packed(mask)
        self._arrived: dict[str, Mask] = {}

    @cached_property
    def middle(self) -> tuple[float, ...] | None:
        """Mean voxel index, None when the mask is empty."""
        where = np.nonzero(self.mask.array)
        return tuple(float(axis.mean()) for axis in where) if where[0].size else None

    def body(self, slab: int) -> bytes | None:
        """Return the bits, gzip; only slab 0 exists."""
        return gzip.compress(self.bits, compresslevel=1, mtime=0) if slab == 0 else None

    def receive(self, deflated: bytes) -> str:
        """Keep an edit that came by POST; return the receipt it is collected with.

        Raises
        ------
        MaskError
            The bits do not fit the grid.
        """
        edit = inflated(deflated, self.mask.geometry)
        receipt = secrets.token_hex(16)
        # One at a time: an edit nobody collected is older than this one.
        self._arrived = {receipt: edit}
        return receipt

    def collect(self, receipt: str) -> Mask | None:
        """Return the edit of a receipt, once."""
        return self._arrived.pop(receipt, None)


_VOLUMES: WeakValueDictionary[int, ServedVolume] = WeakValueDictionary()
_MASKS: WeakValueDictionary[int, ServedMask] = WeakValueDictionary()


def served_volume(volume: Volume) -> ServedVolume:
    """Return the served form of a volume, the same one as long as anyone holds it.

    The array's identity is the key: arrays are read-only, and the served form keeps its own
    alive, so an identity cannot pass to another array meanwhile.
    """
    known = _VOLUMES.get(id(volume.array))
    if known is None:
        known = _VOLUMES[id(volume.array)] = ServedVolume(volume)
    return known


def served_mask(mask: Mask) -> ServedMask:
    """Return the served form of a mask; see `served_volume`."""
    known = _MASKS.get(id(mask.array))
    if known is None:
        known = _MASKS[id(mask.array)] = ServedMask(mask)
    return known


def _scale(array: NDArray[np.float32]) -> tuple[float, float]:
    """Return slope and intercept: value = slope × voxel + intercept."""
    low, high = float(array.min()), float(array.max())
    if not np.isfinite([low, high]).all():
        seen = array[np.isfinite(array)]
        if seen.size == 0:
            return 1.0, 0.0
        low, high = float(seen.min()), float(seen.max())
    if high - low < 2 * LARGEST and all(_whole(row) for row in array):
        fits = low >= -LARGEST and high <= LARGEST
        return 1.0, 0.0 if fits else low + LARGEST
    return (high - low) / (2 * LARGEST) or 1.0, (low + high) / 2


def _whole(row: NDArray[np.float32]) -> bool:
    return bool(((row == np.rint(row)) | ~np.isfinite(row)).all())


def _encoded(part: NDArray[np.float32], slope: float, intercept: float) -> NDArray[np.int16]:
    steps = np.rint((part.astype(np.float64) - intercept) / slope)
    voxels = np.clip(np.nan_to_num(steps, nan=0.0, posinf=0.0, neginf=0.0), -LARGEST, LARGEST)
    return np.where(np.isfinite(steps), voxels, OUTSIDE).astype("<i2")
