"""Truth: what is really there at a visit, and the answers the protocol's rules give for it."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.geometry import FloatArray
from imaging.transform import RigidTransform
from imaging.volume import Mask


@dataclass(frozen=True, slots=True)
class NoduleTruth:
    """One nodule: diameter as designed, volume of its ball, place in the visit's space."""

    diameter_mm: float
    volume_ml: float
    centroid_lps_mm: tuple[float, float, float]
    fat_fraction: float
    t2_ratio_to_muscle: float


@dataclass(frozen=True, slots=True, eq=False)
class VisitTruth:
    """The truth of one visit; masks on the T2W-FS grid hold voxels at least half inside."""

    graft: Mask
    rectus_left: Mask
    rectus_right: Mask
    volume_ml: float
    centroid_lps_mm: tuple[float, float, float] | None
    thickness_mm: float
    nodules: tuple[NoduleTruth, ...]
    visit_from_baseline: RigidTransform
    t1w_from_t2w: RigidTransform
    linea_alba_lps_mm: FloatArray
    t2_ratio: float | None
    t1_ratio: float | None
    fat_fraction: float
    expected: dict[str, str]
    """Status of each endpoint by the protocol's rules applied to the true quantities."""
