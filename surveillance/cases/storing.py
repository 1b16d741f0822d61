"""Storing: values of a visit to the parts of a manifest, their arrays written on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace

from imaging.errors import InputError
from imaging.images import Contrasted
from imaging.preparation import Prepared
from imaging.segmentation.masks import Graft, Muscles
from imaging.series import Identity, Series
from imaging.volume import Mask
from surveillance.cases.arrays import Arrays
from surveillance.cases.manifest import (
    Grid,
    StoredGraft,
    StoredMuscles,
    StoredPreparation,
    StoredRegistration,
    StoredSeries,
)


@dataclass(frozen=True, slots=True)
class Storing:
    """Writes into one folder of arrays.

    Every method raises OutputError when the folder cannot be written.
    """

    arrays: Arrays

    def series(self, series: Series) -> StoredSeries:
        """Store a series as acquired; without voxels when they cannot be read."""
        try:
            return self._series(series, self.arrays.save(series.load().array))
        except InputError:
            return self._series(series, None)

    def endpoint(self, contrasted: Contrasted, muscle_median: float | None) -> StoredSeries:
        """Store a series as acquired, as corrected, and the body in it."""
        stored = self._series(contrasted.series, self.arrays.save(contrasted.raw.array))
        more = {
            "corrected": self.arrays.save(contrasted.corrected.array),
            "body": self._mask(contrasted.body),
            "muscle_median": muscle_median,
        }
        return stored.model_copy(update=more)

    def _series(self, series: Series, voxels: str | None) -> StoredSeries:
        who = series.info.identity
        # What measuring needs, and no pseudonym from which anybody could be guessed.
        bare = replace(
            series.info, identity=Identity(who.subject, study_date=who.study_date), source=""
        )
        grid = Grid.of(series.geometry)
        return StoredSeries(info=bare, decision=series.decision, grid=grid, voxels=voxels)

    def preparation(self, prepared: Prepared) -> StoredPreparation:
        """Store masks, muscles and motions of a prepared visit; its images are endpoints."""
        return StoredPreparation(
            wall=self._mask(prepared.images.wall),
            muscles=self._muscles(prepared.muscles),
            t1_from_t2=StoredRegistration.of(prepared.images.t1_from_t2),
            registration=StoredRegistration.of(prepared.registration),
            compared=prepared.compared,
        )

    def _muscles(self, muscles: Muscles) -> StoredMuscles:
        return StoredMuscles(
            rectus_left=self._mask(muscles.rectus_left),
            rectus_right=self._mask(muscles.rectus_right),
            linea_alba=self.arrays.save(muscles.linea_alba_mm),
            confidence=muscles.confidence,
            reasons=muscles.reasons,
        )

    def graft(self, graft: Graft) -> StoredGraft:
        """Store an outline; `stops` are added by who knows them."""
        return StoredGraft(
            mask=None if graft.mask is None else self._mask(graft.mask),
            source=graft.source,
            confidence=graft.confidence,
            reasons=graft.reasons,
            stops=(),
        )

    def _mask(self, mask: Mask) -> str:
        return self.arrays.save(mask.array)
