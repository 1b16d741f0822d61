"""Shape: size and form of one mask, by the IBSI definitions, and how repeatable the size is.

Definitions: Image Biomarker Standardisation Initiative reference manual, morphological features
RNU0 (mesh volume), YEKZ (voxel volume), C0JK (surface area), L0JK (maximum diameter), QCFX
(sphericity), Q3CK (elongation), N17B (flatness).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist, squareform
from skimage.measure import marching_cubes

from imaging.geometry import FloatArray, Geometry
from imaging.measurement import Measurement, measured, missing
from imaging.measurements.region import cropped, pixel_mm
from imaging.messages import text
from imaging.protocol import MorphologyLimits
from imaging.volume import Mask

NORMAL_95 = 1.96
"""Two-sided 95 % point of the normal distribution."""
REPEATABILITY_95 = 2.77
"""1.96 times the square root of 2: 95 % limit of the difference of two measurements."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Size and form of a mask; every value is missing, with the reason, for an empty one.

    Parameters
    ----------
    volume_ml
        Mesh volume, with the 95 % interval that contour noise gives.
    voxel_volume_ml
        Voxel count times voxel volume.
    surface_area_mm2
        Area of the mesh.
    max_diameter_mm
        Largest distance between two mesh vertices, with the interval of its two end points.
    sphericity
        1 for a ball, smaller for anything else.
    elongation, flatness
        Root of the second, third over the first eigenvalue of the voxel centres' covariance.
    within_subject_cv
        Relative standard deviation of the volume when the same graft is outlined again.
    repeatability_up, repeatability_down
        Relative rise and fall that an unchanged graft exceeds in 5 % of repeats, both positive.
    centroid_mm
        (3,) LPS, mean of the voxel centres; None for an empty mask.
    """

    volume_ml: Measurement
    voxel_volume_ml: Measurement
    surface_area_mm2: Measurement
    max_diameter_mm: Measurement
    sphericity: Measurement
    elongation: Measurement
    flatness: Measurement
    within_subject_cv: Measurement
    repeatability_up: Measurement
    repeatability_down: Measurement
    centroid_mm: FloatArray | None


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A closed triangle surface: vertices (n, 3) in LPS mm, faces (m, 3) of vertex numbers."""

    vertices_mm: FloatArray
    faces: NDArray[np.int64]

    @property
    def volume_mm3(self) -> float:
        """Volume inside, whichever way the faces are wound (a flipped grid winds them in)."""
        a, b, c = (self.vertices_mm - self.vertices_mm.mean(axis=0))[self.faces].swapaxes(0, 1)
        return float(abs(np.einsum("ij,ij->i", a, np.cross(b, c)).sum()) / 6)

    @property
    def area_mm2(self) -> float:
        """Sum of the triangles' areas."""
        a, b, c = self.vertices_mm[self.faces].swapaxes(0, 1)
        return float(np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2)


def measure_shape(mask: Mask, limits: MorphologyLimits) -> Shape:
    """Measure a mask; see `Shape`.

    The relative standard deviation of the volume is that of a contour displaced everywhere by
    `limits.boundary_sd_pixels` of a pixel: sd times area over volume.
    """
    if mask.is_empty:
        return no_shape(missing(text("reason.empty_mask")))
    small = cropped(mask)
    surface = mesh(small)
    volume_mm3, area = surface.volume_mm3, surface.area_mm2
    boundary_mm = limits.boundary_sd_pixels * pixel_mm(mask.geometry)
    cv = boundary_mm * area / volume_mm3
    spread = np.exp(NORMAL_95 * cv)
    volume_ml = volume_mm3 / 1000.0
    elongation, flatness = _elongation_flatness(small.points_mm)
    return Shape(
        volume_ml=measured(volume_ml, (volume_ml / spread, volume_ml * spread)),
        voxel_volume_ml=measured(mask.voxel_volume_ml),
        surface_area_mm2=measured(area),
        max_diameter_mm=_diameter(surface, mask.geometry, limits.boundary_sd_pixels),
        sphericity=measured((36 * np.pi * volume_mm3**2) ** (1 / 3) / area),
        elongation=elongation,
        flatness=flatness,
        within_subject_cv=measured(cv),
        repeatability_up=measured(np.exp(REPEATABILITY_95 * cv) - 1),
        repeatability_down=measured(1 - np.exp(-REPEATABILITY_95 * cv)),
        centroid_mm=small.centroid_mm,
    )


def mesh(mask: Mask) -> Mesh:
    """Return the 0.5 isosurface of a mask that is not empty, closed where it meets the edge."""
    small = cropped(mask)
    padded = np.pad(small.array, 1).astype(np.float32)
    vertices, faces, _, _ = marching_cubes(padded, 0.5)
    return Mesh(small.geometry.to_world(vertices.astype(np.float64) - 1), faces.astype(np.int64))


def _diameter(surface: Mesh, geometry: Geometry, boundary_sd_pixels: float) -> Measurement:
    extreme = surface.vertices_mm[ConvexHull(surface.vertices_mm).vertices]
    apart = squareform(pdist(extreme))
    one, other = np.unravel_index(int(apart.argmax()), apart.shape)
    diameter = float(apart[one, other])
    direction = (extreme[one] - extreme[other]) / diameter
    voxel = float(np.linalg.norm((geometry.directions.T @ direction) * geometry.spacing_mm))
    half = NORMAL_95 * np.sqrt(2) * boundary_sd_pixels * voxel
    return measured(diameter, (max(0.0, diameter - half), diameter + half))


def _elongation_flatness(points_mm: FloatArray) -> tuple[Measurement, Measurement]:
    centred = points_mm - points_mm.mean(axis=0)
    least, minor, major = np.linalg.eigvalsh(centred.T @ centred / len(points_mm)).clip(0)
    if len(points_mm) < 2:
        lone = missing(text("reason.one_voxel"))
        return lone, lone
    return measured(np.sqrt(minor / major)), measured(np.sqrt(least / major))


def no_shape(reason: Measurement) -> Shape:
    """Return the shape of a graft that was not found or not seen: every value missing."""
    return Shape(*(reason,) * 10, centroid_mm=None)
