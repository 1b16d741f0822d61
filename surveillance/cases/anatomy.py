"""Anatomy of a stored visit: the values of `imaging.preparation`, as when it was stored."""

from __future__ import annotations

from imaging.errors import InputError
from imaging.images import Contrasted, Images, t1_laid_on_t2
from imaging.preparation import Prepared
from imaging.reassessment import Outlined
from imaging.segmentation.masks import Muscles
from imaging.series import Role, Series
from imaging.visit import Visit
from imaging.volume import Mask, Volume
from surveillance.cases.case import CaseVisit
from surveillance.cases.manifest import StoredMuscles, StoredSeries


def outlined(visit: CaseVisit) -> Outlined:
    """Return a visit with the program's outline, ready to be measured again."""
    stored = visit.stored
    return Outlined(
        visit=_visit(visit),
        prepared=prepared(visit),
        trouble=stored.trouble,
        graft=visit.graft,
        stops=stored.graft.stops,
    )


def prepared(visit: CaseVisit) -> Prepared | None:
    """Return the images, muscles and motions of a visit; None without a readable T2W-FS."""
    stored, grid = visit.stored.preparation, visit.grid
    images = _images(visit)
    if stored is None or grid is None or images is None:
        return None
    return Prepared(
        images=images,
        muscles=_muscles(visit, stored.muscles, images.body),
        registration=None if stored.registration is None else stored.registration.registration,
        trouble=visit.stored.trouble,
        compared=stored.compared,
    )


def muscles(visit: CaseVisit) -> Muscles | None:
    """Return the muscles the program found; None without a readable T2W-FS."""
    stored, body = visit.stored.preparation, _body(visit, Role.T2W_FS)
    return None if stored is None or body is None else _muscles(visit, stored.muscles, body)


def _body(visit: CaseVisit, role: Role) -> Mask | None:
    stored = visit.series(role)
    if stored is None or stored.body is None:
        return None
    return visit.case.shelf.mask(stored.body, stored.grid.geometry)


def _images(visit: CaseVisit) -> Images | None:
    stored, grid = visit.stored.preparation, visit.grid
    t2 = _contrasted(visit, Role.T2W_FS)
    if stored is None or grid is None or t2 is None:
        return None
    t1 = _contrasted(visit, Role.T1W_FS)
    motion = None if stored.t1_from_t2 is None else stored.t1_from_t2.registration
    wall = visit.case.shelf.mask(stored.wall, grid)
    return Images(t2, t1, wall, motion, t1_laid_on_t2(t1, t2, motion))


def _muscles(visit: CaseVisit, stored: StoredMuscles, body: Mask) -> Muscles:
    shelf, grid = visit.case.shelf, body.geometry
    return Muscles(
        body=body,
        rectus_left=shelf.mask(stored.rectus_left, grid),
        rectus_right=shelf.mask(stored.rectus_right, grid),
        linea_alba_mm=shelf.points(stored.linea_alba),
        confidence=stored.confidence,
        reasons=stored.reasons,
    )


def _contrasted(visit: CaseVisit, role: Role) -> Contrasted | None:
    stored = visit.series(role)
    raw, corrected = visit.volume(role, corrected=False), visit.volume(role)
    body = _body(visit, role)
    if stored is None or body is None or raw is None or corrected is None:
        return None
    return Contrasted(_series(visit, stored), raw, corrected, body)


def _visit(visit: CaseVisit) -> Visit:
    stored = visit.stored
    return Visit(
        name=stored.name,
        label=stored.label,
        study_date=stored.study_date,
        days_since_baseline=stored.days_since_baseline,
        t2w_fs=None if stored.t2w_fs is None else _series(visit, stored.t2w_fs),
        t1w_fs=None if stored.t1w_fs is None else _series(visit, stored.t1w_fs),
        supporting=tuple(_series(visit, series) for series in stored.supporting),
        notes=stored.notes,
    )


def _series(visit: CaseVisit, stored: StoredSeries) -> Series:
    geometry = stored.grid.geometry

    def pixels() -> Volume:
        if stored.voxels is None:
            raise InputError(
                "case_series_unread", visit=visit.label, series=stored.info.description
            )
        return visit.case.shelf.volume(stored.voxels, geometry)

    return Series(stored.info, geometry, stored.decision, (), pixels)
