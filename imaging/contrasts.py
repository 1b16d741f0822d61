"""Contrasts: what is measured on each of a visit's two endpoint series, with its gates.

T2W-FS is measured on its own grid, where the masks were drawn; for T1W-FS the masks are carried
over, so that its voxels keep their own noise. Both are measured with and without correction of
the coil's shading, because an answer that depends on it is none.
"""

from __future__ import annotations

from dataclasses import dataclass

from imaging.checks import coverage_check, epsilon_of, series_checks
from imaging.images import Images, load_supporting
from imaging.laid import Laid, lay
from imaging.measurement import Measurement
from imaging.measurements.fat import Fat, measure_fat
from imaging.measurements.signal import Signal, measure_signal
from imaging.measurements.supporting import SupportingImages
from imaging.protocol import Protocol
from imaging.quality import QualityEntry
from imaging.reference import NoReference, Reference, reference_muscle
from imaging.segmentation.masks import Graft, Muscles
from imaging.transform import identity
from imaging.visit import Visit
from imaging.volume import Volume


@dataclass(frozen=True, slots=True, eq=False)
class T2Contrast:
    """T2W-FS of one visit; the signals are None without a graft or without reference muscle."""

    reference: Reference | NoReference
    epsilon: Measurement
    signal: Signal | None
    signal_uncorrected: Signal | None
    quality: tuple[QualityEntry, ...]


@dataclass(frozen=True, slots=True, eq=False)
class T1Contrast:
    """T1W-FS of one visit; the answers are None without a graft or without reference muscle."""

    reference: Reference | NoReference
    epsilon: Measurement
    fat: Fat | None
    fat_uncorrected: Fat | None
    quality: tuple[QualityEntry, ...]


def measure_t2_contrast(
    images: Images, muscles: Muscles, graft: Graft, protocol: Protocol
) -> T2Contrast:
    """Measure the graft's T2W-FS signal, and check the series it was measured on."""
    laid = lay(images.t2, muscles, graft.mask, identity(), protocol.quality.fat_ring_mm)
    reference = _reference(laid, laid.corrected, protocol)
    epsilon = epsilon_of(laid, reference, protocol)
    corrected = _signal(laid, laid.corrected, reference, protocol)
    uncorrected = _signal(laid, laid.raw, _reference(laid, laid.raw, protocol), protocol)
    quality = (
        *series_checks(laid, reference, epsilon, protocol),
        *coverage_check(images.t2, identity(), muscles, graft, protocol),
    )
    return T2Contrast(reference, epsilon, corrected, uncorrected, quality)


def measure_t1_contrast(
    visit: Visit, images: Images, muscles: Muscles, graft: Graft, protocol: Protocol
) -> T1Contrast | None:
    """Answer the fat question and check the T1W-FS; None when that is missing or does not fit."""
    motion = images.t1_from_t2
    if images.t1 is None or motion is None or not motion.success:
        return None
    onto = motion.moving_from_fixed
    laid = lay(images.t1, muscles, graft.mask, onto, protocol.quality.fat_ring_mm)
    reference = _reference(laid, laid.corrected, protocol)
    epsilon = epsilon_of(laid, reference, protocol)
    supporting, unreadable = load_supporting(visit, images.t1.series, laid.raw)
    corrected = _fat(laid, laid.corrected, reference, epsilon, supporting, protocol)
    raw_reference = _reference(laid, laid.raw, protocol)
    uncorrected = _fat(laid, laid.raw, raw_reference, epsilon, supporting, protocol)
    quality = (
        *unreadable,
        *series_checks(laid, reference, epsilon, protocol),
        *coverage_check(images.t1, onto, muscles, graft, protocol),
    )
    return T1Contrast(reference, epsilon, corrected, uncorrected, quality)


def _reference(laid: Laid, volume: Volume, protocol: Protocol) -> Reference | NoReference:
    return reference_muscle(volume, laid.muscles, laid.graft, protocol.reference_muscle)


def _signal(
    laid: Laid, volume: Volume, reference: Reference | NoReference, protocol: Protocol
) -> Signal | None:
    if laid.graft is None or isinstance(reference, NoReference):
        return None
    return measure_signal(volume, laid.graft, reference, protocol)


def _fat(
    laid: Laid,
    volume: Volume,
    reference: Reference | NoReference,
    epsilon: Measurement,
    supporting: SupportingImages,
    protocol: Protocol,
) -> Fat | None:
    if laid.graft is None or isinstance(reference, NoReference):
        return None
    return measure_fat(volume, laid.graft, reference, epsilon, supporting, protocol)
