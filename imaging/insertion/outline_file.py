"""Outline file: both rectus muscles of a background, as polygons by slice or as a label image."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from nibabel.filebasedimages import ImageFileError
from numpy.typing import NDArray
from scipy import ndimage
from skimage.draw import polygon2mask

from imaging.errors import GeometryError, MaskError
from imaging.geometry import FloatArray, Geometry, from_ras
from imaging.volume import Mask

LEFT, RIGHT = 1, 2
"""Labels of the patient's left and right muscle in an image."""
FINE = 4
"""Polygons are filled on a grid this much finer, and a pixel is inside where half of it is."""
_GRID_TOLERANCE_MM = 0.01


def load_outlines(file: Path, onto: Geometry) -> tuple[Mask, Mask | None]:
    """Return the outlined left and right muscle on a grid; right is None when not outlined.

    Raises
    ------
    MaskError
        The file cannot be read, or holds no left muscle.
    GeometryError
        It was drawn on another grid.
    """
    labels = _polygons(file, onto) if file.suffix == ".json" else _image(file, onto)
    left, right = (Mask(labels == label, onto) for label in (LEFT, RIGHT))
    if left.is_empty:
        raise MaskError("outline_empty", file=file.name, label=LEFT)
    return left, None if right.is_empty else right


def _image(file: Path, onto: Geometry) -> NDArray[np.uint8]:
    try:
        image: Any = nib.load(file)
        values = np.asanyarray(image.dataobj)
    except (OSError, ImageFileError, EOFError, ValueError) as error:
        raise MaskError("mask_unreadable", file=file.name) from error
    if values.ndim != 3 or not np.isin(values, (0, LEFT, RIGHT)).all():
        raise MaskError("outline_labels", file=file.name, left=LEFT, right=RIGHT)
    if not Geometry(from_ras(image.affine), values.shape).same_grid(onto, _GRID_TOLERANCE_MM):
        raise GeometryError("outline_grid", outline=values.shape, image=onto.shape)
    return np.asarray(values, dtype=np.uint8)


def _polygons(file: Path, onto: Geometry) -> NDArray[np.uint8]:
    try:
        slices = json.loads(file.read_text(encoding="utf-8"))["slices"]
        drawn = [
            (
                label,
                {
                    int(k): np.array(s[side]["polygon"], float)
                    for k, s in slices.items()
                    if side in s
                },
            )
            for side, label in (("left", LEFT), ("right", RIGHT))
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MaskError("mask_unreadable", file=file.name) from error
    labels = np.zeros(onto.shape, dtype=np.uint8)
    for label, polygons in drawn:
        if polygons and max(polygons) >= onto.shape[2]:
            raise GeometryError("outline_grid", outline=(max(polygons) + 1,), image=onto.shape)
        labels[_between(polygons, onto.shape)] = label
    return labels


def _between(polygons: dict[int, FloatArray], shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    """Fill the polygons, and the slices between by interpolating distances to their borders."""
    result = np.zeros(shape, dtype=np.bool_)
    drawn = sorted(polygons)
    signed = {k: _signed(_filled(polygons[k], shape[:2])) for k in drawn}
    for k in range(drawn[0], drawn[-1] + 1) if drawn else ():
        below = max(n for n in drawn if n <= k)
        above = min(n for n in drawn if n >= k)
        t = 0.0 if above == below else (k - below) / (above - below)
        share = (1 - t) * signed[below] + t * signed[above]
        result[:, :, k] = _coarse(share > 0)
    return result


def _filled(polygon: FloatArray, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    fine = (polygon + 0.5) * FINE - 0.5
    return np.asarray(polygon2mask((shape[0] * FINE, shape[1] * FINE), fine))


def _signed(inside: NDArray[np.bool_]) -> FloatArray:
    return np.asarray(
        ndimage.distance_transform_edt(inside) - ndimage.distance_transform_edt(~inside)
    )


def _coarse(fine: NDArray[np.bool_]) -> NDArray[np.bool_]:
    ni, nj = (n // FINE for n in fine.shape)
    return np.asarray(fine.reshape(ni, FINE, nj, FINE).mean(axis=(1, 3)) >= 0.5)
