"""Inserted: the truth of visits made by insertion, in the same words as the simulation's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import pi

import numpy as np

from imaging.geometry import FloatArray
from imaging.insertion import Background, Inserted
from imaging.insertion.background import Channel
from imaging.protocol import Protocol
from imaging.segmentation.axial import to_axial
from imaging.simulation import GraftState, Nodule, VisitPlan, VisitTruth
from imaging.simulation.truth import NoduleTruth
from imaging.transform import identity
from imaging.visit import Subject, VisitName
from imaging.volume import Mask
from surveillance.validation.case import Case, Landmarks, seed_in, visit_of
from surveillance.validation.demanded import demanded_answers

_FREE_OF_GRAFT_MM = 10.0
_FAT_MM = (3.0, 8.0)
"""In front of the muscle lies fat."""
_EVERY = 7
"""Of the muscles' columns, one in so many is a landmark."""


def case_of(
    name: str,
    visits: Sequence[Inserted],
    when: Sequence[tuple[VisitName, int]],
    protocol: Protocol,
) -> Case:
    """Return a subject of these visits, baseline first, and everything that is true of it."""
    facts = [
        (_plan(visit, *at), _truth(visit, visits[0]))
        for visit, at in zip(visits, when, strict=True)
    ]
    answers = demanded_answers(facts, protocol)
    return Case(
        subject=Subject(
            name,
            tuple(visit_of(*at, v.t2, v.t1, name) for v, at in zip(visits, when, strict=True)),
        ),
        truths=tuple(
            replace(truth, expected=answer)
            for (_, truth), answer in zip(facts, answers, strict=True)
        ),
        landmarks=tuple(_landmarks(v, visits[0]) if n else None for n, v in enumerate(visits)),
        seeds=tuple(seed_in(v.graft, v.centroid_mm) for v in visits),
    )


def _plan(visit: Inserted, name: VisitName, day: int) -> VisitPlan:
    """Say in the simulation's words what was inserted, so that one rule judges both."""
    has_t1w_fs = visit.t1 is not None
    if visit.laid is None:
        return VisitPlan(name, day, None, has_t1w_fs=has_t1w_fs)
    plate = visit.laid.plate
    balls = tuple(Nodule(s.position_mm, s.diameter_mm) for s in plate.spots)
    state = GraftState(visit.volume_ml, plate.width_mm, plate.height_mm, nodules=balls)
    return VisitPlan(name, day, state, has_t1w_fs=has_t1w_fs)


def _truth(visit: Inserted, baseline: Inserted) -> VisitTruth:
    plate = visit.laid.plate if visit.laid else None
    centroid = visit.centroid_mm
    motion, first = visit.warp.motion, baseline.warp.motion
    empty = Mask(np.zeros(visit.graft.geometry.shape, np.bool_), visit.graft.geometry)
    return VisitTruth(
        graft=visit.graft,
        rectus_left=visit.left,
        rectus_right=visit.right or empty,
        volume_ml=visit.volume_ml,
        centroid_lps_mm=None if centroid is None else tuple(centroid.tolist()),
        compartment_mm=_compartment(visit),
        bulge_mm=_bulge(visit),
        linea_alba_shift_mm=0.0,
        nodules=_nodules(visit),
        visit_from_baseline=motion.visit_from_body.after(first.visit_from_body.inverse),
        t1w_from_t2w=identity(),
        linea_alba_lps_mm=np.zeros((0, 3)),
        t2_ratio=plate.ratio if plate else None,
        t1_ratio=plate.t1_ratio if plate and visit.t1 else None,
        fat_fraction=0.0,
        fat_suppression_t2=_suppression(visit.warp.scene, visit.warp.scene.t2),
        fat_suppression_t1=_suppression(visit.warp.scene, visit.warp.scene.t1),
        expected={},
    )


def _compartment(visit: Inserted) -> tuple[float, float]:
    """Return the thickness of the left muscle at the graft with it, and of the muscle alone."""
    sheet = visit.warp.scene.sheet
    at = sheet.place_mm(0.5, 0.5) if visit.laid is None else visit.laid.centre_mm
    u, w = (np.array([value]) for value in at)
    muscle = float(sheet.at(sheet.thickness_mm, u, w)[0])
    if visit.laid is None:
        return muscle, muscle
    plate = visit.laid.plate
    kept = max(0.0, muscle - (1 - plate.displaced) * plate.thickness_mm)
    return kept + float(visit.laid.opening_mm.max()), muscle


def _bulge(visit: Inserted) -> float:
    """Return how far the front of the muscle is pushed forward."""
    if visit.laid is None:
        return 0.0
    return visit.laid.plate.displaced * float(visit.laid.opening_mm.max()) / 2


def _suppression(scene: Background, channel: Channel | None) -> float:
    """Return fat in front of the outlined muscle relative to muscle; 0 without the contrast."""
    if channel is None:
        return 0.0
    muscle = to_axial(scene.left.array, scene.left.geometry)
    first = np.where(muscle.any(axis=1), muscle.argmax(axis=1), -1)
    depth = (
        first[:, None, :] - np.arange(muscle.shape[1])[None, :, None]
    ) * scene.axial.spacing_mm[1]
    fat = (first[:, None, :] >= 0) & (depth >= _FAT_MM[0]) & (depth <= _FAT_MM[1])
    return float(np.median(channel.array[fat] / channel.level[fat])) if fat.any() else 0.0


def _nodules(visit: Inserted) -> tuple[NoduleTruth, ...]:
    if visit.laid is None:
        return ()
    grid = visit.warp.scene.axial
    found = []
    for spot in visit.laid.plate.spots:
        index = visit.laid.place_mm(*spot.position_mm) / np.array(grid.spacing_mm)
        place = visit.warp.motion.visit_from_body @ grid.to_world(index)
        ball = pi / 6 * spot.diameter_mm**3 / 1000
        nodule = Nodule(spot.position_mm, spot.diameter_mm)
        found.append(NoduleTruth(nodule, ball, tuple(place.tolist()), spot.ratio, spot.t1_ratio))
    return tuple(found)


def _landmarks(visit: Inserted, baseline: Inserted) -> Landmarks:
    """Return points of both muscles away from the graft, where only the patient moved."""
    points = _wall_points(visit.warp.scene)
    for seen in (visit, baseline):
        if seen.laid is not None:
            a, _, c = seen.laid.local(points[:, 0], points[:, 1], points[:, 2])
            plate = seen.laid.plate
            across, along = plate.width_mm / 2, plate.height_mm / 2
            reach = np.hypot(a / (across + _FREE_OF_GRAFT_MM), c / (along + _FREE_OF_GRAFT_MM))
            points = points[reach > 1]
    return Landmarks(baseline.warp.seen_mm(points), visit.warp.seen_mm(points))


def _wall_points(scene: Background) -> FloatArray:
    """(n, 3): middles of the muscles' columns, in the background's axes, mm, thinned."""
    points = []
    for outline in (scene.left, scene.right):
        if outline is None:
            continue
        mask = to_axial(outline.array, outline.geometry)
        columns = np.argwhere(mask.any(axis=1))[::_EVERY]
        rows = [np.flatnonzero(mask[x, :, z]).mean() for x, z in columns]
        points.append(np.column_stack([columns[:, 0], rows, columns[:, 1]]))
    return np.asarray(np.concatenate(points) * np.array(scene.axial.spacing_mm))
