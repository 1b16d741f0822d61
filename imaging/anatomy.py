"""Anatomy: one outlined visit, measured; its images are let go."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imaging.checks import confidence_check
from imaging.contrasts import T1Contrast, T2Contrast, measure_t1_contrast, measure_t2_contrast
from imaging.deformation import WallDeformation, WallImage, deform_wall, unknown
from imaging.images import Images
from imaging.measurement import Measurement, missing, widened
from imaging.measurements.muscle import MuscleSize, measure_muscle
from imaging.measurements.partial_volume import subvoxel_volume
from imaging.measurements.shape import Shape, measure_shape, no_shape
from imaging.messages import text
from imaging.outlines import withheld
from imaging.preparation import Prepared
from imaging.protocol import Protocol
from imaging.quality import QualityEntry
from imaging.registration import Registration
from imaging.segmentation.masks import Graft, Muscles
from imaging.series import SeriesInfo
from imaging.visit import Visit
from imaging.volume import Mask, Volume


@dataclass(frozen=True, slots=True, eq=False)
class Anatomy:
    """Outlines and measurements of one visit that has a readable T2W-FS.

    `t2w_fs` is that image without the coil's shading and `info` its headers; masks lie on its
    grid, the anterior `wall` too. The other images are let go when they have been measured: a
    subject's memory does not grow with all that was acquired. `registration` is None at
    baseline and without one. `deformation` is that of the wall since baseline. `subvoxel_volume_ml`
    is the graft's volume with its border voxels shared out; `shape` is that of the mask alone.
    """

    t2w_fs: Volume
    info: SeriesInfo
    wall: Mask
    muscles: Muscles
    graft: Graft
    registration: Registration | None
    deformation: WallDeformation
    shape: Shape
    subvoxel_volume_ml: Measurement
    muscle: MuscleSize
    t2: T2Contrast
    t1: T1Contrast | None
    quality: tuple[QualityEntry, ...]


def measure_visit(
    visit: Visit,
    prepared: Prepared,
    graft: Graft,
    stops: tuple[QualityEntry, ...],
    baseline: Anatomy | None,
    protocol: Protocol,
) -> Anatomy:
    """Measure an outlined visit; with `stops`, the hard stops, no outline is let through.

    `baseline` is None for the baseline itself, and where it was not imaged.
    """
    images, muscles = prepared.images, prepared.muscles
    if stops:
        muscles, graft = withheld(muscles, graft, stops[0].message)
    t2 = measure_t2_contrast(images, muscles, graft, protocol)
    t1 = measure_t1_contrast(visit, images, muscles, graft, protocol)
    return Anatomy(
        t2w_fs=images.t2.corrected,
        info=images.t2.series.info,
        wall=images.wall,
        muscles=muscles,
        graft=graft,
        registration=prepared.registration,
        deformation=_deformation(images, graft, prepared.registration, baseline, protocol),
        shape=_shape(graft, protocol),
        subvoxel_volume_ml=_subvoxel(images, graft, protocol),
        muscle=measure_muscle(muscles, graft),
        t2=t2,
        t1=t1,
        quality=(
            *prepared.trouble,
            *stops,
            *confidence_check(graft, protocol),
            *(entry for entry in prepared.compared if entry not in stops),
            *t2.quality,
            *(t1.quality if t1 else ()),
        ),
    )


def _deformation(
    images: Images,
    graft: Graft,
    registration: Registration | None,
    baseline: Anatomy | None,
    protocol: Protocol,
) -> WallDeformation:
    if baseline is None or registration is None:
        return unknown(text("reason.no_baseline"))
    if not registration.success:
        return unknown(registration.reason or "")
    then = WallImage(baseline.t2w_fs, baseline.wall, baseline.graft.mask)
    now = WallImage(images.t2.corrected, images.wall, graft.mask)
    return deform_wall(then, now, registration.moving_from_fixed, protocol)


def _shape(graft: Graft, protocol: Protocol) -> Shape:
    if graft.mask is None:
        return no_shape(_unseen(graft))
    shape = measure_shape(graft.mask, protocol.morphology)
    if graft.range_ml is None:
        return shape
    return replace(shape, volume_ml=widened(shape.volume_ml, *graft.range_ml))


def _subvoxel(images: Images, graft: Graft, protocol: Protocol) -> Measurement:
    if graft.mask is None:
        return _unseen(graft)
    volume = subvoxel_volume(images.t2.corrected, graft.mask, protocol.morphology)
    return volume if graft.range_ml is None else widened(volume, *graft.range_ml)


def _unseen(graft: Graft) -> Measurement:
    return missing(" ".join(graft.reasons) or text("reason.empty_mask"))
