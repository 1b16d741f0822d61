"""Tissue: what a made wall consists of, and the grid it is drawn on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


class Tissue(IntEnum):
    """What a point is made of."""

    AIR = 0
    SKIN = 1
    FAT = 2
    MUSCLE = 3
    LATERAL = 4
    FIBROUS = 5
    DEEP_FAT = 6
    LIVER = 7
    FLUID = 8
    CONTENT = 9
    GAS = 10
    BOWEL_WALL = 11
    VESSEL = 12
    GRAFT = 13
    NODULE = 14
    FOCUS = 15
    INNER_FAT = 16


@dataclass(frozen=True, slots=True)
class Grid:
    """Points of a sample: (slices, along, depth), mm."""

    along: Array
    depth: Array
    z: Array


@dataclass(frozen=True, slots=True)
class Drawn:
    """Labels (slices, along, depth); `rectus` is the compartment, graft included."""

    tissue: NDArray[np.uint8]
    rectus: NDArray[np.bool_]
    graft: NDArray[np.bool_]
    intersection: Array
    """0 to 1: how much of the muscle is tendon."""


@dataclass(frozen=True, slots=True)
class Side:
    """One rectus and its neighbour: thickness (z, a), zero outside."""

    sign: int
    thick: Array
    medial: Array
    lateral: Array


def wave(
    rng: np.random.Generator, a: Array, z: Array, shortest_mm: float, longest_mm: float, sd: float
) -> Array:
    """Return a smooth function over (z, a) with zero mean."""
    total = np.zeros(np.broadcast(a, z).shape, np.float32)
    for _ in range(4):
        ka = 2 * np.pi / rng.uniform(shortest_mm, longest_mm) * rng.choice((-1, 1))
        kz = 2 * np.pi / rng.uniform(60, 300) * rng.choice((-1, 1))
        total += np.cos(ka * a + kz * z + rng.uniform(0, 2 * np.pi)).astype(np.float32)
    return total * np.float32(sd / np.sqrt(2))
