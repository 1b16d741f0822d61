"""Background: a real image into which a graft is to be put, and its outlined rectus muscles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.errors import GeometryError, MaskError
from imaging.geometry import FloatArray, Geometry
from imaging.insertion.sheet import Sheet, sheet_of
from imaging.resampling import resample
from imaging.segmentation.axial import axial_geometry, to_axial
from imaging.segmentation.body import body_mask
from imaging.transform import identity
from imaging.volume import Mask, Volume

BoolArray = NDArray[np.bool_]
_LEVEL_MM = 12.0
"""Coil shading is smooth over this; the muscle's own unevenness is not."""
_BOWEL_DEPTH_MM, _BOWEL_RAMP_MM = 38.0, 20.0
"""What lies this deep below the skin and behind the muscle moves on its own."""


@dataclass(frozen=True, slots=True, eq=False)
class Channel:
    """One contrast, axial [x, y, z]: intensities, how bright muscle is at each place, noise."""

    array: NDArray[np.float32]
    level: FloatArray
    noise_sd: float


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """An image without a graft, ready for insertion.

    Parameters
    ----------
    geometry
        Of T2W-FS and the outlines.
    left, right
        Outlines of the rectus muscles; right may be None.
    sheet
        The left muscle.
    t2, t1
        t1 is None without a T1W-FS.
    looseness
        Axial: how freely a place moves from visit to visit, 0 in the wall to 1 in the bowel.
    """

    geometry: Geometry
    left: Mask
    right: Mask | None
    sheet: Sheet
    t2: Channel
    t1: Channel | None
    looseness: NDArray[np.float32]

    @property
    def axial(self) -> Geometry:
        """Grid of the axial arrays."""
        return axial_geometry(self.geometry)


def background(
    image: Volume, left: Mask, right: Mask | None = None, t1: Volume | None = None
) -> Background:
    """Prepare an image; a T1W-FS is laid on its grid by the positions in the headers.

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
    muscles = left.array if right is None else left.array | right.array
    laid = None if t1 is None else resample(t1, image.geometry, identity())
    return Background(
        geometry=image.geometry,
        left=left,
        right=right,
        sheet=sheet,
        t2=_channel(image, muscles, body),
        t1=None if laid is None else _channel(laid, muscles, body),
        looseness=_looseness(body, sheet),
    )


def _check_side(left: Mask, right: Mask | None, body: Mask) -> None:
    """Refuse a left outline on the right: of the other outline, else of the body's middle."""
    ours = left.centroid_mm
    other = right.centroid_mm if right is not None else body.centroid_mm
    if ours is None or other is None or ours[0] <= other[0]:
        raise MaskError("outline_not_left", x_mm="none" if ours is None else f"{ours[0]:.0f}")


def _channel(image: Volume, muscles: BoolArray, body: Mask) -> Channel:
    array = to_axial(image.array, image.geometry)
    spacing = axial_geometry(image.geometry).spacing_mm
    return Channel(
        array=np.ascontiguousarray(array),
        level=_level(array, to_axial(muscles, image.geometry), spacing),
        noise_sd=_noise_sd(array, to_axial(body.array, image.geometry)),
    )


def _level(
    array: NDArray[np.float32], muscle: BoolArray, spacing_mm: tuple[float, ...]
) -> FloatArray:
    """Smooth the muscle's intensity, its borders left out, and carry it on everywhere."""
    inner = ndimage.binary_erosion(muscle, np.ones((1, 3, 1)))
    inner = inner if inner.sum() > 0.2 * muscle.sum() else muscle
    median = float(np.median(array[inner]))
    inner &= array < 3 * median  # a vessel, or a slip of the outline into bowel, is no muscle
    width = (*(_LEVEL_MM / s for s in spacing_mm[:2]), 1.0)
    weight = ndimage.gaussian_filter(inner.astype(np.float32), width)
    total = ndimage.gaussian_filter(np.where(inner, array, 0).astype(np.float32), width)
    # Far from any muscle the level goes to the whole muscle's.
    return np.asarray((total + 1e-4 * median) / (weight + 1e-4), dtype=np.float64)


def _looseness(body: Mask, sheet: Sheet) -> NDArray[np.float32]:
    inside = to_axial(body.array, body.geometry)
    spacing = axial_geometry(body.geometry).spacing_mm
    x, y, z = (np.arange(n) * s for n, s in zip(inside.shape, spacing, strict=True))
    back = sheet.at(sheet.middle_mm + sheet.thickness_mm / 2, *np.meshgrid(x, z, indexing="ij"))
    behind = (y[None, :, None] - back[:, None, :] - 4.0) / _BOWEL_RAMP_MM
    deep = np.zeros(inside.shape)
    for k in range(inside.shape[2]):
        padded = np.pad(inside[:, :, k], 1)
        depth = ndimage.distance_transform_edt(padded, spacing[:2])[1:-1, 1:-1]
        deep[:, :, k] = (depth - _BOWEL_DEPTH_MM) / _BOWEL_RAMP_MM
    share = np.clip(np.minimum(behind, deep), 0, 1)
    return np.asarray(share**2 * (3 - 2 * share), dtype=np.float32)


def _noise_sd(array: NDArray[np.float32], body: BoolArray) -> float:
    """Return the noise by Immerkær's mask (Comput Vis Image Underst 1996;64:300-302), robustly."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], dtype=np.float32)[:, :, None]
    inside = ndimage.binary_erosion(body, np.ones((9, 9, 1)))
    response = ndimage.convolve(array, kernel)[inside]
    if response.size == 0:
        return 0.0
    return float(1.4826 * np.median(np.abs(response - np.median(response))) / 6)
