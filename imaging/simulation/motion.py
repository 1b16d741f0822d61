"""Motion: where the body lies at one examination, and how deeply it has breathed in."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import FloatArray, Geometry
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

    def to_body(
        self, grid: Geometry, i: Array, j: Array, level: float
    ) -> tuple[Array, Array, Array]:
        """Return body x, y, z, flat, of the points (i, j) of a grid at fractional slice `level`."""
        body_from_index = self.scanner_from_body.inverse.matrix @ grid.affine
        step_i, step_j, step_k, origin = body_from_index[:3].T.astype(np.float32)
        start = origin + np.float32(level) * step_k
        x, y_as_wall, z = (
            (start[c] + i[:, None] * step_i[c] + j[None, :] * step_j[c]).ravel() for c in range(3)
        )
        return x, self._let_go(y_as_wall), z

    def _let_go(self, y_as_wall: Array) -> Array:
        """Body y: deeper points moved less than the wall, so give some of the breath back."""
        y = y_as_wall
        for _ in range(2):
            share = smoothstep((y + 25.0 * self.scale) / (85.0 * self.scale))
            y = y_as_wall - np.float32(self.breath_mm) * share
        return np.asarray(y, dtype=np.float32)


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
