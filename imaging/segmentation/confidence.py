"""Confidence: how sure the rectus compartments are, from what can be seen in the image itself.

A product of factors between 0 and 1, each from one measurement against two limits of the
protocol: at the good one it is 1, at the bad one 0. Every factor below 1 leaves a sentence.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imaging.geometry import FloatArray
from imaging.messages import text
from imaging.segmentation.fan import Fan
from imaging.segmentation.rectus import Borders
from imaging.segmentation.sheath import Sheath
from imaging.segmentation_limits import SegmentationLimits


def assess_confidence(
    fan: Fan,
    sheath: Sheath,
    borders: Borders,
    limits: SegmentationLimits,
    rectus: NDArray[np.float32],
) -> tuple[float, tuple[str, ...]]:
    """Return confidence 0 to 1, and a sentence for everything that lowered it.

    `rectus` is the share of muscle that the network sees at each place of the unrolled wall.
    """
    left, right = (_columns(fan, sides) for sides in (borders.left_mm, borders.right_mm))
    both = left | right
    checks = (
        _visible(sheath, both, limits),
        _agreeing(sheath, left, right, limits),
        _within(sheath, both, limits),
        _covered(fan, both, limits),
        _second(sheath, limits),
        _seen(fan, sheath, (left, right), rectus, limits),
    )
    confidence = float(np.prod([factor for factor, _ in checks]))
    return confidence, tuple(sentence for factor, sentence in checks if factor < 1)


def _columns(fan: Fan, border_mm: tuple[FloatArray, FloatArray]) -> NDArray[np.bool_]:
    low, high = np.minimum(*border_mm)[:, None], np.maximum(*border_mm)[:, None]
    return np.asarray((fan.along_mm > low) & (fan.along_mm < high))


def _ramp(value: float, bad: float, good: float) -> float:
    return float(np.clip((value - bad) / (good - bad), 0, 1))


def _visible(
    sheath: Sheath, columns: NDArray[np.bool_], limits: SegmentationLimits
) -> tuple[float, str]:
    """Share of the compartments at which both surfaces are seen."""
    step = limits.muscle_step_min
    seen = (sheath.front_step > step) & (sheath.back_step > step)
    # A column whose grey is not that of the others has followed something else, or a graft.
    level = sheath.muscle_level[-1]
    usual = np.median(level[columns])
    alike = np.abs(level - usual) < limits.muscle_level_spread
    share = float((seen & alike)[columns].mean())
    factor = _ramp(share, limits.muscle_visible_min, limits.muscle_visible_good)
    return factor, text("segmentation.muscle_faint", percent=100 * (1 - share))


def _agreeing(
    sheath: Sheath, left: NDArray[np.bool_], right: NDArray[np.bool_], limits: SegmentationLimits
) -> tuple[float, str]:
    """Difference of both sides' front surface, mirrored: median over slices and columns."""
    both = left & right[:, ::-1]
    difference = np.abs(sheath.front_mm - sheath.front_mm[:, ::-1])[both]
    worst = float(np.median(difference)) if difference.size else np.inf
    factor = _ramp(-worst, -limits.muscle_asymmetry_max_mm, -limits.muscle_asymmetry_good_mm)
    return factor, text("segmentation.muscle_asymmetric", mm=worst)


def _within(
    sheath: Sheath, columns: NDArray[np.bool_], limits: SegmentationLimits
) -> tuple[float, str]:
    """Share of the compartments whose surfaces lie at the limits of what was looked for."""
    thickness = sheath.thickness_mm
    edge = (
        (sheath.front_mm < limits.muscle_fat_min_mm + 1)
        | (sheath.front_mm > limits.muscle_fat_max_mm - 2)
        | (thickness < limits.muscle_band_min_mm + 1)
        | (thickness > limits.muscle_thickness_max_mm - 2)
    )
    share = float(edge[columns].mean())
    factor = _ramp(-share, -limits.muscle_at_limit_max, -limits.muscle_at_limit_good)
    return factor, text("segmentation.muscle_at_limit", percent=100 * share)


def _covered(fan: Fan, columns: NDArray[np.bool_], limits: SegmentationLimits) -> tuple[float, str]:
    """Share of the compartments whose skin lies inside the image, a pixel from its edge."""
    skin = fan.centre_mm[:, 1:] - fan.skin_mm * np.cos(fan.along_mm / fan.radius_mm)
    inside = (skin >= fan.spacing_mm[1])[columns]
    share = float(inside.mean()) if inside.size else 0.0
    factor = _ramp(share, limits.muscle_visible_min, limits.muscle_visible_good)
    return factor, text("segmentation.muscle_cut_off", percent=100 * (1 - share))


def _seen(
    fan: Fan,
    sheath: Sheath,
    sides: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    rectus: NDArray[np.float32],
    limits: SegmentationLimits,
) -> tuple[float, str]:
    """Soft Dice of each compartment and what the network sees on its side; the worse of both."""
    depth = fan.depth_mm
    band = (depth >= sheath.front_mm[..., None]) & (depth <= sheath.back_mm[..., None])
    halves = (fan.along_mm >= 0, fan.along_mm < 0)
    worst = min(
        _soft_dice(rectus[:, half], (band & side[..., None])[:, half])
        for side, half in zip(sides, halves, strict=True)
    )
    factor = _ramp(worst, limits.muscle_network_min, limits.muscle_network_good)
    return factor, text("segmentation.muscle_network", dice=worst)


def _soft_dice(share: NDArray[np.float32], mask: NDArray[np.bool_]) -> float:
    total = float(share.sum()) + int(mask.sum())
    return 2 * float(share[mask].sum()) / total if total else 0.0


def _second(sheath: Sheath, limits: SegmentationLimits) -> tuple[float, str]:
    alone = len(sheath.muscle_level) < 2
    return (limits.muscle_t2_alone if alone else 1.0), text("segmentation.muscle_no_t1")
