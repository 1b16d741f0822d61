"""Rows of the validation bench, made by hand."""

from imaging.quality import ENDPOINTS
from surveillance.validation.case import DEVELOPMENT
from surveillance.validation.row import Answer, Quantity, Row
from surveillance.validation.run import AUTOMATIC

F, A, IND = "favorable", "adverse", "indeterminate"


def row(dice=0.9, true=10.0, said=10.0, ci95=(8.0, 12.0), answers=(IND, IND), **given):
    """A visit of a graft; `answers` are the demanded and the given one, of every endpoint."""
    volume = Quantity(true, said, ci95)
    nothing = Quantity(None)
    values = {
        "case": "c", "kind": "real", "split": DEVELOPMENT, "course": "stays",
        "variant": AUTOMATIC, "visit": "M3", "pixel_mm": 1.2, "slice_mm": 5.0,
        "graft_true": True, "graft_said": said is not None, "confidence": 0.7, "sure": True,
        "muscle_confidence": 0.9, "dice": dice, "volume_ml": volume, "subvoxel_volume_ml": volume,
        "volume_change_percent": nothing, "centroid_error_mm": 1.0, "t2_ratio": nothing,
        "t1_ratio": nothing, "rectus_dice": (0.9, 0.8), "sides_swapped": False,
        "registered": True, "landmark_mean_mm": 1.0, "landmark_max_mm": 2.0,
        "answers": {endpoint: Answer(*answers, gates_passed=True) for endpoint in ENDPOINTS},
    }  # fmt: skip
    return Row(**(values | given))
