"""Case: one version of one assessed subject, as a reading station needs it.

Arrays are read when they are asked for, into the memory that all sessions share, and the same
array is the same object for as long as it is held.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import Geometry
from imaging.resampling import coverage, resample
from imaging.segmentation.masks import Graft
from imaging.series import Role
from imaging.transform import RigidTransform, identity
from imaging.visit import VisitName
from imaging.volume import Mask, Volume
from surveillance.cases.arrays import Arrays
from surveillance.cases.manifest import CaseManifest, StoredSeries, StoredVisit
from surveillance.cases.memory import Memory
from surveillance.errors import CaseFilesError
from surveillance.exports.contract import AssessmentRecord


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where arrays are and where they are kept while somebody looks at them."""

    arrays: Arrays
    memory: Memory

    def volume(self, sha256: str, geometry: Geometry) -> Volume:
        """Return stored intensities; raises CaseFilesError when they are not as written."""
        return self.memory.get(
            ("volume", sha256, geometry.frame_of_reference, geometry.affine.tobytes()),
            lambda: Volume(self.arrays.load(sha256), geometry),
            lambda volume: volume.array.nbytes,
        )

    def mask(self, sha256: str, geometry: Geometry) -> Mask:
        """Return a stored mask; raises CaseFilesError when it is not as written."""
        return self.memory.get(
            ("mask", sha256, geometry.frame_of_reference, geometry.affine.tobytes()),
            lambda: Mask(self.arrays.load(sha256), geometry),
            lambda mask: mask.array.nbytes,
        )

    def points(self, sha256: str) -> NDArray[Any]:
        """Return a small array of positions."""
        return self.arrays.load(sha256)


@dataclass(frozen=True, slots=True)
class Case:
    """All visits of one subject in one version, in order of time."""

    version: str
    manifest: CaseManifest
    shelf: Shelf

    @property
    def subject(self) -> str:
        """The subject's code in the trial, or its pseudonym."""
        return self.manifest.subject

    @property
    def record(self) -> AssessmentRecord:
        """What the program measured: for eyes that may see it."""
        return self.manifest.record

    @property
    def visits(self) -> tuple[CaseVisit, ...]:
        """All visits."""
        return tuple(CaseVisit(self, stored) for stored in self.manifest.visits)

    def visit(self, label: str) -> CaseVisit:
        """Return one visit.

        Raises
        ------
        CaseFilesError
            The case has no such visit.
        """
        found = next((visit for visit in self.visits if visit.label == label), None)
        if found is None:
            labels = ", ".join(visit.label for visit in self.visits)
            raise CaseFilesError("case_no_visit", visit=label[:40], visits=labels)
        return found

    @property
    def baseline(self) -> CaseVisit | None:
        """The baseline, None when it was not imaged."""
        return next((v for v in self.visits if v.stored.name is VisitName.BASELINE), None)


@dataclass(frozen=True, slots=True)
class CaseVisit:
    """One timepoint of a case."""

    case: Case
    stored: StoredVisit

    @property
    def label(self) -> str:
        """Unique within the case."""
        return self.stored.label

    def series(self, role: Role) -> StoredSeries | None:
        """Return one of the two endpoint series, None when it is missing or unreadable."""
        found = self.stored.t2w_fs if role is Role.T2W_FS else self.stored.t1w_fs
        return found if found is not None and found.voxels is not None else None

    def volume(self, role: Role, corrected: bool = True) -> Volume | None:
        """Return an endpoint series, freed of coil shading unless asked as acquired.

        A series that was not corrected (no T2W-FS was readable) comes as acquired.
        """
        series = self.series(role)
        if series is None or series.voxels is None:
            return None
        sha256 = series.corrected if corrected and series.corrected else series.voxels
        return self.case.shelf.volume(sha256, series.grid.geometry)

    def muscle_median(self, role: Role) -> float | None:
        """Return the level of reference muscle in the corrected series; None when unknown."""
        series = self.series(role)
        return None if series is None else series.muscle_median

    @property
    def grid(self) -> Geometry | None:
        """Grid of the T2W-FS, on which masks are drawn; None without one."""
        series = self.series(Role.T2W_FS)
        return None if series is None else series.grid.geometry

    @property
    def graft(self) -> Graft:
        """The program's outline: for eyes that may see it."""
        stored = self.stored.graft
        mask = None
        if stored.mask is not None and self.grid is not None:
            mask = self.case.shelf.mask(stored.mask, self.grid)
        return Graft(mask, stored.source, stored.confidence, stored.reasons)

    @property
    def visit_from_baseline(self) -> RigidTransform | None:
        """Maps a baseline point to this visit (LPS mm); None when it could not be registered."""
        if self.stored.name is VisitName.BASELINE:
            return identity()
        preparation = self.stored.preparation
        registration = None if preparation is None else preparation.registration
        if registration is None or not registration.success:
            return None
        return registration.registration.moving_from_fixed

    @property
    def t1_from_t2(self) -> RigidTransform | None:
        """Maps a point of the T2W-FS to the T1W-FS of this visit; None when they do not fit."""
        preparation = self.stored.preparation
        registration = None if preparation is None else preparation.t1_from_t2
        if registration is None or not registration.success:
            return None
        return registration.registration.moving_from_fixed

    def series_from_baseline(self, role: Role) -> RigidTransform | None:
        """Return the map from the baseline's T2W-FS to a series here; None when unknown."""
        visit, second = self.visit_from_baseline, self.t1_from_t2
        if visit is None or role is Role.T2W_FS:
            return visit
        return None if second is None else second.after(visit)

    def on_baseline(self, role: Role) -> Volume | None:
        """Return an endpoint series (corrected) on the grid of the baseline's T2W-FS.

        NaN outside its field of view. None when series, baseline or registration is missing.
        """
        baseline, motion = self.case.baseline, self.series_from_baseline(role)
        volume = self.volume(role)
        onto = None if baseline is None else baseline.grid
        if onto is None or motion is None or volume is None:
            return None
        if self.stored.name is VisitName.BASELINE and role is Role.T2W_FS:
            return volume
        return self.case.shelf.memory.get(
            ("on_baseline", self.case.version, self.label, role),
            lambda: _registered(volume, onto, motion),
            lambda made: made.array.nbytes,
        )

    def mask_on_baseline(self, mask: Mask) -> Mask | None:
        """Return a mask of this visit's T2W-FS on the baseline's grid; None when unregistered."""
        baseline, motion = self.case.baseline, self.visit_from_baseline
        onto = None if baseline is None else baseline.grid
        return None if onto is None or motion is None else resample(mask, onto, motion)


def _registered(volume: Volume, onto: Geometry, motion: RigidTransform) -> Volume:
    carried = resample(volume, onto, motion)
    seen = coverage(onto, volume.geometry, motion)
    return Volume(np.where(seen.array, carried.array, np.float32("nan")), onto)
