"""Pictures: the slice with most graft, plain and with the true and the found outline.

They show what a case was like, and are kept in the folder of a run: pictures of public images
may not be passed on with the program.
"""

from __future__ import annotations

from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from imaging.anatomy import Anatomy
from imaging.geometry import FloatArray
from imaging.segmentation.axial import axial_geometry, to_axial
from imaging.volume import Mask

TRUE, FOUND = (255, 255, 255), (230, 159, 0)
_PIXEL_MM, _MARGIN_MM = 0.5, 18.0
_WHITE_AT_MUSCLE = 3.0
BoolArray = NDArray[np.bool_]


def outlined_png(anatomy: Anatomy, true: Mask, left: Mask) -> bytes:
    """Return a PNG: plain beside outlined (white true, orange found), patient's left on the right.

    The window is round the left rectus, or all of the slice without one.
    """
    geometry = anatomy.t2w_fs.geometry
    array, graft, muscle = (
        to_axial(a, geometry) for a in (anatomy.t2w_fs.array, true.array, left.array)
    )
    found = anatomy.graft.mask
    seen = np.zeros(array.shape, np.bool_) if found is None else to_axial(found.array, geometry)
    k = _busiest(graft if graft.any() else seen if seen.any() else muscle)
    spacing = axial_geometry(geometry).spacing_mm[:2]
    window = _window(muscle[:, :, k] | graft[:, :, k] | seen[:, :, k], spacing)
    inside = array[muscle]
    white = _WHITE_AT_MUSCLE * float(np.median(inside)) if inside.size else float(array.max())
    grey = np.clip(_enlarged(array[:, :, k][window] / max(white, 1e-6), spacing), 0, 1)
    plain = np.repeat((255 * grey).astype(np.uint8)[..., None], 3, axis=2)
    drawn = plain.copy()
    for mask, colour in ((graft, TRUE), (seen, FOUND)):
        drawn[_border(_enlarged(mask[:, :, k][window].astype(float), spacing) > 0.5)] = colour
    out = BytesIO()
    # Rows run down, and x to the patient's left runs right.
    Image.fromarray(np.concatenate([plain, drawn]).transpose(1, 0, 2)).save(out, format="PNG")
    return out.getvalue()


def _busiest(region: BoolArray) -> int:
    return int(region.sum(axis=(0, 1)).argmax())


def _window(region: BoolArray, spacing_mm: tuple[float, ...]) -> tuple[slice, slice]:
    if not region.any():
        return slice(None), slice(None)
    sides = []
    for axis, mm in enumerate(spacing_mm):
        where = np.flatnonzero(region.any(axis=1 - axis))
        margin = round(_MARGIN_MM / mm)
        low, high = where[0] - margin, where[-1] + margin + 1
        sides.append(slice(max(int(low), 0), min(int(high), region.shape[axis])))
    return sides[0], sides[1]


def _enlarged(plane: FloatArray, spacing_mm: tuple[float, ...]) -> FloatArray:
    return np.asarray(ndimage.zoom(plane, [mm / _PIXEL_MM for mm in spacing_mm], order=1))


def _border(region: BoolArray) -> BoolArray:
    return np.asarray(region & ~ndimage.binary_erosion(region))
