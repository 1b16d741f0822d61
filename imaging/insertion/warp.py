"""Warp: where the tissue of a voxel comes from, and where tissue is seen.

    voxel of the visit → rigid motion undone → bend undone → tissue closed where the graft opened
    it → background image

All places but LPS ones are (u, v, w): the image's own axes in mm, see `sheet`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.insertion.background import Background
from imaging.insertion.motion import Motion
from imaging.insertion.plate import Laid
from imaging.insertion.sheet import Points

_FADE_MM = 18.0
"""Distance over which the displacement by the graft fades, at least."""
_ROUNDS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Warp:
    """One visit's way back to the background image; `laid` is None without a graft."""

    scene: Background
    motion: Motion
    laid: Laid | None

    def body_mm(self, index: Points) -> Points:
        """(..., 3): places in the body of voxels of the visit."""
        grid, spacing = self.scene.axial, np.asarray(self.scene.axial.spacing_mm)
        if self.motion.is_still:
            return np.asarray(index * spacing.astype(index.dtype))
        body_from_index = (
            np.diag([*spacing, 1.0])
            @ np.linalg.inv(grid.affine)
            @ self.motion.visit_from_body.inverse.matrix
            @ grid.affine
        ).astype(index.dtype)
        return np.asarray(index @ body_from_index[:3, :3].T + body_from_index[:3, 3])

    def source_mm(self, body: Points) -> Points:
        """(..., 3): where in the background the tissue now at places of the body comes from."""
        source = body
        if not self.motion.is_still:
            loose = self.looseness(body)
            source = body + self.motion.bend_mm(body)
            far = loose > 0
            source[far] += loose[far][..., None] * self.motion.bowel_mm(body[far])
        return source if self.laid is None else _closed(source, body, self.laid)

    def looseness(self, body: Points) -> Points:
        """(...,): how freely places move, 0 to 1."""
        return sampled(self.scene.looseness, body, self.scene)

    def seen_mm(self, tissue: Points) -> FloatArray:
        """(n, 3): LPS places in the visit of tissue given by its place in the background."""
        target = np.asarray(tissue, dtype=np.float64)
        at = target.copy()
        for _ in range(_ROUNDS):
            at = at + target - self.source_mm(at)
        grid = self.scene.axial
        return self.motion.visit_from_body @ grid.to_world(at / np.array(grid.spacing_mm))


def _closed(source: Points, body: Points, laid: Laid) -> Points:
    """Undo the opening: what the graft pushed away, along v, goes back to the middle surface."""
    opening = laid.sheet.at(laid.opening_mm, body[..., 0], body[..., 2])
    near = opening > 1e-3
    if not near.any():
        return source
    at, half = body[near], opening[near] / 2
    _, forward, _ = laid.local(at[..., 0], at[..., 1], at[..., 2])
    beyond = np.clip(np.abs(forward) - half, 0, None)
    fade = np.exp(-((beyond / np.maximum(_FADE_MM, 1.5 * half)) ** 2))
    pushed = np.minimum(laid.plate.displaced * half, np.abs(forward)) * fade
    closed = source.copy()
    # Forward is −v: tissue in front of the graft comes from farther back.
    closed[near, 1] += (np.sign(forward) * pushed).astype(source.dtype)
    return closed


def sampled(values: Points, at_mm: Points, scene: Background, order: int = 1) -> Points:
    """Return an axial array's values at places; beyond its edge that is carried on."""
    where = np.moveaxis(at_mm / np.array(scene.axial.spacing_mm, dtype=at_mm.dtype), -1, 0)
    return np.asarray(
        ndimage.map_coordinates(values, where, order=order, mode="nearest", output=at_mm.dtype)
    )
