"""Behind: what lies behind a made wall: mesentery, liver, bowel and ascites."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.tissue import Array, Grid, Tissue, wave


def contents(rng: np.random.Generator, grid: Grid, inner: Array) -> NDArray[np.uint8]:
    """Draw mesenteric fat, liver on one side, and loops of bowel with what they hold."""
    shape = (grid.z.size, grid.along.size, grid.depth.size)
    tissue = np.full(shape, Tissue.DEEP_FAT, np.uint8)
    a, z, d = grid.along[None, :, None], grid.z[:, None, None], grid.depth[None, None, :]
    inner = inner.astype(np.float32)
    if rng.random() < 0.4:
        side = rng.choice((-1, -1, 1))
        edge = rng.uniform(-40, 60)
        tissue[np.broadcast_to(side * a > edge + 0.5 * (d - inner.mean()), shape)] = Tissue.LIVER
    for _ in range(rng.integers(4, 18)):
        ca, cz = rng.uniform(-115, 115), rng.uniform(-30, 30)
        radius = rng.uniform(4, 22)
        near = inner[:, int(np.abs(grid.along - ca).argmin())][:, None, None]
        cd = near + rng.uniform(0.6, 2.2) * radius
        wide, tall = rng.uniform(0.6, 4.0, 2).astype(np.float32)
        wall = rng.uniform(1.0, 3.0)
        inside = int(rng.choice((Tissue.FLUID, Tissue.CONTENT, Tissue.GAS, Tissue.CONTENT)))
        near_columns = np.flatnonzero(np.abs(grid.along - ca) < wide * radius)
        if near_columns.size == 0:
            continue
        at = slice(int(near_columns[0]), int(near_columns[-1]) + 1)
        off = ((a[:, at] - np.float32(ca)) / wide) ** 2 + ((z - np.float32(cz)) / tall) ** 2
        square = off + (d - np.float32(1) * cd.astype(np.float32)) ** 2
        part = tissue[:, at]
        part[square < radius**2] = Tissue.BOWEL_WALL
        part[square < max(radius - wall, 0) ** 2] = inside
    if rng.random() < 0.35:
        # Ascites: a sheet of fluid between the wall and what floats in it.
        sheet = rng.uniform(-6, 14) + wave(rng, a[..., 0], z[..., 0], 60, 250, 6.0)
        tissue[d < (inner + sheet)[..., None]] = Tissue.FLUID
    return tissue
