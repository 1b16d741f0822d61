"""Tissues: relaxation times and proton densities at 1.5 T and 3 T.

Sources, mean values:
[B] de Bazelaire CMJ et al., MR imaging relaxation times of abdominal and pelvic tissues measured
    in vivo at 3.0 T, Radiology 2004;230:652-659 (muscle, liver, spleen, kidney, marrow, fat).
[S] Stanisz GJ et al., T1, T2 relaxation and magnetization transfer in tissue at 3T, Magn Reson
    Med 2005;54:507-512 (blood, cartilage-like fibrous tissue).
[E] estimate for this simulation: no published abdominal value; chosen so that the signal
    relative to muscle on T2W-FS matches the range radiologists see.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, auto


class Tissue(IntEnum):
    """What a point of the body is made of; the graft's own mixtures are numbered above these."""

    AIR = 0
    SKIN = auto()
    FAT = auto()
    FASCIA = auto()
    MUSCLE = auto()
    TENDON = auto()
    LIVER = auto()
    SPLEEN = auto()
    KIDNEY_CORTEX = auto()
    KIDNEY_MEDULLA = auto()
    FLUID = auto()
    CHYME = auto()
    STOOL = auto()
    BOWEL_WALL = auto()
    VEIN = auto()
    ARTERY = auto()
    MARROW = auto()
    BONE = auto()
    GAS = auto()
    HEPATOCYTE = auto()
    OEDEMA = auto()
    SOLID_NODULE = auto()


@dataclass(frozen=True, slots=True)
class Relaxation:
    """T1 and T2 in ms; proton density of the water and of the fat part relative to water = 1.

    `texture` is the standard deviation of the natural unevenness of its signal, relative.
    """

    t1_ms: float
    t2_ms: float
    water: float
    fat: float = 0.0
    texture: float = 0.0


FAT_RELAXATION = {1.5: (343.0, 58.0), 3.0: (382.0, 68.0)}
"""T1 and T2 (ms) of subcutaneous fat [B]; every tissue's fat part relaxes with these."""

_T = Tissue
_R = Relaxation
RELAXATION: dict[float, dict[Tissue, Relaxation]] = {
    3.0: {
        _T.AIR: _R(1000.0, 10.0, 0.0),
        _T.SKIN: _R(1000.0, 35.0, 0.60, 0.05, 0.1),  # [E]
        _T.FAT: _R(900.0, 30.0, 0.05, 0.85, 0.06),  # [B] for fat; 5 % water [E]
        _T.FASCIA: _R(1000.0, 18.0, 0.50, 0.05, 0.1),  # [S] fibrous
        _T.MUSCLE: _R(898.0, 29.0, 0.79, 0.02, 0.08),  # [B]
        _T.TENDON: _R(900.0, 20.0, 0.55, 0.06, 0.1),  # [S] fibrous
        _T.LIVER: _R(809.0, 34.0, 0.80, 0.03, 0.035),  # [B]
        _T.SPLEEN: _R(1328.0, 61.0, 0.83, 0.0, 0.05),  # [B]
        _T.KIDNEY_CORTEX: _R(1142.0, 76.0, 0.83, 0.0, 0.05),  # [B]
        _T.KIDNEY_MEDULLA: _R(1545.0, 81.0, 0.87, 0.0, 0.05),  # [B]
        _T.FLUID: _R(3800.0, 500.0, 1.0, 0.0, 0.04),  # [E] free water
        _T.CHYME: _R(1500.0, 90.0, 0.9, 0.03, 0.15),  # [E]
        _T.STOOL: _R(900.0, 45.0, 0.6, 0.08, 0.5),  # [E]
        _T.BOWEL_WALL: _R(1100.0, 55.0, 0.8, 0.0, 0.1),  # [E]
        _T.VEIN: _R(1900.0, 90.0, 0.8, 0.0, 0.05),  # [S] blood, partly refocused flow [E]
        _T.ARTERY: _R(1900.0, 90.0, 0.12, 0.0, 0.1),  # flow void [E]
        _T.MARROW: _R(898.0, 45.0, 0.45, 0.35, 0.12),  # [B] L4, mixed
        _T.BONE: _R(500.0, 6.0, 0.2),  # cortical [E]
        _T.GAS: _R(1000.0, 10.0, 0.02),
        _T.HEPATOCYTE: _R(809.0, 33.0, 0.80, 0.0, 0.06),  # as liver [B]; T2 within its SD
        _T.OEDEMA: _R(1150.0, 45.0, 0.85, 0.0, 0.08),  # [E] about 2.6 x muscle at TE 80
        _T.SOLID_NODULE: _R(1300.0, 75.0, 0.85, 0.0, 0.08),  # [E] cellular tumour
    }
}
RELAXATION[1.5] = RELAXATION[3.0] | {
    _T.MUSCLE: _R(856.0, 27.0, 0.79, 0.02, 0.08),  # [B]
    _T.LIVER: _R(586.0, 46.0, 0.80, 0.03, 0.035),  # [B]
    _T.SPLEEN: _R(1057.0, 79.0, 0.83, 0.0, 0.05),  # [B]
    _T.KIDNEY_CORTEX: _R(966.0, 87.0, 0.83, 0.0, 0.05),  # [B]
    _T.KIDNEY_MEDULLA: _R(1412.0, 85.0, 0.87, 0.0, 0.05),  # [B]
    _T.MARROW: _R(549.0, 49.0, 0.45, 0.35, 0.12),  # [B]
    _T.HEPATOCYTE: _R(770.0, 31.0, 0.80, 0.0, 0.06),  # [E] cells among muscle fibres
    _T.OEDEMA: _R(1000.0, 43.0, 0.85, 0.0, 0.08),  # [E]
    _T.SOLID_NODULE: _R(1100.0, 78.0, 0.85, 0.0, 0.08),  # [E]
}
