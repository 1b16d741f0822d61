"""Anatomy: an unrolled anterior wall drawn at random, as labels on a fine grid.

Axes are those of `imaging.segmentation.fan`: along the wall (mm, positive to the patient's left)
and depth below the skin (mm), in a few neighbouring slices. Everything is drawn wider than life:
the network shall know what a wall is made of, not how wide it usually is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.behind import contents
from training.details import fascia, intersections, lateral_layers, layered, lines, vessels
from training.tissue import Array, Drawn, Grid, Side, Tissue, wave


def draw(rng: np.random.Generator, grid: Grid) -> Drawn:
    """Draw one wall."""
    a, z = grid.along[None, :], grid.z[:, None]
    size = rng.uniform(0.6, 1.15)
    skin = wave(rng, a, z, 60, 200, rng.choice((0.5, 2.0))) + rng.normal(0, 1)
    fat = np.exp(rng.uniform(np.log(4), np.log(48)))
    front = np.maximum(fat + wave(rng, a, z, 90, 300, 0.12 * fat + 1), 3.0) + np.maximum(skin, -2)
    slope = rng.normal(0, 0.035) * a + rng.uniform(-0.0015, 0.0005) * a**2
    front = np.clip(front + slope, 3.0 + np.maximum(skin, 0), 62.0)
    middle = rng.normal(0, 6) + wave(rng, 0 * a, z, 80, 300, 2.0)
    form = _form(rng, size)
    # One person in six is not symmetric: a scar, a rotation, a wasted side.
    other = form if rng.random() < 5 / 6 else _form(rng, size)
    sides = [_side(rng, a - middle, z, f, sign) for f, sign in ((form, 1), (other, -1))]
    graft = _graft(rng, a - middle, z, sides) if rng.random() < 0.65 else None
    thick = sum(s.thick for s in sides)
    lift = np.zeros_like(front)
    if graft is not None:
        thick = thick + graft.opening
        lift = graft.opening * np.float32(rng.uniform(0.2, 0.8))
    front = front - lift
    return _labels(rng, grid, skin, front, thick, middle, sides, graft, size)


@dataclass(frozen=True, slots=True)
class _Form:
    """What both muscles of a person have nearly in common (mm; thickness at the belly)."""

    medial: float
    width: float
    thickness: float
    power: float
    tilt: float


def _form(rng: np.random.Generator, size: float) -> _Form:
    return _Form(
        medial=rng.gamma(2.0, 5.0) * size,
        width=rng.uniform(48, 96) * size,
        thickness=size * np.exp(rng.uniform(np.log(4.5), np.log(14))),
        power=rng.uniform(1.0, 3.5),
        tilt=rng.uniform(-0.4, 0.4),
    )


def _side(rng: np.random.Generator, a: Array, z: Array, form: _Form, sign: int) -> Side:
    # Healthy sides differ in thickness by 13 to 24 % (Rankin 2006).
    vary = np.exp(rng.normal(0, (0.15, 0.07, 0.15)))
    medial = np.maximum(form.medial * vary[0] + wave(rng, 0 * a, z, 80, 300, 1.5), 1.0)
    lateral = medial + form.width * vary[1] + wave(rng, 0 * a, z, 80, 300, 3.0)
    share = (sign * a - medial) / (lateral - medial)
    rounded = np.clip(1 - np.abs(2 * np.clip(share, 0, 1) - 1) ** (2 * form.power), 0, None) ** 0.6
    tilted = 1 + form.tilt * (share - 0.5)
    thick = form.thickness * vary[2] * rounded * tilted * (1 + wave(rng, a, z, 40, 150, 0.06))
    inside = (share > 0) & (share < 1)
    return Side(sign, np.where(inside, np.maximum(thick, 0), 0).astype(np.float32), medial, lateral)


@dataclass(frozen=True, slots=True)
class _Graft:
    half: Array
    opening: Array
    place: float
    nodules: tuple[tuple[float, float, float, float, int], ...]


def _graft(rng: np.random.Generator, a: Array, z: Array, sides: list[Side]) -> _Graft:
    side = sides[int(rng.integers(2))]
    middle = side.medial.mean() + rng.uniform(0.25, 0.75) * (side.lateral - side.medial).mean()
    width, height = rng.uniform(8, 26), rng.uniform(8, 35)
    x = (side.sign * a - middle) / width
    y = (z - rng.normal(0, 0.6 * height)) / height
    angle = np.arctan2(y, x)
    edge = 1 + sum(
        rng.uniform(0, 0.12) * np.cos(n * angle + rng.uniform(0, 6.3)) for n in (2, 3, 5)
    )
    half = np.sqrt(np.clip(1 - (x**2 + y**2) / edge**2, 0, None)) * rng.uniform(1.2, 8.0)
    half = np.where(side.thick > 0.5, half, 0).astype(np.float32)
    opening = (rng.uniform(0.4, 1.0) * 2 * half).astype(np.float32)
    half = np.minimum(half, 0.5 * (side.thick + opening) * rng.uniform(0.75, 0.98))
    nodules = tuple(
        (
            side.sign * (middle + rng.uniform(-0.6, 0.6) * width),
            rng.uniform(-0.6, 0.6) * height,
            rng.uniform(-0.4, 0.4),
            rng.uniform(1.5, 6),
            int(rng.choice((Tissue.NODULE, Tissue.FOCUS))),
        )
        for _ in range(rng.choice((0, 0, 0, 1, 2, 4)))
    )
    return _Graft(half, opening, rng.uniform(0.25, 0.75), nodules)


def _labels(
    rng: np.random.Generator,
    grid: Grid,
    skin: Array,
    front: Array,
    thick: Array,
    middle: Array,
    sides: list[Side],
    graft: _Graft | None,
    size: float,
) -> Drawn:
    a, z = grid.along[None, :], grid.z[:, None]
    depth = grid.depth[None, None, :] - 0.0
    from_middle = a - middle
    in_rectus = thick > 0.3
    # Lateral muscles begin beside the rectus, in front of or behind its plane.
    lateral = np.zeros_like(thick)
    for side in sides:
        away = side.sign * from_middle - side.lateral - rng.uniform(-2, 12) * size
        rise = np.clip(away / rng.uniform(6, 20), 0, 1)
        lateral += np.where(side.sign * from_middle > 0, rise, 0) * size * rng.uniform(6, 22)
    lateral = np.where(in_rectus, 0, lateral) * (1 + wave(rng, a, z, 50, 200, 0.08))
    band = rng.uniform(0.8, 3.0)
    total = np.where(in_rectus, thick, np.maximum(lateral, band))
    back = front + total
    behind = np.maximum(rng.uniform(-3, 8) + wave(rng, a, z, 50, 200, 2.0), 0)
    behind = behind + rng.uniform(0, 16) * np.exp(-((from_middle / rng.uniform(10, 30)) ** 2))
    inner = back + behind
    f, b, s, i = (v[..., None] for v in (front, back, skin, inner))
    tissue = contents(rng, grid, inner)
    tissue[depth < i] = Tissue.DEEP_FAT
    wall = (depth >= f) & (depth < b)
    tissue[depth < b] = Tissue.FAT
    rectus = wall & in_rectus[..., None]
    tissue[wall] = Tissue.FIBROUS
    tissue[wall & (lateral > 2.5)[..., None]] = Tissue.LATERAL
    tissue[rectus] = Tissue.MUSCLE
    lateral_layers(rng, tissue, depth, f, b, lateral)
    lines(rng, tissue, depth, f, b, in_rectus)
    found = np.zeros_like(rectus)
    if graft is not None:
        found = _lay(tissue, depth, grid, front, thick, graft, middle)
        rectus |= found
    tissue[depth < s + rng.uniform(1.0, 3.0)] = Tissue.SKIN
    tissue[np.broadcast_to(depth < s, tissue.shape)] = Tissue.AIR
    layered(rng, tissue, depth, front, skin, wave(rng, a, z, 50, 250, 0.12))
    fascia(rng, tissue, grid, front, skin)
    vessels(rng, tissue, grid, front, back, sides, from_middle)
    return Drawn(tissue, rectus, found & rectus, intersections(rng, a, z))


def _lay(
    tissue: NDArray[np.uint8],
    depth: Array,
    grid: Grid,
    front: Array,
    thick: Array,
    graft: _Graft,
    middle: Array,
) -> NDArray[np.bool_]:
    low, high = front + graft.half, front + np.maximum(thick - graft.half, graft.half)
    at = low + graft.place * (high - low)
    off = depth - at[..., None]
    inside = (np.abs(off) <= graft.half[..., None]) & (graft.half > 0.2)[..., None]
    tissue[inside] = Tissue.GRAFT
    x, z = (grid.along[None, :] - middle)[..., None], grid.z[:, None, None]
    for nx, nz, share, radius, kind in graft.nodules:
        ball = (x - nx) ** 2 + (z - nz) ** 2 + (off - share * graft.half[..., None]) ** 2
        tissue[(ball <= radius**2) & inside] = kind
    return inside
