"""Shape and intensity of one mask of a graft's form: seven IBSI shape values, median and CoV.

A plate of 40 × 9 × 50 mm in an image of 320×320×40, 1.1 × 1.1 × 4 mm, oblique to the grid so that
no surface lies on it. All measure the same file.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from benchmarks.contest import Contender, Table, compared, in_turns
from imaging.geometry import Geometry
from imaging.interop import to_sitk
from imaging.volume import Mask, Volume

GRID = (320, 320, 40)
_SPACING_MM = (1.1, 1.1, 4.0)
CONTENDERS = (
    Contender("graftsite", "graftsite"),
    Contender("pyradiomics, the same features", "radiomics", ("pyradiomics",), "bench-pyradiomics",
              {"features": "same"}),
    Contender("pyradiomics, shape and first order", "radiomics", ("pyradiomics",),
              "bench-pyradiomics", {"features": "classes"}),
    Contender("MIRP, morphology and statistics", "mirp", ("mirp",), "bench"),
)  # fmt: skip


def measure() -> dict[str, Table]:
    """Return the table of contenders."""
    with tempfile.TemporaryDirectory() as place:
        write_case(Path(place))
        outcomes = in_turns(CONTENDERS, "measure_mask", Path(place), rounds=5, warm_ups=1)
    return {"one mask": compared(outcomes)}


def write_case(folder: Path, grid: tuple[int, int, int] = GRID) -> None:
    """Write image and mask as NIfTI."""
    geometry = centred(grid, _SPACING_MM)
    plate = ellipsoid(geometry, (20.0, 4.5, 25.0))
    rng = np.random.default_rng(3)
    image = Volume(rng.rayleigh(100, grid).astype(np.float32), geometry)
    sitk.WriteImage(to_sitk(image), str(folder / "image.nii"))
    sitk.WriteImage(to_sitk(plate), str(folder / "mask.nii"))


def centred(grid: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Geometry:
    """Return a grid about the origin."""
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(grid) - 1) / 2)
    return Geometry(affine, grid)


def ellipsoid(
    geometry: Geometry,
    half_axes_mm: tuple[float, float, float],
    centre_mm: tuple[float, float, float] = (0.3, -0.2, 0.4),
    turn_deg: float = 20.0,
) -> Mask:
    """Return the voxels inside."""
    turn: Any = Rotation.from_euler("xyz", [turn_deg, -turn_deg / 2, turn_deg / 3], degrees=True)
    points = geometry.to_world(np.moveaxis(np.indices(geometry.shape), 0, -1)) - centre_mm
    inside = ((points @ turn.as_matrix() / half_axes_mm) ** 2).sum(axis=-1) <= 1
    return Mask(inside, geometry)
