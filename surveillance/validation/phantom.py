"""Phantom: an abdomen and a graft given by formulas, imaged on any grid at any place.

Every layer is measured backward from the skin along y, and the graft is laid into the left
rectus by shifting y alone, which keeps volumes: what the graft measures is known exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import FloatArray, Geometry
from imaging.insertion import Spot
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume

Points = NDArray[np.floating[Any]]
ELLIPSOID, BALL, PLATE = "ellipsoid", "ball", "plate"
_HALF_WIDTH_MM, _HALF_DEPTH_MM = 132.0, 88.0
_FAT_MM, _BELLY_MM, _MEDIAL_MM, _LATERAL_MM = 17.0, 9.0, 4.0, 62.0
_CENTRE_X_MM = 33.0
MUSCLE_T2, MUSCLE_T1 = 130.0, 200.0
_INSIDE_T2, _INSIDE_T1 = 420.0, 110.0
_COARSE, _FINE = (2, 2, 3), (3, 3, 5)
"""Points inside a voxel, for the body and for the graft."""
_BLOBS = 60


@dataclass(frozen=True, slots=True)
class Phantom:
    """A graft in the phantom's left rectus; lengths are full axes in mm, ratios to muscle.

    `fat_t2`, `fat_t1` are suppressed fat relative to muscle. A plate is a box; a ball uses the
    thickness alone.
    """

    form: str
    width_mm: float
    thickness_mm: float
    height_mm: float
    t2_ratio: float = 2.0
    t1_ratio: float = 1.0
    fat_t2: float = 0.6
    fat_t1: float = 0.35
    spots: tuple[Spot, ...] = ()
    seed: int = 0

    @property
    def volume_ml(self) -> float:
        """Exact volume; spots lie inside."""
        if self.form == BALL:
            return pi / 6 * self.thickness_mm**3 / 1000
        box = self.width_mm * self.thickness_mm * self.height_mm / 1000
        return box if self.form == PLATE else pi / 6 * box

    @property
    def extent_mm(self) -> tuple[float, float]:
        """Full axes across the muscle and along it."""
        if self.form == BALL:
            return self.thickness_mm, self.thickness_mm
        return self.width_mm, self.height_mm

    @staticmethod
    def place_mm(spot: Spot) -> tuple[float, float]:
        """Return (x, z) of a spot in the body."""
        return _CENTRE_X_MM + spot.position_mm[0], spot.position_mm[1]

    def half_mm(self, x: Points, z: Points) -> Points:
        """Return half the graft's thickness at (x, z); negative outside."""
        width, height = self.extent_mm
        a, c = (x - _CENTRE_X_MM) / (width / 2), z / (height / 2)
        if self.form == PLATE:
            return np.where((np.abs(a) <= 1) & (np.abs(c) <= 1), self.thickness_mm / 2, -1.0)
        square = a**2 + c**2
        lens = self.thickness_mm / 2 * np.sqrt(np.clip(1 - square, 0, None))
        return np.where(square <= 1, lens, -1.0)

    def parts(self, points: Points) -> NDArray[np.int64]:
        """Return 0 outside the graft, 1 in it, 2 and more in its spots."""
        x, y, z = np.moveaxis(points, -1, 0)
        away = y - self.middle_y(x, z)
        part = (np.abs(away) <= self.half_mm(x, z)).astype(np.int64)
        for number, spot in enumerate(self.spots, start=2):
            left, up = spot.position_mm
            square = (x - _CENTRE_X_MM - left) ** 2 + away**2 + (z - up) ** 2
            part[(part > 0) & (square <= (spot.diameter_mm / 2) ** 2)] = number
        return np.asarray(part)

    def middle_y(self, x: Points, z: Points) -> Points:
        """Return y of the graft's middle surface, that of the muscle: it opens both ways."""
        return np.asarray(_skin_y(x, z) + _fat_mm(x, z) + _belly_mm(x) / 2)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """Images of one visit on one grid, the graft's share of every voxel, and both muscles."""

    t2: Volume
    t1: Volume
    share: FloatArray
    left: Mask
    right: Mask


def picture(
    phantom: Phantom, grid: Geometry, visit_from_body: RigidTransform, snr: float, seed: int
) -> Picture:
    """Image the phantom where `visit_from_body` puts it."""
    index = np.moveaxis(np.indices(grid.shape, dtype=np.float64), 0, -1)
    back = visit_from_body.inverse
    bowel = _blobs(phantom.seed, back @ grid.to_world(index))
    layers = [_layers(phantom, back @ grid.to_world(index + o), bowel) for o in _offsets(_COARSE)]
    t2, t1, left, right = (np.mean(layer, axis=0) for layer in zip(*layers, strict=True))
    shares = _shares(phantom, grid, back)
    graft = np.sum(shares, axis=0)
    # The layers take the whole compartment for muscle: the graft is what differs from it.
    t2 += _excess([phantom.t2_ratio, *(s.ratio for s in phantom.spots)], MUSCLE_T2, shares)
    t1 += _excess([phantom.t1_ratio, *(s.t1_ratio for s in phantom.spots)], MUSCLE_T1, shares)
    rng = np.random.default_rng([seed, 51])
    return Picture(
        t2=_noisy(t2, MUSCLE_T2 / snr, rng, grid),
        t1=_noisy(t1, MUSCLE_T1 / snr / 1.5, rng, grid),
        share=graft,
        left=Mask(left >= 0.5, grid),
        right=Mask(right >= 0.5, grid),
    )


def _excess(ratios: list[float], muscle: float, shares: list[FloatArray]) -> FloatArray:
    parts = [(ratio - 1) * muscle * share for ratio, share in zip(ratios, shares, strict=True)]
    return np.asarray(np.sum(parts, axis=0))


def _shares(phantom: Phantom, grid: Geometry, back: RigidTransform) -> list[FloatArray]:
    """Return the graft's share of every voxel, then that of each spot."""
    shares = [np.zeros(grid.shape) for _ in range(1 + len(phantom.spots))]
    index = np.moveaxis(np.indices(grid.shape, dtype=np.float64), 0, -1)
    x, _, z = np.moveaxis(back @ grid.to_world(index), -1, 0)
    width, height = phantom.extent_mm
    margin = 2 * max(grid.spacing_mm)
    near = (np.abs(x - _CENTRE_X_MM) < width / 2 + margin) & (np.abs(z) < height / 2 + margin)
    for offset in _offsets(_FINE):
        part = phantom.parts(back @ grid.to_world(index[near] + offset))
        for number, share in enumerate(shares, start=1):
            share[near] += (part == number) / np.prod(_FINE)
    return shares


def _offsets(points: tuple[int, int, int]) -> FloatArray:
    steps = [(np.arange(n) + 0.5) / n - 0.5 for n in points]
    return np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)


def _noisy(signal: FloatArray, sd: float, rng: np.random.Generator, grid: Geometry) -> Volume:
    noisy = np.hypot(signal + rng.normal(0, sd, signal.shape), rng.normal(0, sd, signal.shape))
    return Volume(noisy.astype(np.float32), grid)


def _skin_y(x: Points, z: Points) -> Points:
    inside = np.clip(1 - (x / _HALF_WIDTH_MM) ** 2, 0, None)
    return np.asarray(-(_HALF_DEPTH_MM + 0.03 * z) * np.sqrt(inside))


def _fat_mm(x: Points, z: Points) -> Points:
    """Thickness of the fat: uneven, so that the place along the body can be told."""
    hill = np.exp(-(((x + 40) / 25) ** 2 + ((z - 25) / 18) ** 2))
    dale = np.exp(-(((x - 50) / 25) ** 2 + ((z + 30) / 18) ** 2))
    return np.asarray(_FAT_MM + 5 * hill - 4 * dale)


def _belly_mm(x: Points) -> Points:
    beside = (np.abs(x) - _MEDIAL_MM) / (_LATERAL_MM - _MEDIAL_MM)
    return np.asarray(np.clip(6 * np.minimum(beside, 1 - beside), 0, 1) * _BELLY_MM)


def _layers(
    phantom: Phantom, points: Points, bowel: FloatArray
) -> tuple[FloatArray, FloatArray, NDArray[np.bool_], NDArray[np.bool_]]:
    """Return T2W-FS, T1W-FS, left and right compartment at points, as if no graft were brighter."""
    x, y, z = np.moveaxis(points, -1, 0)
    deep = y - _skin_y(x, z)
    opened = np.clip(phantom.half_mm(x, z), 0, None)
    body = (x / _HALF_WIDTH_MM) ** 2 + (y / (_HALF_DEPTH_MM + 0.03 * z)) ** 2 < 1
    wall = _fat_mm(x, z) + _BELLY_MM + opened + 6.0
    under = deep - _fat_mm(x, z)
    rectus = (y < 0) & (under > -opened) & (under <= _belly_mm(x) + opened)
    rectus &= (_belly_mm(x) > 0) | (opened > 0)
    lateral = (np.abs(x) > _LATERAL_MM + 6) & body & (under > 0) & (deep < wall + 4) & (y < 0)
    inside = body & (deep > wall)
    images = []
    for muscle, fat, level, share in (
        (MUSCLE_T2, phantom.fat_t2, _INSIDE_T2, 1.0),
        (MUSCLE_T1, phantom.fat_t1, _INSIDE_T1, 0.4),
    ):
        value = np.where(body, fat * muscle, 0.0)
        value = np.where(inside, np.clip(level + share * bowel, 20.0, None), value)
        images.append(np.where(rectus | lateral, muscle, value))
    return images[0], images[1], rectus & (x > 0), rectus & (x <= 0)


def _blobs(seed: int, points: Points) -> FloatArray:
    """Bowel: smooth blobs, bright and dark, the same at every visit."""
    rng = np.random.default_rng([seed, 52])
    total = np.zeros(points.shape[:-1])
    coarse = points.astype(np.float32)
    for _ in range(_BLOBS):
        centre = rng.uniform((-110, -70, -70), (110, 60, 70)).astype(np.float32)
        size, height = rng.uniform(8, 20), rng.uniform(-250, 300)
        square = ((coarse - centre) ** 2).sum(axis=-1)
        near = square < (3 * size) ** 2
        total[near] += height * np.exp(-square[near] / (2 * size**2))
    return np.clip(total, -350, 500)
