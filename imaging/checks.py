"""Checks: every quality gate of one visit, in the order a reader would ask."""

from __future__ import annotations

from collections.abc import Iterator

from imaging import gates
from imaging.images import Contrasted
from imaging.laid import Laid
from imaging.measurement import Measurement, missing
from imaging.protocol import Protocol
from imaging.quality import (
    QualityEntry,
    clipped_fraction,
    fat_suppression_ratio,
    signal_to_noise,
)
from imaging.reference import NoReference, Reference
from imaging.segmentation.masks import Graft, Muscles
from imaging.transform import RigidTransform

EitherReference = Reference | NoReference


def confidence_check(graft: Graft, protocol: Protocol) -> tuple[QualityEntry, ...]:
    """Return the request for a reader, if the outline is not sure enough."""
    entry = gates.confidence_gate(graft, protocol.quality)
    return () if entry is None else (entry,)


def series_checks(
    laid: Laid, reference: EitherReference, epsilon: Measurement, protocol: Protocol
) -> Iterator[QualityEntry]:
    """Yield the checks of one endpoint series."""
    series, limits = laid.whole.series, protocol.quality
    yield from gates.acquisition_gates(series, limits)
    yield gates.reference_gate(reference, series.role, protocol.reference_muscle)
    yield gates.snr_gate(_snr(laid, reference), series.role, limits)
    yield gates.fat_suppression_gate(epsilon, series.role, limits)
    brightest = float(laid.whole.raw.array.max())
    clipped = clipped_fraction(laid.raw, laid.region, brightest)
    yield gates.clipping_gate(clipped, series.role, limits)


def coverage_check(
    contrasted: Contrasted,
    onto_from_t2: RigidTransform,
    muscles: Muscles,
    graft: Graft,
    protocol: Protocol,
) -> Iterator[QualityEntry]:
    """Yield whether a series shows the graft, if there is one, with room to spare.

    Masks lie on the T2W-FS grid: carried over, they would end where the other image ends.
    """
    if graft.mask is None:
        return
    yield gates.coverage_gate(
        graft.mask,
        muscles.rectus_left,
        contrasted.raw.geometry,
        onto_from_t2,
        contrasted.series.role,
        protocol.quality,
    )


def epsilon_of(laid: Laid, reference: EitherReference, protocol: Protocol) -> Measurement:
    """Return the fat suppression ratio near the graft; missing without reference muscle."""
    if isinstance(reference, NoReference):
        return missing(reference.reason)
    return fat_suppression_ratio(
        laid.corrected, laid.muscles, laid.region, reference, protocol.quality
    )


def _snr(laid: Laid, reference: EitherReference) -> Measurement:
    if isinstance(reference, NoReference):
        return missing(reference.reason)
    return signal_to_noise(laid.whole.raw, laid.whole.body, laid.raw, reference)
