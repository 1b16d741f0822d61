"""Surface distances of two masks: how fast, and how right where the answer is known.

Definitions differ: ours is between the 0.5 isosurfaces on a cubic grid, surface-distance's between
surface elements weighted by area, the one by SimpleITK between centres of boundary voxels. So
values are judged on concentric balls, whose surfaces lie 3 mm apart everywhere; the time is that of
two grafts. The Dice is the same number in all where no mask is resampled.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import SimpleITK as sitk

from benchmarks.contest import Contender, Table, compared, in_turns
from benchmarks.measure_mask import GRID, centred, ellipsoid
from imaging.interop import to_sitk
from imaging.volume import Mask

CONTENDERS = (
    Contender("graftsite", "graftsite"),
    Contender("surface-distance", "surface_distance", ("surface-distance",), "bench"),
    Contender("SimpleITK", "simple_itk", ("SimpleITK",)),
)
BALLS_APART_MM = 3.0


def measure() -> dict[str, Table]:
    """Return the tables of both cases."""
    return {
        "two grafts": _contest(*grafts()),
        f"two balls {BALLS_APART_MM:g} mm apart": _contest(*balls()),
    }


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
    moved = ellipsoid(geometry, (22.0, 6.5, 26.0), (2.0, -1.5, 1.0), turn_deg=23.0)
    return ellipsoid(geometry, (20.0, 4.5, 25.0)), moved


def balls() -> tuple[Mask, Mask]:
    """Return two concentric balls on a cubic grid of 1 mm."""
    geometry = centred((96, 96, 96), (1.0, 1.0, 1.0))
    radii = 20.0, 20.0 + BALLS_APART_MM
    one, other = (ellipsoid(geometry, (r, r, r), (0.3, -0.2, 0.4), 0.0) for r in radii)
    return one, other
