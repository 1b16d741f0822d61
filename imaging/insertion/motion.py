"""Motion: how a later visit differs from the background image though nothing has grown.

The patient lies elsewhere, the wall is bent a little, the bowel has moved and holds other
fluid, the coil and the gain are others. Fields are sums of plane waves: smooth, cheap at any
point, and the same for the same seed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.spatial.transform import Rotation

from imaging.geometry import FloatArray
from imaging.insertion.sheet import Points
from imaging.transform import RigidTransform, identity

_TERMS = 3
_BEND_MM, _BOWEL_MM, _SHADE_MM = (90.0, 180.0), (90.0, 160.0), (250.0, 500.0)
"""Wavelengths."""


@dataclass(frozen=True, slots=True)
class Wobble:
    """How much a visit differs: standard deviations, in the units named or relative."""

    shift_mm: tuple[float, float, float] = (5.0, 3.0, 5.0)
    turn_deg: tuple[float, float, float] = (1.5, 1.0, 2.0)
    bend_mm: float = 0.8
    bowel_mm: float = 5.0
    bowel_brightness: float = 0.25
    shading: float = 0.08
    gain: float = 0.25


STILL = Wobble((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), 0.0, 0.0, 0.0, 0.0, 0.0)
"""The background image itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """A smooth random field of unit standard deviation."""

    waves: NDArray[np.float32]
    phases: NDArray[np.float32]

    def at(self, points_mm: Points) -> Points:
        """Return (...,): the field at points (..., 3) in mm."""
        waves = zip(self.waves, self.phases, strict=True)
        total = sum(
            np.cos(points_mm @ wave.astype(points_mm.dtype) + phase) for wave, phase in waves
        )
        return np.asarray(total * points_mm.dtype.type(np.sqrt(2 / _TERMS)))


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """One visit's difference from the background image.

    `visit_from_body` is in LPS mm; fields live in the body, in the image's axes and mm.
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

    def bend_mm(self, points_mm: Points) -> Points:
        """(..., 3): displacement of all tissue, mm."""
        return self.wobble.bend_mm * np.stack([f.at(points_mm) for f in self.bends], axis=-1)

    def bowel_mm(self, points_mm: Points) -> Points:
        """(..., 3): further displacement of what lies loose behind the wall, mm."""
        return self.wobble.bowel_mm * np.stack([f.at(points_mm) for f in self.bowels], axis=-1)

    def gain_at(self, points_mm: Points) -> Points:
        """(...,): by what the coil of this visit multiplies, at points of the body."""
        return np.asarray(self.gain * np.exp(self.wobble.shading * self.shade.at(points_mm)))


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
        bends=tuple(_field(rng, _BEND_MM) for _ in range(3)),
        bowels=tuple(_field(rng, _BOWEL_MM) for _ in range(3)),
        brightness=_field(rng, _BOWEL_MM),
        shade=_field(rng, _SHADE_MM),
        wobble=wobble,
        gain=float(np.exp(rng.normal(0, 1) * wobble.gain)),
        seed=seed,
    )


def _field(rng: np.random.Generator, wavelengths_mm: tuple[float, float]) -> Field:
    direction: FloatArray = rng.normal(size=(_TERMS, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    length = rng.uniform(*wavelengths_mm, (_TERMS, 1))
    phases = rng.uniform(0, 2 * np.pi, _TERMS)
    waves = 2 * np.pi / length * direction
    return Field(waves.astype(np.float32), phases.astype(np.float32))
