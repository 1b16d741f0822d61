"""This program, by the functions that an assessment calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from benchmarks.contenders import Task, voxels
from imaging.deformation import WallImage, deform_wall
from imaging.interop import array_of, geometry_of
from imaging.loaders import find_series
from imaging.measurements.distance import Overlap, compare
from imaging.measurements.shape import Shape, measure_shape
from imaging.measurements.signal import Spread, describe
from imaging.positioning import between_visits, trunk_shell
from imaging.protocol import load_protocol
from imaging.registration import Registration, register_rigid
from imaging.segmentation.body import body_mask
from imaging.transform import Transform, identity
from imaging.volume import Mask, Volume

_PROTOCOL = load_protocol()


def read_series(folder: Path) -> Task:
    """Files to a checked float32 volume in patient space."""

    def work() -> Volume:
        return find_series([folder], _PROTOCOL).series[0].load()

    return work, lambda volume: voxels(volume.array, volume.geometry.spacing_mm)


def measure_mask(folder: Path) -> Task:
    """Shape with its intervals, and the spread of the intensities inside."""
    image, mask = _volume(folder / "image.nii"), _mask(folder / "mask.nii")

    def work() -> tuple[Shape, Spread]:
        inside = image.array[mask.array].astype(np.float64)
        return measure_shape(mask, _PROTOCOL.morphology), describe(inside)

    def told(measured: tuple[Shape, Spread]) -> dict[str, Any]:
        shape, spread = measured
        return {
            "mesh volume": 1000 * (shape.volume_ml.value or 0),
            "voxel volume": 1000 * (shape.voxel_volume_ml.value or 0),
            "surface area": shape.surface_area_mm2.value,
            "maximum diameter": shape.max_diameter_mm.value,
            "sphericity": shape.sphericity.value,
            "elongation": shape.elongation.value,
            "flatness": shape.flatness.value,
            "median": spread.median,
            "coefficient of variation": spread.coefficient_of_variation.value,
        }

    return work, told


def surface_distances(folder: Path) -> Task:
    """Dice and surface distances of two masks of one patient space."""
    one, other = _mask(folder / "one.nii"), _mask(folder / "other.nii")

    def told(found: Overlap) -> dict[str, float]:
        return {
            "dice": found.dice,
            "hausdorff95": found.hausdorff95_mm,
            "mean": found.mean_surface_distance_mm,
        }

    return lambda: compare(one, other, identity(), align=False), told


def register(folder: Path) -> Task:
    """Bodies, the coarse motion, and the fine one both ways."""
    fixed, moving, wall = (_volume(folder / "fixed.nii"), _volume(folder / "moving.nii"),
                           _mask(folder / "fixed_wall.nii"))  # fmt: skip
    return lambda: _registered(fixed, moving, wall).moving_from_fixed, _at_landmarks(folder)


def deform(folder: Path) -> Task:
    """The wall's deformation beyond the headers' positions, found both ways and checked."""
    fixed, moving = (
        WallImage(*(read(folder / f"{name}{what}.nii") for read, what in _WALL))
        for name in ("fixed", "moving")
    )

    def work() -> Transform:
        found = deform_wall(fixed, moving, identity(), _PROTOCOL)
        if found.visit_from_baseline is None:
            raise RuntimeError(found.log_jacobian.reason)
        return found.visit_from_baseline

    return work, _at_landmarks(folder)


def _registered(fixed: Volume, moving: Volume, wall: Mask) -> Registration:
    bodies = body_mask(fixed), body_mask(moving)
    placement = between_visits(fixed, bodies[0], moving, bodies[1])
    shells = trunk_shell(bodies[0]), trunk_shell(bodies[1])
    limits = _PROTOCOL.registration
    found = register_rigid(
        fixed, moving, wall, limits, start=placement.moving_from_fixed, trunk=shells
    )
    if not found.success:
        raise RuntimeError(found.reason)
    return found


def _at_landmarks(folder: Path) -> Any:
    landmarks = np.load(folder / "landmarks.npy")
    return lambda transform: (transform @ landmarks).tolist()


def _volume(path: Path) -> Volume:
    image = sitk.ReadImage(str(path))
    return Volume(array_of(image).astype(np.float32), geometry_of(image))


def _mask(path: Path) -> Mask:
    image = sitk.ReadImage(str(path))
    return Mask(array_of(image) > 0, geometry_of(image))


_WALL = ((_volume, ""), (_mask, "_wall"), (_mask, "_graft"))
