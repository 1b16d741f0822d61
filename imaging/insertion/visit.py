"""Visit: the background image as it would look with a graft in it, at another time.

    voxel of the visit → rigid motion undone → bend undone → tissue closed where the graft opened
    it → background image

The graft's share of every voxel is counted on points inside the voxel, its slice's whole
thickness included, then blurred like the image; noise that interpolation takes away is given
back.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.insertion.background import Background
from imaging.insertion.motion import Motion
from imaging.insertion.plate import Laid, Plate, lay
from imaging.segmentation.axial import axial_geometry, from_axial
from imaging.volume import Mask, Volume

POINTS = (3, 3, 5)
"""Inside a voxel, along u, v and w."""
BLUR_PIXELS = 0.5
"""Standard deviation of the in-plane point spread."""
_FADE_MM = 18.0
"""Distance over which the displacement by the graft fades."""


@dataclass(frozen=True, slots=True, eq=False)
class Inserted:
    """One visit made from a background.

    Parameters
    ----------
    image
        On the background's grid.
    share
        (ni, nj, nk): the graft's part of each voxel before blur; sums to the true volume.
    graft, left, right
        Voxels at least half inside; `left` holds the graft. `right` is None without an outline.
    laid
        None without a graft.
    """

    image: Volume
    share: FloatArray
    graft: Mask
    left: Mask
    right: Mask | None
    laid: Laid | None
    motion: Motion
    scene: Background

    @property
    def volume_ml(self) -> float:
        """True volume."""
        return float(self.share.sum()) * self.image.geometry.voxel_volume_ml

    @property
    def centroid_mm(self) -> FloatArray | None:
        """(3,) LPS; None without a graft."""
        if not self.share.any():
            return None
        index = np.argwhere(self.share > 0)
        weight = self.share[self.share > 0]
        return self.image.geometry.to_world((index * weight[:, None]).sum(axis=0) / weight.sum())

    def to_visit(self, body_mm: FloatArray) -> FloatArray:
        """Return where tissue of the background (n, 3; u, v, w) is seen in this visit, LPS mm."""
        grid = axial_geometry(self.image.geometry)
        spacing = np.array(grid.spacing_mm)
        target = np.asarray(body_mm, dtype=np.float64)
        at = target.copy()
        for _ in range(30):
            at = at + target - _source(at, self.scene, self.motion, self.laid)
        return np.asarray(self.motion.visit_from_body @ grid.to_world(at / spacing))


def insert(scene: Background, plate: Plate | None, motion: Motion) -> Inserted:
    """Make one visit; without a plate the background is only moved."""
    laid = None if plate is None else lay(plate, scene.sheet)
    grid = axial_geometry(scene.image.geometry)
    index = np.moveaxis(np.indices(grid.shape, dtype=np.float64), 0, -1)
    body = _body_mm(index, scene, motion)
    source = _source(body, scene, motion, laid)
    array = _background_at(source, body, scene, motion)
    left = _outline_at(source, scene, scene.left)
    right = None if scene.right is None else _outline_at(source, scene, scene.right)
    share = np.zeros(grid.shape)
    if laid is not None:
        parts = _parts(grid.shape, body, scene, motion, laid)
        share = sum(parts.values(), np.zeros(grid.shape))
        array = _mixed(array, parts, source, scene, motion, laid)
    geometry = scene.image.geometry
    graft = share >= 0.5

    def mask(values: NDArray[np.bool_]) -> Mask:
        return Mask(from_axial(values, geometry), geometry)

    return Inserted(
        image=Volume(from_axial(array.astype(np.float32), geometry), geometry),
        share=np.ascontiguousarray(from_axial(share, geometry)),
        graft=mask(graft),
        left=mask((left >= 0.5) | graft),
        right=None if right is None else mask((right >= 0.5) & ~graft),
        laid=laid,
        motion=motion,
        scene=scene,
    )


def _body_mm(index: FloatArray, scene: Background, motion: Motion) -> FloatArray:
    """(..., 3): place in the body (u, v, w) of voxels of the visit."""
    spacing = np.array(scene.spacing_mm)
    if motion.is_still:
        return index * spacing
    grid = axial_geometry(scene.image.geometry)
    inverse = motion.visit_from_body.inverse
    return grid.to_index(inverse @ grid.to_world(index)) * spacing


def _source(body: FloatArray, scene: Background, motion: Motion, laid: Laid | None) -> FloatArray:
    """(..., 3): where in the background the tissue now at a body point comes from."""
    source = body
    if not motion.is_still:
        loose = _sampled(scene.looseness, body, scene, 1)
        source = body + motion.bend_mm(body) + loose[..., None] * motion.bowel_mm(body)
    if laid is None:
        return source
    _, forward, _ = laid.local(body[..., 0], body[..., 1], body[..., 2])
    half = laid.sheet.at(laid.opening_mm, body[..., 0], body[..., 2]) / 2
    beyond = np.clip(np.abs(forward) - half, 0, None)
    fade = np.exp(-((beyond / np.maximum(_FADE_MM, 1.5 * half)) ** 2))
    closed = np.sign(forward) * np.minimum(laid.plate.displaced * half, np.abs(forward)) * fade
    source = source.copy()
    source[..., 1] += closed  # forward is −v: tissue in front comes from farther back
    return source


def _sampled(values: FloatArray, at_mm: FloatArray, scene: Background, order: int) -> FloatArray:
    where = np.moveaxis(at_mm / np.array(scene.spacing_mm), -1, 0)
    return np.asarray(ndimage.map_coordinates(values, where, order=order, mode="nearest"))


def _background_at(
    source: FloatArray, body: FloatArray, scene: Background, motion: Motion
) -> FloatArray:
    """Interpolate the background by cubic splines, and give back the noise that this takes."""
    array = np.clip(_sampled(scene.array.astype(np.float64), source, scene, 3), 0, None)
    if motion.is_still:
        return array
    loose = _sampled(scene.looseness, body, scene, 1)
    array = array * np.exp(motion.wobble.bowel_brightness * loose * motion.brightness(body))
    rng = np.random.default_rng([motion.seed, 22])
    lost = np.sqrt(np.clip(1 - _noise_kept(source / np.array(scene.spacing_mm)), 0, 1))
    array = np.abs(array + scene.noise_sd * lost * rng.standard_normal(array.shape))
    return np.asarray(motion.gain * array * np.exp(motion.wobble.shading * motion.shade(body)))


def _noise_kept(index: FloatArray) -> FloatArray:
    """Return the share of white noise's variance left by cubic spline interpolation."""
    length, middle = 31, 15
    impulse = np.zeros(length)
    impulse[middle] = 1.0
    coefficients = ndimage.spline_filter1d(impulse, 3)
    offsets = np.linspace(0, 1, 21)
    places = np.arange(3, length - 3)
    energy = [
        (ndimage.map_coordinates(coefficients, [places + o], order=3, prefilter=False) ** 2).sum()
        for o in offsets
    ]
    kept = np.ones(index.shape[:-1])
    for axis in range(3):
        kept *= np.interp(index[..., axis] % 1.0, offsets, energy)
    return kept


def _outline_at(source: FloatArray, scene: Background, outline: Mask) -> FloatArray:
    from imaging.segmentation.axial import to_axial

    values = to_axial(outline.array, outline.geometry).astype(np.float32)
    return _sampled(values, source, scene, 1)


def _parts(
    shape: tuple[int, int, int], body: FloatArray, scene: Background, motion: Motion, laid: Laid
) -> dict[int, FloatArray]:
    """Return each part's share of every voxel: 1 the plate, 2 and more its spots."""
    centre = laid.place_mm(0.0, 0.0)
    reach = 0.7 * max(laid.plate.width_mm, laid.plate.height_mm, laid.plate.thickness_mm) + 12.0
    for spot in laid.plate.spots:
        reach = max(reach, float(np.hypot(*spot.position_mm)) + spot.diameter_mm)
    near = (np.abs(body - centre) <= reach).all(axis=-1)
    result = {n: np.zeros(shape) for n in range(1, 2 + len(laid.plate.spots))}
    if not near.any():
        return result
    block = tuple(slice(int(a.min()), int(a.max()) + 1) for a in np.nonzero(near))
    index = np.moveaxis(np.indices(shape, dtype=np.float64), 0, -1)[block]
    for offset in _offsets():
        at = _body_mm(index + offset, scene, motion)
        part = laid.parts(at[..., 0], at[..., 1], at[..., 2])
        for number, values in result.items():
            values[block] += (part == number) / np.prod(POINTS)
    return result


def _offsets() -> FloatArray:
    steps = [(np.arange(n) + 0.5) / n - 0.5 for n in POINTS]
    return np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)


def _mixed(
    array: FloatArray,
    parts: dict[int, FloatArray],
    source: FloatArray,
    scene: Background,
    motion: Motion,
    laid: Laid,
) -> FloatArray:
    """Lay the graft's signal over the tissue's, by its blurred share of each voxel."""
    rng = np.random.default_rng([laid.plate.seed, motion.seed, 23])
    grain = ndimage.gaussian_filter(rng.standard_normal(array.shape), (1.5, 1.5, 0.5))
    grain *= laid.plate.texture / max(float(grain.std()), 1e-9)
    noise = ndimage.gaussian_filter(rng.standard_normal(array.shape), (0.5, 0.5, 0))
    noise *= scene.noise_sd / float(noise.std())
    muscle = _sampled(scene.level, source, scene, 1)
    shade = (
        motion.gain * np.exp(motion.wobble.shading * motion.shade(source))
        if not motion.is_still
        else 1.0
    )
    ratios = (laid.plate.ratio, *(spot.ratio for spot in laid.plate.spots))
    blurred = [
        ndimage.gaussian_filter(parts[n], (BLUR_PIXELS, BLUR_PIXELS, 0)) for n in sorted(parts)
    ]
    total = sum(blurred, np.zeros(array.shape))
    signal = sum((r * b for r, b in zip(ratios, blurred, strict=True)), np.zeros(array.shape))
    ours = shade * (muscle * signal * (1 + grain) + noise * total)
    return np.asarray((1 - total) * array + ours)
