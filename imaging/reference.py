"""Reference muscle: the normal muscle every intensity is compared with."""

from __future__ import annotations

from dataclasses import dataclass

from imaging.measurement import Measurement
from imaging.volume import Mask


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Normal muscle of one image.

    Parameters
    ----------
    mask
        Voxels used, trimmed, on the grid of the image they were taken from.
    median
        Their median intensity, arbitrary units.
    robust_sd
        1.4826 times their median absolute deviation, same units.
    left_median, right_median
        Medians of REF1 (left rectus above and below the graft) and REF2 (right rectus,
        mirrored); missing with a reason when that side gave too few voxels.
    disagreement
        |left - right| / their mean; missing when a side is.
    """

    mask: Mask
    median: float
    robust_sd: float
    left_median: Measurement
    right_median: Measurement
    disagreement: Measurement
