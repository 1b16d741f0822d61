"""Viscera: what lies behind the wall; bowel differs at every visit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates
from scipy.spatial import cKDTree

from imaging.simulation.physique import Physique
from imaging.simulation.tissue import Tissue
from imaging.simulation.wall import Labels
from imaging.simulation.warp import Array, Ripple, ripple

CONTENTS = (Tissue.FLUID, Tissue.CHYME, Tissue.CHYME, Tissue.STOOL, Tissue.GAS, Tissue.BOWEL_WALL)
KINDS = tuple(sorted(set(CONTENTS)))
GRID_MM = 3.0


@dataclass(frozen=True, slots=True, eq=False)
class Bowel:
    """Tubes on a coarse grid: signed distance to the nearest tube's surface, and its content."""

    distance_mm: Array
    content: NDArray[np.uint8]
    origin_mm: NDArray[np.float64]

    def paint(self, x: Array, y: Array, z: Array, labels: Labels) -> None:
        """Overwrite the labels of points inside a tube."""
        index = np.stack([x, y, z]) - self.origin_mm[:, None].astype(np.float32)
        index /= np.float32(GRID_MM)
        distance = map_coordinates(self.distance_mm, index, order=1, mode="nearest")
        labels[distance < 1.6] = Tissue.BOWEL_WALL
        filled = np.flatnonzero(distance < 0)
        index = index[:, filled]
        # Interpolating each content's presence keeps the border between two loops smooth.
        presence = [
            map_coordinates((self.content == c).astype(np.float32), index, order=1, mode="nearest")
            for c in KINDS
        ]
        labels[filled] = np.array(KINDS, np.uint8)[np.argmax(presence, axis=0)]


def bowel(body: Physique, rng: np.random.Generator) -> Bowel:
    """Draw loops as tubes along random walks through the cavity."""
    a, b, s = body.half_width, body.half_depth, body.scale
    points, radii, contents = [], [], []
    for _ in range(int(rng.integers(62, 78))):
        position = np.array(
            [rng.uniform(-0.7, 0.7) * a, rng.uniform(-0.80, 0.15) * b, rng.uniform(-110, 95) * s]
        )
        heading = rng.normal(size=3)
        radius = float(rng.uniform(7, 14)) * s
        content = CONTENTS[int(rng.integers(len(CONTENTS)))]
        for _ in range(int(rng.integers(12, 30))):
            heading = heading + rng.normal(scale=0.45, size=3)
            heading /= np.linalg.norm(heading)
            position = position + heading * 4.0 * s
            if np.hypot(position[0] / (0.82 * a), position[1] / (0.85 * b)) > 1:
                heading[:2] = -position[:2] / np.linalg.norm(position[:2])
            points.append(position.copy())
            radii.append(radius * (1 + 0.15 * np.sin(len(points) / 2.0)))
            contents.append(content)
    return _rasterise(np.array(points), np.array(radii), np.array(contents, np.uint8), body)


def _rasterise(
    points: NDArray[np.float64],
    radii: NDArray[np.float64],
    contents: NDArray[np.uint8],
    body: Physique,
) -> Bowel:
    a, b, s = body.half_width, body.half_depth, body.scale
    low, high = np.array([-a, -b, -130 * s]), np.array([a, 0.6 * b, 210 * s])
    axes = [np.arange(lo, hi, GRID_MM) for lo, hi in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    distance, nearest = cKDTree(points).query(grid.reshape(-1, 3), distance_upper_bound=30.0)
    found = np.isfinite(distance)
    nearest[~found] = 0
    signed = np.where(found, distance - radii[nearest], 30.0)
    shape = grid.shape[:3]
    return Bowel(signed.reshape(shape).astype(np.float32), contents[nearest].reshape(shape), low)


@dataclass(frozen=True, slots=True)
class Ball:
    """An ellipsoid of one tissue, in mm of an adult's body."""

    tissue: Tissue
    centre: tuple[float, float, float]
    radii: tuple[float, float, float]


_T = Tissue
ORGANS = (
    Ball(_T.BOWEL_WALL, (55, -25, 125), (52, 34, 48)),
    Ball(_T.FLUID, (55, -20, 123), (46, 24, 42)),
    Ball(_T.GAS, (50, -44, 125), (34, 11, 36)),
    Ball(_T.LIVER, (-75, -5, 130), (74, 78, 78)),
    Ball(_T.LIVER, (-15, -45, 140), (60, 32, 50)),
    Ball(_T.SPLEEN, (105, 40, 130), (30, 42, 50)),
)
KIDNEYS = tuple(
    Ball(tissue, (side * x, y, 60), radii)
    for side in (-1, 1)
    for tissue, x, y, radii in (
        (_T.FAT, 68, 45, (38, 38, 64)),
        (_T.KIDNEY_CORTEX, 68, 45, (28, 28, 52)),
        (_T.KIDNEY_MEDULLA, 66, 45, (18, 18, 40)),
        (_T.FAT, 56, 42, (14, 9, 22)),
    )
)
LONG = 1e4
"""A radius along z that makes a cylinder of an ellipsoid."""
SPINE = (
    *(Ball(_T.MUSCLE, (side * 42, 45, -60), (20, 24, 110)) for side in (-1, 1)),
    *(Ball(_T.MUSCLE, (side * 36, 78, 0), (31, 21, LONG)) for side in (-1, 1)),
    *(Ball(_T.MUSCLE, (side * 72, 70, 0), (20, 14, LONG)) for side in (-1, 1)),
    Ball(_T.BONE, (0, 40, 0), (25, 19, LONG)),
    Ball(_T.MARROW, (0, 40, 0), (23.5, 17.5, LONG)),
    Ball(_T.BONE, (0, 74, 0), (5, 20, LONG)),
    Ball(_T.BONE, (0, 63, 0), (14, 10, LONG)),
    Ball(_T.FLUID, (0, 64, 0), (9, 7, LONG)),
    Ball(_T.ARTERY, (10, 14, 0), (9, 9, LONG)),
    Ball(_T.VEIN, (-14, 14, 0), (11, 8, LONG)),
)


@dataclass(frozen=True, slots=True, eq=False)
class Viscera:
    """Organs of one visit; `shift_mm` moves them with the diaphragm."""

    body: Physique
    bowel: Bowel
    warp: Ripple
    shift_mm: float

    def paint(self, x: Array, y: Array, z: Array) -> Labels:
        """Label points of the cavity."""
        labels = np.full(x.shape, Tissue.FAT, np.uint8)
        w = self.warp(x, y, z)
        labels[self.body.organ_texture(x, y, 0.4 * z) > 2.5] = Tissue.VEIN
        self.bowel.paint(x, y, z, labels)
        if self.body.ascites:
            rim = np.hypot(x / self.body.half_width, y / self.body.half_depth) + 0.05 * w
            wet = (rim > 0.86 - 0.12 * self.body.ascites) & (y < 0.4 * self.body.half_depth)
            labels[wet] = Tissue.FLUID
        zs = z - self.shift_mm
        paint_balls(labels, (x, y, zs), w, self.body.scale, ORGANS)
        vessel = self.body.organ_texture(0.6 * x, 0.6 * y, 0.4 * zs) > 2.2
        labels[(labels == Tissue.LIVER) & vessel] = Tissue.VEIN
        paint_balls(labels, (x, y, zs), w, self.body.scale, KIDNEYS)
        paint_balls(labels, (x, y, z), w, self.body.scale, SPINE)
        return labels


def paint_balls(
    labels: Labels,
    points: tuple[Array, Array, Array],
    warp: Array,
    scale: float,
    balls: tuple[Ball, ...],
) -> None:
    """Overwrite the labels of points inside warped ellipsoids, later ones over earlier ones."""
    x, y, z = points
    for ball in balls:
        cx, cy, cz = (np.float32(c * scale) for c in ball.centre)
        rx, ry, rz = (np.float32(1 / (r * scale)) for r in ball.radii)
        near = np.flatnonzero(np.abs(x - cx) * rx < 1.25)
        square = ((x[near] - cx) * rx) ** 2 + ((y[near] - cy) * ry) ** 2
        square += ((z[near] - cz) * rz) ** 2
        labels[near[square < 1.0 + 0.16 * warp[near]]] = ball.tissue


def viscera(body: Physique, rng: np.random.Generator, fixed: np.random.Generator) -> Viscera:
    """Draw a visit's viscera: `rng` for what changes between visits, `fixed` for what does not."""
    warp = ripple(fixed, 3, (60.0, 150.0), 1.0)
    return Viscera(body, bowel(body, rng), warp, float(rng.uniform(-12, 6)) * body.scale)
