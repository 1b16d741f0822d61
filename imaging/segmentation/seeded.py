"""Seeded: from a reader's click or stroke to the graft that was meant.

A reader clicks on what strikes the eye: a bright focus, a pocket of fluid, the dark core. The
half maximum of that alone would be the spot and not the graft, so what stands out of muscle
around it is outlined too, and taken when it holds the spot and stands up as well.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage

from imaging.messages import text
from imaging.segmentation.carried import still_there
from imaging.segmentation.contrast import BoolArray
from imaging.segmentation.found import Found, images_for, invisible, judged, score
from imaging.segmentation.judgement import FLOOR, Judged, ramp
from imaging.segmentation.outline import Outline, holes_filled, outline
from imaging.segmentation.scene import Scene, plates, within
from imaging.segmentation.seed import Stroke

_SEED_MM = 3.0
"""Radius round a click that is taken to be graft."""


def seeded(place: Scene, stroke_mm: Stroke) -> Found:
    """Return what a click or a stroke means."""
    sx, sy, _ = place.spacing_mm
    reach = within(place.marked(stroke_mm), _SEED_MM, (sx, sy, 1e3))
    place = replace(place, allowed=place.allowed | reach)
    spot = outline(place, reach, images_for(place, reach))
    if spot is not None and spot.contrast_to_noise < place.limits.graft_contrast_min:
        spot = None
    around = _around(place, reach if spot is None else spot.region)
    if spot is not None:
        return _whole(place, spot, around)
    whole = _surest(place, around)
    return _nothing(place, reach) if whole is None else whole


def _surest(place: Scene, around: list[Outline]) -> Found | None:
    """Return the surest region that fails no check outright, the larger of two, or None."""
    found = [_believed(place, each) for each in around]
    standing = [each for each in found if each.confidence >= FLOOR]
    return max(standing, key=lambda each: (each.confidence, int(each.region.sum())), default=None)


def _whole(place: Scene, spot: Outline, around: list[Outline]) -> Found:
    """Return the surest region around a spot if it is as sure as the spot, else the spot."""
    same = place.limits.graft_spot_same_min
    larger = [each for each in around if spot.region.sum() < same * each.region.sum()]
    whole = _surest(place, larger)
    if whole is not None and whole.confidence >= _believed(place, spot).confidence:
        return whole
    return _believed(place, spot, *(each.region for each in larger))


def _believed(place: Scene, found: Outline, *larger: BoolArray) -> Found:
    """Return an outline with its confidence, which being a small part of something takes away.

    Of the baseline's graft too: round a bright focus a settled graft looks like muscle.
    """
    prior = () if place.prior is None else (place.prior,)
    parts = (_part(place, found, each) for each in (*larger, *prior))
    return judged(place, found, *parts, seeded=True)


def _around(place: Scene, spot: BoolArray) -> list[Outline]:
    """Return outlines of what stands out of muscle around a spot and holds it."""
    limits = place.limits
    levels = (place.t2.ratio > limits.graft_ratio_min, score(place) > limits.graft_prior_sd_min)
    cores = [_core(place, level & place.left, spot) for level in levels]
    if place.prior is not None:
        cores += still_there(place, place.prior, score(place))
    found = (outline(place, core, images_for(place, core)) for core in cores if core.any())
    held = limits.graft_spot_held_min * spot.sum()
    return [each for each in found if each is not None and (each.region & spot).sum() >= held]


def _core(place: Scene, bright: BoolArray, spot: BoolArray) -> BoolArray:
    """Return the piece of what is bright that a spot lies in, or that encloses it."""
    kept = plates(bright, 0.6 * place.limits.graft_width_min_mm, place.spacing_mm)
    labels, _ = ndimage.label(holes_filled(kept))
    touched = np.unique(labels[spot])
    return np.asarray(kept & np.isin(labels, touched[touched > 0]))


def _part(place: Scene, found: Outline, whole: BoolArray) -> Judged:
    """Judge whether an outline is but a part of a larger region, and how small a one.

    A focus need not lie inside what the baseline's graft was to be all that is seen of it.
    """
    limits, share = place.limits, float(found.region.sum()) / max(int(whole.sum()), 1)
    return Judged(
        ramp(share, limits.graft_visible_min, limits.graft_visible_good),
        text("segmentation.graft_part", percent=100 * share),
    )


def _nothing(place: Scene, reach: BoolArray) -> Found:
    contrast = float(np.median(score(place)[reach]))
    if place.prior is not None:
        return invisible(place, place.prior, contrast)
    reason = text("segmentation.graft_seed_invisible", contrast=contrast)
    return Found(np.zeros_like(place.left), 0.0, (reason,))
