"""An abdomen given by formulas: its intensity is known at every point, so that it can be imaged
on any grid, at any place, without resampling anything."""

from dataclasses import dataclass

import numpy as np

from imaging.geometry import FloatArray, Geometry
from imaging.transform import RigidTransform, identity
from imaging.volume import Mask, Volume

HALF_WIDTH_MM, HALF_DEPTH_MM = 140.0, 90.0
WALL_MM = 35.0


def rigid(degrees: tuple[float, float, float], shift_mm: tuple[float, float, float]):
    """Rotation about x, y and z through (0, -70, 0), the middle of the wall, then a shift."""
    matrix = np.eye(4)
    for axis, angle in enumerate(np.radians(degrees)):
        turn = np.eye(3)
        i, j = ((1, 2), (2, 0), (0, 1))[axis]
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        matrix[:3, :3] = turn @ matrix[:3, :3]
    centre = np.array([0.0, -70.0, 0.0])
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre + shift_mm
    return RigidTransform(matrix)


def grid(
    spacing_mm=(3.0, 3.0, 5.0),
    shape=(104, 72, 28),
    oblique_deg: float = 0.0,
    flips=(1, 1, 1),
    centre_mm=(0.0, 0.0, 0.0),
) -> Geometry:
    """A grid about `centre_mm`, turned about x, its axes reversed where `flips` is -1."""
    turn = rigid((oblique_deg, 0, 0), (0, 0, 0)).matrix[:3, :3]
    affine = np.eye(4)
    affine[:3, :3] = turn * np.array(spacing_mm) * np.array(flips)
    affine[:3, 3] = np.array(centre_mm) - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Geometry(affine, shape)


def points_of(geometry: Geometry) -> FloatArray:
    """(3, i, j, k): LPS mm of every voxel centre."""
    index = np.indices(geometry.shape).reshape(3, -1).T
    return geometry.to_world(index).T.reshape(3, *geometry.shape)


@dataclass(frozen=True)
class Person:
    """Blobs of `seed` stand for vessels, intersections, bowel; `t1` reverses the contrast."""

    seed: int = 1

    def signal(self, points: FloatArray, t1: bool = False) -> FloatArray:
        x, y, z = points
        radius = np.hypot(x / HALF_WIDTH_MM, (y + 0.02 * x) / HALF_DEPTH_MM)
        depth = (1 - radius) * HALF_DEPTH_MM
        fat, muscle, bowel = (60.0, 300.0, 180.0) if t1 else (80.0, 160.0, 420.0)
        inside = _step(depth)
        wall = _step(depth - 14 - 0.03 * z - 9 * _bump(x, z, 30, -20) + 9 * _bump(x, z, -25, 20))
        deep = _step(depth - 26 - 12 * _bump(x, z, 45, 15) + 9 * _bump(x, z, -50, -25))
        value = inside * (fat + wall * (muscle - fat) + deep * (bowel - muscle))
        value = value - inside * wall * (1 - deep) * 60 * np.exp(-((x / 5) ** 2))
        liver = np.exp(-(((x + 70) / 45) ** 2 + ((y + 5) / 50) ** 2 + ((z - 40) / 60) ** 2))
        value = value + inside * deep * liver * (120.0 if t1 else -260.0)
        return value + inside * (-1 if t1 else 1) * self._texture(x, y, z)

    def _texture(self, x, y, z):
        rng = np.random.default_rng(self.seed)
        total = np.zeros_like(x)
        for _ in range(40):
            cx, cy, cz = rng.uniform((-110, -85, -65), (110, 40, 65))
            size = rng.uniform(5, 14)
            square = (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2
            total += rng.uniform(-70, 90) * np.exp(-square / (2 * size**2))
        return total


def _bump(x: FloatArray, z: FloatArray, x_mm: float, z_mm: float) -> FloatArray:
    """0 to 1: somewhere the layers are thicker, which no shift or turn imitates."""
    return np.exp(-(((x - x_mm) / 20) ** 2) - ((z - z_mm) / 16) ** 2)


def _step(depth_mm: FloatArray) -> FloatArray:
    """0 to 1 within the width of a voxel: partial volume."""
    return np.clip(depth_mm / 3.0 + 0.5, 0, 1)


def image(
    person: Person,
    geometry: Geometry,
    there: RigidTransform | None = None,
    t1: bool = False,
    noise: float = 4.0,
) -> Volume:
    """Image a person who was moved by `there` (place now from place then)."""
    back = (there or identity()).inverse
    points = points_of(geometry)
    then = (back @ points.reshape(3, -1).T).T.reshape(points.shape)
    rng = np.random.default_rng(7)
    signal = person.signal(then, t1)
    noisy = np.hypot(
        signal + rng.normal(0, noise, signal.shape), rng.normal(0, noise, signal.shape)
    )
    return Volume(noisy.astype(np.float32), geometry)


def body(geometry: Geometry, there: RigidTransform | None = None) -> Mask:
    """The whole person."""
    return Mask(_depth(geometry, there) > 0, geometry)


def wall(geometry: Geometry) -> Mask:
    """Skin to 35 mm below it, in front."""
    depth, y = _depth(geometry, None), points_of(geometry)[1]
    return Mask((depth > 0) & (depth < WALL_MM) & (y < -20), geometry)


def _depth(geometry: Geometry, there: RigidTransform | None) -> FloatArray:
    points = points_of(geometry)
    x, y, _ = ((there or identity()).inverse @ points.reshape(3, -1).T).T.reshape(points.shape)
    return (1 - np.hypot(x / HALF_WIDTH_MM, (y + 0.02 * x) / HALF_DEPTH_MM)) * HALF_DEPTH_MM
