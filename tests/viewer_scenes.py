"""What hangs in viewer_page.py: synthetic trunks on known grids."""

from __future__ import annotations

import itertools

import numpy as np

from imaging.geometry import Geometry
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume
from surveillance.ui.viewer import Hanging, Layer, Layout, MaskLayer, Picture

MUSCLE = 200.0


def axial(shape, spacing_mm):
    """An axial grid whose middle is the origin of the patient."""
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return Geometry(affine, shape)


def trunk(geometry, graft_mm=8.0, fat=60.0, seed=1):
    """A trunk: fat, two rectus muscles in front, bowel behind, a graft in the left one."""
    points = geometry.to_world(np.moveaxis(np.indices(geometry.shape), 0, -1))
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    array = np.zeros(geometry.shape, np.float32)
    body = np.hypot(x / 160, y / 105) < 1
    inside = np.hypot(x / 140, (y - 3) / 86) < 1
    array[body] = fat
    array[inside] = 260 + 90 * np.sin(x[inside] / 9) * np.cos(y[inside] / 11 + z[inside] / 17)
    muscle = (abs(np.hypot(x / 140, (y - 3) / 86) - 1.0) < 0.06) & (y < -40) & (abs(x) > 6)
    rectus = muscle & (abs(x) < 68)
    array[muscle] = MUSCLE
    spine = np.hypot(x / 24, (y - 55) / 22) < 1
    array[spine] = 150
    graft = ((x - 36) / 22) ** 2 + ((y + 78) / graft_mm) ** 2 + (z / 30) ** 2 < 1
    array[graft] = 330
    rng = np.random.default_rng(seed)
    array = np.rint(np.abs(array + rng.normal(0, 9, geometry.shape)))
    return (
        Volume(array.astype(np.float32), geometry),
        Mask(graft, geometry),
        Mask(rectus & (x > 0) | graft, geometry),
        Mask(rectus & (x < 0), geometry),
    )


def reading():
    """Three visits in T2W-FS and T1W-FS, registered; the last is read and its graft editable."""
    geometry = axial((256, 200, 40), (1.4, 1.2, 5.0))
    pictures = []
    for n, visit in enumerate(("Baseline", "Day 28", "Month 6")):
        for series, fat in (("T2W-FS", 60.0), ("T1W-FS", 40.0)):
            volume, graft, left, right = trunk(geometry, 6.0 + 2.5 * n, fat, seed=n)
            layers = ()
            if series == "T2W-FS":
                layers = (
                    MaskLayer(Layer.GRAFT, graft, editable=n == 2),
                    MaskLayer(Layer.RECTUS_LEFT, left),
                    MaskLayer(Layer.RECTUS_RIGHT, right),
                )
            pictures.append(
                Picture(volume, visit, series, "baseline", muscle_median=MUSCLE, layers=layers)
            )
    return Hanging("case-1", tuple(pictures), "Month 6", "Baseline")


def part_of(count, mm, lps, sign):
    """Return the slice of an axis that 24 mm at the patient's left, front and head take."""
    middle = (30, -30, 28)[lps] * sign / mm + (count - 1) / 2
    voxels = round(24 / mm)
    start = round(middle - (voxels - 1) / 2)
    return slice(start, start + voxels)


def orientations():
    """A cube of 24 mm at the patient's left, front and head, on all 48 ways a grid can lie."""
    pictures = []
    orders = itertools.permutations(range(3))
    for n, (order, signs) in enumerate(
        itertools.product(orders, itertools.product((1.0, -1.0), repeat=3))
    ):
        shape, spacing_mm = (40, 32, 15), (3.0, 4.0, 8.0)
        affine = np.zeros((4, 4))
        affine[3, 3] = 1
        for axis, lps in enumerate(order):
            affine[lps, axis] = signs[axis] * spacing_mm[axis]
        affine[:3, 3] = -affine[:3, :3] @ ((np.array(shape) - 1) / 2)
        geometry = Geometry(affine, shape)
        cube = np.zeros(shape, bool)
        cube[
            tuple(part_of(*each) for each in zip(shape, spacing_mm, order, signs, strict=True))
        ] = 1
        volume = Volume(np.where(cube, 600, 0).astype(np.float32), geometry)
        layers = (MaskLayer(Layer.GRAFT, Mask(cube, geometry)),)
        pictures.append(
            Picture(volume, f"o{n}", "T2W-FS", "one", muscle_median=MUSCLE, layers=layers)
        )
    return Hanging("case-orientations", tuple(pictures), "o0")


def registered():
    """A follow-up lying 20 mm higher on its own grid, and the same resampled on the baseline's.

    A third visit could not be registered.
    """
    geometry = axial((128, 100, 40), (2.8, 2.4, 5.0))
    volume, graft, _, _ = trunk(geometry)
    affine = geometry.affine.copy()
    affine[2, 3] += 20
    higher = Geometry(affine, geometry.shape)
    down = np.eye(4)
    down[2, 3] = -20
    layers = (MaskLayer(Layer.GRAFT, Mask(graft.array, higher), editable=True),)
    moved = Volume(volume.array, higher)
    pictures = (
        Picture(volume, "Baseline", "T2W-FS", "baseline", muscle_median=MUSCLE),
        Picture(moved, "Month 6", "T2W-FS", "baseline", True, RigidTransform(down), MUSCLE, layers),
        Picture(volume, "Month 6", "T2W-FS", "baseline", False, None, MUSCLE),
        Picture(volume, "Month 12", "T2W-FS", "month 12", muscle_median=MUSCLE),
    )
    return Hanging("case-registered", pictures, "Month 6", "Baseline")


def drawing():
    """A dark cube-like image with an empty mask that can be edited: what is drawn is known."""
    geometry = axial((60, 50, 12), (2.0, 2.0, 5.0))
    volume = Volume(np.full(geometry.shape, 150, np.float32), geometry)
    empty = Mask(np.zeros(geometry.shape, bool), geometry)
    layers = (MaskLayer(Layer.GRAFT, empty, editable=True),)
    picture = Picture(volume, "Month 6", "T2W-FS", "one", muscle_median=MUSCLE, layers=layers)
    return Hanging("case-drawing", (picture,), "Month 6")


def noise():
    """A mask that does not compress: its edit is too large for Streamlit's WebSocket."""
    geometry = axial((200, 200, 45), (1.0, 1.0, 3.0))
    volume = Volume(np.full(geometry.shape, 150, np.float32), geometry)
    mask = Mask(np.random.default_rng(5).random(geometry.shape) < 0.5, geometry)
    layers = (MaskLayer(Layer.GRAFT, mask, editable=True),)
    picture = Picture(volume, "Month 6", "T2W-FS", "one", muscle_median=MUSCLE, layers=layers)
    return Hanging("case-noise", (picture,), "Month 6")


def big():
    """A pair of 512 × 512 × 80 volumes of noise, the worst to compress, for the benchmark."""
    geometry = axial((512, 512, 80), (0.75, 0.75, 3.0))
    rng = np.random.default_rng(1)
    graft = np.zeros(geometry.shape, bool)
    graft[300:340, 100:120, 30:50] = True
    pictures = []
    for visit in ("Baseline", "Month 6"):
        array = np.rint(rng.normal(400, 60, geometry.shape).astype(np.float32))
        layers = (MaskLayer(Layer.GRAFT, Mask(graft, geometry), editable=visit == "Month 6"),)
        volume = Volume(array, geometry)
        pictures.append(
            Picture(volume, visit, "T2W-FS", "baseline", muscle_median=MUSCLE, layers=layers)
        )
    return Hanging("case-big", tuple(pictures), "Month 6", "Baseline", layout=Layout.TWO)


SCENES = {
    scene.__name__: scene for scene in (reading, orientations, registered, drawing, noise, big)
}
