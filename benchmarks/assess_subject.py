"""One subject of five visits, from files to files, on one core and on two.

T2W-FS 320×320×40 and T1W-FS 320×260×72 at every visit. The patient is simulated once; later
visits are the same anatomy, shifted and with fresh noise, because the cost does not depend on
what has become of the graft.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import nibabel as nib
import numpy as np

from benchmarks.process import cost
from imaging.geometry import Geometry, to_ras
from imaging.resampling import resample
from imaging.simulation import GraftState, Scenario, VisitPlan, simulate
from imaging.transform import RigidTransform
from imaging.visit import VisitName
from imaging.volume import Volume

SEED = 11
T2_GRID, T1_GRID = (320, 320, 40), (320, 260, 72)


def measure() -> dict[str, float]:
    """Return wall and CPU seconds, and the peak resident memory in GB, on one core and on two."""
    with TemporaryDirectory() as folder:
        write_subject(Path(folder) / "in")
        alone = _measured(folder, 1)
        both = _measured(folder, 2)
    return {**alone, **{f"{name}_two_cores": value for name, value in both.items()}}


def _measured(folder: str, cores: int) -> dict[str, float]:
    mine = sorted(os.sched_getaffinity(0))[:cores]
    run = f"import os; os.sched_setaffinity(0, {mine}); from surveillance.cli import main; main()"
    arguments = ["assess", f"{folder}/in", "--output", f"{folder}/out{cores}", "--quiet"]
    told = cost([sys.executable, "-c", run, *arguments])
    peak_gb = told.pop("peak_mb") / 1024
    return {**told, "peak_gb": peak_gb}


def write_subject(folder: Path) -> None:
    """Write five visits of the bench patient as NIfTI."""
    plan = VisitPlan(VisitName.BASELINE, 0, GraftState(12.0, fluid_fraction=0.5))
    simulated = simulate(Scenario("bench", (plan,), seed=SEED)).visits[0]
    if simulated.t1w_fs is None:
        raise RuntimeError("the simulated visit has no T1W-FS")
    for number, name in enumerate(VisitName):
        if name is not VisitName.UNSCHEDULED:
            place = folder / "BENCH" / name.value
            place.mkdir(parents=True)
            write_image(simulated.t2w_fs, T2_GRID, number, place / "t2w_fs.nii.gz")
            write_image(simulated.t1w_fs, T1_GRID, number, place / "t1w_fs.nii.gz")


def write_image(volume: Volume, shape: tuple[int, int, int], number: int, path: Path) -> None:
    moved = np.eye(4)
    moved[:3, 3] = 1.5 * number, -1.0 * number, 2.0 * number
    image = resample(volume, _grid(volume.geometry, shape), RigidTransform(moved)).array
    noise = np.random.default_rng(SEED + number).normal(0, 0.01 * image.max(), image.shape)
    stored = np.clip(image + noise, 0, None).astype(np.int16)
    nib.save(nib.Nifti1Image(stored, to_ras(_grid(volume.geometry, shape).affine)), path)


def _grid(geometry: Geometry, shape: tuple[int, int, int]) -> Geometry:
    """Return a grid of another shape over the same field of view."""
    affine = geometry.affine.copy()
    affine[:3, :3] *= np.array(geometry.shape) / np.array(shape)
    return Geometry(affine, shape, geometry.frame_of_reference)
