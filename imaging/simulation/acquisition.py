"""Acquisition: sample a body on a grid, then add what a scanner adds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.fft import fft2, ifft2

from imaging.geometry import FloatArray, Geometry
from imaging.simulation.motion import Pose
from imaging.simulation.scenario import Coil, GraftState, Scanner, VisitPlan
from imaging.simulation.sequence import Sequence
from imaging.simulation.tissue import RELAXATION, Tissue
from imaging.simulation.viscera import Viscera
from imaging.simulation.wall import GRAFT, Labels, Wall
from imaging.simulation.warp import Array, Ripple, smoothstep
from imaging.volume import Volume

IN_PLANE = 2
THROUGH_PLANE = 3
SLICE_PROFILE = (0.28, 0.44, 0.28)
"""Weights of the sub-slices: a selective pulse excites the middle of a slice most."""


@dataclass(frozen=True, slots=True, eq=False)
class Palette:
    """Signal of each label's water and unsuppressed fat, and its texture; indexed by label."""

    water: Array
    fat: Array
    texture: Array


def palette(sequence: Sequence, field_strength_t: float, graft: GraftState | None) -> Palette:
    """Compute the signals of all tissues and of the graft's mixtures."""
    table = RELAXATION[field_strength_t]
    water, fat, texture = (np.zeros(GRAFT + 24, np.float32) for _ in range(3))
    for tissue, relaxation in table.items():
        water[tissue] = sequence.water(relaxation)
        fat[tissue] = sequence.fat(relaxation, field_strength_t)
        texture[tissue] = relaxation.texture
    if graft is not None:
        cells, fluid = water[Tissue.HEPATOCYTE], water[Tissue.FLUID]
        mixture = (1 - graft.fluid_fraction) * cells + graft.fluid_fraction * fluid
        parts = [(mixture, graft.fat_fraction, 0.06 + 0.12 * graft.fluid_fraction)]
        parts += [(water[n.tissue], n.fat_fraction, 0.06) for n in graft.nodules]
        for label, (tissue_water, fraction, unevenness) in enumerate(parts, start=GRAFT):
            water[label] = (1 - fraction) * tissue_water
            fat[label] = fraction * fat[Tissue.FAT]
            texture[label] = unevenness
    return Palette(water, fat, texture)


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """What the voxels contain: signals of water and unsuppressed fat, and tissue fractions."""

    water: Array
    fat: Array
    graft: Array
    rectus_left: Array
    rectus_right: Array


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One visit's body: the wall and what lies behind it."""

    wall: Wall
    viscera: Viscera

    def paint(self, x: Array, y: Array, z: Array) -> tuple[Labels, Labels]:
        """Label body points; also the compartment (1 left rectus, 2 right)."""
        labels = np.zeros(x.shape, np.uint8)
        compartment = np.zeros(x.shape, np.uint8)
        depth = self.wall.depth_mm(x, y, z)
        outside = np.flatnonzero(depth <= 0)
        labels[outside] = self.wall.paint_fat(x[outside], y[outside], z[outside], depth[outside])
        inside = np.flatnonzero(depth > 0)
        xi, yi, zi = x[inside], y[inside], z[inside]
        painted, sides, in_wall = self.wall.paint(xi, yi, zi, depth[inside])
        cavity = ~in_wall
        painted[cavity] = self.viscera.paint(xi[cavity], yi[cavity], zi[cavity])
        labels[inside], compartment[inside] = painted, sides
        return labels, compartment


def sample(body: Body, pose: Pose, geometry: Geometry, colours: Palette) -> Sampled:
    """Average the body over every voxel of a grid."""
    result = Sampled(*(np.zeros(geometry.shape, np.float32) for _ in range(5)))
    for k in range(geometry.shape[2]):
        for part, weight in enumerate(SLICE_PROFILE):
            level = k + (part + 0.5) / THROUGH_PLANE - 0.5
            # A shift by a third of a sub-sample per sub-slice keeps thin plates from aliasing.
            shift = (part - (THROUGH_PLANE - 1) / 2) / (THROUGH_PLANE * IN_PLANE)
            layer = _layer(body, pose, geometry, colours, (level, shift))
            for total, values, share in zip(
                (result.water, result.fat, result.graft, result.rectus_left, result.rectus_right),
                layer,
                (weight, weight, *(1 / THROUGH_PLANE,) * 3),
                strict=True,
            ):
                total[:, :, k] += np.float32(share) * values
    return result


def _layer(
    body: Body, pose: Pose, geometry: Geometry, colours: Palette, where: tuple[float, float]
) -> tuple[Array, ...]:
    ni, nj, _ = geometry.shape
    level, shift = where
    fine_i = ((np.arange(ni * IN_PLANE) + 0.5) / IN_PLANE - 0.5 + shift).astype(np.float32)
    fine_j = ((np.arange(nj * IN_PLANE) + 0.5) / IN_PLANE - 0.5 + shift).astype(np.float32)
    x, y, z = pose.to_body(geometry, fine_i, fine_j, level)
    physique = body.wall.body
    margin = physique.fat_back + physique.fat + 15.0
    near = np.flatnonzero(
        (np.abs(x) < 1.15 * physique.half_width + margin)
        & (np.abs(y) < 1.2 * physique.half_depth + margin)
    )
    x, y, z = x[near], y[near], z[near]
    labels, compartment = body.paint(x, y, z)
    muscle = (labels == Tissue.MUSCLE) | (labels >= GRAFT)
    noise = np.where(muscle, physique.muscle_texture(x, y, z), physique.organ_texture(x, y, z))
    water = colours.water[labels] * (1.0 + colours.texture[labels] * noise)
    values = (
        np.clip(water, 0.0, None),
        colours.fat[labels],
        labels >= GRAFT,
        compartment == 1,
        compartment == 2,
    )
    return tuple(_block_mean(near, value, (ni, nj)) for value in values)


def _block_mean(
    where: NDArray[np.intp], values: NDArray[np.generic], shape: tuple[int, int]
) -> Array:
    flat = np.zeros(shape[0] * IN_PLANE * shape[1] * IN_PLANE, np.float32)
    flat[where] = values
    fine = flat.reshape(shape[0] * IN_PLANE, shape[1] * IN_PLANE)
    total = sum(fine[i::IN_PLANE, j::IN_PLANE] for i in range(IN_PLANE) for j in range(IN_PLANE))
    return np.asarray(total / np.float32(IN_PLANE**2), dtype=np.float32)


def suppression_map(
    plan: VisitPlan,
    base: float,
    over_graft: float,
    field: Ripple,
    points: tuple[Array, Array, Array],
    half_size_mm: tuple[float, float],
) -> Array:
    """Share of the fat signal that remains, per voxel: worse at the lateral and anterior edges."""
    x, y, z = points
    uneven = field(x, y, z)
    lateral = smoothstep((np.abs(x) / half_size_mm[0] - 0.72) / 0.4) * (0.7 + 0.3 * uneven)
    front = 0.8 * smoothstep((-y / half_size_mm[1] - 0.75) / 0.5) * smoothstep(uneven)
    near_gas = np.exp(-(((x - 50) / 45) ** 2 + ((y + 50) / 35) ** 2 + ((z - 125) / 45) ** 2))
    failing = plan.suppression_failure * np.clip(lateral + front + 0.8 * near_gas, 0, 1)
    result = base * np.exp(0.35 * uneven) + failing
    if over_graft and plan.graft is not None:
        dx = (x - plan.graft.lateral_mm) / 70.0
        dz = (z - plan.graft.level_mm) / 70.0
        anterior = smoothstep(0.4 - y / (0.8 * half_size_mm[1]))
        result = result + over_graft * np.exp(-(dx**2 + dz**2)) * anterior
    return np.asarray(np.clip(result, 0.02, 1.0), dtype=np.float32)


def coil_map(scanner: Scanner, points: FloatArray, half_depth_mm: float) -> Array:
    """Receive sensitivity per scanner point (…, 3); about 1 at the anterior wall."""
    x, y = points[..., 0], points[..., 1]
    if scanner.coil is Coil.BODY:
        return np.asarray(1.0 + 0.08 * np.cos(x / 150.0 + 0.5) - 0.04, dtype=np.float32)
    front = 1.0 / (1.0 + np.exp((y + 0.45 * half_depth_mm) / (0.45 * half_depth_mm)))
    back = 0.35 / (1.0 + np.exp((half_depth_mm - y) / (0.35 * half_depth_mm)))
    tilt = 1.0 + 0.10 * np.sin(x / 130.0 + 0.4) + 0.06 * np.sin(points[..., 2] / 90.0)
    return np.asarray((0.32 + 0.85 * front + back) * tilt, dtype=np.float32)


RESOLUTION = 0.82
"""Share of the reconstructed matrix that was acquired along each axis; the rest is zero-filled."""


@dataclass(frozen=True, slots=True)
class Readout:
    """How a signal is read.

    `noise_sd` of one channel of the image in units of the signal; `ghost`, the relative
    modulation of the phase-encoding lines by breathing; `grey_top`, the stored value of the
    brightest 0.1 % of the voxels.
    """

    noise_sd: float
    ghost: float
    grey_top: float


def detect(signal: Array, readout: Readout, geometry: Geometry, rng: np.random.Generator) -> Volume:
    """Magnitude of the signal as read out: limited k-space, breathing ghosts, Rician noise.

    The result is scaled so that the brightest 0.1 % of the voxels reach `grey_top`.
    """
    window, lines = _k_space(geometry.shape[:2], readout.ghost)
    before = readout.noise_sd / float(np.sqrt((window**2).mean()))
    magnitude = np.empty_like(signal)
    for k in range(geometry.shape[2]):
        noise = rng.normal(scale=before, size=(2, *geometry.shape[:2])).astype(np.float32)
        spectrum = fft2(signal[:, :, k] + noise[0] + 1j * noise[1])
        magnitude[:, :, k] = np.abs(ifft2(spectrum * (window * lines)))
    top = float(np.percentile(magnitude, 99.9))
    return Volume((magnitude * np.float32(readout.grey_top / top)).round(), geometry)


def _k_space(shape: tuple[int, ...], ghost: float) -> tuple[Array, Array]:
    """Window of the acquired part with softened edges, and breathing's modulation along j."""
    sides = []
    for n in shape:
        frequency = (np.abs(np.fft.fftfreq(n)) * 2.0 / RESOLUTION).astype(np.float32)
        sides.append(1.0 - smoothstep((frequency - 0.7) / 0.3))
    window = sides[0][:, None] * sides[1][None, :]
    line = np.arange(shape[1])
    modulation = 1.0 + ghost * np.cos(2 * np.pi * line / 9.3)
    return window.astype(np.float32), modulation[None, :].astype(np.float32)
