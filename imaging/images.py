"""Images: one visit's series, decoded, freed of coil shading, and laid over each other."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.errors import InputError
from imaging.gates import registration_gate, series_gate
from imaging.measurements.supporting import SupportingImages
from imaging.normalization import correct_bias
from imaging.protocol import Protocol
from imaging.quality import ENDPOINTS, FAT, QualityEntry, Severity
from imaging.registration import Contrast, Registration, register_rigid
from imaging.resampling import resample, shrink
from imaging.segmentation.body import body_mask
from imaging.segmentation.wall import anterior_wall
from imaging.series import Role, Series
from imaging.transform import identity
from imaging.visit import Visit
from imaging.volume import Mask, Volume

ROUGH_MM = 4.0
"""Grid on which the T1W-FS body is found: shading and the air far from it have no detail."""


@dataclass(frozen=True, slots=True, eq=False)
class Contrasted:
    """One endpoint series: as acquired, corrected for the coil's shading, and the patient in it."""

    series: Series
    raw: Volume
    corrected: Volume
    body: Mask


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """What was acquired at one visit; `t1` and `t1_from_t2` are None without a usable T1W-FS.

    `wall` lies on the T2W-FS grid and is where registration looks; `t1_on_t2_grid` is the
    corrected T1W-FS resampled there, None when it is missing or does not fit.
    """

    t2: Contrasted
    t1: Contrasted | None
    wall: Mask
    t1_from_t2: Registration | None
    t1_on_t2_grid: Volume | None

    @property
    def body(self) -> Mask:
        """The patient on the T2W-FS grid."""
        return self.t2.body


def load_images(visit: Visit, protocol: Protocol) -> tuple[Images | None, tuple[QualityEntry, ...]]:
    """Decode and normalise a visit; None without a readable T2W-FS, and what stood in the way."""
    t2_raw, t2_trouble = _decoded(visit.t2w_fs, Role.T2W_FS)
    t1_raw, t1_trouble = _decoded(visit.t1w_fs, Role.T1W_FS)
    trouble = (*t2_trouble, *t1_trouble)
    if visit.t2w_fs is None or t2_raw is None:
        return None, trouble
    t2 = _contrasted(visit.t2w_fs, t2_raw, body_mask(t2_raw))
    wall = anterior_wall(t2.corrected, t2.body)
    if visit.t1w_fs is None or t1_raw is None:
        return Images(t2, None, wall, None, None), trouble
    t1 = _contrasted(visit.t1w_fs, t1_raw, _rough_body(t1_raw))
    t1_from_t2 = register_rigid(
        t2.corrected, t1.corrected, wall, protocol.registration, Contrast.CROSS
    )
    misfit = registration_gate(t1_from_t2, "T1W-FS to T2W-FS", (FAT,))
    images = Images(t2, t1, wall, t1_from_t2, t1_laid_on_t2(t1, t2, t1_from_t2))
    return images, (*trouble, *((misfit,) if misfit else ()))


def t1_laid_on_t2(
    t1: Contrasted | None, t2: Contrasted, t1_from_t2: Registration | None
) -> Volume | None:
    """Return the corrected T1W-FS on the T2W-FS grid; None when it is missing or does not fit."""
    if t1 is None or t1_from_t2 is None or not t1_from_t2.success:
        return None
    return resample(t1.corrected, t2.raw.geometry, t1_from_t2.moving_from_fixed)


def _contrasted(series: Series, raw: Volume, body: Mask) -> Contrasted:
    return Contrasted(series, raw, correct_bias(raw, body), body)


def _rough_body(volume: Volume) -> Mask:
    """Return the patient to a few mm: all that the coil's slow shading needs."""
    small = body_mask(shrink(volume, ROUGH_MM))
    return resample(small, volume.geometry, identity())


def _decoded(series: Series | None, role: Role) -> tuple[Volume | None, tuple[QualityEntry, ...]]:
    absent = series_gate(series, role)
    if series is None or absent:
        return None, (absent,) if absent else ()
    try:
        return series.load(), ()
    except InputError as error:
        endpoints = ENDPOINTS if role is Role.T2W_FS else (FAT,)
        entry = QualityEntry("SERIES_UNREADABLE", Severity.ERROR, str(error), endpoints=endpoints)
        return None, (entry,)


def load_supporting(
    visit: Visit, t1: Series, t1_raw: Volume
) -> tuple[SupportingImages, tuple[QualityEntry, ...]]:
    """Lay the visit's further T1W images on the grid of `t1_raw`, by the positions in headers.

    No endpoint needs them: one that cannot be read is left out, with a warning.
    """
    found: dict[Role, Volume] = {}
    trouble: list[QualityEntry] = []
    for series in visit.supporting:
        try:
            found[series.role] = resample(series.load(), t1_raw.geometry, identity())
        except InputError as error:
            trouble.append(QualityEntry("SUPPORTING_UNREADABLE", Severity.WARNING, str(error)))
    fat = found.get(Role.DIXON_FAT)
    supporting = SupportingImages(
        t1w=found.get(Role.T1W),
        in_phase=found.get(Role.DIXON_IN_PHASE),
        opposed_phase=found.get(Role.DIXON_OPPOSED_PHASE),
        water=t1_raw if fat is not None and t1.info.dixon == "WATER" else None,
        fat=fat,
    )
    return supporting, tuple(trouble)
