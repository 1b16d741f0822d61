"""Outlines: the graft of one visit by whatever help there is, and when no outline may be shown."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from imaging.gates import laterality_gate
from imaging.geometry import Geometry
from imaging.guidance import Guidance
from imaging.images import Images
from imaging.loaders.mask_target import MaskTarget
from imaging.messages import text
from imaging.positioning import MIRRORED
from imaging.protocol import Protocol
from imaging.quality import QualityEntry
from imaging.registration import Registration
from imaging.resampling import resample
from imaging.segmentation.given import graft_from_mask
from imaging.segmentation.masks import Graft, Muscles
from imaging.segmentation.segmenter import segmenter_named
from imaging.segmentation_limits import SegmentationLimits
from imaging.visit import VisitName
from imaging.volume import Mask


@dataclass(frozen=True, slots=True, eq=False)
class Earlier:
    """The baseline's graft, and the registration of this visit to the baseline."""

    graft: Graft
    registration: Registration

    def carried_to(self, grid: Geometry) -> Mask | None:
        """Return that graft on a grid of this visit; None when there is none or no way there."""
        if self.graft.mask is None or not self.registration.success:
            return None
        baseline_from_visit = self.registration.moving_from_fixed.inverse
        return resample(self.graft.mask, grid, baseline_from_visit)


def outline_graft(
    label: str,
    images: Images,
    muscles: Muscles,
    earlier: Earlier | None,
    guidance: Guidance,
    protocol: Protocol,
) -> Graft:
    """Return the graft of the visit called `label`: drawn, seeded, or found alone.

    Only at baseline, where the injectate is bright, does not seeing a graft mean that there is
    none; later that takes the baseline's place to look at.

    Raises
    ------
    SeedError, MaskError
        The guidance for this visit is not usable.
    """
    t2, at_baseline = images.t2.corrected, label == VisitName.BASELINE
    if label in guidance.masks:
        target = MaskTarget(t2.geometry, images.t2.series.info.uid)
        region = guidance.regions.get(label)
        return graft_from_mask(guidance.masks[label], target, muscles, region)
    prior = None if earlier is None else earlier.carried_to(t2.geometry)
    stroke = guidance.seeds.get(label, ())
    graft = segmenter_named(protocol.segmenter).graft(
        t2, images.t1_on_t2_grid, muscles, protocol.segmentation, prior, stroke
    )
    if at_baseline or prior is not None:
        return graft
    if graft.mask is not None:
        return _perhaps_a_part(graft.mask, graft, earlier, protocol.segmentation)
    # A settled graft looks like muscle: not seen, and not knowing where to look, is not gone.
    reason = text("segmentation.graft_place_unknown")
    return Graft(None, graft.source, 0.0, (reason, *graft.reasons))


def _perhaps_a_part(
    found: Mask, graft: Graft, earlier: Earlier | None, limits: SegmentationLimits
) -> Graft:
    """Doubt an outline far smaller than the baseline's.

    Round a bright focus a settled graft looks like muscle, and nothing says where it was.
    """
    before = None if earlier is None else earlier.graft.mask
    if before is None:
        return graft
    share = found.voxel_volume_ml / before.voxel_volume_ml
    if share >= limits.graft_part_fraction:
        return graft
    reason = text("segmentation.graft_part_alone", percent=100 * share)
    confidence = min(graft.confidence, limits.graft_invisible_confidence)
    return replace(graft, confidence=confidence, reasons=(reason, *graft.reasons))


def wrong_side(
    graft: Graft, muscles: Muscles, compared: tuple[QualityEntry, ...]
) -> tuple[QualityEntry, ...]:
    """Return what says that left and right cannot be trusted: a hard stop."""
    side = laterality_gate(graft, muscles)
    return (*(e for e in compared if e.code == MIRRORED), *((side,) if side else ()))


def withheld(muscles: Muscles, graft: Graft, why: str) -> tuple[Muscles, Graft]:
    """Return no outlines: a number taken on the wrong side must never be seen."""
    nothing = Mask(np.zeros(muscles.body.geometry.shape, dtype=np.bool_), muscles.body.geometry)
    none = replace(
        muscles, rectus_left=nothing, rectus_right=nothing, confidence=0.0, reasons=(why,)
    )
    return none, Graft(None, graft.source, 0.0, (why,))
