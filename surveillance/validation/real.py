"""Real: grafts of known form put into real images, and followed over visits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from math import pi
from pathlib import Path

import numpy as np

from imaging.errors import MaskError
from imaging.geometry import FloatArray
from imaging.insertion import (
    STILL,
    Background,
    Inserted,
    Plate,
    Spot,
    background,
    draw_motion,
    insert,
)
from imaging.insertion.outline_file import load_outlines
from imaging.loaders import find_series
from imaging.protocol import Protocol, load_protocol
from imaging.segmentation.axial import axial_geometry, to_axial
from imaging.simulation import GraftState, Nodule, VisitPlan, VisitTruth
from imaging.simulation.expected import expected_findings
from imaging.simulation.truth import NoduleTruth
from imaging.transform import identity
from imaging.visit import Subject, VisitName
from imaging.volume import Mask
from surveillance.validation.case import REAL, Case, Landmarks, split_of, visit_of

COURSES = ("stays", "resolves", "grows", "nodule", "mass", "none")
_VISITS = ((VisitName.BASELINE, 0), (VisitName.D28, 28), (VisitName.M3, 91))
_FREE_OF_GRAFT_MM = 10.0


@dataclass(frozen=True, slots=True)
class Source:
    """An image without a graft and the outlines of its rectus muscles."""

    image: Path
    outline: Path

    @property
    def name(self) -> str:
        """The outline's name, free of folders."""
        return self.outline.name.split(".")[0]


@dataclass(frozen=True, slots=True)
class RealRecipe:
    """A graft in a real image and what becomes of it."""

    source: Source
    course: str
    seed: int
    kind: str = REAL

    @property
    def name(self) -> str:
        """Unique name."""
        return f"{self.source.name}-{self.course}-{self.seed}"

    @property
    def split(self) -> str:
        """Set that the seed belongs to."""
        return split_of(self.seed)

    def make(self) -> Case:
        """Make images and truth."""
        scene = _scene(self.source)
        plates = _plates(self.course, self.seed, scene)
        centre = scene.image.geometry.centre_mm
        visits = [
            insert(
                scene, plate, draw_motion(1000 * self.seed + n, centre, STILL if n == 0 else None)
            )
            for n, plate in enumerate(plates)
        ]
        return _case(self.name, visits, load_protocol())


def sources(annotations: Path, real_data: Path) -> tuple[Source, ...]:
    """Return the images that the polygon files of a folder were drawn on.

    Raises
    ------
    MaskError
        An image is another than the one that was outlined.
    """
    found = []
    for outline in sorted(annotations.glob("*.json")):
        said = json.loads(outline.read_text(encoding="utf-8"))
        image = real_data / said["image"]
        if not image.exists():
            continue
        if sha256(image.read_bytes()).hexdigest() != said["sha256"]:
            raise MaskError("outline_other_image", file=outline.name, image=image.name)
        found.append(Source(image, outline))
    return tuple(found)


def recipes(found: tuple[Source, ...], number: int) -> Iterator[RealRecipe]:
    """Yield `number` recipes that vary image, course and graft in turn."""
    for n in range(number if found else 0):
        yield RealRecipe(found[n % len(found)], COURSES[n % len(COURSES)], n)


@lru_cache(maxsize=2)
def _scene(source: Source) -> Background:
    protocol = load_protocol()
    loaded = find_series([source.image], protocol).series
    image = loaded[0].load()
    return background(image, *load_outlines(source.outline, image.geometry))


def _plates(course: str, seed: int, scene: Background) -> list[Plate | None]:
    """Return the graft at each visit, drawn within what the muscle and the outline allow."""
    rng = np.random.default_rng([seed, 31])
    room = scene.sheet.height_mm
    height = float(np.clip(rng.uniform(28, 55), 20.0, 0.55 * room))
    first = Plate(
        width_mm=float(rng.uniform(22, 40)),
        thickness_mm=float(rng.uniform(5, 12)),
        height_mm=height,
        ratio=float(rng.uniform(2.0, 3.5)),
        lateral=float(rng.uniform(0.4, 0.6)),
        level=float(rng.uniform(0.42, 0.58)),
        irregularity=float(rng.uniform(0.04, 0.15)),
        seed=seed,
    )
    settled = replace(first.scaled(0.88), ratio=max(1.45, 0.6 * first.ratio))
    later = replace(settled, ratio=max(1.4, 0.9 * settled.ratio))
    if course == "none":
        return [None, None, None]
    if course == "resolves":
        return [first, settled.scaled(0.7), later.scaled(0.45)]
    if course == "grows":
        return [first, settled, later.scaled(float(rng.uniform(1.8, 3.0)))]
    if course == "mass":
        return [first, settled, later.scaled(float(rng.uniform(2.2, 3.2)), thicker=2.0)]
    if course == "nodule":
        return [first, settled, replace(later, spots=(_spot(rng, later),))]
    return [first, settled, later]


def _spot(rng: np.random.Generator, plate: Plate) -> Spot:
    place = rng.uniform(-0.2, 0.2, 2) * (plate.width_mm, plate.height_mm)
    contrast = float(rng.choice((1.5, 2.0, 3.0)))
    return Spot(
        (float(place[0]), float(place[1])),
        float(rng.choice((6.0, 8.0, 10.0))),
        contrast * plate.ratio,
    )


def _case(name: str, visits: list[Inserted], protocol: Protocol) -> Case:
    facts = [
        (_plan(v, *when), _truth(v, visits[0])) for v, when in zip(visits, _VISITS, strict=True)
    ]
    answers = expected_findings(facts, protocol)
    truths = tuple(
        replace(truth, expected=answer) for (_, truth), answer in zip(facts, answers, strict=True)
    )
    subject = Subject(
        name,
        tuple(
            visit_of(*when, visit.image, None, name)
            for visit, when in zip(visits, _VISITS, strict=True)
        ),
    )
    marks = tuple(None if n == 0 else _landmarks(v, visits[0]) for n, v in enumerate(visits))
    return Case(subject, truths, marks, tuple(_seed_point(v) for v in visits))


def _plan(visit: Inserted, name: VisitName, day: int) -> VisitPlan:
    """Say in the simulation's words what was inserted, so that one rule judges both."""
    plate = visit.laid.plate if visit.laid else None
    if plate is None:
        return VisitPlan(name, day, None, has_t1w_fs=False)
    balls = tuple(Nodule(s.position_mm, s.diameter_mm) for s in plate.spots)
    state = GraftState(visit.volume_ml, plate.width_mm, plate.height_mm, nodules=balls)
    return VisitPlan(name, day, state, has_t1w_fs=False)


def _truth(visit: Inserted, baseline: Inserted) -> VisitTruth:
    plate = visit.laid.plate if visit.laid else None
    centroid = visit.centroid_mm
    empty = Mask(np.zeros(visit.graft.geometry.shape, np.bool_), visit.graft.geometry)
    return VisitTruth(
        graft=visit.graft,
        rectus_left=visit.left,
        rectus_right=visit.right or empty,
        volume_ml=visit.volume_ml,
        centroid_lps_mm=None if centroid is None else tuple(centroid.tolist()),  # type: ignore[arg-type]
        compartment_mm=_compartment(visit),
        bulge_mm=_bulge(visit),
        linea_alba_shift_mm=0.0,
        nodules=_nodules(visit),
        visit_from_baseline=visit.motion.visit_from_body.after(
            baseline.motion.visit_from_body.inverse
        ),
        t1w_from_t2w=identity(),
        linea_alba_lps_mm=np.zeros((0, 3)),
        t2_ratio=plate.ratio if plate else None,
        t1_ratio=None,
        fat_fraction=0.0,
        fat_suppression_t2=1.0,
        fat_suppression_t1=1.0,
        expected={},
    )


def _compartment(visit: Inserted) -> tuple[float, float]:
    """Return the greatest thickness of the left muscle at the graft, and of the right one's."""
    sheet = visit.scene.sheet
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


def _nodules(visit: Inserted) -> tuple[NoduleTruth, ...]:
    if visit.laid is None:
        return ()
    grid = axial_geometry(visit.image.geometry)
    found = []
    for spot in visit.laid.plate.spots:
        index = visit.laid.place_mm(*spot.position_mm) / np.array(grid.spacing_mm)
        place = visit.motion.visit_from_body @ grid.to_world(index)
        ball = pi / 6 * spot.diameter_mm**3 / 1000
        nodule = Nodule(spot.position_mm, spot.diameter_mm)
        found.append(NoduleTruth(nodule, ball, tuple(place.tolist()), spot.ratio, spot.t1_ratio))
    return tuple(found)


def _landmarks(visit: Inserted, baseline: Inserted) -> Landmarks:
    """Return points of both muscles' surfaces, away from the graft at either visit."""
    points = _wall_points(visit.scene)
    for seen in (visit, baseline):
        if seen.laid is not None:
            a, _, c = seen.laid.local(points[:, 0], points[:, 1], points[:, 2])
            plate = seen.laid.plate
            reach = np.hypot(
                a / (plate.width_mm / 2 + _FREE_OF_GRAFT_MM),
                c / (plate.height_mm / 2 + _FREE_OF_GRAFT_MM),
            )
            points = points[reach > 1]
    return Landmarks(baseline.to_visit(points), visit.to_visit(points))


def _wall_points(scene: Background) -> FloatArray:
    """(n, 3): middles of the muscles' columns, in the background's axes, mm, thinned."""
    both = [to_axial(m.array, m.geometry) for m in (scene.left, scene.right) if m is not None]
    points = []
    for mask in both:
        columns = np.argwhere(mask.any(axis=1))[::7]
        rows = [np.flatnonzero(mask[x, :, z]).mean() for x, z in columns]
        points.append(np.column_stack([columns[:, 0], rows, columns[:, 1]]))
    return np.asarray(np.concatenate(points) * np.array(scene.spacing_mm))


def _seed_point(visit: Inserted) -> tuple[float, float, float] | None:
    """Return the graft's voxel nearest its centroid: what a reader would touch."""
    centroid = visit.centroid_mm
    if centroid is None or visit.graft.is_empty:
        return None
    points = visit.graft.points_mm
    nearest = points[np.argmin(np.linalg.norm(points - centroid, axis=1))]
    return (float(nearest[0]), float(nearest[1]), float(nearest[2]))
