"""A small analytic abdomen whose every border is known, for the tests of wall and rectus."""

from __future__ import annotations

import numpy as np

from imaging.geometry import Geometry
from imaging.volume import Mask, Volume

FAT_MM, RECTUS_MM, GAP_MM, WIDTH_MM = 14.0, 9.0, 4.0, 52.0
PIXEL_MM, SLICE_MM = 1.5, 6.0


def abdomen(graft: bool = False) -> tuple[Volume, Volume, Mask, Mask]:
    """Return T2W-FS, T1W-FS, left and right rectus on an axial LPS grid.

    An elliptic trunk of 264 x 176 mm: 14 mm of fat, rectus of 9 mm from 4 to 56 mm beside the
    midline, lateral muscle farther out, bright fluid 6 mm behind the wall. A graft is a bright
    lens of 10 mm between two halves of the left rectus.
    """
    shape = (192, 130, 8)
    affine = np.diag([PIXEL_MM, PIXEL_MM, SLICE_MM, 1.0])
    affine[:3, 3] = (-PIXEL_MM * 95.5, -PIXEL_MM * 65, 0.0)
    grid = Geometry(affine, shape)
    x, y, z = np.moveaxis(grid.to_world(np.moveaxis(np.indices(shape), 0, -1)), -1, 0)
    depth, along = _depth_mm(x, y), np.abs(x)
    lens = 10.0 * np.sqrt(np.clip(1 - ((x - 30) / 20) ** 2 - ((z - 21) / 16) ** 2, 0, None))
    lens = lens * graft
    beside = (along - GAP_MM) / WIDTH_MM
    belly = np.clip(6 * np.minimum(beside, 1 - beside), 0, 1) * RECTUS_MM + lens
    front = y < 0
    rectus = front & (beside > 0) & (beside < 1) & (depth > FAT_MM) & (depth < FAT_MM + belly)
    lateral = (along > GAP_MM + WIDTH_MM + 6) & (depth > FAT_MM) & (depth < FAT_MM + 16)
    fluid = (depth > FAT_MM + RECTUS_MM + 6 + lens) & (depth < 60) & front
    inject = rectus & (np.abs(depth - FAT_MM - belly / 2) < lens / 2)
    t2, t1 = np.where(depth > 0, 90.0, 0.0), np.where(depth > 0, 80.0, 0.0)
    for region, (in_t2, in_t1) in (
        (rectus | lateral, (130.0, 200.0)),
        (fluid, (900.0, 60.0)),
        (inject, (700.0, 90.0)),
    ):
        t2[region], t1[region] = in_t2, in_t1
    rng = np.random.default_rng(20260105)
    images = [np.hypot(i + rng.normal(0, 4, shape), rng.normal(0, 4, shape)) for i in (t2, t1)]
    t2_volume, t1_volume = (Volume(i.astype(np.float32), grid) for i in images)
    return t2_volume, t1_volume, Mask(rectus & (x > 0), grid), Mask(rectus & (x < 0), grid)


def _depth_mm(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Depth below the surface of an ellipse, to first order."""
    a, b = 132.0, 88.0
    r = np.sqrt((x / a) ** 2 + (y / b) ** 2) + 1e-6
    slope = np.sqrt((x / a**2) ** 2 + (y / b**2) ** 2) / r + 1e-6
    return (1 - r) / slope
