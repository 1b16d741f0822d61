"""SimpleITK: GDCM's series reader, distances by distance maps, registration by its framework."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from benchmarks.contenders import Task, voxels

_SEED = 1
_SAMPLED = 0.05


def read_series(folder: Path) -> Task:
    """The only series of a folder, as float32."""

    def work() -> sitk.Image:
        reader = sitk.ImageSeriesReader()
        reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
        return sitk.Cast(reader.Execute(), sitk.sitkFloat32)

    return work, lambda image: voxels(sitk.GetArrayViewFromImage(image), image.GetSpacing())


def surface_distances(folder: Path) -> Task:
    """Dice; distances between boundary voxels' centres, read off signed distance maps."""
    one, other = (sitk.ReadImage(str(folder / f"{name}.nii")) for name in ("one", "other"))

    def work() -> dict[str, float]:
        overlap = sitk.LabelOverlapMeasuresImageFilter()
        overlap.Execute(one, other)
        a, b = _cropped(one, other)
        forth, back = _distances(a, b), _distances(b, a)
        return {
            "dice": overlap.GetDiceCoefficient(),
            "hausdorff95": float(max(np.percentile(forth, 95), np.percentile(back, 95))),
            "mean": float(np.concatenate([forth, back]).mean()),
        }

    return work, lambda values: values


def _cropped(one: sitk.Image, other: sitk.Image) -> tuple[sitk.Image, sitk.Image]:
    """Both on the box of their union, one voxel wider."""
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(one | other)
    box = shape.GetBoundingBox(1)
    low = [max(0, n - 1) for n in box[:3]]
    size = [min(full - a, n + 2) for full, a, n in zip(one.GetSize(), low, box[3:], strict=True)]
    return tuple(sitk.RegionOfInterest(image, size, low) for image in (one, other))  # type: ignore[return-value]


def _distances(one: sitk.Image, other: sitk.Image) -> Any:
    signed = sitk.SignedMaurerDistanceMap(other, squaredDistance=False, useImageSpacing=True)
    boundary = sitk.GetArrayFromImage(sitk.LabelContour(one)) > 0
    return np.abs(sitk.GetArrayFromImage(signed)[boundary])


def register(folder: Path, region: str) -> Task:
    """Euler motion by correlation, three resolutions, 5 % of the voxels at random (seeded)."""
    fixed, moving, mask = images(folder, region)

    def work() -> sitk.Transform:
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsCorrelation()
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(_SAMPLED, _SEED)
        if mask is not None:
            method.SetMetricFixedMask(mask)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(1.0, 1e-4, 200)
        method.SetOptimizerScalesFromPhysicalShift()
        method.SetShrinkFactorsPerLevel([4, 2, 1])
        method.SetSmoothingSigmasPerLevel([4.0, 2.0, 0.0])
        method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
        start = sitk.CenteredTransformInitializer(
            fixed, fixed, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.GEOMETRY
        )
        method.SetInitialTransform(start, inPlace=False)
        return method.Execute(fixed, moving)

    def told(transform: sitk.Transform) -> Any:
        return [transform.TransformPoint(p) for p in np.load(folder / "landmarks.npy").tolist()]

    return work, told


def images(folder: Path, region: str) -> tuple[sitk.Image, sitk.Image, sitk.Image | None]:
    """Both visits whole and no mask, or cut to the wall with its mask."""
    suffix = "" if region == "whole" else "_cut"
    fixed, moving = (
        sitk.ReadImage(str(folder / f"{name}{suffix}.nii"), sitk.sitkFloat32)
        for name in ("fixed", "moving")
    )
    mask = None if region == "whole" else sitk.ReadImage(str(folder / "mask_cut.nii"))
    return fixed, moving, mask
