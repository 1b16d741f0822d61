"""The bench patient: two visits of 320×320×40 whose every point is known in both.

One abdomen without a graft is simulated almost without noise; the visits are made of it by
`imaging.insertion`, which knows where it puts each piece of tissue, and get noise of their own.
Between visits the patient is laid anew, the bowel moves, coil and gain differ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.insertion import (
    STILL,
    Background,
    Inserted,
    Plate,
    Wobble,
    background,
    draw_motion,
    insert,
)
from imaging.interop import to_sitk
from imaging.segmentation.body import body_mask
from imaging.segmentation.wall import anterior_wall
from imaging.simulation import Scanner, Scenario, VisitPlan, simulate
from imaging.visit import VisitName
from imaging.volume import Mask, Volume

FULL = Scanner(
    matrix=(320, 320), pixel_mm=1.1, slices=40, slice_thickness_mm=4.5, slice_spacing_mm=5.0, snr=400
)  # fmt: skip
SNR = 25.0
_SEED = 7
_PLATE = Plate(36, 6, 45, 1.4)
_RIGID_WALL = Wobble(bend_mm=0.0)
"""The wall keeps its form but for what the graft does to it, so a rigid motion is the truth."""
_AWAY_MM, _RING_MM = (10.0, np.inf), (1.5, 10.0)
"""From the graft, of the landmarks of a rigid motion and of a deformation."""
_LANDMARKS = 2000


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two visits, the wall at the first, both grafts; landmarks (n, 3) and their true places."""

    fixed: Volume
    moving: Volume
    wall: Mask
    fixed_graft: Mask
    moving_graft: Mask
    landmarks: FloatArray
    truth: FloatArray

    def write(self, folder: Path) -> None:
        """Write what a registration may know, and the landmarks whose places it must give."""
        for name in ("fixed", "moving", "wall", "fixed_graft", "moving_graft"):
            sitk.WriteImage(to_sitk(getattr(self, name)), str(folder / f"{name}.nii"))
        np.save(folder / "landmarks.npy", self.landmarks)

    def error_mm(self, found: FloatArray) -> FloatArray:
        """Return (n,): how far each landmark was put from its place."""
        return np.asarray(np.linalg.norm(found - self.truth, axis=1))


def laid_anew(scanner: Scanner = FULL) -> Pair:
    """Return a patient whose graft is half resorbed; landmarks are the muscles away from it."""
    one = _baseline(scanner)
    muscles = one.left.array if one.right is None else one.left.array | one.right.array
    return _pair(one, _later(scanner, 0.5), Mask(muscles, one.left.geometry), _AWAY_MM)


def bulging(scanner: Scanner = FULL) -> Pair:
    """Return a patient whose graft has tripled; landmarks are the wall in the ring round it."""
    one = _baseline(scanner)
    wall = anterior_wall(one.t2, body_mask(one.t2))
    return _pair(one, _later(scanner, 3.0), wall, _RING_MM)


@cache
def _scene(scanner: Scanner) -> Background:
    plan = VisitPlan(VisitName.BASELINE, 0, None, has_t1w_fs=False)
    scenario = Scenario("bench", (plan,), scanner=scanner, stature=0.85, seed=_SEED)
    (visit,) = simulate(scenario).visits
    return background(visit.t2w_fs, visit.truth.rectus_left, visit.truth.rectus_right)


@cache
def _baseline(scanner: Scanner) -> Inserted:
    scene = _scene(scanner)
    return insert(scene, _PLATE, draw_motion(_SEED, scene.geometry.centre_mm, STILL))


def _later(scanner: Scanner, volume_ratio: float) -> Inserted:
    scene = _scene(scanner)
    motion = draw_motion(_SEED + 1, scene.geometry.centre_mm, _RIGID_WALL)
    return insert(scene, _PLATE.scaled(volume_ratio, thicker=2.0), motion)


def _pair(one: Inserted, other: Inserted, where: Mask, away_mm: tuple[float, float]) -> Pair:
    away = ndimage.distance_transform_edt(~one.graft.array, sampling=where.geometry.spacing_mm)
    near = where.array & (away > away_mm[0]) & (away <= away_mm[1])
    points = Mask(near, where.geometry).points_mm
    points = points[:: max(1, len(points) // _LANDMARKS)]
    fixed, moving = _noisy(one, 1), _noisy(other, 2)
    wall = anterior_wall(fixed, body_mask(fixed))
    return Pair(fixed, moving, wall, one.graft, other.graft, points, _places(one, other, points))


def _places(one: Inserted, other: Inserted, points_mm: FloatArray) -> FloatArray:
    """Return where tissue at `points_mm` of one visit lies at the other."""
    index = one.warp.scene.axial.to_index(points_mm)
    return other.warp.seen_mm(one.warp.source_mm(one.warp.body_mm(index)))


def _noisy(made: Inserted, seed: int) -> Volume:
    """Return the image with Rician noise, `SNR` in muscle."""
    image = made.t2
    sd = float(np.median(image.array[made.left.array])) / SNR
    noise = np.random.default_rng([_SEED, seed]).normal(0, sd, (2, *image.array.shape))
    return Volume(np.hypot(image.array + noise[0], noise[1]).astype(np.float32), image.geometry)
