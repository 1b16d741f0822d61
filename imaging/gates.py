"""Gates: what a measured acquisition means for the endpoints.

Every gate returns one QualityEntry with the value, the limit and the protocol key: `info` when
passed, `warning` when the reader should know, `error` when the endpoints it names become
indeterminate. Codes are stable; scripts may rely on them.
"""

from __future__ import annotations

import numpy as np

from imaging.geometry import FloatArray, Geometry
from imaging.measurement import Measurement
from imaging.messages import text
from imaging.protocol import QualityLimits, ReferenceMuscle
from imaging.quality import ENDPOINTS, FAT, MORPHOLOGY, SIGNAL, QualityEntry, Severity, margins_mm
from imaging.reference import NoReference, Reference
from imaging.registration import Registration
from imaging.scanner import scanner_differs
from imaging.segmentation.masks import Graft, Muscles
from imaging.series import Role, Series, SeriesInfo
from imaging.transform import RigidTransform
from imaging.volume import Mask

ENDPOINTS_OF = {Role.T2W_FS: (MORPHOLOGY, SIGNAL), Role.T1W_FS: (FAT,)}
"""Endpoints that are judged on a series."""

CODES = {
    "slice_thickness": {
        Severity.INFO: "slice_thickness_passed",
        Severity.WARNING: "slice_thickness_warning",
        Severity.ERROR: "slice_thickness_failed",
    },
    "slice_gap": {Severity.INFO: "slice_gap_passed", Severity.ERROR: "slice_gap_failed"},
    "pixel_size": {Severity.INFO: "pixel_size_passed", Severity.ERROR: "pixel_size_failed"},
    "coverage": {Severity.INFO: "coverage_passed", Severity.ERROR: "coverage_failed"},
    "snr": {Severity.INFO: "snr_passed", Severity.ERROR: "snr_failed"},
    "fat_suppression": {
        Severity.INFO: "fat_suppression_passed",
        Severity.WARNING: "fat_suppression_warning",
        Severity.ERROR: "fat_suppression_failed",
    },
    "clipping": {Severity.INFO: "clipping_passed", Severity.ERROR: "clipping_failed"},
}
"""Codes of the measured checks of a series, in lower case as their sentences are named."""


def acquisition_gates(series: Series, limits: QualityLimits) -> tuple[QualityEntry, ...]:
    """Judge slice thickness, gap and pixel size of one endpoint series."""
    thickness = series.info.slice_thickness_mm or series.geometry.spacing_mm[2]
    pixel = max(series.geometry.spacing_mm[:2])
    gap = max(0.0, series.geometry.spacing_mm[2] / thickness - 1.0)
    return (
        _slice_thickness(thickness, series.role, limits),
        _at_most(
            "slice_gap", gap, limits.slice_gap_max_fraction, "slice_gap_max_fraction", series.role
        ),
        _at_most("pixel_size", pixel, limits.in_plane_max_mm, "in_plane_max_mm", series.role),
    )


def _slice_thickness(value: float, role: Role, limits: QualityLimits) -> QualityEntry:
    if value > limits.slice_thickness_max_mm:
        limit, key, severity = (
            limits.slice_thickness_max_mm,
            "slice_thickness_max_mm",
            Severity.ERROR,
        )
    else:
        limit, key = limits.slice_thickness_warn_mm, "slice_thickness_warn_mm"
        severity = Severity.WARNING if value > limit else Severity.INFO
    return _entry("slice_thickness", severity, value, limit, f"quality.{key}", role)


def _at_most(name: str, value: float, limit: float, key: str, role: Role) -> QualityEntry:
    severity = Severity.ERROR if value > limit else Severity.INFO
    return _entry(name, severity, value, limit, f"quality.{key}", role)


def _entry(
    name: str, severity: Severity, value: float, limit: float, key: str, role: Role
) -> QualityEntry:
    """Make the entry of one check of one series."""
    code = CODES[name][severity]
    message = text(f"quality.{code}", series=role.value, value=value, limit=limit)
    return QualityEntry(code.upper(), severity, message, value, limit, key, ENDPOINTS_OF[role])


def _unknown(name: str, measurement: Measurement, key: str, role: Role) -> QualityEntry:
    """Return the warning of a check that could not be made; it decides nothing."""
    message = text("quality.not_checked", series=role.value, reason=measurement.reason)
    return QualityEntry(
        f"{name}_UNKNOWN", Severity.WARNING, message, protocol_key=key, endpoints=ENDPOINTS_OF[role]
    )


def coverage_gate(
    graft: Mask,
    rectus: Mask,
    onto: Geometry,
    onto_from_graft: RigidTransform,
    role: Role,
    limits: QualityLimits,
) -> QualityEntry:
    """Judge whether a series shows the graft with room to spare, or to the muscle's end.

    `graft` and `rectus` (the left compartment) lie on the T2W-FS grid, `onto` is the grid of the
    series judged. Along the slices a muscle that ends inside the image needs no more room.
    """
    room = margins_mm(graft.points_mm, onto, onto_from_graft)
    muscle = margins_mm(rectus.points_mm, onto, onto_from_graft) if not rectus.is_empty else None
    worst = float(_room_that_counts(room, muscle, onto).min())
    limit = limits.coverage_margin_min_mm
    value = min(worst, float(room.max())) if np.isfinite(worst) else float(room.min())
    severity = Severity.ERROR if worst < limit else Severity.INFO
    return _entry("coverage", severity, value, limit, "quality.coverage_margin_min_mm", role)


def _room_that_counts(room: FloatArray, muscle: FloatArray | None, onto: Geometry) -> FloatArray:
    counted = room.copy()
    if muscle is not None:
        axis, _ = onto.axis_toward(2)
        ended = (muscle[axis] >= onto.spacing_mm[axis]) & (room[axis] >= 0)
        counted[axis, ended] = np.inf
    return counted


def snr_gate(snr: Measurement, role: Role, limits: QualityLimits) -> QualityEntry:
    """Judge the signal-to-noise ratio of the reference muscle."""
    t2 = role is Role.T2W_FS
    limit, key = (limits.snr_t2_min, "snr_t2_min") if t2 else (limits.snr_t1_min, "snr_t1_min")
    if snr.value is None:
        return _unknown("SNR", snr, f"quality.{key}", role)
    severity = Severity.ERROR if snr.value < limit else Severity.INFO
    return _entry("snr", severity, snr.value, limit, f"quality.{key}", role)


def fat_suppression_gate(ratio: Measurement, role: Role, limits: QualityLimits) -> QualityEntry:
    """Judge ε, subcutaneous fat over muscle near the graft."""
    weighting = "t2" if role is Role.T2W_FS else "t1"
    good = getattr(limits, f"fat_suppression_{weighting}_good")
    worst = getattr(limits, f"fat_suppression_{weighting}_max")
    key = f"quality.fat_suppression_{weighting}_max"
    if ratio.value is None:
        return _unknown("FAT_SUPPRESSION", ratio, key, role)
    if ratio.value > worst:
        return _entry("fat_suppression", Severity.ERROR, ratio.value, worst, key, role)
    severity = Severity.WARNING if ratio.value > good else Severity.INFO
    key = f"quality.fat_suppression_{weighting}_good"
    return _entry("fat_suppression", severity, ratio.value, good, key, role)


def clipping_gate(fraction: float, role: Role, limits: QualityLimits) -> QualityEntry:
    """Judge the share of the graft (or, without one, of the muscle) at the image's ceiling."""
    return _at_most("clipping", fraction, limits.clipped_fraction_max, "clipped_fraction_max", role)


def laterality_gate(graft: Graft, muscles: Muscles) -> QualityEntry | None:
    """Stop hard when the graft is not on the patient's left of the linea alba; None when it is."""
    centroid = graft.mask.centroid_mm if graft.mask is not None else None
    if centroid is None or muscles.linea_alba_mm.size == 0:
        return None
    line = muscles.linea_alba_mm[np.argsort(muscles.linea_alba_mm[:, 2], kind="stable")]
    left_mm = float(centroid[0] - np.interp(centroid[2], line[:, 2], line[:, 0]))
    if left_mm > 0:
        return None
    message = text("quality.laterality_wrong", value=-left_mm)
    return QualityEntry(
        "LATERALITY_WRONG", Severity.ERROR, message, left_mm, 0.0, None, endpoints=ENDPOINTS
    )


def reference_gate(
    reference: Reference | NoReference, role: Role, limits: ReferenceMuscle
) -> QualityEntry:
    """Judge whether there is normal muscle to compare with, and whether its sides agree."""
    signal = (SIGNAL,) if role is Role.T2W_FS else (FAT,)
    key = "reference_muscle.disagreement_max"
    if isinstance(reference, NoReference):
        message = text("quality.not_checked", series=role.value, reason=reference.reason)
        return QualityEntry("REFERENCE_MISSING", Severity.ERROR, message, endpoints=signal)
    value = reference.disagreement.value
    if value is None:
        reason = reference.disagreement.reason
        message = text("quality.reference_one_side", series=role.value, reason=reason)
        return QualityEntry(
            "REFERENCE_ONE_SIDE", Severity.WARNING, message, protocol_key=key, endpoints=signal
        )
    limit = limits.disagreement_max
    failed = value > limit
    name = "reference_disagreement" if failed else "reference_agreement"
    message = text(f"quality.{name}", series=role.value, value=100 * value, limit=100 * limit)
    severity = Severity.ERROR if failed else Severity.INFO
    return QualityEntry(name.upper(), severity, message, value, limit, key, signal)


def registration_gate(
    registration: Registration, pair: str, endpoints: tuple[str, ...]
) -> QualityEntry | None:
    """Report a registration that must not be used; `pair` names the two images for the reader."""
    if registration.success:
        return None
    message = text("quality.registration_failed", pair=pair, reason=registration.reason)
    return QualityEntry(
        "REGISTRATION_FAILED",
        Severity.ERROR,
        message,
        registration.inverse_consistency_mm,
        protocol_key="registration",
        endpoints=endpoints,
    )


def scanner_gate(visit: SeriesInfo, baseline: SeriesInfo) -> QualityEntry | None:
    """Report another vendor or field strength than at baseline: no statement on signal change."""
    if not scanner_differs(visit, baseline):
        return None
    message = text("quality.scanner_changed", before=_scanner(baseline), now=_scanner(visit))
    return QualityEntry("SCANNER_CHANGED", Severity.ERROR, message, endpoints=(SIGNAL,))


def _scanner(info: SeriesInfo) -> str:
    field = f"{info.field_strength_t:.1f} T" if info.field_strength_t else "unknown field"
    return f"{info.manufacturer or 'unknown vendor'}, {field}"


def series_gate(series: Series | None, role: Role) -> QualityEntry | None:
    """Report a missing endpoint series: normal, and its endpoints cannot be judged."""
    if series is not None:
        return None
    message = text("quality.series_missing", series=role.value)
    return QualityEntry("SERIES_MISSING", Severity.ERROR, message, endpoints=ENDPOINTS_OF[role])


def confidence_gate(graft: Graft, limits: QualityLimits) -> QualityEntry | None:
    """Ask for a reader when automatic outlines are not sure enough.

    The findings look at the confidence themselves, of this visit and of those it is compared
    with, so the entry names no endpoint.
    """
    if graft.confidence >= limits.confidence_min:
        return None
    message = text(
        "quality.needs_reader",
        value=graft.confidence,
        limit=limits.confidence_min,
        reasons=" ".join(graft.reasons),
    )
    return QualityEntry(
        "NEEDS_READER",
        Severity.ERROR,
        message.strip(),
        graft.confidence,
        limits.confidence_min,
        "quality.confidence_min",
    )
