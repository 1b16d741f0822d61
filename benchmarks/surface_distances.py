"""Surface distances of two masks: how fast, and how right where the answer is known.

Definitions differ: ours is between the 0.5 isosurfaces on a cubic grid, surface-distance's between
surface elements weighted by area, the one by SimpleITK between centres of boundary voxels. So all
are judged by the ellipsoids that the masks were made of, their surfaces sampled densely. The Dice
is the same number in all where no mask is resampled.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy.spatial import cKDTree

from benchmarks.contest import Contender, Table, compared, in_turns
from benchmarks.measure_mask import GRID, Ellipsoid, centred
from imaging.geometry import FloatArray
from imaging.interop import to_sitk
from imaging.volume import Mask

CONTENDERS = (
    Contender("graftsite", "graftsite"),
    Contender("surface-distance", "surface_distance", ("surface-distance",), "bench"),
    Contender("SimpleITK", "simple_itk", ("SimpleITK",)),
)
BALLS_APART_MM = 3.0
GRAFTS = Ellipsoid((20.0, 4.5, 25.0)), Ellipsoid((22.0, 6.5, 26.0), (2.0, -1.5, 1.0), 23.0)
BALLS = Ellipsoid((20.0,) * 3, turn_deg=0.0), Ellipsoid((20.0 + BALLS_APART_MM,) * 3, turn_deg=0.0)


def measure() -> dict[str, Table]:
    """Return the tables of both cases."""
    return {
        "two grafts": [*_contest(*grafts()), _line(*GRAFTS)],
        f"two balls {BALLS_APART_MM:g} mm apart": [*_contest(*balls()), _line(*BALLS)],
    }


def _line(one: Ellipsoid, other: Ellipsoid) -> dict[str, Any]:
    return {"name": "the true surfaces", "values": true_distances(one, other)}


def true_distances(one: Ellipsoid, other: Ellipsoid) -> dict[str, float]:
    """Return the distances between both surfaces, every piece of surface counted by its area."""
    (points, areas), (others, more) = one.surface(), other.surface()
    forth, back = cKDTree(others).query(points)[0], cKDTree(points).query(others)[0]
    pooled = np.concatenate([forth * areas, back * more]).sum() / (areas.sum() + more.sum())
    return {
        "hausdorff95": max(_percentile_95(forth, areas), _percentile_95(back, more)),
        "mean": float(pooled),
    }


def _percentile_95(distances: FloatArray, areas: FloatArray) -> float:
    order = np.argsort(distances)
    share = np.cumsum(areas[order]) / areas.sum()
    return float(distances[order][np.searchsorted(share, 0.95)])


def _contest(one: Mask, other: Mask) -> Table:
    with tempfile.TemporaryDirectory() as place:
        write_case(Path(place), one, other)
        outcomes = in_turns(CONTENDERS, "surface_distances", Path(place), rounds=7, warm_ups=1)
    return compared(outcomes)


def write_case(folder: Path, one: Mask, other: Mask) -> None:
    """Write both masks as NIfTI."""
    sitk.WriteImage(to_sitk(one), str(folder / "one.nii"))
    sitk.WriteImage(to_sitk(other), str(folder / "other.nii"))


def grafts(grid: tuple[int, int, int] = GRID) -> tuple[Mask, Mask]:
    """Return a plate and the same plate grown and moved, 1.1 × 1.1 × 4 mm."""
    geometry = centred(grid, (1.1, 1.1, 4.0))
    one, other = (shape.mask(geometry) for shape in GRAFTS)
    return one, other


def balls() -> tuple[Mask, Mask]:
    """Return two concentric balls on a cubic grid of 1 mm."""
    geometry = centred((96, 96, 96), (1.0, 1.0, 1.0))
    one, other = (shape.mask(geometry) for shape in BALLS)
    return one, other
