"""ANTs: `ants.registration` with its own presets, by antspyx; the seed is given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ants
import numpy as np
import pandas as pd

from benchmarks.contenders import Task


def register(folder: Path, region: str, preset: str) -> Task:
    """A rigid preset."""
    return _registration(folder, region, preset)


def deform(folder: Path, region: str, preset: str) -> Task:
    """A preset that deforms."""
    return _registration(folder, region, preset)


def _registration(folder: Path, region: str, preset: str) -> Task:
    suffix = "" if region == "whole" else "_cut"
    fixed, moving = (ants.image_read(str(folder / f"{n}{suffix}.nii")) for n in ("fixed", "moving"))
    masks = {}
    if region != "whole":
        masks = {"mask": ants.image_read(str(folder / "mask_cut.nii")), "mask_all_stages": True}

    def work() -> Any:
        return ants.registration(
            fixed, moving, preset, initial_transform="Identity", random_seed=1, **masks
        )

    def told(found: Any) -> Any:
        points = pd.DataFrame(np.load(folder / "landmarks.npy"), columns=["x", "y", "z"])
        moved = ants.apply_transforms_to_points(3, points, found["fwdtransforms"])
        return moved.to_numpy().tolist()

    return work, told
