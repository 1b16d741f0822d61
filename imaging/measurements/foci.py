"""Foci: connected bright or dark parts of a graft, kept apart from noise and from its rim."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt, find_objects
from scipy.ndimage import label as connected
from scipy.spatial import cKDTree
from scipy.spatial.distance import pdist

from imaging.geometry import FloatArray
from imaging.measurements.shape import bounding_box, mesh, pixel_mm
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume

BoolArray = NDArray[np.bool_]
IN_PLANE = np.array([[[0], [1], [0]], [[1], [1], [1]], [[0], [1], [0]]], dtype=bool)
IN_PLANE_FULL = np.ones((3, 3, 1), dtype=bool)
ALL_AROUND = np.ones((3, 3, 3), dtype=bool)


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
    """

    volume_ml: float
    surface_area_mm2: float
    diameter_mm: float
    centroid_mm: FloatArray
    ratio: float
    at_rim: bool
    points_mm: FloatArray


def core(graft: Mask, pixels: int) -> Mask:
    """Return the graft without its outer `pixels` in plane, where tissue mixes with neighbours.

    A graft too thin to have a core is its own core.
    """
    if graft.is_empty:
        return graft
    box = bounding_box(graft, pixels)
    padded = np.pad(graft.array[box], ((1, 1), (1, 1), (0, 0)))
    eroded = binary_erosion(padded, IN_PLANE, iterations=pixels)[1:-1, 1:-1]
    if not eroded.any():
        return graft
    whole = np.zeros(graft.geometry.shape, dtype=bool)
    whole[box] = eroded
    return Mask(whole, graft.geometry)


def find_foci(
    region: BoolArray, volume: Volume, graft: Mask, reference_median: float, rim_mm: float
) -> tuple[Focus, ...]:
    """Return the foci of a region (bool, the graft's grid, inside the graft), largest first.

    A focus needs at least one voxel off the graft's outermost pixel and is followed one pixel
    from there, so a bright or dark border one pixel wide is none. `rim_mm` is how deep a focus
    must reach not to be called `at_rim`; in a thin graft its half thickness is enough.
    """
    if graft.is_empty or not region.any():
        return ()
    box = bounding_box(graft)
    part = _off_the_border(region[box], graft.array[box])
    labels, count = connected(part, ALL_AROUND)
    depth = _depth_mm(graft.array[box], pixel_mm(graft.geometry))
    reach = min(rim_mm, float(np.median([d.max() for d in depth.transpose(2, 0, 1) if d.any()])))
    small = Volume(volume.array[box], graft.geometry.crop(box))
    foci = [
        _focus(labels == number, side, small, reference_median, depth, reach)
        for number, side in zip(range(1, count + 1), find_objects(labels), strict=True)
    ]
    return tuple(sorted(foci, key=lambda focus: (-focus.volume_ml, *focus.centroid_mm)))


def pixels_in_plane(focus: Focus, volume: Volume) -> int:
    """Return the number of voxels of a focus in the slice that holds most of them."""
    slices = np.rint(volume.geometry.to_index(focus.points_mm)[:, 2]).astype(np.int64)
    return int(np.bincount(slices).max())


def gap_mm(focus: Focus, earlier: Focus, earlier_from_focus: RigidTransform) -> float:
    """Return the distance between the closest voxel centres of two foci, in one space."""
    moved = earlier_from_focus @ focus.points_mm
    return float(cKDTree(earlier.points_mm).query(moved)[0].min())


def _off_the_border(region: BoolArray, graft: BoolArray) -> BoolArray:
    padded = np.pad(graft, ((1, 1), (1, 1), (0, 0)))
    inner = binary_erosion(padded, IN_PLANE)[1:-1, 1:-1]
    seeds = region & (inner if inner.any() else graft)
    return np.asarray(binary_dilation(seeds, IN_PLANE_FULL) & region)


def _depth_mm(graft: BoolArray, pixel: float) -> FloatArray:
    """In-plane distance of every voxel of the graft from its border, 0 outside."""
    depth = np.zeros(graft.shape)
    padded = np.pad(graft, ((1, 1), (1, 1), (0, 0)))
    for k in range(graft.shape[2]):
        inside = distance_transform_edt(padded[:, :, k])[1:-1, 1:-1]
        depth[:, :, k] = np.where(graft[:, :, k], (inside - 0.5) * pixel, 0.0)
    return depth


def _focus(
    component: BoolArray,
    side: tuple[slice, slice, slice],
    volume: Volume,
    reference_median: float,
    depth: FloatArray,
    reach: float,
) -> Focus:
    cut = component[side]
    mask = Mask(cut, volume.geometry.crop(side))
    points = mask.points_mm
    return Focus(
        volume_ml=mask.voxel_volume_ml,
        surface_area_mm2=mesh(mask).area_mm2,
        diameter_mm=_in_plane_diameter(mask),
        centroid_mm=points.mean(axis=0),
        ratio=float(np.median(volume.array[side][cut]) / reference_median),
        at_rim=bool(depth[side][cut].max() < reach - 1e-9),
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
