"""Reference muscle: the normal muscle every intensity is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.measurement import Measurement, measured, missing
from imaging.messages import text
from imaging.protocol import ReferenceMuscle
from imaging.segmentation.masks import Muscles
from imaging.volume import Mask, Volume

BoolArray = NDArray[np.bool_]


class Side(StrEnum):
    """The muscle that a reference was taken from."""

    LEFT = "left"
    RIGHT = "right"


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Normal muscle of one image.

    Parameters
    ----------
    side
        Ratios to the muscle of one side say nothing about ratios to that of the other.
    mask
        Voxels used, trimmed, on the grid of the image they were taken from.
    sampled
        Normal muscle of both sides, trimmed: more voxels to tell the noise from.
    median
        Median intensity of `mask`, arbitrary units.
    robust_sd
        1.4826 times the median absolute deviation there, same units.
    left_median, right_median
        Medians of REF1 (left rectus above and below the graft) and REF2 (right rectus,
        mirrored); missing with a reason when that side gave too few voxels.
    disagreement
        |left - right| / their mean; missing when a side is.
    """

    side: Side
    mask: Mask
    sampled: Mask
    median: float
    robust_sd: float
    left_median: Measurement
    right_median: Measurement
    disagreement: Measurement


@dataclass(frozen=True, slots=True)
class NoReference:
    """Why an image has no reference muscle, a sentence for the reader."""

    reason: str


def reference_muscle(
    volume: Volume, muscles: Muscles, graft: Mask | None, limits: ReferenceMuscle
) -> Reference | NoReference:
    """Sample normal rectus muscle beside the graft.

    REF1 is the left rectus from `near_mm` to `far_mm` above and below the graft, REF2 the right
    rectus, across the linea alba, at the graft's level. Each is eroded in plane and trimmed of
    its darkest and brightest percents. Without a graft both are the whole compartments.

    REF1 is the reference wherever it is large enough: it lies under the same coil elements as the
    graft, and on real images the right muscle may be twice as bright. REF2 tells whether both
    are normal and alike lit, and stands in for a left muscle that the graft fills.

    Parameters
    ----------
    volume
        The image; masks lie on its grid (see `imaging.resampling.carry` for the T1W-FS one).
    muscles, graft
        Rectus compartments, and the graft or None.
    limits
        The protocol's [reference_muscle] section.

    Returns
    -------
    Reference from the left side, or from the right where the left is too small; NoReference when
    both are, or when the muscle is black, so that no ratio to it exists.
    """
    left, right = _regions(muscles, graft, limits)
    sides = [_sample(volume, side, limits) for side in (left, right)]
    side, chosen = (Side.LEFT, sides[0]) if sides[0].any() else (Side.RIGHT, sides[1])
    used = Mask(chosen, volume.geometry)
    if used.is_empty:
        return NoReference(text("quality.reference_too_small", **_required(limits)))
    values = volume.array[used.array].astype(np.float64)
    median = float(np.median(values))
    if median <= 0:
        return NoReference(text("quality.reference_black"))
    left_median, right_median = (_side_median(volume, side, limits) for side in sides)
    return Reference(
        side=side,
        mask=used,
        sampled=Mask(sides[0] | sides[1], volume.geometry),
        median=median,
        robust_sd=float(1.4826 * np.median(np.abs(values - median))),
        left_median=left_median,
        right_median=right_median,
        disagreement=_disagreement(left_median, right_median),
    )


def _regions(
    muscles: Muscles, graft: Mask | None, limits: ReferenceMuscle
) -> tuple[BoolArray, BoolArray]:
    left, right = muscles.rectus_left.array, muscles.rectus_right.array
    if graft is None or graft.is_empty:
        return left, right
    geometry = graft.geometry
    i, j, k = np.indices(geometry.shape, dtype=np.float32, sparse=True)
    row = geometry.affine[2]
    z = row[0] * i + row[1] * j + row[2] * k + row[3]
    # A voxel reaches half a slice beyond its centre.
    half = geometry.spacing_mm[geometry.axis_toward(2)[0]] / 2
    low, high = z[graft.array].min() - half, z[graft.array].max() + half
    beyond = np.maximum(z - high, low - z)
    away = (beyond >= limits.near_mm) & (beyond <= limits.far_mm)
    level = (z >= low) & (z <= high)
    return left & away & ~graft.array, right & level & ~graft.array


def _sample(volume: Volume, region: BoolArray, limits: ReferenceMuscle) -> BoolArray:
    """Erode in plane and trim; nothing when fewer voxels are left than the protocol wants."""
    disk = ndimage.generate_binary_structure(2, 1)[:, :, None]
    eroded = np.asarray(
        ndimage.binary_erosion(region, disk, iterations=limits.erosion_pixels), dtype=np.bool_
    )
    if not eroded.any():
        return eroded
    low, high = np.percentile(
        volume.array[eroded], [limits.trim_low_percent, limits.trim_high_percent]
    )
    trimmed = eroded & (volume.array >= low) & (volume.array <= high)
    voxels = int(np.count_nonzero(trimmed))
    enough = voxels >= limits.voxels_min
    enough &= voxels * volume.geometry.voxel_volume_ml >= limits.volume_min_ml
    return np.asarray(trimmed if enough else np.zeros_like(trimmed))


def _side_median(volume: Volume, side: BoolArray, limits: ReferenceMuscle) -> Measurement:
    if not side.any():
        return missing(text("quality.reference_side_too_small", **_required(limits)))
    return measured(float(np.median(volume.array[side])))


def _required(limits: ReferenceMuscle) -> dict[str, float]:
    return {"voxels": limits.voxels_min, "volume": limits.volume_min_ml}


def _disagreement(left: Measurement, right: Measurement) -> Measurement:
    if left.value is None or right.value is None:
        return missing(left.reason or right.reason or "")
    mean = (left.value + right.value) / 2
    if mean <= 0:
        return missing(text("quality.reference_black"))
    return measured(abs(left.value - right.value) / mean)
