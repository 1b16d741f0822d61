"""Physique: the sizes of one person's abdomen, drawn once per subject.

Body coordinates: mm, x to the patient's left, y posterior, z superior; the origin lies in the
middle of the abdomen at the level of the umbilicus.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from imaging.simulation.scenario import Scenario
from imaging.simulation.warp import Ripple, Texture, ripple, texture


@dataclass(frozen=True, slots=True, eq=False)
class Physique:
    """One person's wall, in mm unless named otherwise.

    `half_width`, `half_depth` are those of the muscular body at the umbilicus, fat excluded.
    """

    scale: float
    half_width: float
    half_depth: float
    squareness: float
    fat: float
    fat_back: float
    rectus_thickness: tuple[float, float]
    rectus_width: tuple[float, float]
    linea_alba_top: float
    linea_alba_x: Ripple
    lateral_thickness: float
    intersections: tuple[float, ...]
    outline: Ripple
    layers: Ripple
    fat_ripple: Ripple
    preperitoneal: Ripple
    fascia_lines: Ripple
    fascia_thickness: Ripple
    tendon: tuple[Ripple, Ripple]
    muscle_texture: Texture
    organ_texture: Texture
    ascites: float


def physique(scenario: Scenario) -> Physique:
    """Draw the physique of a scenario; left is the first of each pair.

    Rectus 6-12 mm thick and 50-80 mm wide in adults, sides differing by up to 20 %
    (Rankin G, Stokes M, Newham DJ, Muscle Nerve 2006;34:320-326).
    """
    rng = np.random.default_rng([scenario.seed, 1])
    scale = scenario.stature if scenario.age_group == "adult" else float(rng.uniform(0.58, 0.68))
    thickness = scale**0.7 * rng.uniform(8.0, 11.5)
    width = scale * rng.uniform(56.0, 70.0)
    asymmetry = rng.uniform(-0.10, 0.10, 2)
    return Physique(
        scale=scale,
        half_width=scale * float(rng.uniform(142.0, 162.0)),
        half_depth=scale * float(rng.uniform(90.0, 108.0)),
        squareness=float(rng.uniform(2.15, 2.6)),
        fat=scenario.fat_mm,
        fat_back=scenario.fat_mm * float(rng.uniform(0.7, 1.3)) + 3.0,
        rectus_thickness=(thickness * (1 + asymmetry[0]), thickness * (1 - asymmetry[0])),
        rectus_width=(width * (1 + asymmetry[1] / 2), width * (1 - asymmetry[1] / 2)),
        linea_alba_top=scale * float(rng.uniform(7.0, 20.0)),
        linea_alba_x=ripple(rng, 1, (120.0, 300.0), 1.2, terms=2),
        lateral_thickness=scale * float(rng.uniform(17.0, 25.0)),
        intersections=tuple(scale * (np.array([2.0, 46.0, 92.0]) + rng.uniform(-6, 6, 3))),
        outline=ripple(rng, 3, (130.0, 320.0), 3.5 * scale),
        layers=ripple(rng, 2, (40.0, 120.0), 1.0),
        fat_ripple=ripple(rng, 3, (60.0, 200.0), 0.14),
        preperitoneal=ripple(rng, 2, (50.0, 150.0), 1.0),
        fascia_lines=ripple(rng, 3, (35.0, 90.0), 1.0),
        fascia_thickness=ripple(rng, 2, (15.0, 60.0), 0.35),
        tendon=(ripple(rng, 1, (18.0, 50.0), 3.0), ripple(rng, 1, (18.0, 50.0), 3.0)),
        muscle_texture=texture(rng, (1.6, 1.0, 4.0)),
        organ_texture=texture(rng, (1.7, 1.7, 1.7)),
        ascites=scenario.ascites,
    )
