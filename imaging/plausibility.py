"""Plausibility: what makes a registration unusable, each with its sentence.

Every judge returns None when all is well, else the reason.
"""

from __future__ import annotations

import numpy as np

from imaging.geometry import FloatArray, Geometry
from imaging.messages import text
from imaging.protocol import RegistrationLimits
from imaging.transform import RigidTransform


def seen_fraction(points_mm: FloatArray, moving: Geometry, motion: RigidTransform) -> float:
    """Return the share of points (n, 3), n at least 1, that the moving image shows."""
    return float(moving.contains(motion @ points_mm).mean())


def too_different(fit: float, least: float) -> str | None:
    """Judge how well one image explains the other, 0 to 1."""
    if fit >= least:
        return None
    return text("registration.too_different", value=fit, limit=least)


def implausible(
    motion: RigidTransform,
    start: RigidTransform,
    points_mm: FloatArray,
    moving: Geometry,
    limits: RegistrationLimits,
) -> str | None:
    """Judge how far the motion goes from its start, and whether the region stays in the image."""
    turn = rotation_deg(motion)
    if turn > limits.rotation_max_deg:
        return text("registration.turned", value=turn, limit=limits.rotation_max_deg)
    centre = points_mm.mean(axis=0)
    shift = float(np.linalg.norm(motion @ centre - start @ centre))
    if shift > limits.shift_max_mm:
        return text("registration.shifted", value=shift, limit=limits.shift_max_mm)
    seen = seen_fraction(points_mm, moving, motion)
    if seen < limits.overlap_min:
        return text("registration.left_the_image", value=seen * 100, limit=limits.overlap_min * 100)
    return None


def rotation_deg(motion: RigidTransform) -> float:
    """Angle of the rotation, 0 to 180 degrees."""
    trace = float(np.trace(motion.matrix[:3, :3]))
    return float(np.degrees(np.arccos(np.clip((trace - 1) / 2, -1.0, 1.0))))


def inconsistent(error_mm: FloatArray, limits: RegistrationLimits) -> str | None:
    """Judge the error of the midway motion: half of what there and back miss."""
    mean, worst = float(error_mm.mean()), float(error_mm.max())
    if mean <= limits.error_mean_max_mm and worst <= limits.error_max_max_mm:
        return None
    return text(
        "registration.inconsistent",
        mean=mean,
        mean_limit=limits.error_mean_max_mm,
        worst=worst,
        worst_limit=limits.error_max_max_mm,
    )


def unsure(along_sd_mm: float, limits: RegistrationLimits) -> str | None:
    """Judge the place along the body; images that look alike at every height fix nothing."""
    if along_sd_mm <= limits.error_max_max_mm:
        return None
    return text("registration.unsure_along_body", limit=limits.error_max_max_mm)
