"""Details: what a wall holds beside muscle: fascia, sheath, vessels, tendinous intersections."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.tissue import Array, Grid, Side, Tissue, wave


def lateral_layers(
    rng: np.random.Generator,
    tissue: NDArray[np.uint8],
    depth: Array,
    front: Array,
    back: Array,
    lateral: Array,
) -> None:
    """Draw the fat between the three lateral muscles."""
    share = (depth - front) / np.maximum(back - front, 1e-3)
    for at in (rng.uniform(0.25, 0.45), rng.uniform(0.55, 0.75)):
        line = np.abs(share - at) * (back - front) < rng.uniform(0.0, 1.0)
        tissue[line & (lateral > 5)[..., None] & (tissue == Tissue.LATERAL)] = Tissue.DEEP_FAT


def lines(
    rng: np.random.Generator,
    tissue: NDArray[np.uint8],
    depth: Array,
    front: Array,
    back: Array,
    in_rectus: NDArray[np.bool_],
) -> None:
    """Draw a fibrous line in front of and behind the muscle, thick, thin or not to be seen."""
    for surface, sign in ((front, -1), (back, 1)):
        width = rng.choice((0.0, 0.6, 1.0, 1.6))
        off = sign * (depth - surface)
        tissue[(off >= 0) & (off < width) & in_rectus[..., None]] = Tissue.FIBROUS


def layered(
    rng: np.random.Generator,
    tissue: NDArray[np.uint8],
    depth: Array,
    front: Array,
    skin: Array,
    wavering: Array,
) -> None:
    """Give the fat below Scarpa's fascia another grey than above it, perhaps."""
    if rng.random() < 0.5:
        at = skin + (front - skin) * np.clip(rng.uniform(0.3, 0.85) + wavering, 0.15, 0.95)
        tissue[(depth >= at[..., None]) & (tissue == Tissue.FAT)] = Tissue.INNER_FAT


def fascia(
    rng: np.random.Generator, tissue: NDArray[np.uint8], grid: Grid, front: Array, skin: Array
) -> None:
    """Draw membranes in the subcutaneous fat, parallel to the skin or slanting."""
    a, z = grid.along[None, :], grid.z[:, None]
    for _ in range(rng.integers(0, 4)):
        at = skin + (front - skin) * (rng.uniform(0.2, 0.95) + wave(rng, a, z, 40, 200, 0.08))
        line = np.abs(grid.depth[None, None, :] - at[..., None]) < rng.uniform(0.3, 0.9)
        tissue[line & ((tissue == Tissue.FAT) | (tissue == Tissue.INNER_FAT))] = Tissue.FIBROUS


def vessels(
    rng: np.random.Generator,
    tissue: NDArray[np.uint8],
    grid: Grid,
    front: Array,
    back: Array,
    sides: list[Side],
    from_middle: Array,
) -> None:
    """Draw epigastric vessels at the back of the muscle, superficial ones in the fat."""
    depth = grid.depth[None, None, :]
    for side in sides:
        if rng.random() < 0.7:
            at = side.medial + rng.uniform(0.25, 0.75) * (side.lateral - side.medial)
            deep = back + rng.uniform(-3, 1.5)
            _tube(
                tissue, side.sign * from_middle - at, depth - deep[..., None], rng.uniform(0.6, 2.2)
            )
    for _ in range(rng.integers(0, 8)):
        at = rng.uniform(-105, 105)
        deep = front * rng.uniform(0.1, 0.95)
        _tube(tissue, from_middle - at, depth - deep[..., None], rng.uniform(0.5, 1.8))


def _tube(tissue: NDArray[np.uint8], a: Array, d: Array, radius: float) -> None:
    a = np.minimum(np.abs(a), np.maximum(np.abs(a) - 2.0, 0))  # a column is 4 mm wide
    near = np.flatnonzero((a <= radius).any(axis=0))
    if near.size == 0:
        return
    columns = slice(int(near[0]), int(near[-1]) + 1)
    inside = a[:, columns, None] ** 2 + d[:, columns] ** 2 <= radius**2
    part = tissue[:, columns]
    part[inside & (part != Tissue.GRAFT)] = Tissue.VESSEL


def intersections(rng: np.random.Generator, a: Array, z: Array) -> Array:
    """Return how much of the muscle is tendon, (z, along), 0 to 1."""
    if rng.random() > 0.5:
        return np.zeros((z.size, a.size), np.float32)
    at = rng.uniform(-12, 12) + wave(rng, a, 0 * z, 30, 120, 3.0)
    return np.exp(-(((z - at) / rng.uniform(1.5, 4.0)) ** 2)).astype(np.float32)
