"""Analytic: forms of exactly known volume, foci of known size, and fat at known suppression.

Grids are oblique and anisotropic. These cases ask whether the measuring itself is right, where
the anatomy gives no trouble.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
from scipy.spatial.transform import Rotation

from imaging.geometry import Geometry
from imaging.insertion import Spot
from imaging.protocol import load_protocol
from imaging.simulation import GraftState, Nodule, VisitPlan, VisitTruth
from imaging.simulation.truth import NoduleTruth
from imaging.transform import RigidTransform, identity
from imaging.visit import Subject, VisitName
from imaging.volume import Mask
from surveillance.validation.case import (
    ANALYTIC,
    Case,
    Landmarks,
    seed_in,
    split_of,
    visit_of,
)
from surveillance.validation.demanded import demanded_answers
from surveillance.validation.phantom import BALL, ELLIPSOID, PLATE, Phantom, Picture, picture

SIZE, FOCI, FAT = "size", "foci", "fat"
EPSILONS = (0.2, 0.35, 0.5, 0.65, 0.8)
FAT_FRACTIONS = (0.0, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8)
SPOT_MM = (3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0)
CONTRASTS = (1.3, 1.65, 2.0, 3.0)
_FORMS = (ELLIPSOID, PLATE, BALL)
_WHEN = ((VisitName.BASELINE, 0), (VisitName.M6, 182))
_EVERY = 40


@dataclass(frozen=True, slots=True)
class AnalyticRecipe:
    """One phantom subject: `detail` is ε and fat fraction, or diameter and contrast of foci."""

    course: str
    seed: int
    detail: tuple[float, float] = (0.0, 0.0)
    kind: str = ANALYTIC

    @property
    def name(self) -> str:
        """Unique name."""
        detail = "" if self.course == SIZE else f"-{self.detail[0]:g}-{self.detail[1]:g}"
        return f"analytic-{self.course}{detail}-{self.seed}"

    @property
    def split(self) -> str:
        """Set that the seed belongs to."""
        return split_of(self.seed)

    def make(self) -> Case:
        """Make images and truth."""
        rng = np.random.default_rng([self.seed, 61])
        phantoms = _PHANTOMS[self.course](rng, self)
        pictures, moves = [], []
        spacing = (float(rng.uniform(0.9, 1.4)),) * 2 + (float(rng.uniform(3.0, 7.5)),)
        for number, phantom in enumerate(phantoms):
            grid = _grid(rng, spacing)
            moves.append(_move(rng) if number else identity())
            snr = float(rng.uniform(18, 32))
            pictures.append(picture(phantom, grid, moves[-1], snr, 100 * self.seed + number))
        made = _case(self.name, phantoms, pictures, moves)
        return replace(made, fat_grid=self.detail) if self.course == FAT else made


def recipes(number: int) -> Iterator[AnalyticRecipe]:
    """Yield `number` subjects of each kind of question, evenly over what is asked."""
    for n in range(number):
        yield AnalyticRecipe(SIZE, n)
    for course, grid in (
        (FOCI, list(product(SPOT_MM, CONTRASTS))),
        (FAT, list(product(EPSILONS, FAT_FRACTIONS))),
    ):
        chosen = np.unique(np.linspace(0, len(grid) - 1, min(number, len(grid))).astype(int))
        for n in chosen:
            yield AnalyticRecipe(course, int(n), grid[n])


def _sizes(rng: np.random.Generator, recipe: AnalyticRecipe) -> list[Phantom]:
    form = _FORMS[recipe.seed % len(_FORMS)]
    first = Phantom(
        form,
        width_mm=float(rng.uniform(22, 44)),
        thickness_mm=float(rng.uniform(14, 22) if form == BALL else rng.uniform(3, 14)),
        height_mm=float(rng.uniform(24, 70)),
        t2_ratio=float(rng.uniform(1.6, 3.5)),
        t1_ratio=float(rng.uniform(0.9, 1.15)),
        fat_t2=float(rng.uniform(0.4, 0.9)),
        fat_t1=float(rng.uniform(0.2, 0.6)),
        seed=recipe.seed,
    )
    side = float(rng.choice((0.5, 0.75, 1.0, 1.5, 2.0))) ** (1 / 3)
    later = replace(
        first,
        width_mm=first.width_mm * side,
        thickness_mm=first.thickness_mm * side,
        height_mm=first.height_mm * side,
        t2_ratio=max(1.5, 0.9 * first.t2_ratio),
    )
    return [first, later]


def _with_foci(rng: np.random.Generator, recipe: AnalyticRecipe) -> list[Phantom]:
    diameter, contrast = recipe.detail
    first = Phantom(
        ELLIPSOID, 42.0, 16.0, 66.0, t2_ratio=float(rng.uniform(1.5, 2.2)), seed=recipe.seed
    )
    place = rng.uniform(-0.12, 0.12, 2) * (first.width_mm, first.height_mm)
    spot = Spot((float(place[0]), float(place[1])), diameter, contrast * first.t2_ratio)
    return [first, replace(first, spots=(spot,))]


def _with_fat(rng: np.random.Generator, recipe: AnalyticRecipe) -> list[Phantom]:
    """Draw a graft of which a fraction f is fat: suppressed to ε, its ratio is 1 − f (1 − ε)."""
    epsilon, fraction = recipe.detail
    ratio = 1 - fraction * (1 - epsilon)
    return [
        Phantom(
            ELLIPSOID,
            40.0,
            float(rng.uniform(11, 14)),
            54.0,
            t2_ratio=float(rng.uniform(2.0, 3.0)),
            t1_ratio=ratio,
            fat_t1=epsilon,
            seed=recipe.seed,
        )
    ]


_PHANTOMS = {SIZE: _sizes, FOCI: _with_foci, FAT: _with_fat}


def _grid(rng: np.random.Generator, spacing_mm: tuple[float, ...]) -> Geometry:
    turn = Rotation.from_euler("xyz", rng.uniform(-8, 8, 3) * (1, 0.6, 0.6), degrees=True)
    field_mm = np.array([300.0, 150.0, 130.0])
    shape = tuple(int(n) for n in np.ceil(field_mm / spacing_mm))
    affine = np.eye(4)
    affine[:3, :3] = turn.as_matrix() * np.array(spacing_mm)
    centre = np.array([0.0, -35.0, 0.0]) + rng.uniform(-2, 2, 3)
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Geometry(affine, (shape[0], shape[1], shape[2]))


def _move(rng: np.random.Generator) -> RigidTransform:
    matrix = np.eye(4)
    turn = Rotation.from_euler("xyz", rng.normal(0, 1, 3) * (1.0, 0.7, 1.5), degrees=True)
    matrix[:3, :3] = turn.as_matrix()
    matrix[:3, 3] = rng.normal(0, 1, 3) * (5.0, 3.0, 5.0)
    return RigidTransform(matrix)


def _case(
    name: str, phantoms: list[Phantom], pictures: list[Picture], moves: list[RigidTransform]
) -> Case:
    facts = [
        (_plan(phantom, *at), _truth(phantom, image, move))
        for phantom, image, move, at in zip(phantoms, pictures, moves, _WHEN, strict=False)
    ]
    answers = demanded_answers(facts, load_protocol())
    truths = tuple(
        replace(truth, expected=answer) for (_, truth), answer in zip(facts, answers, strict=True)
    )
    visits = zip(pictures, _WHEN, strict=False)
    walls = np.concatenate([m.points_mm for m in (pictures[0].left, pictures[0].right)])[::_EVERY]
    return Case(
        subject=Subject(name, tuple(visit_of(*at, p.t2, p.t1, name) for p, at in visits)),
        truths=truths,
        landmarks=tuple(Landmarks(walls, m @ walls) if n else None for n, m in enumerate(moves)),
        seeds=tuple(seed_in(t.graft, np.array(t.centroid_lps_mm)) for t in truths),
    )


def _plan(phantom: Phantom, name: VisitName, day: int) -> VisitPlan:
    balls = tuple(Nodule(s.position_mm, s.diameter_mm) for s in phantom.spots)
    return VisitPlan(name, day, GraftState(phantom.volume_ml, *phantom.extent_mm, nodules=balls))


def _truth(phantom: Phantom, image: Picture, move: RigidTransform) -> VisitTruth:
    grid = image.left.geometry
    index = np.argwhere(image.share > 0)
    weight = image.share[image.share > 0]
    centroid = grid.to_world((index * weight[:, None]).sum(axis=0) / weight.sum())
    thickness = phantom.thickness_mm
    return VisitTruth(
        graft=Mask(image.share >= 0.5, grid),
        rectus_left=image.left,
        rectus_right=image.right,
        volume_ml=phantom.volume_ml,
        centroid_lps_mm=tuple(centroid.tolist()),
        compartment_mm=(9.0 + thickness, 9.0),
        bulge_mm=thickness / 2,
        linea_alba_shift_mm=0.0,
        nodules=_nodules(phantom, move),
        visit_from_baseline=move,
        t1w_from_t2w=identity(),
        linea_alba_lps_mm=np.zeros((0, 3)),
        t2_ratio=phantom.t2_ratio,
        t1_ratio=phantom.t1_ratio,
        fat_fraction=0.0,
        fat_suppression_t2=phantom.fat_t2,
        fat_suppression_t1=phantom.fat_t1,
        expected={},
    )


def _nodules(phantom: Phantom, move: RigidTransform) -> tuple[NoduleTruth, ...]:
    found = []
    for spot in phantom.spots:
        x, z = (np.array([p]) for p in phantom.place_mm(spot))
        place = move @ np.array([x[0], phantom.middle_y(x, z)[0], z[0]])
        ball = np.pi / 6 * spot.diameter_mm**3 / 1000
        nodule = Nodule(spot.position_mm, spot.diameter_mm)
        found.append(NoduleTruth(nodule, ball, tuple(place.tolist()), spot.ratio, spot.t1_ratio))
    return tuple(found)
