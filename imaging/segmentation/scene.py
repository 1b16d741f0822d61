"""Scene: the part of a visit in which the graft is looked for, cut out and expressed in muscle.

Arrays are axial [x, y, z] (Left, Posterior, Superior) on the box of both muscles and a rim.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray, Geometry
from imaging.segmentation.axial import axial_geometry, from_axial, to_axial
from imaging.segmentation.contrast import BoolArray, Contrast, contrast
from imaging.segmentation.masks import Muscles
from imaging.segmentation.seed import Stroke
from imaging.segmentation.vessels import vessels
from imaging.segmentation_limits import SegmentationLimits
from imaging.volume import Mask, Volume

_RIM_MM = 12.0
"""Room round the muscles, to see what a bright region goes on into."""

_DOUBT_MAX = 0.5
"""The bulge is at most doubled."""

_SEED_REACH_MM = 25.0
"""Half the width of a large graft: this near a seed nothing is taken for normal muscle."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the search needs.

    Parameters
    ----------
    t2, t1
        Ratio to muscle; t1 None without a T1W image (or without enough muscle on it).
    left, right
        Compartments. `allowed` is the left one with the bulge a graft may push out.
    prior
        The baseline's graft at this visit, None at baseline.
    muscle_confidence
        That the compartments are where they are said to be.
    """

    geometry: Geometry
    box: tuple[slice, slice, slice]
    t2: Contrast
    t1: Contrast | None
    left: BoolArray
    right: BoolArray
    allowed: BoolArray
    prior: BoolArray | None
    muscle_confidence: float
    limits: SegmentationLimits

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Distance between voxels to Left, Posterior and Superior."""
        return axial_geometry(self.geometry).spacing_mm

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel."""
        return self.geometry.voxel_volume_ml

    def whole(self, region: BoolArray) -> Mask:
        """Put a region of the scene back on the image's grid."""
        array = np.zeros(axial_geometry(self.geometry).shape, dtype=np.bool_)
        array[self.box] = region
        return Mask(from_axial(array, self.geometry), self.geometry)

    def marked(self, stroke_mm: Stroke) -> BoolArray:
        """Return the voxels of the scene that a stroke goes through."""
        return _marked(self.geometry, self.box, stroke_mm)


def scene(
    t2: Volume,
    t1: Volume | None,
    muscles: Muscles,
    prior: Mask | None,
    limits: SegmentationLimits,
    stroke_mm: Stroke = (),
) -> Scene | None:
    """Cut out the muscles of a visit; None when there is too little muscle to compare with.

    The earlier graft and the surroundings of a stroke take no part in the level of muscle.
    """
    geometry = t2.geometry
    left, right = (
        to_axial(side.array, geometry) for side in (muscles.rectus_left, muscles.rectus_right)
    )
    if not left.any():
        return None
    spacing = axial_geometry(geometry).spacing_mm
    box = _box(left | right, spacing)
    left, right = left[box], right[box]
    carried = None if prior is None or prior.is_empty else to_axial(prior.array, geometry)[box]
    near = np.zeros_like(left)
    if carried is not None:
        # Growth and a motion a little wrong must not lift the level of muscle.
        near = within(carried, limits.graft_prior_margin_mm, spacing)
    if stroke_mm:
        near = near | within(_marked(geometry, box, stroke_mm), _SEED_REACH_MM, spacing)
    image = _compared(t2, box, left, right, near, limits)
    if image is None:
        return None
    second = None if t1 is None else _compared(t1, box, left, right, near, limits)
    # Where a reader points, a muscle found with doubt may end farther out than it seems.
    doubt = max(muscles.confidence, _DOUBT_MAX) if stroke_mm else 1.0
    allowed = within_in_plane(left, limits.graft_bulge_mm / doubt, spacing) & ~right
    tubes = vessels(image.ratio, spacing, limits)
    left, allowed = left & ~tubes, allowed & ~tubes
    if second is not None:
        # Bowel, ascites and suppressed fat beyond the muscle are dark on T1W-FS.
        allowed &= left | (second.ratio > limits.graft_bulge_t1_ratio_min)
    return Scene(
        geometry, box, image, second, left, right, allowed, carried, muscles.confidence, limits
    )


def _marked(geometry: Geometry, box: tuple[slice, slice, slice], stroke_mm: Stroke) -> BoolArray:
    """Return the voxels of the box that a stroke goes through, end points included."""
    marked = np.zeros([part.stop - part.start for part in box], dtype=np.bool_)
    if not stroke_mm:
        return marked
    axial = axial_geometry(geometry)
    points = axial.to_index(np.array(stroke_mm))
    path = [points[:1]]
    for start, end in pairwise(points):
        steps = int(np.ceil(np.abs(end - start).max())) + 1
        path.append(np.linspace(start, end, steps))
    inside = np.rint(np.concatenate(path)).astype(int) - [part.start for part in box]
    x, y, z = np.clip(inside, 0, np.array(marked.shape) - 1).T
    marked[x, y, z] = True
    return marked


def _compared(
    image: Volume,
    box: tuple[slice, slice, slice],
    left: BoolArray,
    right: BoolArray,
    near: BoolArray,
    limits: SegmentationLimits,
) -> Contrast | None:
    spacing = axial_geometry(image.geometry).spacing_mm
    sigma = (limits.graft_smoothing_mm / spacing[0], limits.graft_smoothing_mm / spacing[1])
    array = to_axial(image.array, image.geometry)[box]
    inner = [ndimage.binary_erosion(side, np.ones((3, 3, 1))) for side in (left, right)]
    # A muscle cut short by the field of view may have nothing left beside the graft.
    return contrast(array, inner[0], inner[1], near, sigma) or contrast(
        array, inner[0], inner[1], np.zeros_like(near), sigma
    )


def _box(region: BoolArray, spacing_mm: tuple[float, float, float]) -> tuple[slice, slice, slice]:
    parts = []
    for axis, (size, step) in enumerate(zip(region.shape, spacing_mm, strict=True)):
        other = tuple(n for n in range(3) if n != axis)
        at = np.flatnonzero(region.any(axis=other))
        rim = int(np.ceil(_RIM_MM / step))
        parts.append(slice(max(int(at[0]) - rim, 0), min(int(at[-1]) + rim + 1, size)))
    return parts[0], parts[1], parts[2]


def depth_mm(region: BoolArray, spacing_mm: tuple[float, ...]) -> FloatArray:
    """In-plane distance of every voxel of `region` to the nearest one outside it."""
    out = np.zeros(region.shape)
    for k in np.flatnonzero(region.any(axis=(0, 1))):
        out[:, :, k] = ndimage.distance_transform_edt(region[:, :, k], sampling=spacing_mm[:2])
    return out


def within_in_plane(
    region: BoolArray, distance_mm: float, spacing_mm: tuple[float, ...]
) -> BoolArray:
    """Return `region` grown by `distance_mm` in each slice; slices without it stay empty."""
    seen = region.any(axis=(0, 1))
    grown = np.zeros_like(region)
    for k in np.flatnonzero(seen):
        away = ndimage.distance_transform_edt(~region[:, :, k], sampling=spacing_mm[:2])
        grown[:, :, k] = away <= distance_mm
    return grown


def within(region: BoolArray, distance_mm: float, spacing_mm: tuple[float, ...]) -> BoolArray:
    """Return `region` grown by `distance_mm` in all directions; empty stays empty."""
    if not region.any():
        return region
    away: NDArray[np.float64] = ndimage.distance_transform_edt(~region, sampling=spacing_mm)
    return np.asarray(away <= distance_mm)


def plates(region: BoolArray, width_min_mm: float, spacing_mm: tuple[float, ...]) -> BoolArray:
    """Return `region` without vessels: pieces of a slice narrower than `width_min_mm`.

    The tapering ends of a plate are narrow too; they stay, for they lie over a wide piece of the
    next slice, and a vessel runs beside it.
    """
    pieces: list[list[tuple[BoolArray, bool]]] = [
        _slice_pieces(region[:, :, k], width_min_mm, spacing_mm) for k in range(region.shape[2])
    ]
    kept = np.zeros_like(region)
    for k, each in enumerate(pieces):
        for piece, wide in each:
            if wide:
                kept[:, :, k] |= piece
    wide_only = kept.copy()
    for k, each in enumerate(pieces):
        beside: BoolArray = np.any(wide_only[:, :, max(k - 1, 0) : k + 2], axis=2)
        for piece, wide in each:
            if not wide and beside[piece].mean() >= 0.5:
                kept[:, :, k] |= piece
    return kept


def _slice_pieces(
    plane: BoolArray, width_min_mm: float, spacing_mm: tuple[float, ...]
) -> list[tuple[BoolArray, bool]]:
    labels, _ = ndimage.label(plane)
    found = []
    for n, part in enumerate(ndimage.find_objects(labels), start=1):
        sides = [(s.stop - s.start) * step for s, step in zip(part, spacing_mm, strict=False)]
        found.append((labels == n, max(sides) >= width_min_mm))
    return found
