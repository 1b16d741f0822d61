"""Segment the body, the linea alba and both rectus compartments, and say how sure they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from imaging.errors import GeometryError
from imaging.geometry import Geometry
from imaging.messages import text
from imaging.segmentation.axial import axial_geometry, from_axial, to_axial
from imaging.segmentation.body import body_mask
from imaging.segmentation.confidence import assess_confidence
from imaging.segmentation.fan import centred, spread
from imaging.segmentation.masks import Muscles
from imaging.segmentation.rectus import compartment, find_borders
from imaging.segmentation.shares import wall_shares
from imaging.segmentation.sheath import find_sheath
from imaging.segmentation_limits import SegmentationLimits
from imaging.volume import Mask, Volume


def segment_muscles(
    t2: Volume, t1: Volume | None, limits: SegmentationLimits, body: Mask | None = None
) -> Muscles:
    """Find both rectus compartments on a T2W-FS image, with T1W-FS where there is one.

    Parameters
    ----------
    t2
        T2W-FS, raw or bias-corrected, in any orientation.
    t1
        T1W-FS resampled onto the grid of `t2`, 0 outside its field of view.
    limits
        The protocol's [segmentation] section.
    body
        The patient, where it is known already; found here when None.

    Returns
    -------
    Muscles
        On the grid of `t2`. Left and right are the patient's, from the affine alone. Slices that
        are not axial, and an image without a body, give empty compartments and confidence 0.

    Raises
    ------
    GeometryError
        `t1` lies on another grid.
    """
    body = body or body_mask(t2)
    reason = _unusable(body, t2.geometry, limits)
    if reason is not None:
        nothing = Mask(np.zeros(t2.geometry.shape, dtype=np.bool_), t2.geometry)
        return Muscles(body, nothing, nothing, np.empty((0, 3)), 0.0, (reason,))
    return _segment(t2, t1, body, limits)


def _unusable(body: Mask, geometry: Geometry, limits: SegmentationLimits) -> str | None:
    """Return why no muscle can be outlined on this grid, None when one can."""
    if body.is_empty:
        return text("segmentation.muscle_no_body")
    axial = axial_geometry(geometry)
    in_plane = max(axial.spacing_mm[:2])
    if in_plane > limits.muscle_in_plane_max_mm:
        limit = limits.muscle_in_plane_max_mm
        return text("segmentation.muscle_not_axial", in_plane_mm=in_plane, limit=limit)
    tilt = float(np.degrees(np.arccos(np.clip(axial.directions[2, 2], -1, 1))))
    if tilt > limits.muscle_tilt_max_deg:
        return text("segmentation.muscle_tilted", tilt=tilt, limit=limits.muscle_tilt_max_deg)
    return None


def _segment(t2: Volume, t1: Volume | None, body: Mask, limits: SegmentationLimits) -> Muscles:
    geometry = t2.geometry
    image, inside = (to_axial(a, geometry) for a in (t2.array, body.array))
    second = _second(t1, geometry)
    fan = spread(image, inside, axial_geometry(geometry).spacing_mm)
    fan = centred(fan, image, inside)
    unrolled = None if second is None else fan.unrolled(second)
    wall = fan.unrolled(image)
    rectus = wall_shares(fan, wall, unrolled).rectus
    sheath = find_sheath(fan, wall, unrolled, limits, rectus)
    borders = find_borders(fan, sheath, limits, rectus)
    left, right = (
        Mask(from_axial(compartment(fan, sheath, side, image.shape) & inside, geometry), geometry)
        for side in (borders.left_mm, borders.right_mm)
    )
    confidence, reasons = assess_confidence(fan, sheath, borders, limits, rectus)
    depth = [
        np.interp(a, fan.along_mm, row)
        for a, row in zip(borders.alba_mm, sheath.front_mm, strict=True)
    ]
    points = fan.points_index(borders.alba_mm, np.array(depth))
    alba = axial_geometry(geometry).to_world(points)
    return Muscles(body, left, right, alba, confidence, reasons)


def _second(t1: Volume | None, geometry: Geometry) -> NDArray[np.float32] | None:
    if t1 is None:
        return None
    if not geometry.same_grid(t1.geometry):
        raise GeometryError("t1_grid", t1=t1.geometry.shape, t2=geometry.shape)
    return to_axial(t1.array, geometry)
