"""surface-distance: distances between surface elements, weighted by their areas."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from surface_distance import metrics

from benchmarks.contenders import Task


def surface_distances(folder: Path) -> Task:
    """Dice; the larger 95th percentile; the mean of both directions, by area."""
    images = [nib.load(folder / f"{name}.nii") for name in ("one", "other")]
    one, other = (np.asarray(image.dataobj) > 0 for image in images)
    spacing = [float(mm) for mm in images[0].header.get_zooms()]

    def work() -> dict[str, float]:
        found = metrics.compute_surface_distances(one, other, spacing_mm=spacing)
        forth, back = metrics.compute_average_surface_distance(found)
        total = found["surfel_areas_gt"].sum(), found["surfel_areas_pred"].sum()
        return {
            "dice": float(metrics.compute_dice_coefficient(one, other)),
            "hausdorff95": float(metrics.compute_robust_hausdorff(found, 95)),
            "mean": float((forth * total[0] + back * total[1]) / sum(total)),
        }

    return work, lambda values: values
