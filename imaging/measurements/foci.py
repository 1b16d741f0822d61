"""Foci: connected bright or dark parts of a graft, kept apart from noise and from its rim."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt, find_objects
from scipy.ndimage import label as connected
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from imaging.geometry import FloatArray
from imaging.measurements.region import IN_PLANE, core, pixel_mm
from imaging.measurements.shape import mesh
from imaging.segmentation_limits import SegmentationLimits
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume

BoolArray = NDArray[np.bool_]
ALL_IN_PLANE = np.ones((3, 3, 1), dtype=bool)
ALL_AROUND = np.ones((3, 3, 3), dtype=bool)
ROUNDING_MM = 1e-6
_PLATEAU = 0.75
"""Quantile of a focus that is its height: above its blurred border, below a brighter core."""
_ROUNDS = 3


@dataclass(frozen=True, slots=True, eq=False)
class Focus:
    """One connected part (26 neighbours) of a graft.

    Parameters
    ----------
    volume_ml, surface_area_mm2
        Voxel volume; mesh area.
    diameter_mm
        Longest in plane: between two voxel centres of one slice, plus one pixel.
    centroid_mm
        (3,) LPS.
    ratio
        Median intensity over that of the reference muscle.
    at_rim
        It nowhere reaches deep into the graft, so partial volume may have made it.
    points_mm
        (n, 3) LPS, its voxel centres.
    tubular
        It runs on through the slices and is narrow in each: it may be a vessel.
    """

    volume_ml: float
    surface_area_mm2: float
    diameter_mm: float
    centroid_mm: FloatArray
    ratio: float
    at_rim: bool
    points_mm: FloatArray
    tubular: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether something else than tissue of the graft may have made it."""
        return self.at_rim or self.tubular


def find_foci(
    region: BoolArray,
    volume: Volume,
    graft: Mask,
    reference_median: float,
    *,
    pixels_min: int,
    rim_mm: float,
    level: float | None = None,
) -> tuple[Focus, ...]:
    """Return the foci of a region (bool, on the graft's grid, inside the graft), largest first.

    In each slice a focus is made of clusters (four neighbours) of at least `pixels_min`, so
    voxels lit by noise neither are foci nor join them. It needs a voxel off the graft's outermost
    pixel and is followed one pixel from there: a border one pixel wide is none. `rim_mm` is how
    deep it must reach not to be called `at_rim`; in a thin graft half its thickness is enough.
    A bright focus ends half way between the graft's `level` and its own upper quartile, which no
    brighter core of a few voxels moves; without a level it ends where the region does.
    """
    part = _clusters(_off_the_border(region, graft), pixels_min)
    labels, count = connected(part, ALL_AROUND)
    if not count:
        return ()
    depth = _depth_mm(graft)
    reach = min(rim_mm, float(np.median([d.max() for d in depth.transpose(2, 0, 1) if d.any()])))
    foci = []
    for number, side in enumerate(find_objects(labels), start=1):
        part = _above_half(labels[side] == number, volume.array[side], level)
        foci.append(_focus(part, side, volume, reference_median, depth, reach))
    return largest_first(foci)


def largest_first(foci: Iterable[Focus]) -> tuple[Focus, ...]:
    """Return foci by volume, then by place."""
    return tuple(sorted(foci, key=lambda focus: (-focus.volume_ml, *focus.centroid_mm)))


def is_tube(focus: Focus, axis: FloatArray, slice_mm: float, limits: SegmentationLimits) -> bool:
    """Return whether a focus is as long and as narrow as an epigastric vessel.

    `axis` is the unit vector through the slices, which lie `slice_mm` apart.
    """
    length_mm = float(np.ptp(focus.points_mm @ axis)) + slice_mm
    narrow = focus.diameter_mm < limits.graft_width_min_mm
    return narrow and length_mm >= limits.vessel_length_mm


def gap_mm(focus: Focus, earlier: Focus, earlier_from_focus: RigidTransform) -> float:
    """Return the distance between the closest voxel centres of two foci, in one space."""
    moved = earlier_from_focus @ focus.points_mm
    return float(cKDTree(earlier.points_mm).query(moved)[0].min())


def _off_the_border(region: BoolArray, graft: Mask) -> BoolArray:
    seeds = region & core(graft, 1).array
    return np.asarray(binary_dilation(seeds, ALL_IN_PLANE) & region)


def _clusters(region: BoolArray, pixels_min: int) -> BoolArray:
    labels, _ = connected(region, IN_PLANE)
    large = np.bincount(labels.ravel()) >= pixels_min
    large[0] = False
    return np.asarray(large[labels])


def _above_half(component: BoolArray, values: FloatArray, level: float | None) -> BoolArray:
    if level is None:
        return component
    part = component
    for _ in range(_ROUNDS):  # each takes border away that had lowered the plateau
        height = float(np.quantile(values[part], _PLATEAU))
        part = component & (values > (level + height) / 2)
    return np.asarray(part)


def _depth_mm(graft: Mask) -> FloatArray:
    """Return the in-plane distance of every voxel of the graft from its border, 0 outside."""
    depth = np.zeros(graft.geometry.shape)
    padded = np.pad(graft.array, ((1, 1), (1, 1), (0, 0)))
    for k in range(depth.shape[2]):
        inside = distance_transform_edt(padded[:, :, k], graft.geometry.spacing_mm[:2])
        depth[:, :, k] = inside[1:-1, 1:-1]
    return np.where(graft.array, depth - pixel_mm(graft.geometry) / 2, 0.0)


def _focus(
    component: BoolArray,
    side: tuple[slice, slice, slice],
    volume: Volume,
    reference_median: float,
    depth: FloatArray,
    reach: float,
) -> Focus:
    mask = Mask(component, volume.geometry.crop(side))
    points = mask.points_mm
    return Focus(
        volume_ml=mask.voxel_volume_ml,
        surface_area_mm2=mesh(mask).area_mm2,
        diameter_mm=_in_plane_diameter(mask),
        centroid_mm=points.mean(axis=0),
        ratio=float(np.median(volume.array[side][component]) / reference_median),
        at_rim=bool(depth[side][component].max() < reach - ROUNDING_MM),
        points_mm=points,
    )


def _in_plane_diameter(mask: Mask) -> float:
    longest = 0.0
    for k in range(mask.geometry.shape[2]):
        index = np.argwhere(mask.array[:, :, k])
        if len(index) > 1:
            points = mask.geometry.to_world(np.column_stack([index, np.zeros(len(index))]))
            longest = max(longest, float(pdist(_outline(points, mask.array[:, :, k])).max()))
    return longest + pixel_mm(mask.geometry)


def _outline(points: FloatArray, plane: BoolArray) -> FloatArray:
    """Points on the border of a plane: the farthest two are among them."""
    border = plane & ~binary_erosion(plane)
    return np.asarray(points[border[plane]], dtype=np.float64)
