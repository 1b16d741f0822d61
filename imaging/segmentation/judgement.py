"""Judgement: the confidence of a graft, 0 to 1, from the outline's own evidence.

Each finding gives a factor between a floor and 1; the factors multiply. The two ends of every
ramp are protocol entries, set so that outlines above the protocol's limit are right on the bench.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from imaging.messages import text
from imaging.segmentation.contrast import BoolArray
from imaging.segmentation.outline import Outline
from imaging.segmentation.scene import Scene

FLOOR = 0.2
"""What one failed check leaves: below any sensible limit, even alone."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One factor of the confidence, and the sentence when it is below 1."""

    factor: float
    reason: str


def combined(parts: list[Judged]) -> tuple[float, tuple[str, ...]]:
    """Multiply the factors; keep the reasons of those that lowered the result noticeably."""
    product = float(np.prod([part.factor for part in parts])) if parts else 1.0
    return product, tuple(part.reason for part in parts if part.factor < 0.95)


def ramp(value: float, bad: float, good: float) -> float:
    """Return 1 at `good` or better, the floor at `bad` or worse, a line between."""
    share = float(np.clip((value - bad) / (good - bad), 0.0, 1.0))
    return FLOOR + (1.0 - FLOOR) * share


def judge(place: Scene, found: Outline, seeded: bool = False) -> list[Judged]:
    """Judge an outline by its own evidence.

    That graft and muscle are not confused is not asked where a reader has pointed at the graft.
    """
    confused = [] if seeded else [_brighter(place, found), sides(place, found.plateau)]
    return [*_outlined(place, found, seeded), _one_sided(place, found), *confused]


def _outlined(place: Scene, found: Outline, seeded: bool) -> list[Judged]:
    """Judge whether the boundary lies where the graft ends."""
    limits, volume = place.limits, float(found.region.sum()) * place.voxel_ml
    width = width_mm(found.region, place.spacing_mm)
    return [
        _muscle(place, seeded),
        Judged(
            ramp(found.contrast_to_noise, limits.graft_contrast_min, limits.graft_contrast_good),
            text(
                "segmentation.graft_low_contrast",
                contrast=found.contrast_to_noise,
                limit=limits.graft_contrast_good,
            ),
        ),
        Judged(
            ramp(found.spread, limits.graft_spread_max, limits.graft_spread_good),
            text("segmentation.graft_unstable", percent=100 * found.spread),
        ),
        Judged(
            ramp(found.leak, limits.graft_leak_max, limits.graft_leak_good),
            text("segmentation.graft_leak", percent=100 * found.leak),
        ),
        level(place),
        thickness(place, found),
        Judged(
            ramp(volume, limits.graft_volume_min_ml, 2 * limits.graft_volume_min_ml),
            text("segmentation.graft_small", volume_ml=volume, limit=limits.graft_volume_min_ml),
        ),
        Judged(
            ramp(volume, 1.2 * limits.graft_volume_max_ml, limits.graft_volume_max_ml),
            text("segmentation.graft_large", volume_ml=volume, limit=limits.graft_volume_max_ml),
        ),
        Judged(
            ramp(width, 0.75 * limits.graft_width_min_mm, 1.25 * limits.graft_width_min_mm),
            text("segmentation.graft_narrow", width_mm=width),
        ),
    ]


def _muscle(place: Scene, seeded: bool) -> Judged:
    """Judge by the muscles; they matter less where a reader has said where the graft is."""
    sure, least = place.muscle_confidence, place.limits.graft_seed_muscle_min if seeded else 0.0
    reason = text("segmentation.graft_muscle_unsure", confidence=sure)
    return Judged(least + (1.0 - least) * sure, reason)


def _one_sided(place: Scene, found: Outline) -> Judged:
    """Judge whether the other side is not bright as well, as in oedema and shading."""
    limits, share = place.limits, asymmetry(place, found)
    return Judged(
        ramp(share, limits.graft_symmetry_max, limits.graft_symmetry_good),
        text("segmentation.graft_symmetric", percent=100 * share),
    )


def _brighter(place: Scene, found: Outline) -> Judged:
    """Judge whether the region is brighter than muscle of the other side."""
    limits, brighter = place.limits, over_right(place, found)
    return Judged(
        ramp(brighter, limits.graft_brighter_min, limits.graft_brighter_good),
        text("segmentation.graft_not_brighter", ratio=brighter),
    )


def level(place: Scene) -> Judged:
    """Judge whether what was taken for muscle can be graft, and what lies below it muscle."""
    limits, dark = place.limits, place.t2.darker
    return Judged(
        ramp(dark, limits.graft_darker_max, limits.graft_darker_good),
        text("segmentation.graft_two_levels", percent=100 * dark),
    )


def sides(place: Scene, plateau: float) -> Judged:
    """Judge whether left and right muscle differ too much to tell a graft of this ratio."""
    limits, ratio = place.limits, place.t2.sides
    graft = max(abs(np.log(max(plateau, 1e-3))), 1e-3)
    return Judged(
        ramp(abs(np.log(ratio)) / graft, limits.graft_sides_max, limits.graft_sides_good),
        text("segmentation.graft_sides", ratio=ratio),
    )


def thickness(place: Scene, found: Outline) -> Judged:
    """Judge whether the plate is thick enough for its volume not to hang on the blur."""
    limits, columns = place.limits, found.region.sum(axis=1)
    pixels = float(columns[columns > 0].mean())
    return Judged(
        ramp(pixels, limits.graft_thickness_min_px, limits.graft_thickness_good_px),
        text("segmentation.graft_thin", pixels=pixels, limit=limits.graft_thickness_good_px),
    )


def asymmetry(place: Scene, found: Outline) -> float:
    """Bright share of the right muscle over that of the left, in the slices of the region.

    Bright is half way from muscle to the region's plateau. 0 without a right muscle there.
    """
    slices = found.region.any(axis=(0, 1))
    level = 1.0 + (found.plateau - 1.0) / 2.0
    bright = place.t2.ratio > level if found.plateau > 1.0 else place.t2.ratio < level
    right = ndimage.binary_erosion(place.right, np.ones((3, 3, 1)))
    shares = []
    for side in (right[:, :, slices], place.left[:, :, slices]):
        shares.append(float(bright[:, :, slices][side].mean()) if side.any() else 0.0)
    return shares[0] / max(shares[1], 1e-6)


def over_right(place: Scene, found: Outline) -> float:
    """Return the region's T2W-FS level over that of the right muscle in the same slices.

    The two sides' levels are not evened out here: an outline with fat in it on both sides makes
    normal muscle look bright against the rest, but never against the other side's muscle.
    """
    slices = found.region.any(axis=(0, 1))
    right = place.t2.ratio[:, :, slices][place.right[:, :, slices]]
    if right.size == 0:
        return found.plateau * place.t2.sides
    return found.plateau * place.t2.sides / float(np.percentile(right, 75))


def width_mm(region: BoolArray, spacing_mm: tuple[float, ...]) -> float:
    """Longest in-plane extent of the region's widest piece in any slice, by its bounding box."""
    widest = 0.0
    for k in np.flatnonzero(region.any(axis=(0, 1))):
        labels, _ = ndimage.label(region[:, :, k])
        for part in ndimage.find_objects(labels):
            sides = [(s.stop - s.start) * step for s, step in zip(part, spacing_mm, strict=False)]
            widest = max(widest, *sides)
    return widest


def dice(one: BoolArray, other: BoolArray) -> float:
    """Overlap 2 |A and B| / (|A| + |B|); 1 for two empty regions."""
    total = int(one.sum()) + int(other.sum())
    return 2.0 * float((one & other).sum()) / total if total else 1.0
