"""Background: a real image into which a graft is to be put, and its outlined rectus muscles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.errors import GeometryError, MaskError
from imaging.geometry import FloatArray
from imaging.insertion.sheet import Sheet, sheet_of
from imaging.segmentation.axial import axial_geometry, to_axial
from imaging.segmentation.body import body_mask
from imaging.volume import Mask, Volume

_LEVEL_MM = 12.0
"""Coil shading is smooth over this; the muscle's own unevenness is not."""
_BOWEL_DEPTH_MM, _BOWEL_RAMP_MM = 38.0, 20.0
"""What lies this deep below the skin and behind the muscle moves on its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """An image without a graft, ready for insertion; arrays are axial [x, y, z].

    Parameters
    ----------
    image
        As acquired.
    left, right
        Outlines of the rectus muscles on its grid; right may be None.
    sheet
        The left muscle.
    array, level, looseness
        Intensities; what muscle is as bright as at each place; how freely a place moves
        from visit to visit, 0 in the wall to 1 in the bowel.
    noise_sd
        Of the image's intensities.
    """

    image: Volume
    left: Mask
    right: Mask | None
    sheet: Sheet
    array: NDArray[np.float32]
    level: FloatArray
    looseness: FloatArray
    noise_sd: float

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Of the axial arrays."""
        return axial_geometry(self.image.geometry).spacing_mm


def background(image: Volume, left: Mask, right: Mask | None = None) -> Background:
    """Prepare an image.

    Raises
    ------
    GeometryError
        An outline is on another grid.
    MaskError
        An outline is empty, on one slice only, or the left one lies on the patient's right.
    """
    for outline in (left, right):
        if outline is not None and not outline.geometry.same_grid(image.geometry):
            raise GeometryError(
                "outline_grid", outline=outline.geometry.shape, image=image.geometry.shape
            )
    sheet = sheet_of(left)
    body = body_mask(image)
    _check_side(left, right, body)
    array = to_axial(image.array, image.geometry)
    spacing = axial_geometry(image.geometry).spacing_mm
    muscle = to_axial(left.array, image.geometry)
    if right is not None:
        muscle = muscle | to_axial(right.array, image.geometry)
    return Background(
        image=image,
        left=left,
        right=right,
        sheet=sheet,
        array=array,
        level=_level(array, muscle, spacing),
        looseness=_looseness(to_axial(body.array, image.geometry), sheet, spacing),
        noise_sd=_noise_sd(array, to_axial(body.array, image.geometry)),
    )


def _check_side(left: Mask, right: Mask | None, body: Mask) -> None:
    """Refuse a left outline on the right: of the other outline, else of the body's middle."""
    ours = left.centroid_mm
    other = right.centroid_mm if right is not None else body.centroid_mm
    if ours is None or other is None or ours[0] <= other[0]:
        raise MaskError("outline_not_left", x_mm="none" if ours is None else f"{ours[0]:.0f}")


def _level(
    array: NDArray[np.float32], muscle: NDArray[np.bool_], spacing_mm: tuple[float, ...]
) -> FloatArray:
    """Smooth the muscle's intensity, its borders left out, and carry it on everywhere."""
    inner = ndimage.binary_erosion(muscle, np.ones((1, 3, 1)))
    inner = inner if inner.sum() > 0.2 * muscle.sum() else muscle
    median = float(np.median(array[inner]))
    inner &= array < 3 * median  # a vessel or a slip of the outline into bowel is no muscle
    width = (*(_LEVEL_MM / s for s in spacing_mm[:2]), 1.0)
    weight = ndimage.gaussian_filter(inner.astype(np.float32), width)
    total = ndimage.gaussian_filter(np.where(inner, array, 0).astype(np.float32), width)
    # Far from any muscle the level goes to the whole muscle's.
    return np.asarray((total + 1e-4 * median) / (weight + 1e-4), dtype=np.float64)


def _looseness(body: NDArray[np.bool_], sheet: Sheet, spacing_mm: tuple[float, ...]) -> FloatArray:
    x, z = (np.arange(body.shape[a]) * spacing_mm[a] for a in (0, 2))
    u, w = np.meshgrid(x, z, indexing="ij")
    back = sheet.at(sheet.middle_mm + sheet.thickness_mm / 2, u, w)
    v = np.arange(body.shape[1]) * spacing_mm[1]
    behind = (v[None, :, None] - back[:, None, :] - 4.0) / _BOWEL_RAMP_MM
    deep = np.zeros(body.shape)
    for k in range(body.shape[2]):
        depth = ndimage.distance_transform_edt(np.pad(body[:, :, k], 1), spacing_mm[:2])[1:-1, 1:-1]
        deep[:, :, k] = (depth - _BOWEL_DEPTH_MM) / _BOWEL_RAMP_MM
    share = np.clip(np.minimum(behind, deep), 0, 1)
    return np.asarray(share**2 * (3 - 2 * share))


def _noise_sd(array: NDArray[np.float32], body: NDArray[np.bool_]) -> float:
    """Return the noise by Immerkær's mask (Comput Vis Image Underst 1996;64:300-302), robustly."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float64)[:, :, None]
    inside = ndimage.binary_erosion(body, np.ones((9, 9, 1)))
    response = ndimage.convolve(array.astype(np.float64), kernel)[inside]
    return float(1.4826 * np.median(np.abs(response - np.median(response))) / 6)
