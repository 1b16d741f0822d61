"""Memory against slices, visits and subjects: the largest resident set of one `assess`, and a line.

The images are one visit of the sample (200×152×24), laid on grids of more slices, shifted from
visit to visit, and given other names from subject to subject.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.assess_subject import write_image
from benchmarks.process import cost
from imaging.loaders import find_series
from imaging.protocol import load_protocol
from imaging.series import Role
from imaging.visit import VisitName
from imaging.volume import Volume

_SAMPLE = Path(__file__).parents[1] / "sample_dicom/subjects/S01/visit1"
_SLICES, _MANY = (24, 48, 96), (1, 2, 4)
_VISITS = [name for name in VisitName if name is not VisitName.UNSCHEDULED]


def measure() -> dict[str, dict[str, float]]:
    """Return for each of the three the peaks in MB, and slope, intercept and residual of a line."""
    images = _sample()
    least = peak_mb(images, _SLICES[0], 1, 1)
    return {
        "slices": line(_SLICES, [least, *(peak_mb(images, n, 1, 1) for n in _SLICES[1:])]),
        "visits": line(_MANY, [least, *(peak_mb(images, 24, n, 1) for n in _MANY[1:])]),
        "subjects": line(_MANY, [least, *(peak_mb(images, 24, 1, n) for n in _MANY[1:])]),
    }


def line(numbers: Sequence[int], peaks_mb: Sequence[float]) -> dict[str, float]:
    """Fit peak = intercept + slope · number; `residual_mb` is the largest distance from it."""
    slope, intercept = np.polyfit(numbers, peaks_mb, 1)
    off = np.abs(np.asarray(peaks_mb) - intercept - slope * np.asarray(numbers)).max()
    peaks = {f"peak_mb_at_{n}": mb for n, mb in zip(numbers, peaks_mb, strict=True)}
    fit = {"slope_mb": float(slope), "intercept_mb": float(intercept), "residual_mb": float(off)}
    return peaks | fit


def peak_mb(images: dict[Role, Volume], slices: int, visits: int, subjects: int) -> float:
    """Assess so many subjects, one after the other, and return the process's peak."""
    with TemporaryDirectory() as place:
        for subject in range(subjects):
            for number, visit in enumerate(_VISITS[:visits]):
                folder = Path(place, "in", f"M{subject}", visit.value)
                folder.mkdir(parents=True)
                for role, image in images.items():
                    shape = (*image.geometry.shape[:2], slices)
                    write_image(image, shape, number, folder / f"{role.name.lower()}.nii.gz")
        program = [sys.executable, "-c", "from surveillance.cli import main; main()"]
        arguments = ["assess", f"{place}/in", "--output", f"{place}/out", "--quiet"]
        return cost([*program, *arguments])["peak_mb"]


def _sample() -> dict[Role, Volume]:
    found = find_series([_SAMPLE], load_protocol())
    return {
        series.role: series.load()
        for series in found.series
        if series.role in (Role.T2W_FS, Role.T1W_FS)
    }
