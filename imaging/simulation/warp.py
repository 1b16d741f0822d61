"""Smooth random fields: no two subjects alike, no boundary an ideal curve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Ripple:
    """A sum of cosines with random directions; zero mean, standard deviation `amplitude`."""

    waves: Array
    phases: Array
    amplitude: float

    def __call__(self, *coordinates: Any) -> Array:
        """Return the field at coordinates in mm, broadcast together."""
        total = np.float32(0.0)
        for wave, phase in zip(self.waves, self.phases, strict=True):
            argument = phase
            for component, coordinate in zip(wave, coordinates, strict=True):
                argument = argument + component * coordinate
            total = total + np.cos(argument)
        scale = self.amplitude * np.sqrt(2.0 / len(self.phases))
        return np.asarray(total * np.float32(scale), dtype=np.float32)


def ripple(
    rng: np.random.Generator,
    dimensions: int,
    wavelength_mm: tuple[float, float],
    amplitude: float,
    terms: int = 4,
) -> Ripple:
    """Draw a field with wavelengths between the two given, in mm."""
    direction = rng.normal(size=(terms, dimensions))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    wavelength = rng.uniform(*wavelength_mm, size=(terms, 1))
    waves = (2 * np.pi * direction / wavelength).astype(np.float32)
    phases = rng.uniform(0, 2 * np.pi, terms).astype(np.float32)
    return Ripple(waves, phases, amplitude)


@dataclass(frozen=True, slots=True, eq=False)
class Texture:
    """A periodic tile of correlated noise, zero mean, unit variance, looked up by position."""

    tile: Array
    pitch_mm: float

    def __call__(self, x: Array, y: Array, z: Array) -> Array:
        """Return the noise of the nearest tile cell."""
        size = self.tile.shape[0]
        i, j, k = (
            np.floor(c * np.float32(1 / self.pitch_mm)).astype(np.int32) % size for c in (x, y, z)
        )
        return np.asarray(self.tile.ravel()[(i * size + j) * size + k])


def texture(rng: np.random.Generator, correlation: tuple[float, float, float]) -> Texture:
    """Draw a tile of 96 cells a side, 1 mm each; `correlation` in cells along x, y, z."""
    noise = gaussian_filter(rng.normal(size=(96, 96, 96)), correlation, mode="wrap")
    return Texture((noise / noise.std()).astype(np.float32), 1.0)


def smoothstep(x: NDArray[np.floating[Any]]) -> Array:
    """Rise from 0 at x = 0 to 1 at x = 1 with zero slope at both ends."""
    t = np.clip(x, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))
