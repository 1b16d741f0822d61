"""Found: a region taken for the graft and how far it is believed; what every search shares."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.messages import text
from imaging.segmentation.contrast import BoolArray, Contrast
from imaging.segmentation.judgement import Judged, combined, dice, judge
from imaging.segmentation.outline import Outline, separation
from imaging.segmentation.scene import Scene, plates

_CARRIED_MIN = 0.3
"""With less of the baseline's outline inside the muscle, the muscle is what is wrong."""

_BLUR = np.ones((5, 5, 3))
"""As far as a bright region's blur reaches: two pixels, and the next slice."""

_CANDIDATES = 3
"""Bright regions looked at closely, largest first."""


class Found(NamedTuple):
    """A region of the scene, empty for none, its confidence, and what lowered that.

    `contrast` is the contrast-to-noise its boundary was seen with, None when none was. `range_ml`
    is that of `masks.Graft`.
    """

    region: BoolArray
    confidence: float
    reasons: tuple[str, ...]
    contrast: float | None = None
    range_ml: tuple[float, float] | None = None


def judged(place: Scene, found: Outline, *more: Judged, seeded: bool = False) -> Found:
    """Return an outline with its confidence; `more` is what else speaks for or against it."""
    confidence, reasons = combined([*judge(place, found, seeded), *more])
    return Found(found.region, confidence, reasons, found.contrast_to_noise)


def pieces(place: Scene, region: BoolArray, least_ml: float) -> list[BoolArray]:
    """Return the pieces of a region, vessels left out, largest first."""
    width = 0.6 * place.limits.graft_width_min_mm
    labels, _ = ndimage.label(plates(region, width, place.spacing_mm))
    voxels_min = max(round(least_ml / place.voxel_ml), 3)
    sizes = np.bincount(labels.ravel())[1:]
    order = np.argsort(-sizes, kind="stable")[:_CANDIDATES]
    return [labels == n + 1 for n in order if sizes[n] >= voxels_min]


def images_for(place: Scene, core: BoolArray) -> tuple[Contrast, ...]:
    """T2W-FS alone where its contrast is enough: T1W-FS may lie a little apart."""
    if place.t1 is None or separation(place.t2, core) >= place.limits.graft_contrast_alone:
        return (place.t2,)
    return (place.t2, place.t1)


def score(place: Scene) -> NDArray[np.float32]:
    """Spreads above muscle, T2W-FS and T1W-FS together."""
    score = (place.t2.ratio - 1.0) / max(place.t2.sd, 1e-3)
    if place.t1 is None:
        return score
    second = (place.t1.ratio - 1.0) / max(place.t1.sd, 1e-3)
    return np.asarray((score + second) / np.sqrt(2.0))


def invisible(place: Scene, prior: BoolArray, contrast: float) -> Found:
    """Return the baseline's outline as the guess it is."""
    reason = text("segmentation.graft_isointense", contrast=contrast)
    return _standing_for(place, _guess(place, prior, reason), np.zeros_like(prior))


def with_rest(place: Scene, found: Found, prior: BoolArray, stroke: BoolArray) -> Found:
    """Return what was found with the rest of the baseline's place, if that still stands out.

    Round a bright focus the boundary lies at half its height, far above a settled graft. As a
    whole that is brighter than muscle yet, and a focus that passes for its graft is never told.
    The blur of what was found is no rest. A `stroke` away from the old place means another one.
    """
    if _points_away(stroke, prior):
        return found
    limits, around = place.limits, ndimage.binary_dilation(found.region, _BLUR)
    rest = prior & place.left & ~around
    share = rest.sum() / max(int(prior.sum()), 1)
    if not found.region.any() or not rest.any() or share < limits.graft_rest_min:
        return found
    if float(np.median(score(place)[rest])) < limits.graft_prior_whole_sd_min:
        return found
    reason = text("segmentation.graft_rest", percent=100 * share)
    both = found._replace(
        region=found.region | (prior & place.allowed),
        confidence=min(found.confidence, limits.graft_invisible_confidence),
        reasons=(*found.reasons, reason),
    )
    return _standing_for(place, both, found.region)


def unless_unseen(place: Scene, found: Found, prior: BoolArray, stroke: BoolArray) -> Found:
    """Return what was found, or the baseline's outline where a change could not be seen.

    At a faint contrast the half maximum lies in the spread of muscle: what drops out of the
    outline has hardly ever gone, and a little more than before is muscle. Growth by much is
    seen as a whole, and so is a graft that has not changed. What is bright enough to be seen by
    itself stays, in the old outline or out of it. A `stroke`, where there is one, must go through
    the baseline's place: a reader points at what is there now.
    """
    limits, before = place.limits, prior & place.allowed
    if found.contrast is None or found.contrast >= limits.graft_change_contrast_min:
        return found
    if not _mostly_there(before, prior) or _points_away(stroke, prior):
        return found
    grown, overlap = (found.region & ~before).sum() / before.sum(), dice(found.region, before)
    if grown >= limits.graft_change_grown or overlap >= limits.graft_change_same:
        return found
    guess = _guess(place, prior, text(
        "segmentation.graft_change_unseen", contrast=found.contrast, dice=overlap,
        limit=limits.graft_change_contrast_min,
    ))  # fmt: skip
    bright = found.region & ~before & (score(place) > limits.graft_change_contrast_min)
    guess = guess._replace(region=np.any([guess.region, *pieces(place, bright, 0.0)], axis=0))
    return _standing_for(place, guess, found.region)


def _standing_for(place: Scene, guess: Found, seen: BoolArray) -> Found:
    """Return a guess with the volumes it stands for: what was seen, up to growth that would be."""
    shown, least = (float(region.sum()) * place.voxel_ml for region in (guess.region, seen))
    most = (1 + place.limits.graft_change_grown) * shown
    return guess._replace(range_ml=(min(least, shown), max(least, most)))


def _points_away(stroke: BoolArray, prior: BoolArray) -> bool:
    """Tell whether a reader points beside the baseline's place."""
    return bool(stroke.any() and not (stroke & prior).any())


def _mostly_there(carried: BoolArray, prior: BoolArray) -> bool:
    """Tell whether enough of a carried outline lies where a graft may be for that to be right."""
    return bool(carried.sum() >= _CARRIED_MIN * prior.sum() > 0)


def _guess(place: Scene, prior: BoolArray, reason: str) -> Found:
    carried = prior & place.allowed
    region = carried if _mostly_there(carried, prior) else prior
    return Found(region, place.limits.graft_invisible_confidence, (reason,))
