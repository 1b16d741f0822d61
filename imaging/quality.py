"""Quality: what an acquisition is worth, measured on its pixels; `gates` judges the numbers."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray, Geometry
from imaging.measurement import Measurement, measured, missing
from imaging.measurements.region import bounding_box
from imaging.messages import text
from imaging.protocol import QualityLimits
from imaging.reference import Reference
from imaging.segmentation.masks import Muscles
from imaging.transform import RigidTransform
from imaging.volume import Mask, Volume

MORPHOLOGY = "morphological_stability"
SIGNAL = "signal_characteristics"
FAT = "fat_absence"
ENDPOINTS = (MORPHOLOGY, SIGNAL, FAT)
"""The endpoints by their names in the output contract."""

_RAYLEIGH_MEDIAN = float(np.sqrt(2 * np.log(2)))
_RAYLEIGH_QUARTILES = float(np.sqrt(2 * np.log(4)) / np.sqrt(2 * np.log(4 / 3)))
_AIR_MIN_VOXELS = 1000
_AIR_DISTANCE_MM = 15.0
_AIR_STEP_MM = 4.0


class Severity(StrEnum):
    """How much an entry matters: an error makes the endpoints it concerns indeterminate."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class QualityEntry:
    """One check: its stable code, what was measured, and the protocol key that set the limit."""

    code: str
    severity: Severity
    message: str
    value: float | None = None
    threshold: float | None = None
    protocol_key: str | None = None
    endpoints: tuple[str, ...] = ()
    """Endpoints that an error makes indeterminate, by their names in the output contract."""


def signal_to_noise(whole: Volume, body: Mask, near: Volume, reference: Reference) -> Measurement:
    """Median of normal muscle, of both sides, over the standard deviation of the noise.

    `body` lies on the grid of the whole image, the reference on that of `near`, cut from it.
    Noise comes from the air round the body where it is there and looks like noise: magnitudes of
    pure noise follow the Rayleigh distribution (Gudbjartsson 1995), whose median is 1.18 and
    whose quartiles stand 1 to 2.19. Air that a scanner set to zero, smoothed, or filled with
    ghosts does not; then noise is taken from differences inside the muscle, which also count
    its texture, so that SNR comes out too low rather than too high.

    Missing when neither air nor muscle gives a noise level.
    """
    muscle = reference.sampled
    noise = _air_noise(whole, body) or _muscle_noise(near, muscle)
    if not noise:
        return missing(text("quality.snr_unknown"))
    return measured(float(np.median(near.array[muscle.array])) / noise)


def _air_noise(volume: Volume, body: Mask) -> float | None:
    if body.is_empty:
        return None
    # Every few voxels are enough: there is much air, and it only has to be far from the body.
    steps = [max(1, int(_AIR_STEP_MM / mm)) for mm in volume.geometry.spacing_mm]
    every = tuple(slice(None, None, step) for step in steps)
    spacing = [step * mm for step, mm in zip(steps, volume.geometry.spacing_mm, strict=True)]
    distance = ndimage.distance_transform_edt(~body.array[every], spacing)
    air = volume.array[every][distance > _AIR_DISTANCE_MM].astype(np.float64)
    air = air[air > 0]
    if air.size < _AIR_MIN_VOXELS:
        return None
    lower, middle, upper = np.percentile(air, [25, 50, 75])
    # Ghosts stretch the upper quartile, filters and few grey levels squeeze both together.
    if lower <= 0 or not 0.8 <= (upper / lower) / _RAYLEIGH_QUARTILES <= 1.25:
        return None
    return float(middle / _RAYLEIGH_MEDIAN)


def _muscle_noise(volume: Volume, muscle: Mask) -> float | None:
    """Robust SD of second differences two voxels apart, left to right.

    Two apart, because images interpolated to twice their matrix have correlated neighbours;
    second differences, because coil shading is a slope. They have 6 times the variance of noise.
    """
    axis, _ = volume.geometry.axis_toward(0)
    image = np.moveaxis(volume.array.astype(np.float64), axis, 0)
    inside = np.moveaxis(muscle.array, axis, 0)
    whole = inside[:-4] & inside[2:-2] & inside[4:]
    difference = (image[:-4] - 2 * image[2:-2] + image[4:])[whole]
    if difference.size == 0:
        return None
    return float(1.4826 * np.median(np.abs(difference)) / np.sqrt(6.0)) or None


def fat_suppression_ratio(
    volume: Volume, muscles: Muscles, near: Mask, reference: Reference, limits: QualityLimits
) -> Measurement:
    """ε: median of subcutaneous fat near the graft over the median of reference muscle.

    Fat is what lies in front of the rectus muscles, `fat_gap_mm` away from them, inside the
    skin (`skin_mm`) and within `fat_ring_mm` of `near` (the graft, or the left rectus when there
    is none). 0 is perfect suppression, 1 fat as bright as muscle.

    Missing when fewer than `fat_voxels_min` such voxels exist (a very lean patient).
    """
    fat = subcutaneous_fat(muscles, near, limits)
    if np.count_nonzero(fat) < limits.fat_voxels_min:
        return missing(text("quality.fat_too_little", voxels=limits.fat_voxels_min))
    return measured(float(np.median(volume.array[fat])) / reference.median)


def subcutaneous_fat(muscles: Muscles, near: Mask, limits: QualityLimits) -> NDArray[np.bool_]:
    """Return the fat between skin and rectus close to `near`, on the masks' grid."""
    fat = np.zeros(near.geometry.shape, dtype=np.bool_)
    if near.is_empty:
        return fat
    spacing = near.geometry.spacing_mm
    i, j, k = (int(np.ceil(limits.fat_ring_mm / mm)) for mm in spacing)
    box = bounding_box(near, (i, j, k))
    inside = _deeper(muscles.body.array[box], limits.skin_mm, spacing)
    muscle = (muscles.rectus_left.array | muscles.rectus_right.array)[box]
    ring = ndimage.distance_transform_edt(~near.array[box], spacing) <= limits.fat_ring_mm
    fat[box] = inside & ring & _in_front(muscle, near.geometry, limits.fat_gap_mm)
    return fat


def _deeper(
    body: NDArray[np.bool_], depth_mm: float, spacing_mm: tuple[float, float, float]
) -> NDArray[np.bool_]:
    """Return what lies deeper in the body than `depth_mm`; all of it where no skin is seen."""
    if body.all():
        return body
    return np.asarray(ndimage.distance_transform_edt(body, spacing_mm) > depth_mm)


def _in_front(muscle: NDArray[np.bool_], geometry: Geometry, gap_mm: float) -> NDArray[np.bool_]:
    """Voxels farther to the front than the muscle of their column, by a gap."""
    axis, backward = geometry.axis_toward(1)
    columns = np.moveaxis(muscle, axis, 0)[::backward]
    gap = int(np.ceil(gap_mm / geometry.spacing_mm[axis]))
    first = np.where(columns.any(axis=0), columns.argmax(axis=0), -1) - gap
    row = np.arange(columns.shape[0]).reshape(-1, 1, 1)
    return np.asarray(np.moveaxis((row < first)[::backward], 0, axis))


def clipped_fraction(volume: Volume, region: Mask, brightest: float) -> float:
    """Share of `region` that has exactly the brightest value of the whole image, 0 when empty.

    Noise never repeats the maximum; a converter that ran out of range does.
    """
    clipped = volume.array[region.array] == brightest
    return float(np.count_nonzero(clipped) / max(region.voxels, 1))


def margins_mm(
    points_mm: FloatArray, onto: Geometry, onto_from_points: RigidTransform
) -> FloatArray:
    """(3, 2): image left beyond the points at the low and high end of each voxel axis.

    Measured between voxel centres; negative where points lie outside. There must be points.
    """
    index = onto.to_index(onto_from_points @ points_mm)
    low = index.min(axis=0)
    high = np.array(onto.shape) - 1 - index.max(axis=0)
    return np.asarray(np.stack([low, high], axis=1) * np.array(onto.spacing_mm)[:, None])
