"""Graft: the graft in the left rectus, found alone, from the baseline's place, or from a seed.

At baseline the injectate is bright on T2W-FS, and absence is told from what was looked for. Later
it fades toward muscle, so the baseline's outline, carried over by registration, says where to
look and T1W-FS helps; where nothing is seen the outline is a guess, and its confidence says so.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from imaging.errors import GeometryError
from imaging.messages import text
from imaging.segmentation.carried import carried
from imaging.segmentation.contrast import BoolArray
from imaging.segmentation.found import Found, judged, pieces, unless_unseen, with_rest
from imaging.segmentation.judgement import Judged, combined, level, ramp, sides, width_mm
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.segmentation.outline import outline
from imaging.segmentation.scene import Scene, scene
from imaging.segmentation.seed import Stroke, check_stroke
from imaging.segmentation.seeded import seeded
from imaging.segmentation_limits import SegmentationLimits
from imaging.volume import Mask, Volume


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
    found = _found(place, stroke_mm)
    mask = place.whole(found.region) if found.region.any() else None
    return Graft(mask, source, found.confidence, found.reasons, found.range_ml)


def _found(place: Scene, stroke_mm: Stroke) -> Found:
    """Search by the help there is, a stroke, the baseline's place, or none."""
    if place.prior is None:
        return seeded(place, stroke_mm) if stroke_mm else _automatic(place)
    found = seeded(place, stroke_mm) if stroke_mm else carried(place, place.prior)
    stroke = place.marked(stroke_mm)
    found = with_rest(place, found, place.prior, stroke)
    return unless_unseen(place, found, place.prior, stroke)


def _automatic(place: Scene) -> Found:
    """Find the graft without help: the surest bright region of the left muscle."""
    outlines = [outline(place, core, (place.t2,)) for core in _cores(place)]
    found = [judged(place, each) for each in outlines if each is not None]
    plausible = [each for each in found if _plausible(place, each.region)]
    if plausible:
        return max(plausible, key=lambda each: (each.confidence, int(each.region.sum())))
    return _absent(place, found)


def _cores(place: Scene) -> list[BoolArray]:
    """Return the brightest pieces of the muscle, largest first."""
    limits = place.limits
    least = max(limits.graft_ratio_min, 1.0 + limits.graft_sd_min * place.t2.sd)
    bright = place.left & (place.t2.ratio > least)
    # One pixel off the edge: the blur of bowel and skin reaches that far into the compartment.
    inner = bright & ndimage.binary_erosion(place.left, np.ones((3, 3, 1)))
    return pieces(place, inner, 0.1)


def _plausible(place: Scene, region: BoolArray) -> bool:
    limits = place.limits
    large_enough = float(region.sum()) * place.voxel_ml >= limits.graft_volume_min_ml
    return large_enough and width_mm(region, place.spacing_mm) >= limits.graft_width_min_mm


def _absent(place: Scene, rejected: list[Found]) -> Found:
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
    return Found(np.zeros_like(place.left), confidence, (none, *reasons))
