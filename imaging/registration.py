"""Registration: one rigid motion between two images, and how well it fits."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.transform import RigidTransform


@dataclass(frozen=True, slots=True, eq=False)
class Registration:
    """Result of registering `moving` to `fixed`.

    `moving_from_fixed` maps a point of the fixed image's patient space to the moving one's.
    When `success` is False, `reason` says why and the transform must not be used.
    """

    moving_from_fixed: RigidTransform
    success: bool
    similarity: float | None
    inverse_consistency_mm: float | None
    reason: str | None = None
