"""Intensity: two images made comparable before one is laid on the other."""

from __future__ import annotations

import numpy as np

from imaging.resolution import smoothed
from imaging.volume import Mask, Volume

_NEAR_MM = 6.0
"""What lies within a few times this is a tissue's surroundings: wider than a muscle layer."""
_FAINT = 0.05
"""A contrast below this (muscle is 0.5, air 0) is noise and is not amplified."""


def compressed(volume: Volume, region: Mask) -> Volume:
    """Return I / (I + m) with m the median inside `region`: 0 in air, 1/2 in the wall, below 1.

    Muscle and suppressed fat differ by little, fluid from both by ten times: uncompressed, a
    drop of fluid outweighs the whole wall.
    """
    inside = volume.array[region.array]
    middle = max(float(np.median(inside)) if inside.size else 0.0, 1e-6)
    positive = np.maximum(volume.array, 0)
    return Volume((positive / (positive + middle)).astype(np.float32), volume.geometry)


def local_contrast(volume: Volume, region: Mask) -> Volume:
    """Return by how many local standard deviations a voxel is brighter than its surroundings.

    For two images of one contrast: fat suppression fails elsewhere at each visit, and the coil
    lies elsewhere; the borders of tissues stay. Surroundings are weighted by a Gaussian of 6 mm.
    """
    image = compressed(volume, region)
    apart = Volume(image.array - smoothed(image, _NEAR_MM), volume.geometry)
    variance = smoothed(Volume(apart.array**2, volume.geometry), _NEAR_MM)
    return Volume(apart.array / np.sqrt(variance + np.float32(_FAINT**2)), volume.geometry)
