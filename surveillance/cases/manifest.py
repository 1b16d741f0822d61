"""Manifest: everything a case holds but its arrays, which it names by their SHA-256.

The SHA-256 of a manifest is the version of its case: another assessment, image or mask is another
version, and a read that was made on one stays bound to it. No name, date of birth or path is in it.
"""

from __future__ import annotations

import hashlib
from datetime import date
from typing import Literal

import numpy as np
from pydantic import BaseModel, ConfigDict

from imaging.geometry import Geometry
from imaging.protocol import Protocol
from imaging.quality import QualityEntry
from imaging.registration import Registration
from imaging.segmentation.masks import Source
from imaging.series import Role, RoleDecision, SeriesInfo
from imaging.transform import RigidTransform
from imaging.visit import VisitName
from surveillance.exports.contract import AssessmentRecord

Matrix = tuple[tuple[float, float, float, float], ...]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Grid(_Part):
    """A Geometry."""

    affine: Matrix
    shape: tuple[int, int, int]
    frame_of_reference: str | None

    @classmethod
    def of(cls, geometry: Geometry) -> Grid:
        """Write a Geometry down."""
        return cls(
            affine=geometry.affine.tolist(),
            shape=geometry.shape,
            frame_of_reference=geometry.frame_of_reference,
        )

    @property
    def geometry(self) -> Geometry:
        """The Geometry again."""
        return Geometry(np.array(self.affine), self.shape, self.frame_of_reference)


class StoredRegistration(_Part):
    """A Registration."""

    moving_from_fixed: Matrix
    success: bool
    similarity: float | None
    inverse_consistency_mm: float | None
    reason: str | None

    @classmethod
    def of(cls, registration: Registration | None) -> StoredRegistration | None:
        """Write a Registration down."""
        if registration is None:
            return None
        return cls(
            moving_from_fixed=registration.moving_from_fixed.matrix.tolist(),
            success=registration.success,
            similarity=registration.similarity,
            inverse_consistency_mm=registration.inverse_consistency_mm,
            reason=registration.reason,
        )

    @property
    def registration(self) -> Registration:
        """The Registration again."""
        return Registration(
            RigidTransform(np.array(self.moving_from_fixed)),
            self.success,
            self.similarity,
            self.inverse_consistency_mm,
            self.reason,
        )


class StoredSeries(_Part):
    """A series: its cleaned headers, its grid, and its voxels unless they could not be read.

    `corrected` is the image freed of coil shading and `body` the patient in it (endpoint series
    only), `muscle_median` the level of its reference muscle, None when there is none.
    """

    info: SeriesInfo
    decision: RoleDecision
    grid: Grid
    voxels: str | None
    corrected: str | None = None
    body: str | None = None
    muscle_median: float | None = None

    @property
    def sha256(self) -> str:
        """Hash of all that decides how the series looks: what a read is bound to."""
        return hashlib.sha256(self.model_dump_json().encode("utf-8")).hexdigest()


class StoredMuscles(_Part):
    """Muscles, on the T2W-FS grid; the body is with the preparation."""

    rectus_left: str
    rectus_right: str
    linea_alba: str
    confidence: float
    reasons: tuple[str, ...]


class StoredPreparation(_Part):
    """What is known of a visit before its graft is outlined; masks on the T2W-FS grid."""

    wall: str
    muscles: StoredMuscles
    t1_from_t2: StoredRegistration | None
    registration: StoredRegistration | None
    compared: tuple[QualityEntry, ...]


class StoredGraft(_Part):
    """The program's outline on the T2W-FS grid; `stops` are why none may be shown."""

    mask: str | None
    source: Source
    confidence: float
    reasons: tuple[str, ...]
    stops: tuple[QualityEntry, ...]


class StoredVisit(_Part):
    """One timepoint; `preparation` is None without a readable T2W-FS, `trouble` says why."""

    name: VisitName
    label: str
    study_date: date | None
    days_since_baseline: int | None
    notes: tuple[str, ...]
    t2w_fs: StoredSeries | None
    t1w_fs: StoredSeries | None
    supporting: tuple[StoredSeries, ...]
    trouble: tuple[QualityEntry, ...]
    preparation: StoredPreparation | None
    graft: StoredGraft

    @property
    def images(self) -> dict[str, str]:
        """Role to the hash of the series a reader can look at, by the names of `readers.cases`."""
        endpoints = {"t2w_fs": self.t2w_fs, "t1w_fs": self.t1w_fs}
        found = {n: s.sha256 for n, s in endpoints.items() if s is not None and s.voxels}
        plain = [s.sha256 for s in self.supporting if s.voxels and s.decision.role is Role.T1W]
        dixon = [s.sha256 for s in self.supporting if s.voxels and s.decision.role is not Role.T1W]
        for name, hashes in (("t1w", plain), ("dixon", dixon)):
            if hashes:
                found[name] = hashlib.sha256("\n".join(hashes).encode("ascii")).hexdigest()
        return found


class CaseManifest(_Part):
    """One version of a case, visits in order of time."""

    schema_version: Literal["1"] = "1"
    subject: str
    protocol: Protocol
    record: AssessmentRecord
    visits: tuple[StoredVisit, ...]

    def content(self) -> bytes:
        """Return the bytes that are written, and whose hash is the version."""
        return self.model_dump_json(indent=1).encode("utf-8")

    @property
    def version(self) -> str:
        """SHA-256 of the content."""
        return hashlib.sha256(self.content()).hexdigest()
