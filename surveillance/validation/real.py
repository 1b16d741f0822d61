"""Real: grafts of known form put into real images, and followed over visits.

What is drawn follows the trial: a bright injectate at baseline, a plate of 3 to 40 mL that by
month 3 is little brighter than muscle, foci of 3 to 15 mm.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from imaging.insertion import (
    STILL,
    Background,
    Inserted,
    Motion,
    Plate,
    Spot,
    draw_motion,
    insert,
)
from imaging.insertion.sheet import sheet_of
from imaging.protocol import load_protocol
from imaging.visit import VisitName
from surveillance.validation.case import REAL, Case, split_of
from surveillance.validation.inserted import case_of
from surveillance.validation.source import Source, scene_of

COURSES = ("stays", "nodule", "grows", "resolves", "mass", "none", "oedema")
VISITS = ((VisitName.BASELINE, 0), (VisitName.D28, 28), (VisitName.M3, 91))
_SPOTS_MM = (3.0, 4.0, 6.0, 8.0, 10.0, 12.0, 15.0)
_CONTRASTS = (1.3, 1.65, 2.0, 3.0)
_ROOM_FOR_TWO_MM = 36.0


@dataclass(frozen=True, slots=True)
class RealRecipe:
    """A graft in a real image and what becomes of it."""

    source: Source
    course: str
    seed: int
    kind: str = REAL

    @property
    def name(self) -> str:
        """Unique name."""
        return f"{self.source.name}-{self.course}-{self.seed}"

    @property
    def split(self) -> str:
        """Set that the seed belongs to."""
        return split_of(self.seed)

    def make(self) -> Case:
        """Make images and truth."""
        scene = scene_of(self.source)
        centre = scene.geometry.centre_mm
        visits = []
        for number, plate in enumerate(plates(self.course, self.seed, scene)):
            wobble = STILL if number == 0 else None
            motion = draw_motion(1000 * self.seed + number, centre, wobble)
            inserted = _oedema if self.course == "oedema" else insert
            visits.append(inserted(scene, plate, motion))
        return case_of(self.name, visits, VISITS, load_protocol())


def _oedema(scene: Background, plate: Plate | None, motion: Motion) -> Inserted:
    """Make a visit with a bright plate in the right muscle, if that is outlined, and no graft."""
    if scene.right is None:
        return insert(scene, None, motion)
    there = replace(scene, sheet=sheet_of(scene.right))
    without, made = insert(scene, None, motion), insert(there, plate, motion)
    return replace(without, t2=made.t2, t1=made.t1)


def recipes(found: tuple[Source, ...], number: int) -> Iterator[RealRecipe]:
    """Yield `number` recipes that vary image, course and graft in turn."""
    for n in range(number if found else 0):
        rounds = n // len(found)
        course = COURSES[(n + rounds) % len(COURSES)]
        # Rounds go to both sets in turn, so that either sees every image and every course.
        odd = (rounds + rounds // len(COURSES)) % 2
        yield RealRecipe(found[n % len(found)], course, 2 * n + odd)


def plates(course: str, seed: int, scene: Background) -> list[Plate | None]:
    """Return the graft at each visit, drawn within what the outlined muscle allows."""
    rng = np.random.default_rng([seed, 31])
    if course == "none":
        return [None] * len(VISITS)
    first = _first(rng, seed, scene)
    settled = replace(first.scaled(0.88), ratio=float(rng.uniform(1.4, 2.4)))
    later = replace(settled, ratio=min(settled.ratio, float(rng.uniform(1.25, 2.0))))
    if course == "resolves":
        return [first, settled.scaled(0.7), later.scaled(0.45)]
    if course == "grows":
        return [first, settled, later.scaled(float(rng.uniform(1.6, 3.0)))]
    if course == "mass":
        return [first, settled, later.scaled(float(rng.uniform(2.2, 3.2)), thicker=2.0)]
    if course == "nodule":
        return [first, settled, replace(later, spots=_spots(rng, later))]
    return [first, settled, later]


def _first(rng: np.random.Generator, seed: int, scene: Background) -> Plate:
    room_mm = scene.sheet.height_mm
    large = rng.uniform() < 0.2
    return Plate(
        width_mm=float(rng.uniform(40, 55) if large else rng.uniform(22, 42)),
        thickness_mm=float(rng.uniform(9, 15) if large else rng.uniform(4.5, 11)),
        height_mm=float(min(rng.uniform(60, 90) if large else rng.uniform(25, 50), 0.65 * room_mm)),
        ratio=float(rng.uniform(1.8, 4.0)),
        t1_ratio=float(rng.uniform(0.9, 1.15)),
        lateral=float(rng.uniform(0.38, 0.62)),
        level=float(rng.uniform(0.42, 0.58)),
        irregularity=float(rng.uniform(0.04, 0.15)),
        seed=seed,
    )


def _spots(rng: np.random.Generator, plate: Plate) -> tuple[Spot, ...]:
    """Return one focus, or two in a graft long enough to hold them apart."""
    long = plate.height_mm >= _ROOM_FOR_TWO_MM
    return tuple(_spot(rng, plate, level) for level in ((-0.24, 0.24) if long else (0.0,)))


def _spot(rng: np.random.Generator, plate: Plate, level: float) -> Spot:
    left = float(rng.uniform(-0.2, 0.2)) * plate.width_mm
    up = (level + float(rng.uniform(-0.06, 0.06))) * plate.height_mm
    diameter, contrast = float(rng.choice(_SPOTS_MM)), float(rng.choice(_CONTRASTS))
    return Spot((left, up), diameter, contrast * plate.ratio)
