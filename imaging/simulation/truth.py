"""Truth: what is really there at a visit, and the answers the protocol's rules give for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from imaging.geometry import FloatArray
from imaging.simulation.scenario import Nodule
from imaging.transform import RigidTransform
from imaging.volume import Mask


@dataclass(frozen=True, slots=True)
class NoduleTruth:
    """One nodule: as designed, volume of its ball, place in the visit's space, signal."""

    nodule: Nodule
    volume_ml: float
    centroid_lps_mm: tuple[float, float, float]
    t2_ratio: float
    t1_ratio: float


@dataclass(frozen=True, slots=True, eq=False)
class VisitTruth:
    """The truth of one visit; masks on the T2W-FS grid hold voxels at least half inside."""

    graft: Mask
    rectus_left: Mask
    rectus_right: Mask
    volume_ml: float
    centroid_lps_mm: tuple[float, float, float] | None
    compartment_mm: tuple[float, float]
    """Greatest thickness of the left and right rectus at the graft's level."""
    bulge_mm: float
    linea_alba_shift_mm: float
    nodules: tuple[NoduleTruth, ...]
    visit_from_baseline: RigidTransform
    t1w_from_t2w: RigidTransform
    linea_alba_lps_mm: FloatArray
    t2_ratio: float | None
    t1_ratio: float | None
    fat_fraction: float
    fat_suppression_t2: float
    fat_suppression_t1: float
    """Suppressed fat over the graft relative to muscle."""
    expected: Mapping[str, str]
    """Status of each endpoint by the protocol's rules applied to the true quantities."""


def as_json(truth: VisitTruth) -> dict[str, object]:
    """Return the numbers of a visit's truth for a JSON file, rounded to micrometres."""

    def rounded(value: object) -> object:
        return np.round(np.asarray(value, dtype=np.float64), 6).tolist()

    nodules = [
        {
            "diameter_mm": n.nodule.diameter_mm,
            "volume_ml": rounded(n.volume_ml),
            "centroid_lps_mm": rounded(n.centroid_lps_mm),
            "fat_fraction": n.nodule.fat_fraction,
            "t2_ratio": rounded(n.t2_ratio),
            "t1_ratio": rounded(n.t1_ratio),
        }
        for n in truth.nodules
    ]
    numbers = {
        name: None if getattr(truth, name) is None else rounded(getattr(truth, name))
        for name in (
            "volume_ml",
            "centroid_lps_mm",
            "compartment_mm",
            "bulge_mm",
            "linea_alba_shift_mm",
            "linea_alba_lps_mm",
            "t2_ratio",
            "t1_ratio",
            "fat_fraction",
            "fat_suppression_t2",
            "fat_suppression_t1",
        )
    }
    return {
        **numbers,
        "nodules": nodules,
        "visit_from_baseline": rounded(truth.visit_from_baseline.matrix),
        "t1w_from_t2w": rounded(truth.t1w_from_t2w.matrix),
        "rectus_left_ml": rounded(truth.rectus_left.voxel_volume_ml),
        "rectus_right_ml": rounded(truth.rectus_right.voxel_volume_ml),
        "expected": dict(truth.expected),
    }
