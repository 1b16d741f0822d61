"""Outline: from a few voxels surely inside a graft to its boundary at half maximum.

The graft's plateau is the median of its deepest voxels, muscle is 1, and what lies beyond the
muscle keeps its own level. A voxel's share f of the way from background to plateau is read on
T2W-FS, and where that contrast is weak on T1W-FS too, each weighted by its separation squared
(Fisher's discriminant). The boundary is f = 0.5.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.segmentation import watershed

from imaging.segmentation.contrast import BoolArray, Contrast
from imaging.segmentation.scene import Scene, depth_mm, plates, within_in_plane

_ROUNDS = 4
_RIDGE = 0.6
"""Share of the local half thickness beyond which a voxel shows the plateau, not the edge."""

_RING_MM = (1.5, 5.0)
"""Where the background is taken, past the blur of the boundary."""

_CONNECTED = ndimage.generate_binary_structure(3, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Outline:
    """A region, and how sharply it was cut.

    Parameters
    ----------
    plateau
        Ratio to muscle of the graft on T2W-FS.
    contrast_to_noise
        Separation of graft and muscle in spreads of normal muscle.
    spread
        (volume at 40 % - volume at 60 %) / volume at 50 %.
    leak
        Share of the surface beyond which the image is still as bright as the graft.
    share
        f of every voxel, for whoever wants the boundary below the voxel.
    """

    region: BoolArray
    plateau: float
    contrast_to_noise: float
    spread: float
    leak: float
    share: NDArray[np.float32]


def outline(place: Scene, core: BoolArray, images: tuple[Contrast, ...]) -> Outline | None:
    """Grow `core` to the half maximum; None when nothing stands out there."""
    region, share, noise = core, np.zeros(core.shape, np.float32), 1.0
    for _ in range(_ROUNDS):
        share, noise = _share(place, region, images)
        grown = _own(place, share, region)
        if not grown.any():
            return None
        settled = bool(np.array_equal(grown, region))
        region = grown
        if settled:
            break
    plateau = float(np.median(place.t2.ratio[ridge(region, place.spacing_mm)]))
    spread = (_volume(share, region, 0.4) - _volume(share, region, 0.6)) / region.sum()
    leak = _leak(share, region)
    return Outline(region, plateau, 1.0 / noise, float(spread), leak, share)


def ridge(region: BoolArray, spacing_mm: tuple[float, ...]) -> BoolArray:
    """Return the deepest voxels of a region, in slices that cut it at half its widest or more."""
    depth = depth_mm(region, spacing_mm)
    size = tuple(int(2 * np.ceil(8.0 / step) + 1) for step in spacing_mm[:2])
    deep = depth >= _RIDGE * ndimage.maximum_filter(depth, (*size, 1))
    area = region.sum(axis=(0, 1))
    return np.asarray(region & deep & (area >= 0.5 * area.max()))


def separation(image: Contrast, core: BoolArray) -> float:
    """Return (graft - muscle) / spread of muscle, signed."""
    return float((np.median(image.ratio[core]) - 1.0) / max(image.sd, 1e-3))


def _share(
    place: Scene, region: BoolArray, images: tuple[Contrast, ...]
) -> tuple[NDArray[np.float32], float]:
    """Return f of every voxel, and its spread in normal muscle."""
    core = ridge(region, place.spacing_mm)
    around = _ring(place, region)
    total, weights, variance = np.zeros(region.shape, np.float32), 0.0, 0.0
    for image in images:
        apart = separation(image, core)
        if abs(apart) < 0.5:
            continue
        plateau = float(np.median(image.ratio[core]))
        ground = _ground(place, image, around, plateau)
        total += np.float32(apart**2) * (image.ratio - ground) / (plateau - ground)
        weights += apart**2
        variance += apart**2
    if weights == 0.0:
        return total, float("inf")
    return np.asarray(total / np.float32(weights)), float(np.sqrt(variance) / weights)


def _ring(place: Scene, region: BoolArray) -> BoolArray:
    near, far = (within_in_plane(region, d, place.spacing_mm) for d in _RING_MM)
    return far & ~near


def _ground(
    place: Scene, image: Contrast, around: BoolArray, plateau: float
) -> NDArray[np.float32]:
    """Return the background's ratio: muscle, or darker where the graft borders on fat or fascia.

    Never so dark that half maximum would sink into the spread of muscle.
    """
    if plateau < 1.0:
        return np.ones(image.ratio.shape, np.float32)
    sigma = tuple(3.0 / step for step in place.spacing_mm[:2])
    weight = ndimage.gaussian_filter(around.astype(np.float32), (*sigma, 0))
    level = ndimage.gaussian_filter(np.where(around, image.ratio, 0), (*sigma, 0))
    local = np.where(weight > 1e-3, level / np.maximum(weight, 1e-3), 1.0)
    floor = min(2.0 * (1.0 + 2.5 * image.sd) - plateau, 1.0)
    return np.asarray(np.clip(local, max(floor, 0.0), 1.0), dtype=np.float32)


def _own(place: Scene, share: NDArray[np.float32], core: BoolArray) -> BoolArray:
    """Return what is at half maximum and belongs to `core` rather than to something outside.

    Bowel, vessels and fat outside the compartment are bright too; where they touch, the darkest
    valley between divides (watershed, Meyer 1994).
    """
    bright = share > 0.5
    outside = bright & ~place.allowed
    inside = core & bright & place.allowed
    if not inside.any():
        return inside
    if outside.any():
        markers = outside.astype(np.int32) * 2 + inside
        labels = watershed(-np.minimum(share, 1.0), markers, mask=bright)
        bright = labels == 1
    own = plates(bright & place.allowed, place.limits.graft_width_min_mm, place.spacing_mm)
    labels, _ = ndimage.label(own, _CONNECTED)
    mine = np.unique(labels[inside])
    region = np.isin(labels, mine[mine > 0])
    return holes_filled(region)


def holes_filled(region: BoolArray) -> BoolArray:
    """Return `region` with what it encloses in each slice."""
    filled = region.copy()
    for k in np.flatnonzero(region.any(axis=(0, 1))):
        filled[:, :, k] = ndimage.binary_fill_holes(region[:, :, k])
    return filled


def _volume(share: NDArray[np.float32], region: BoolArray, level: float) -> int:
    near = ndimage.binary_dilation(region, np.ones((3, 3, 3)))
    return int(np.count_nonzero(near & (share > level)))


def _leak(share: NDArray[np.float32], region: BoolArray) -> float:
    """Share of the in-plane surface voxels that have a bright neighbour not of the region."""
    cross = np.zeros((3, 3, 1), dtype=np.bool_)
    cross[1, :, 0] = cross[:, 1, 0] = True
    surface = region & ~ndimage.binary_erosion(region, cross)
    beyond = (share > 0.5) & ~region
    open_side = surface & ndimage.binary_dilation(beyond, cross)
    return float(open_side.sum() / max(surface.sum(), 1))
