"""Motion: how a later visit differs from the background image though nothing has grown.

The patient lies elsewhere, the wall is bent a little, the bowel has moved and holds other
fluid, the coil and the gain are others. Fields are sums of three plane waves: smooth, cheap at
any point, and the same for the same seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.spatial.transform import Rotation

from imaging.geometry import FloatArray
from imaging.transform import RigidTransform, identity

TERMS = 3


@dataclass(frozen=True, slots=True)
class Wobble:
    """What is drawn for a visit: standard deviations and amplitudes, in the units named."""

    shift_mm: tuple[float, float, float] = (5.0, 3.0, 5.0)
    turn_deg: tuple[float, float, float] = (1.5, 1.0, 2.0)
    bend_mm: float = 0.8
    bowel_mm: float = 5.0
    bowel_brightness: float = 0.25
    shading: float = 0.08
    gain: float = 0.25


STILL = Wobble((0.0,) * 3, (0.0,) * 3, 0.0, 0.0, 0.0, 0.0, 0.0)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A smooth random field of unit standard deviation at points (..., 3) in mm."""

    waves: FloatArray
    phases: FloatArray

    def __call__(self, points_mm: FloatArray) -> FloatArray:
        total = sum(
            np.cos(points_mm @ wave + phase)
            for wave, phase in zip(self.waves, self.phases, strict=True)
        )
        return np.asarray(total) * np.sqrt(2 / TERMS)


def field(rng: np.random.Generator, shortest_mm: float, longest_mm: float) -> Field:
    """Draw a field with wavelengths in a range."""
    direction = rng.normal(size=(TERMS, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = rng.uniform(shortest_mm, longest_mm, (TERMS, 1))
    return Field(2 * np.pi / length * direction, rng.uniform(0, 2 * np.pi, TERMS))


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """One visit's way from the background image, in the image's axes and mm (u, v, w).

    `visit_from_body` is in LPS mm. `bend` gives where a body point is taken from; `bowel` adds
    to it behind the wall, by weight.
    """

    visit_from_body: RigidTransform
    bends: tuple[Field, ...]
    bowels: tuple[Field, ...]
    brightness: Field
    shade: Field
    wobble: Wobble
    gain: float
    seed: int

    @property
    def is_still(self) -> bool:
        """Whether the visit is the background image itself."""
        return self.wobble == STILL

    def bend_mm(self, points_mm: FloatArray) -> FloatArray:
        """(..., 3): displacement of the tissue, in mm."""
        return self.wobble.bend_mm * np.stack([f(points_mm) for f in self.bends], axis=-1)

    def bowel_mm(self, points_mm: FloatArray) -> FloatArray:
        """(..., 3): further displacement of what lies behind the wall, where its weight is 1."""
        return self.wobble.bowel_mm * np.stack([f(points_mm) for f in self.bowels], axis=-1)


def draw_motion(seed: int, centre_mm: ArrayLike, wobble: Wobble | None = None) -> Motion:
    """Draw a visit's motion about a point (LPS mm); the same seed gives the same motion."""
    wobble = wobble or Wobble()
    rng = np.random.default_rng([seed, 21])
    centre = np.asarray(centre_mm, dtype=np.float64)
    turn = Rotation.from_euler("xyz", rng.normal(0, 1, 3) * wobble.turn_deg, degrees=True)
    matrix = np.eye(4)
    matrix[:3, :3] = turn.as_matrix()
    matrix[:3, 3] = centre - matrix[:3, :3] @ centre + rng.normal(0, 1, 3) * wobble.shift_mm
    return Motion(
        visit_from_body=identity() if wobble == STILL else RigidTransform(matrix),
        bends=tuple(field(rng, 90.0, 180.0) for _ in range(3)),
        bowels=tuple(field(rng, 90.0, 160.0) for _ in range(3)),
        brightness=field(rng, 40.0, 110.0),
        shade=field(rng, 250.0, 500.0),
        wobble=wobble,
        gain=float(np.exp(rng.normal(0, 1) * wobble.gain)),
        seed=seed,
    )
