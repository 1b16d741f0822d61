"""Carried: the graft looked for where the baseline's lay; what is not visible is not made up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.messages import text
from imaging.segmentation.contrast import BoolArray, Contrast
from imaging.segmentation.found import Found, images_for, invisible, judged, pieces, score
from imaging.segmentation.judgement import Judged, dice, ramp
from imaging.segmentation.outline import Outline, outline, separation
from imaging.segmentation.scene import Scene, within

_FOCUS_ML = 0.1
"""Smaller dark spots are noise and fascia."""


def carried(place: Scene, prior: BoolArray) -> Found:
    """Look where the baseline's graft lay; what is not visible there is not made up."""
    limits = place.limits
    zone = within(prior, limits.graft_prior_margin_mm, place.spacing_mm) & place.allowed
    apart = score(place)
    cores = _carried_cores(place, prior, zone, apart)
    tried = [outline(place, core, images_for(place, core)) for core in cores]
    seen = [each for each in tried if each is not None]
    found = max(seen, key=lambda each: _evidence(place, each), default=None)
    if found is None or found.contrast_to_noise < limits.graft_contrast_min:
        return invisible(place, prior, float(np.median(apart[prior])))
    if float(found.region.sum()) * place.voxel_ml < limits.graft_volume_min_ml / 2:
        return invisible(place, prior, float(np.median(apart[prior])))
    found = replace(found, region=found.region | _dark_focus(place, found.region, prior))
    return judged(place, found, *_compared(place, found, prior))


def _dark_focus(place: Scene, region: BoolArray, prior: BoolArray) -> BoolArray:
    """Return what turned dark on T1W-FS inside the old outline: fat belongs to the graft."""
    if place.t1 is None:
        return np.zeros_like(region)
    inner = prior & ndimage.binary_erosion(place.left, np.ones((3, 3, 1)))
    dark = inner & (place.t1.ratio < place.limits.graft_dark_ratio_max) & (place.t1.ratio > 0)
    focus = ndimage.binary_opening(dark, np.ones((3, 3, 1)))
    labels, _ = ndimage.label(focus)
    beside = np.unique(labels[ndimage.binary_dilation(region) & focus])
    sizes = np.bincount(labels.ravel()) * place.voxel_ml
    return np.isin(labels, beside[sizes[beside] >= _FOCUS_ML])


def _carried_cores(
    place: Scene, prior: BoolArray, zone: BoolArray, apart: NDArray[np.float32]
) -> list[BoolArray]:
    """Return what stands out near the baseline's place: its brightest parts, and all of it.

    From the brightest parts alone a graft with a brighter focus would shrink to the focus.
    """
    limits = place.limits
    bright = zone & place.left & (place.t2.ratio > limits.graft_ratio_min)
    faint = zone & place.left & (apart > limits.graft_prior_sd_min)
    levels = ((bright, limits.graft_volume_min_ml / 2), (faint, 0.1))
    found = [piece for core, least_ml in levels for piece in pieces(place, core, least_ml)[:1]]
    return [*found, *still_there(place, prior, apart)]


def still_there(
    place: Scene, prior: BoolArray, apart: NDArray[np.float32]
) -> tuple[BoolArray, ...]:
    """Return the baseline's place in the muscle, if as a whole it still stands out; else nothing.

    A settled graft may be little brighter than muscle in every voxel and yet plainly so in all.
    """
    core = prior & place.left
    if not core.any() or float(np.median(apart[core])) < place.limits.graft_prior_whole_sd_min:
        return ()
    return (core,)


def _evidence(place: Scene, found: Outline) -> float:
    """Contrast times the root of the volume: how unlikely noise would give this region.

    Contrast that is good already counts no further, or a bright focus would beat its graft.
    """
    contrast = min(found.contrast_to_noise, place.limits.graft_contrast_alone)
    return contrast * float(np.sqrt(found.region.sum()))


def _compared(place: Scene, found: Outline, prior: BoolArray) -> list[Judged]:
    limits = place.limits
    visible = float(found.region.sum()) / max(int(prior.sum()), 1)
    parts = [Judged(
        ramp(visible, limits.graft_visible_min, limits.graft_visible_good),
        text("segmentation.graft_partly_visible", percent=100 * visible),
    )]  # fmt: skip
    if place.t1 is not None:
        parts.append(_agreement(place, found, place.t1))
    return parts


def _agreement(place: Scene, found: Outline, t1: Contrast) -> Judged:
    """Judge by the outline that T1W-FS alone would give, where it shows one."""
    limits = place.limits
    if abs(separation(t1, found.region)) < limits.graft_contrast_min:
        return Judged(1.0, "")
    other = outline(place, found.region, (t1,))
    overlap = 0.0 if other is None else dice(other.region, found.region)
    factor = ramp(overlap, limits.graft_agreement_min, limits.graft_agreement_good)
    return Judged(factor, text("segmentation.graft_disagreement", dice=overlap))
