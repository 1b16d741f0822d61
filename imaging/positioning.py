"""Positioning: how the patient lay at two visits, and whether one image is the other's mirror."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging import alignment
from imaging.geometry import FloatArray
from imaging.messages import text
from imaging.protocol import RegistrationLimits
from imaging.quality import ENDPOINTS, QualityEntry, Severity
from imaging.resampling import Image, shrink
from imaging.resolution import level, mapped
from imaging.transform import RigidTransform, identity
from imaging.volume import Mask, Volume

MIRRORED = "LATERALITY_MIRRORED"

_SPACING_MM = 10.0
_REACH_MM = (20.0, 20.0, 100.0)
_STEP_MM = 10.0
_RIM_MM = 10.0
_SHELL_MM = 40.0
_SHELL_GRID_MM = 4.0
_AIR_MM = 4.0
_SPINE_HALF_WIDTH_MM = 35.0


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """A coarse motion between two visits, and the correlation inside the body under it."""

    moving_from_fixed: RigidTransform
    similarity: float


def between_visits(fixed: Volume, fixed_body: Mask, moving: Volume, moving_body: Mask) -> Placement:
    """Return how a patient lay at two visits imaged with the same contrast.

    A patient is laid anew at each visit, so the scanner's coordinates say nothing: bodies are
    laid centre to centre, then all shifts of ±20 mm across and ±100 mm along the patient, 10 mm
    apart, are tried on the whole abdomen and the best is refined. Meant as the `start` of
    `register_rigid`. The identity and similarity 0 when a body is empty.
    """
    body, target = shrink(fixed_body, _SPACING_MM / 2), shrink(moving_body, _SPACING_MM / 2)
    here, there = body.centroid_mm, target.centroid_mm
    if here is None or there is None:
        return Placement(identity(), 0.0)
    at = level(fixed, moving, body, _SPACING_MM, cross=False)
    start = alignment.shifted(identity(), tuple(there - here))
    motion = alignment.best_shift(at, start, _REACH_MM, _STEP_MM)
    motion = alignment.refine(at, motion)
    # The skin is left out: every body has one.
    inner = at.having(at.within(_inner(body)))
    return Placement(motion, alignment.similarity(inner, motion))


def mirrored_better(
    baseline: Volume,
    baseline_body: Mask,
    visit: Volume,
    visit_body: Mask,
    plain: Placement,
    limits: RegistrationLimits,
) -> QualityEntry | None:
    """Return LATERALITY_MIRRORED when `visit` is the left-right mirror of `baseline`.

    Liver, spleen and stomach make the abdomen asymmetric: the baseline's mirror image is aligned
    with the visit as the baseline itself was (`plain`), and the fits are compared. A header whose
    left is right and pixels flipped under a correct header look the same here. None when the
    baseline as it is fits as well, or when neither fits: then it is another matter, such as
    another patient.
    """
    mirrored = between_visits(mirror(baseline), mirror(baseline_body), visit, visit_body).similarity
    margin = mirrored - plain.similarity
    if mirrored < limits.mirror_similarity_min or margin < limits.mirror_margin_min:
        return None
    return QualityEntry(
        code=MIRRORED,
        severity=Severity.ERROR,
        message=text(
            "quality.laterality_mirrored",
            mirrored=mirrored,
            plain=plain.similarity,
            limit=limits.mirror_margin_min,
        ),
        value=margin,
        threshold=limits.mirror_margin_min,
        protocol_key="registration.mirror_margin_min",
        endpoints=ENDPOINTS,
    )


def mirror(image: Image) -> Image:
    """Return the image with left and right exchanged about the middle of its grid."""
    axis, _ = image.geometry.axis_toward(0)
    return type(image)(np.flip(image.array, axis=axis), image.geometry)


def trunk_shell(body: Mask) -> Mask:
    """Return what holds its place when viscera move: the outer trunk and the spine.

    Everything up to `_SHELL_MM` below the skin, a rim of air, and the back's middle as deep as
    the body's centre; kidneys, liver and bowel follow the diaphragm and are left out. On a grid
    of about 4 mm; empty when `body` is.
    """
    body = shrink(body, _SHELL_GRID_MM)
    axis, _ = body.geometry.axis_toward(2)
    # Slice by slice: the first and last slice are not skin.
    spacing = [mm for n, mm in enumerate(body.geometry.spacing_mm) if n != axis]
    signed = np.stack(
        [_depth_mm(plane, spacing) for plane in np.moveaxis(body.array, axis, 0)], axis=axis
    )
    shell = (signed <= _SHELL_MM) & (signed >= -_AIR_MM)
    return Mask(shell | (body.array & _back_middle(body)), body.geometry)


def _depth_mm(body: NDArray[np.bool_], spacing_mm: list[float]) -> FloatArray:
    """Depth below the skin of every pixel of a plane, negative outside; -inf without a body."""
    if not body.any():
        return np.full(body.shape, -np.inf)
    inside = ndimage.distance_transform_edt(np.pad(body, 1), spacing_mm)[1:-1, 1:-1]
    return np.asarray(inside - ndimage.distance_transform_edt(~body, spacing_mm))


def _back_middle(body: Mask) -> NDArray[np.bool_]:
    centre = body.centroid_mm
    if centre is None:
        return body.array
    index = np.indices(body.geometry.shape).reshape(3, -1).astype(np.float64)
    x, y, _ = mapped(body.geometry.affine, index)
    spine = (np.abs(x - centre[0]) <= _SPINE_HALF_WIDTH_MM) & (y >= centre[1])
    return np.asarray(spine.reshape(body.geometry.shape))


def _inner(body: Mask) -> Mask:
    depth = ndimage.distance_transform_edt(body.array, body.geometry.spacing_mm)
    return Mask(depth > _RIM_MM, body.geometry)
