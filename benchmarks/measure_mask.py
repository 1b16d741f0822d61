"""Shape and intensity of one mask of a graft's form: seven IBSI shape values, median and CoV.

A plate of 40 × 9 × 50 mm in an image of 320×320×40, 1.1 × 1.1 × 4 mm, oblique to the grid so that
no surface lies on it. All measure the same file.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from benchmarks.contest import Contender, Table, compared, in_turns
from imaging.geometry import FloatArray, Geometry
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
    plate = Ellipsoid((20.0, 4.5, 25.0)).mask(geometry)
    rng = np.random.default_rng(3)
    image = Volume(rng.rayleigh(100, grid).astype(np.float32), geometry)
    sitk.WriteImage(to_sitk(image), str(folder / "image.nii"))
    sitk.WriteImage(to_sitk(plate), str(folder / "mask.nii"))


def centred(grid: tuple[int, int, int], spacing_mm: tuple[float, float, float]) -> Geometry:
    """Return a grid about the origin."""
    affine = np.diag([*spacing_mm, 1.0])
    affine[:3, 3] = -affine[:3, :3] @ ((np.array(grid) - 1) / 2)
    return Geometry(affine, grid)


@dataclass(frozen=True, slots=True)
class Ellipsoid:
    """A body of known form."""

    half_axes_mm: tuple[float, float, float]
    centre_mm: tuple[float, float, float] = (0.3, -0.2, 0.4)
    turn_deg: float = 20.0

    def mask(self, geometry: Geometry) -> Mask:
        """Return the voxels inside."""
        points = geometry.to_world(np.moveaxis(np.indices(geometry.shape), 0, -1)) - self.centre_mm
        inside = ((points @ self._axes / self.half_axes_mm) ** 2).sum(axis=-1) <= 1
        return Mask(inside, geometry)

    def surface(self, count: int = 100_000) -> tuple[FloatArray, FloatArray]:
        """Return points (n, 3) of the surface by a spiral on the ball, and their share of area."""
        n = np.arange(count) + 0.5
        z, turn = 1 - 2 * n / count, np.pi * (1 + 5**0.5) * n
        ball = np.column_stack(
            [np.cos(turn) * np.sqrt(1 - z**2), np.sin(turn) * np.sqrt(1 - z**2), z]
        )
        a, b, c = self.half_axes_mm
        areas = np.linalg.norm(ball * (b * c, a * c, a * b), axis=1)
        return ball * self.half_axes_mm @ self._axes.T + self.centre_mm, areas

    @property
    def _axes(self) -> FloatArray:
        """(3, 3): the directions of the half axes as columns."""
        angles = [self.turn_deg, -self.turn_deg / 2, self.turn_deg / 3]
        return np.asarray(Rotation.from_euler("xyz", angles, degrees=True).as_matrix())
