"""The bench patient: two visits of 320×320×40 whose every point is known in both.

One abdomen without a graft is simulated almost without noise; the visits are made of it by
`imaging.insertion`, which knows where it puts each piece of tissue, and get noise of their own.
Between visits the patient is laid anew, the bowel moves, coil and gain differ.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from imaging.geometry import FloatArray, Geometry
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
from imaging.resampling import cropped, looked_up
from imaging.segmentation.body import body_mask
from imaging.segmentation.wall import anterior_wall
from imaging.simulation import Scanner, Scenario, VisitPlan, simulate
from imaging.transform import RigidTransform
from imaging.visit import VisitName
from imaging.volume import Mask, Volume

FULL = Scanner(
    matrix=(320, 320),
    pixel_mm=1.1,
    slices=40,
    slice_thickness_mm=4.5,
    slice_spacing_mm=5.0,
    snr=400,
)
SNR = 25.0
_SEED = 7
_PLATE = Plate(36, 6, 45, 1.4)
_RIGID_WALL = Wobble(bend_mm=0.0)
"""The wall keeps its form but for what the graft does to it, so a rigid motion is the truth."""
_AWAY_MM, _RING_MM = 10.0, (1.5, 10.0)
"""From the graft, of the landmarks of a rigid motion and of a deformation."""
_LANDMARKS = 2000
_CUT_MM, _REACH_MM = 28.0, 15.0
"""Margin of the images cut for peers, and what the moving one shows beyond it."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """Two visits, their walls and grafts; landmarks (n, 3) and their true places, LPS mm.

    `mask` is what a peer is told to look at, `cut` the points round which images are cut for it.
    """

    fixed: Volume
    moving: Volume
    fixed_wall: Mask
    moving_wall: Mask
    fixed_graft: Mask
    moving_graft: Mask
    mask: Mask
    cut: FloatArray
    landmarks: FloatArray
    truth: FloatArray

    def write(self, folder: Path) -> None:
        """Write the images, whole and cut, what is known of them, and the landmarks."""
        whole = ("fixed", "moving", "fixed_wall", "moving_wall", "fixed_graft", "moving_graft")
        images = {name: getattr(self, name) for name in whole}
        images["fixed_cut"] = cropped(self.fixed, self.cut, _CUT_MM)
        images["mask_cut"] = cropped(self.mask, self.cut, _CUT_MM)
        images["moving_cut"] = cropped(self.moving, self.cut, _CUT_MM + _REACH_MM)
        for name, image in images.items():
            sitk.WriteImage(to_sitk(image), str(folder / f"{name}.nii"))
        np.save(folder / "landmarks.npy", self.landmarks)

    def error_mm(self, found: ArrayLike) -> FloatArray:
        """Return (n,): how far each landmark was put from its place."""
        return np.asarray(np.linalg.norm(np.asarray(found) - self.truth, axis=1))


def laid_anew(scanner: Scanner = FULL) -> Pair:
    """Return a patient whose graft is half resorbed; landmarks are the muscles away from it."""
    one, other = _baseline(scanner), _later(scanner, 0.5)
    fixed, wall = _seen(one, 1)
    muscles = one.left.array if one.right is None else one.left.array | one.right.array
    landmarks = _spread(muscles & (_away_mm(one) > _AWAY_MM), one)
    return _pair(one, other, (fixed, wall), wall, wall.points_mm, landmarks)


def bulging(scanner: Scanner = FULL) -> Pair:
    """Return a patient whose graft has tripled; landmarks are the wall in the ring round it.

    The rigid motion is given to all alike: the later image's header is turned back by it, so that
    what is left is the deformation. Tissue that the graft has replaced is no landmark.
    """
    one, other = _baseline(scanner), _later(scanner, 3.0)
    fixed, wall = _seen(one, 1)
    away = _away_mm(one)
    mask = Mask(wall.array & (away > _RING_MM[0]), wall.geometry)
    points = _spread(mask.array & (away <= _RING_MM[1]), one)
    kept = ~looked_up(_widened(other), _places(one, other, points))
    pair = _pair(one, other, (fixed, wall), mask, one.graft.points_mm, points[kept])
    return _turned_back(pair, other.warp.motion.visit_from_body.inverse)


def _widened(made: Inserted) -> Mask:
    return Mask(_away_mm(made) <= _RING_MM[0], made.graft.geometry)


def _turned_back(pair: Pair, motion: RigidTransform) -> Pair:
    """Return the pair with the later visit moved as a whole, without touching a voxel."""
    grid = pair.moving.geometry
    there = Geometry(motion.matrix @ grid.affine, grid.shape)
    return replace(
        pair,
        moving=Volume(pair.moving.array, there),
        moving_wall=Mask(pair.moving_wall.array, there),
        moving_graft=Mask(pair.moving_graft.array, there),
        truth=motion @ pair.truth,
    )


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


def _pair(
    one: Inserted,
    other: Inserted,
    fixed: tuple[Volume, Mask],
    mask: Mask,
    cut: FloatArray,
    landmarks: FloatArray,
) -> Pair:
    moving = _seen(other, 2)
    places = _places(one, other, landmarks)
    return Pair(fixed[0], moving[0], fixed[1], moving[1], one.graft, other.graft, mask, cut,
                landmarks, places)  # fmt: skip


def _away_mm(made: Inserted) -> FloatArray:
    """Return the distance from the graft."""
    spacing = made.graft.geometry.spacing_mm
    return np.asarray(ndimage.distance_transform_edt(~made.graft.array, sampling=spacing))


def _spread(where: NDArray[np.bool_], made: Inserted) -> FloatArray:
    """Return about `_LANDMARKS` voxels' places, evenly chosen."""
    points = Mask(where, made.graft.geometry).points_mm
    return points[:: max(1, len(points) // _LANDMARKS)]


def _places(one: Inserted, other: Inserted, points_mm: FloatArray) -> FloatArray:
    """Return where tissue at `points_mm` of one visit lies at the other."""
    index = one.warp.scene.axial.to_index(points_mm)
    return other.warp.seen_mm(one.warp.source_mm(one.warp.body_mm(index)))


def _seen(made: Inserted, seed: int) -> tuple[Volume, Mask]:
    """Return the image with Rician noise, `SNR` in muscle, and the wall that is found in it."""
    image = made.t2
    sd = float(np.median(image.array[made.left.array])) / SNR
    noise = np.random.default_rng([_SEED, seed]).normal(0, sd, (2, *image.array.shape))
    noisy = np.hypot(image.array + noise[0], noise[1]).astype(np.float32)
    seen = Volume(noisy, image.geometry)
    return seen, anterior_wall(seen, body_mask(seen))
