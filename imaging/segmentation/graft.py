"""Graft: the graft in the left rectus, found alone, from the baseline's place, or from a seed.

At baseline the injectate is bright on T2W-FS, and absence is told from what was looked for. Later
it fades toward muscle, so the baseline's outline, carried over by registration, says where to
look and T1W-FS helps; where nothing is seen the outline is a guess, and its confidence says so.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.errors import GeometryError
from imaging.messages import text
from imaging.protocol import SegmentationLimits
from imaging.segmentation.contrast import BoolArray, Contrast
from imaging.segmentation.judgement import (
    Judged,
    combined,
    dice,
    judge,
    level,
    ramp,
    sides,
    width_mm,
)
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.segmentation.outline import Outline, outline, separation
from imaging.segmentation.scene import Scene, plates, scene, within
from imaging.segmentation.seed import Stroke, check_stroke
from imaging.volume import Mask, Volume

_CANDIDATES = 3
"""Bright regions looked at closely, largest first."""

_SEED_MM = 3.0
"""Radius round a click that is taken to be graft."""


_FOCUS_ML = 0.1
"""Smaller dark spots are noise and fascia."""


class _Found(NamedTuple):
    region: BoolArray
    confidence: float
    reasons: tuple[str, ...]


def segment_graft(
    t2: Volume,
    t1: Volume | None,
    muscles: Muscles,
    limits: SegmentationLimits,
    prior: Mask | None = None,
    stroke_mm: Stroke = (),
) -> Graft:
    """Return the graft of one visit, on the grid of `t2`.

    Parameters
    ----------
    t2
        T2W-FS, corrected for the coil's shading.
    t1
        T1W-FS resampled on the same grid, or None.
    muscles
        The compartments, graft included.
    prior
        The baseline's graft carried to this visit, None at baseline.
    stroke_mm
        Points inside the graft that a reader set, LPS mm; none for automatic.

    Returns
    -------
    Graft
        `mask` None when nothing was found: with a high confidence that means absent, with a low
        one that it could not be told; `reasons` say which.

    Raises
    ------
    SeedError
        A point lies where no graft can be.
    GeometryError
        `t1` or `prior` is on another grid than `t2`.
    """
    for other in (t1, prior):
        if other is not None and not other.geometry.same_grid(t2.geometry):
            raise GeometryError("other_grid", shape=other.geometry.shape, wanted=t2.geometry.shape)
    source = Source.SEEDED if stroke_mm else Source.AUTOMATIC
    check_stroke(stroke_mm, t2, muscles, limits)
    if muscles.rectus_left.is_empty:
        return Graft(None, source, 0.0, (text("segmentation.graft_no_muscle"),))
    place = scene(t2, t1, muscles, prior, limits, stroke_mm)
    if place is None:
        return Graft(None, source, 0.0, (text("segmentation.graft_no_level"),))
    if stroke_mm:
        found = _seeded(place, stroke_mm)
    else:
        found = _automatic(place) if place.prior is None else _carried(place, place.prior)
    mask = place.whole(found.region) if found.region.any() else None
    return Graft(mask, source, found.confidence, found.reasons)


def _automatic(place: Scene) -> _Found:
    """Find the graft without help: the surest bright region of the left muscle."""
    outlines = [outline(place, core, (place.t2,)) for core in _cores(place)]
    found = [_judged(place, each) for each in outlines if each is not None]
    plausible = [each for each in found if _plausible(place, each.region)]
    if plausible:
        return max(plausible, key=lambda each: (each.confidence, int(each.region.sum())))
    return _absent(place, found)


def _judged(place: Scene, found: Outline, *more: Judged, seeded: bool = False) -> _Found:
    return _Found(found.region, *combined([*judge(place, found, seeded), *more]))


def _cores(place: Scene) -> list[BoolArray]:
    """Return the brightest pieces of the muscle, largest first."""
    limits = place.limits
    least = max(limits.graft_ratio_min, 1.0 + limits.graft_sd_min * place.t2.sd)
    bright = place.left & (place.t2.ratio > least)
    # One pixel off the edge: the blur of bowel and skin reaches that far into the compartment.
    inner = bright & ndimage.binary_erosion(place.left, np.ones((3, 3, 1)))
    return _pieces(place, inner, 0.1)


def _pieces(place: Scene, region: BoolArray, least_ml: float) -> list[BoolArray]:
    """Return the pieces of a region, vessels left out, largest first."""
    width = 0.6 * place.limits.graft_width_min_mm
    labels, _ = ndimage.label(plates(region, width, place.spacing_mm))
    voxels_min = max(round(least_ml / place.voxel_ml), 3)
    sizes = np.bincount(labels.ravel())[1:]
    order = np.argsort(-sizes, kind="stable")[:_CANDIDATES]
    return [labels == n + 1 for n in order if sizes[n] >= voxels_min]


def _plausible(place: Scene, region: BoolArray) -> bool:
    limits = place.limits
    large_enough = float(region.sum()) * place.voxel_ml >= limits.graft_volume_min_ml
    return large_enough and width_mm(region, place.spacing_mm) >= limits.graft_width_min_mm


def _absent(place: Scene, rejected: list[_Found]) -> _Found:
    """Nothing found: as sure as the muscles are, and as a graft would have been seen."""
    limits = place.limits
    visible = (limits.graft_ratio_min - 1.0) / max(place.t2.sd, 1e-3)
    parts = [
        Judged(place.muscle_confidence, text(
            "segmentation.graft_muscle_unsure", confidence=place.muscle_confidence)),
        sides(place, limits.graft_ratio_min),
        level(place),
        Judged(ramp(visible, limits.graft_contrast_min, limits.graft_contrast_alone), text(
            "segmentation.graft_uneven", contrast=visible, limit=limits.graft_contrast_alone)),
    ]  # fmt: skip
    volume = max((float(each.region.sum()) * place.voxel_ml for each in rejected), default=0.0)
    if volume > 0:
        parts.append(Judged(
            ramp(volume, limits.graft_volume_min_ml, 0.0),
            text("segmentation.graft_rejected", volume_ml=volume),
        ))  # fmt: skip
    confidence, reasons = combined(parts)
    top = float(np.percentile(place.t2.ratio[place.left], 99)) - 1.0
    none = text("segmentation.graft_none", contrast=top / max(place.t2.sd, 1e-3))
    return _Found(np.zeros_like(place.left), confidence, (none, *reasons))


def _images(place: Scene, core: BoolArray) -> tuple[Contrast, ...]:
    """T2W-FS alone where its contrast is enough: T1W-FS may lie a little apart."""
    if place.t1 is None or separation(place.t2, core) >= place.limits.graft_contrast_alone:
        return (place.t2,)
    return (place.t2, place.t1)


def _carried(place: Scene, prior: BoolArray) -> _Found:
    """Look where the baseline's graft lay; what is not visible there is not made up."""
    limits = place.limits
    zone = within(prior, limits.graft_prior_margin_mm, place.spacing_mm) & place.allowed
    score = _score(place)
    cores = _carried_cores(place, zone, score)
    tried = [outline(place, core, _images(place, core)) for core in cores]
    seen = [each for each in tried if each is not None]
    found = max(seen, key=lambda each: _evidence(place, each), default=None)
    if found is None or found.contrast_to_noise < limits.graft_contrast_min:
        return _invisible(place, prior, float(np.median(score[prior])))
    if float(found.region.sum()) * place.voxel_ml < limits.graft_volume_min_ml / 2:
        return _invisible(place, prior, float(np.median(score[prior])))
    found = replace(found, region=found.region | _dark_focus(place, found.region, prior))
    return _judged(place, found, *_compared(place, found, prior))


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


def _carried_cores(place: Scene, zone: BoolArray, score: NDArray[np.float32]) -> list[BoolArray]:
    """Return what stands out near the baseline's place: its brightest parts, and all of it.

    From the brightest parts alone a graft with a brighter focus would shrink to the focus.
    """
    limits = place.limits
    bright = zone & place.left & (place.t2.ratio > limits.graft_ratio_min)
    faint = zone & place.left & (score > limits.graft_prior_sd_min)
    pieces = ((bright, limits.graft_volume_min_ml / 2), (faint, 0.1))
    return [piece for core, least_ml in pieces for piece in _pieces(place, core, least_ml)[:1]]


def _evidence(place: Scene, found: Outline) -> float:
    """Contrast times the root of the volume: how unlikely noise would give this region.

    Contrast that is good already counts no further, or a bright focus would beat its graft.
    """
    contrast = min(found.contrast_to_noise, place.limits.graft_contrast_alone)
    return contrast * float(np.sqrt(found.region.sum()))


def _score(place: Scene) -> NDArray[np.float32]:
    """Spreads above muscle, T2W-FS and T1W-FS together."""
    score = (place.t2.ratio - 1.0) / max(place.t2.sd, 1e-3)
    if place.t1 is None:
        return score
    second = (place.t1.ratio - 1.0) / max(place.t1.sd, 1e-3)
    return np.asarray((score + second) / np.sqrt(2.0))


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


def _invisible(place: Scene, prior: BoolArray, contrast: float) -> _Found:
    carried = prior & place.allowed
    region = carried if carried.sum() >= 0.3 * prior.sum() else prior
    reason = text("segmentation.graft_isointense", contrast=contrast)
    return _Found(region, place.limits.graft_invisible_confidence, (reason,))


def _seeded(place: Scene, stroke_mm: Stroke) -> _Found:
    """Grow from a click or a stroke: its neighbourhood gives the plateau."""
    sx, sy, _ = place.spacing_mm
    reach = within(place.marked(stroke_mm), _SEED_MM, (sx, sy, 1e3))
    allowed = place.allowed | reach
    place = _with_allowed(place, allowed)
    images = _images(place, reach)
    found = outline(place, reach, images)
    if found is None or found.contrast_to_noise < place.limits.graft_contrast_min:
        contrast = float(np.median(_score(place)[reach]))
        if place.prior is not None:
            return _invisible(place, place.prior, contrast)
        reason = text("segmentation.graft_seed_invisible", contrast=contrast)
        return _Found(np.zeros_like(place.left), 0.0, (reason,))
    return _judged(place, found, seeded=True)


def _with_allowed(place: Scene, allowed: BoolArray) -> Scene:
    return replace(place, allowed=allowed)
