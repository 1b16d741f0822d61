"""pyradiomics: its extractor as its users call it, on images already in memory."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import SimpleITK as sitk
from radiomics import featureextractor

from benchmarks.contenders import Task

logging.getLogger("radiomics").setLevel(logging.ERROR)
_NAMES = {
    "mesh volume": "shape_MeshVolume",
    "voxel volume": "shape_VoxelVolume",
    "surface area": "shape_SurfaceArea",
    "maximum diameter": "shape_Maximum3DDiameter",
    "sphericity": "shape_Sphericity",
    "elongation": "shape_Elongation",
    "flatness": "shape_Flatness",
    "median": "firstorder_Median",
}
_SPREAD = ("firstorder_Mean", "firstorder_Variance")


def measure_mask(folder: Path, features: str) -> Task:
    """`features`: "same" for those that ours measures, "classes" for both classes whole."""
    image, mask = (sitk.ReadImage(str(folder / f"{name}.nii")) for name in ("image", "mask"))
    extractor = featureextractor.RadiomicsFeatureExtractor()
    extractor.disableAllFeatures()
    if features == "classes":
        extractor.enableFeatureClassByName("shape")
        extractor.enableFeatureClassByName("firstorder")
    else:
        wanted: dict[str, list[str]] = {"shape": [], "firstorder": []}
        for name in (*_NAMES.values(), *_SPREAD):
            kind, _, feature = name.partition("_")
            wanted[kind].append(feature)
        extractor.enableFeaturesByName(**wanted)
    return lambda: extractor.execute(image, mask), _told


def _told(found: dict[str, Any]) -> dict[str, float]:
    value = {name: float(found[f"original_{key}"]) for name, key in _NAMES.items()}
    mean, variance = (float(found[f"original_{key}"]) for key in _SPREAD)
    return value | {"coefficient of variation": variance**0.5 / mean}
