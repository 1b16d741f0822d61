"""overlay.png: the slice with most graft, plain and with the outlines drawn on it.

Shown as radiologists look at it: the patient's left on the right of the screen, front up.
The grey scale runs from 0 to a fixed multiple of reference muscle, so that visits compare by eye.
Outline colours are the Okabe-Ito palette's, told apart by colour-blind readers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from imaging.geometry import Geometry
from imaging.volume import Mask, Volume
from surveillance.exports.writing import write_with

GRAFT, RECTUS_LEFT, RECTUS_RIGHT = (230, 159, 0), (86, 180, 233), (0, 158, 115)
WHITE_AT_MUSCLE_RATIO = 4.0
PIXEL_MM = 0.4
MARGIN_MM = 25.0


def save_overlay(
    t2: Volume,
    graft: Mask | None,
    rectus_left: Mask,
    rectus_right: Mask,
    muscle_median: float | None,
    path: Path,
) -> None:
    """Write the picture of one visit; without muscle the window ends at the 99th percentile.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    either = rectus_left.array | rectus_right.array
    shown = graft.array if graft else either
    k_axis, k = busiest_slice(shown, t2.geometry)
    white = muscle_median * WHITE_AT_MUSCLE_RATIO if muscle_median else _bright(t2.array)
    grey = _upright(t2.array, t2.geometry, k_axis, k) / white
    window = _window(_upright(either | shown, t2.geometry, k_axis, k), t2.geometry)
    plain = _enlarged(np.clip(grey, 0, 1)[window], t2.geometry, order=1)
    picture = np.repeat((plain * 255).astype(np.uint8)[..., None], 3, axis=2)
    drawn = picture.copy()
    masks = ((rectus_right, RECTUS_RIGHT), (rectus_left, RECTUS_LEFT), (graft, GRAFT))
    for mask, colour in masks:
        if mask is not None:
            region = _upright(mask.array, t2.geometry, k_axis, k).astype(float)[window]
            drawn[_outline(_enlarged(region, t2.geometry, order=1) > 0.5)] = colour
    image = _labelled(np.concatenate([picture, drawn], axis=1))
    write_with(path, lambda temporary: image.save(temporary, format="PNG"))


def _bright(array: NDArray[np.float32]) -> float:
    return max(float(np.percentile(array, 99)), 1.0)


def busiest_slice(region: NDArray[np.bool_], geometry: Geometry) -> tuple[int, int]:
    """Return the voxel axis nearest head-foot, and the slice along it with most of a region."""
    axis, _ = geometry.axis_toward(2)
    others = tuple(a for a in range(3) if a != axis)
    return axis, int(region.sum(axis=others).argmax())


def _upright(array: NDArray[Any], geometry: Geometry, k_axis: int, k: int) -> NDArray[Any]:
    """Return slice `k` as rows from anterior to posterior, columns from right to left."""
    (x_axis, x_sign), (y_axis, y_sign) = geometry.axis_toward(0), geometry.axis_toward(1)
    plane = np.take(array, k, axis=k_axis)
    if x_axis < y_axis:
        plane = plane.T
    return np.asarray(plane[::y_sign, ::x_sign])


def _in_plane_mm(geometry: Geometry) -> tuple[float, float]:
    (x_axis, _), (y_axis, _) = geometry.axis_toward(0), geometry.axis_toward(1)
    return geometry.spacing_mm[y_axis], geometry.spacing_mm[x_axis]


def _window(region: NDArray[Any], geometry: Geometry) -> tuple[slice, slice]:
    if not region.any():
        return slice(0, region.shape[0]), slice(0, region.shape[1])
    bounds = []
    for axis, (size, mm) in enumerate(zip(region.shape, _in_plane_mm(geometry), strict=True)):
        where = np.flatnonzero(region.any(axis=1 - axis))
        margin = round(MARGIN_MM / mm)
        bounds.append(slice(max(where[0] - margin, 0), min(where[-1] + margin + 1, size)))
    return bounds[0], bounds[1]


def _enlarged(plane: NDArray[Any], geometry: Geometry, order: int) -> NDArray[np.float64]:
    zoom = [mm / PIXEL_MM for mm in _in_plane_mm(geometry)]
    return np.asarray(ndimage.zoom(plane.astype(np.float64), zoom, order=order))


def _outline(region: NDArray[np.bool_]) -> NDArray[np.bool_]:
    return np.asarray(region & ~ndimage.binary_erosion(region))


def _labelled(picture: NDArray[np.uint8]) -> Image.Image:
    """Put the patient's side letters on the left and right edges."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    middle = image.height // 2
    draw.text((4, middle), "R", fill=(255, 255, 255))
    draw.text((image.width - 12, middle), "L", fill=(255, 255, 255))
    return image
