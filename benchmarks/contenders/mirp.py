"""MIRP: its two families that hold what ours measures; it reads the two files itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mirp import extract_features

from benchmarks.contenders import Task

_NAMES = {
    "mesh volume": "morph_volume",
    "voxel volume": "morph_vol_approx",
    "surface area": "morph_area_mesh",
    "maximum diameter": "morph_diam",
    "sphericity": "morph_sphericity",
    "elongation": "morph_pca_elongation",
    "flatness": "morph_pca_flatness",
    "median": "stat_median",
    "coefficient of variation": "stat_cov",
}


def measure_mask(folder: Path) -> Task:
    """Morphology and statistics."""

    def work() -> Any:
        return extract_features(
            image=str(folder / "image.nii"),
            mask=str(folder / "mask.nii"),
            base_feature_families=["morphology", "statistics"],
            image_modality="mr",
        )

    def told(tables: Any) -> dict[str, float]:
        row = tables[0].iloc[0]
        return {name: float(row[feature]) for name, feature in _NAMES.items()}

    return work, told
