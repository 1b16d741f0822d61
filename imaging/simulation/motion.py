"""Motion: where the body lies at one examination, and how deeply it has breathed in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import FloatArray
from imaging.simulation.warp import Array, smoothstep
from imaging.transform import RigidTransform


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """A position on the table and a breathing state.

    `scanner_from_body` holds for the anterior wall, which moves as one piece; toward the spine
    the breathing part, `breath_mm` along −y of the body, fades to nothing.
    """

    scanner_from_body: RigidTransform
    breath_mm: float
    scale: float

    def to_body(self, points_mm: FloatArray) -> tuple[Array, Array, Array]:
        """Return body coordinates x, y, z of scanner points (n, 3)."""
        x, y, z = (self.scanner_from_body.inverse @ points_mm).T.astype(np.float32)
        # The wall moved by the full breath; deeper points moved less, so give some back.
        for _ in range(2):
            share = smoothstep((y + 25.0 * self.scale) / (85.0 * self.scale))
            y = y_wall(points_mm, self) - np.float32(self.breath_mm) * share
        return x, y, z


def y_wall(points_mm: FloatArray, pose: Pose) -> Array:
    """Return body y of scanner points as if all moved with the wall."""
    inverse = pose.scanner_from_body.inverse.matrix
    return np.asarray(points_mm @ inverse[1, :3] + inverse[1, 3], dtype=np.float32)


def rotation(degrees: FloatArray) -> NDArray[np.float64]:
    """Return the (3, 3) rotation about x, then y, then z."""
    result = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        i, j = ((1, 2), (2, 0), (0, 1))[axis]
        turn = np.eye(3)
        turn[i, i] = turn[j, j] = np.cos(angle)
        turn[i, j], turn[j, i] = -np.sin(angle), np.sin(angle)
        result = turn @ result
    return result


def draw_pose(rng: np.random.Generator, scale: float) -> Pose:
    """Draw a table position (few mm, few degrees) and a breath of 0 to 8 mm."""
    breath_mm = float(rng.uniform(0.0, 8.0)) * scale
    matrix = np.eye(4)
    matrix[:3, :3] = rotation(rng.normal(scale=(1.0, 0.6, 1.2)))
    shift = rng.normal(scale=(4.0, 3.0, 4.0))
    matrix[:3, 3] = matrix[:3, :3] @ np.array([0.0, -breath_mm, 0.0]) + shift
    return Pose(RigidTransform(matrix), breath_mm, scale)


def next_breath_hold(pose: Pose, rng: np.random.Generator) -> Pose:
    """Return the pose of the visit's other series: the same table, another breath-hold."""
    shift = np.append(rng.normal(scale=(0.6, 1.2, 1.6)), 0.0)
    matrix = np.array(pose.scanner_from_body.matrix)
    matrix[:, 3] += shift
    return Pose(RigidTransform(matrix), max(0.0, pose.breath_mm - float(shift[1])), pose.scale)
