"""Supporting images: what further T1W images of a visit say about fat in a region."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from imaging.errors import GeometryError
from imaging.geometry import FloatArray
from imaging.measurements.india_ink import shows_india_ink
from imaging.protocol import FatLimits
from imaging.volume import Volume

Voxels = tuple[NDArray[np.intp], ...]
"""Voxel indices as `numpy.nonzero` gives them."""


@dataclass(frozen=True, slots=True, eq=False)
class SupportingImages:
    """Further T1W images of the visit, resampled to the T1W-FS grid; any may be None.

    `t1w` is without fat suppression; `in_phase`, `opposed_phase`, `water` and `fat` are Dixon.
    """

    t1w: Volume | None = None
    in_phase: Volume | None = None
    opposed_phase: Volume | None = None
    water: Volume | None = None
    fat: Volume | None = None


def require_grid(supporting: SupportingImages, t1w_fs: Volume) -> None:
    """Raise GeometryError unless all supporting images lie on the T1W-FS grid."""
    for field in fields(supporting):
        image = getattr(supporting, field.name)
        if image is not None and not image.geometry.same_grid(t1w_fs.geometry):
            raise GeometryError(
                "supporting_grid",
                name=field.name,
                image=image.geometry.shape,
                grid=t1w_fs.geometry.shape,
            )


def shows_macroscopic_fat(
    supporting: SupportingImages, t1w_fs: Volume, region: Voxels, muscle: Voxels, limits: FatLimits
) -> bool:
    """Return whether a region is bright without fat suppression and loses that with it.

    Both against muscle.
    """
    if supporting.t1w is None:
        return False
    without, suppressed = (_ratio(v, region, muscle) for v in (supporting.t1w, t1w_fs))
    if without is None or suppressed is None or without <= limits.isointense_high:
        return False
    return 1 - suppressed / without >= limits.suppression_drop_min


def shows_fat_edge(supporting: SupportingImages, focus: Voxels, limits: FatLimits) -> bool:
    """Return whether a focus inside the graft has the India-ink edge of fat in water."""
    if supporting.in_phase is None or supporting.opposed_phase is None:
        return False
    return shows_india_ink(supporting.in_phase, supporting.opposed_phase, focus, limits)


def shows_microscopic_fat(
    supporting: SupportingImages, region: Voxels, muscle: Voxels, limits: FatLimits
) -> bool:
    """Return whether a region loses signal out of phase, or has more fat, than muscle."""
    loss = _phase_loss(supporting, region, muscle)
    rise = _fat_rise(supporting, region, muscle)
    return (loss is not None and loss > limits.opposed_phase_index_min) or (
        rise is not None and rise >= limits.fat_fraction_rise_min
    )


def _phase_loss(supporting: SupportingImages, region: Voxels, muscle: Voxels) -> float | None:
    """Return the in/opposed-phase index; dividing by muscle removes scale between the two."""
    if supporting.in_phase is None or supporting.opposed_phase is None:
        return None
    together = _ratio(supporting.in_phase, region, muscle)
    opposed = _ratio(supporting.opposed_phase, region, muscle)
    if not together or opposed is None:
        return None
    return 1 - opposed / together


def _fat_rise(supporting: SupportingImages, region: Voxels, muscle: Voxels) -> float | None:
    """Return the fat fraction above that of muscle."""
    if supporting.water is None or supporting.fat is None:
        return None
    ours, theirs = (_fat_fraction(supporting.water, supporting.fat, v) for v in (region, muscle))
    return None if ours is None or theirs is None else ours - theirs


def _ratio(volume: Volume, region: Voxels, muscle: Voxels) -> float | None:
    normal = _median(volume.array[muscle])
    return _median(volume.array[region]) / normal if normal > 0 else None


def _fat_fraction(water: Volume, fat: Volume, voxels: Voxels) -> float | None:
    both = _median(water.array[voxels] + fat.array[voxels])
    return _median(fat.array[voxels]) / both if both > 0 else None


def _median(values: NDArray[np.float32] | FloatArray) -> float:
    """Return the median, 0 of nothing."""
    return float(np.median(values)) if values.size else 0.0
