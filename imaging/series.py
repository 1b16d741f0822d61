"""What was acquired: one series' attributes, its role in the protocol, and the evidence for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from imaging.geometry import Geometry
from imaging.volume import Volume


class Role(StrEnum):
    """What a series is used for."""

    T2W_FS = "T2W-FS"
    T1W_FS = "T1W-FS"
    T2W = "T2W"
    T1W = "T1W"
    DIXON_FAT = "DIXON-FAT"
    DIXON_IN_PHASE = "DIXON-IN-PHASE"
    DIXON_OPPOSED_PHASE = "DIXON-OPPOSED-PHASE"
    DWI = "DWI"
    POST_CONTRAST = "POST-CONTRAST"
    LOCALIZER = "LOCALIZER"
    DERIVED = "DERIVED"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who and when, with every direct identifier already replaced.

    `subject` is the Clinical Trial Subject ID when present, else the pseudonym of the Patient
    ID. `patient` is always that pseudonym, and `birth` one of the birth date: equal when the
    original is equal, and nothing else can be learnt from them.
    """

    subject: str
    patient: str | None = None
    birth: str | None = None
    sex: str | None = None
    study_uid: str | None = None
    study_date: date | None = None
    time_point: str | None = None
    days_from_event: float | None = None


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """What a series' headers say, in the units of DICOM; None means not stated."""

    uid: str
    description: str
    identity: Identity
    source: str
    modality: str = "MR"
    manufacturer: str | None = None
    field_strength_t: float | None = None
    repetition_time_ms: float | None = None
    echo_time_ms: float | None = None
    inversion_time_ms: float | None = None
    flip_angle_deg: float | None = None
    echo_train_length: int | None = None
    slice_thickness_mm: float | None = None
    scanning_sequence: tuple[str, ...] = ()
    sequence_variant: tuple[str, ...] = ()
    scan_options: tuple[str, ...] = ()
    sequence_name: str = ""
    image_type: tuple[str, ...] = ()
    acquisition_3d: bool | None = None
    contrast_agent: str | None = None
    b_value_s_mm2: float | None = None
    acquisition_time: str | None = None
    fat_suppressed: bool | None = None
    """From explicit attributes of Enhanced MR or a side-car; None when only hints exist."""
    contrast: str = ""
    """Acquisition Contrast (0008,9209) of Enhanced MR, e.g. T1, T2, STIR."""
    component: str = "MAGNITUDE"
    """MAGNITUDE, PHASE, REAL or IMAGINARY."""
    dixon: str | None = None
    """WATER, FAT, IN_PHASE or OPPOSED_PHASE, from ImageType or Enhanced frame type."""
    stated_role: Role | None = None
    """Role that a side-car or a file name states; attributes are then only evidence."""
    private_scale_slope: float | None = None
    """Philips (2005,100E): stored values differ from floating-point ones by it."""
    orientations: int = 1
    """How many slice orientations the DICOM series holds."""
    part: str = ""
    """What tells this volume from others of the same DICOM series."""


@dataclass(frozen=True, slots=True)
class RoleDecision:
    """The role given to a series, and the sentences that say why."""

    role: Role
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One regular stack of images: its headers, its grid, its role, and how to get its pixels."""

    info: SeriesInfo
    geometry: Geometry
    decision: RoleDecision
    files: tuple[str, ...]
    pixels: Callable[[], Volume] = field(repr=False)

    @property
    def role(self) -> Role:
        """The role that was decided."""
        return self.decision.role

    def load(self) -> Volume:
        """Decode the pixels (rescaled, float32); raises SeriesError when they are damaged."""
        return self.pixels()
