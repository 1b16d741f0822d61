"""dcm2niix: a converter; its time is that of its process up to the uncompressed NIfTI file."""

from __future__ import annotations

import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import dcm2niix as program
import nibabel as nib

from benchmarks.contenders import Task, voxels


def read_series(folder: Path) -> Task:
    """One series to one file."""
    place = TemporaryDirectory()

    def work() -> None:
        command = [program.bin, "-z", "n", "-b", "n", "-w", "1", "-f", "series", "-o", place.name]
        subprocess.run([*command, str(folder)], check=True, stdout=subprocess.DEVNULL)

    def told(_: None) -> dict[str, Any]:
        with place:
            image = nib.load(Path(place.name) / "series.nii")
            return voxels(image.get_fdata(), image.header.get_zooms())

    return work, told
