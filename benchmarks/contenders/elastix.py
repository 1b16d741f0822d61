"""elastix: its own parameter maps for rigid and B-spline registration, by itk-elastix."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import itk
import numpy as np

from benchmarks.contenders import Task


def register(folder: Path, region: str) -> Task:
    """The default rigid map, begun at the headers' positions."""
    return _registration(folder, region, itk.ParameterObject.GetDefaultParameterMap("rigid"))


def deform(folder: Path, region: str, control_mm: str = "") -> Task:
    """B-splines: the default map, or correlation at two resolutions and a grid of `control_mm`."""
    if not control_mm:
        return _registration(folder, region, itk.ParameterObject.GetDefaultParameterMap("bspline"))
    spline = itk.ParameterObject.GetDefaultParameterMap("bspline", 2, float(control_mm))
    spline["Registration"] = ["MultiResolutionRegistration"]
    spline["Metric"] = ["AdvancedNormalizedCorrelation"]
    return _registration(folder, region, spline)


def _registration(folder: Path, region: str, parameter_map: Any) -> Task:
    suffix = "" if region == "whole" else "_cut"
    fixed, moving = (
        itk.imread(str(folder / f"{name}{suffix}.nii"), itk.F) for name in ("fixed", "moving")
    )
    masks = {}
    if region != "whole":
        masks["fixed_mask"] = itk.imread(str(folder / "mask_cut.nii"), itk.UC)
    parameter_map["AutomaticTransformInitialization"] = ["false"]
    parameter_map["ErodeMask"] = ["false"]
    parameters = itk.ParameterObject.New()
    parameters.AddParameterMap(parameter_map)

    def work() -> Any:
        _, found = itk.elastix_registration_method(
            fixed, moving, parameter_object=parameters, log_to_console=False, **masks
        )
        return found

    return work, lambda found: _at_landmarks(moving, found, np.load(folder / "landmarks.npy"))


def _at_landmarks(moving: Any, found: Any, landmarks: Any) -> list[list[float]]:
    """Have transformix carry the points, by way of the files it knows."""
    with TemporaryDirectory() as place:
        asked = Path(place) / "points.txt"
        lines = [
            "point",
            str(len(landmarks)),
            *(" ".join(map(repr, p)) for p in landmarks.tolist()),
        ]
        asked.write_text("\n".join(lines) + "\n")
        itk.transformix_pointset(
            moving, found, fixed_point_set_file_name=str(asked), output_directory=place
        )
        answered = (Path(place) / "outputpoints.txt").read_text()
    pattern = r"OutputPoint = \[ ([^\]]*) \]"
    return [[float(mm) for mm in point.split()] for point in re.findall(pattern, answered)]
