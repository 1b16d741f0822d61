"""The typed model of assessment.json, from which its JSON Schema is published.

Lengths mm, volumes mL, positions LPS mm, ratios dimensionless, times days. A number that could
not be measured is null, and an entry of `quality` says why. Change this file only by adding.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

SCHEMA_VERSION = "1"


def _rounded(value: float | None) -> float | None:
    # Nine significant digits keep every physical meaning and hide the last bits of summation.
    return None if value is None else float(f"{value:.9g}")


Number = Annotated[float, PlainSerializer(_rounded)]
MaybeNumber = Number | None
Interval = tuple[Number, Number] | None
Point = tuple[Number, Number, Number] | None
Status = Literal["favorable", "adverse", "indeterminate"]


class _Block(BaseModel):
    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,
        json_schema_serialization_defaults_required=True,
    )


class ProtocolBlock(_Block):
    """Which thresholds were used."""

    id: str
    version: str
    sha256: str


class SeriesBlock(_Block):
    """One series and why it was given its role."""

    series_uid: str
    description: str
    role_evidence: tuple[str, ...]


class SeriesPair(_Block):
    """The two series every endpoint rests on."""

    t2w_fs: SeriesBlock | None
    t1w_fs: SeriesBlock | None


class QualityBlock(_Block):
    """One check of the images, or one reason why a number is missing."""

    code: str
    severity: Literal["info", "warning", "error"]
    message: str
    value: MaybeNumber = None
    threshold: MaybeNumber = None
    protocol_key: str | None = None


class RegistrationBlock(_Block):
    """How the visit lies against the baseline."""

    success: bool
    similarity: MaybeNumber
    inverse_consistency_mm: MaybeNumber
    visit_from_baseline: tuple[tuple[Number, Number, Number, Number], ...] | None = Field(
        description="4x4, LPS mm: maps a baseline point to this visit; null when it failed"
    )


class DeformationBlock(_Block):
    """How the wall in a ring round the baseline's graft deformed, beyond the rigid motion."""

    success: bool
    log_jacobian: MaybeNumber = Field(description="mean of |ln(local volume ratio)|")
    displacement_mm: MaybeNumber = Field(description="away from the graft, 95th percentile")
    inverse_consistency_mm: MaybeNumber
    landmark_error_mm: MaybeNumber
    folding_fraction: MaybeNumber


class GraftBlock(_Block):
    """The graft's mask in numbers."""

    present: bool | None = Field(description="null when there was no T2W-FS to look at")
    source: Literal["automatic", "seeded", "edited"]
    confidence: MaybeNumber
    volume_ml: MaybeNumber
    volume_ci95_ml: Interval
    centroid_lps_mm: Point
    centroid_baseline_lps_mm: Point
    max_diameter_mm: MaybeNumber
    surface_area_mm2: MaybeNumber
    sphericity: MaybeNumber
    elongation: MaybeNumber
    flatness: MaybeNumber
    voxel_volume_ml: MaybeNumber = None
    subvoxel_volume_ml: MaybeNumber = Field(
        default=None, description="border voxels counted by the share of graft in them"
    )
    subvoxel_volume_ci95_ml: Interval = None


class MuscleBlock(_Block):
    """The two rectus compartments."""

    thickness_left_mm: MaybeNumber
    thickness_right_mm: MaybeNumber
    volume_left_ml: MaybeNumber
    volume_right_ml: MaybeNumber
    confidence: MaybeNumber = None


class NoduleBlock(_Block):
    """One focus of high signal on T2W-FS."""

    volume_ml: Number
    diameter_mm: Number
    centroid_lps_mm: Point
    ratio_to_muscle: Number
    new_since_baseline: bool | None


class T2Block(_Block):
    """Signal on T2W-FS relative to reference muscle."""

    graft_to_muscle_ratio: MaybeNumber = None
    ratio_ci95: Interval = None
    contrast_to_noise: MaybeNumber = None
    coefficient_of_variation: MaybeNumber = None
    pattern: Literal["homogeneous", "stippled", "nodular"] | None = None
    nodules: tuple[NoduleBlock, ...] = ()
    mass_like: bool | None = None
    high_signal_fraction: MaybeNumber = None


class FocusBlock(_Block):
    """One focal component on T1W-FS."""

    volume_ml: Number
    ratio_to_muscle: Number
    centroid_lps_mm: Point


class T1Block(_Block):
    """Signal on T1W-FS relative to reference muscle, and the fat answer."""

    graft_to_muscle_ratio: MaybeNumber = None
    ratio_ci95: Interval = None
    isointense: bool | None = None
    fat: (
        Literal[
            "none", "possible", "confirmed_macroscopic", "confirmed_microscopic", "bright_not_fat"
        ]
        | None
    ) = None
    fat_suppression_ratio: MaybeNumber = None
    minimum_detectable_fat_fraction: MaybeNumber = None
    foci: tuple[FocusBlock, ...] = ()


class ChangeBlock(_Block):
    """A visit against an earlier one, in registered space."""

    reference: str = Field(description="baseline, or the visit that is the nadir")
    volume_percent: MaybeNumber
    volume_repeatability_percent: Interval
    volume_ml: MaybeNumber
    centroid_shift_mm: MaybeNumber
    dice: MaybeNumber
    hausdorff95_mm: MaybeNumber
    mean_surface_distance_mm: MaybeNumber
    muscle_displacement_mm: MaybeNumber
    ratio_percent: MaybeNumber
    max_diameter_percent: MaybeNumber = None
    doubling_time_days: MaybeNumber = None


class FindingBlock(_Block):
    """One endpoint's answer; each reason names value, threshold and protocol key."""

    status: Status
    reasons: tuple[str, ...]


class FindingsBlock(_Block):
    """The three endpoints."""

    morphological_stability: FindingBlock
    signal_characteristics: FindingBlock
    fat_absence: FindingBlock


class FlagBlock(_Block):
    """The composite; null when there is nothing to judge."""

    level: Literal["green", "amber", "red"] | None
    reasons: tuple[str, ...]


class VisitBlock(_Block):
    """Everything about one visit; the numbers are null where a series is missing."""

    visit: Literal["BASELINE", "D28", "M3", "M6", "M12", "UNSCHEDULED"]
    folder: str = Field(description="name of this visit's folder beside assessment.json")
    study_date: date | None
    days_since_baseline: int | None
    series: SeriesPair
    quality: tuple[QualityBlock, ...]
    registration: RegistrationBlock | None
    graft: GraftBlock
    muscle: MuscleBlock
    t2: T2Block
    t1: T1Block
    change: ChangeBlock | None
    change_from_nadir: ChangeBlock | None
    findings: FindingsBlock
    surveillance_flag: FlagBlock
    notes: tuple[str, ...] = ()
    deformation: DeformationBlock | None = Field(
        default=None, description="null at baseline and where the visits could not be registered"
    )
    detection_limits: tuple[str, ...] = Field(
        default=(), description="what could not have been seen, whatever the flag; none unlooked"
    )


class AssessmentRecord(_Block):
    """assessment.json: one subject, all visits, baseline first."""

    schema_version: Literal["1"] = "1"
    program_version: str
    fingerprint: str = Field(description="SHA-256 of input files, protocol, options and program")
    subject: str
    protocol: ProtocolBlock
    visits: tuple[VisitBlock, ...]


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of assessment.json."""
    return AssessmentRecord.model_json_schema(mode="serialization")
