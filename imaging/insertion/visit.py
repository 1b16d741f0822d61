"""Visit: the background image as it would look with a graft in it, at another time.

The graft's share of every voxel is counted on points inside the voxel, its slice's whole
thickness included, then blurred like the image; noise that interpolation takes away is given
back.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray
from imaging.insertion.background import Background, Channel
from imaging.insertion.motion import Motion
from imaging.insertion.plate import Laid, Plate, lay
from imaging.insertion.sheet import Points
from imaging.insertion.warp import Warp, sampled
from imaging.segmentation.axial import from_axial, to_axial
from imaging.volume import Mask, Volume

_POINTS = (3, 3, 5)
"""Inside a voxel, along u, v and w."""
_BLUR_PIXELS = 0.5
"""Standard deviation of the in-plane point spread."""
_GRAIN_VOXELS = (1.5, 1.5, 0.5)


@dataclass(frozen=True, slots=True, eq=False)
class Inserted:
    """One visit made from a background, on its grid.

    Parameters
    ----------
    t2, t1
        Images; t1 is None where the background has none.
    share
        (ni, nj, nk): the graft's part of each voxel before blur; sums to the true volume.
    graft, left, right
        Voxels at least half inside; `left` holds the graft. `right` is None without an outline.
    warp
        Where everything came from.
    """

    t2: Volume
    t1: Volume | None
    share: FloatArray
    graft: Mask
    left: Mask
    right: Mask | None
    warp: Warp

    @property
    def laid(self) -> Laid | None:
        """The graft in its place; None without one."""
        return self.warp.laid

    @property
    def volume_ml(self) -> float:
        """True volume; 0 without a graft."""
        return float(self.share.sum()) * self.graft.geometry.voxel_volume_ml

    @property
    def centroid_mm(self) -> FloatArray | None:
        """(3,) LPS; None without a graft."""
        if not self.share.any():
            return None
        index = np.argwhere(self.share > 0)
        weight = self.share[self.share > 0]
        middle = (index * weight[:, None]).sum(axis=0) / weight.sum()
        return self.graft.geometry.to_world(middle)


def insert(scene: Background, plate: Plate | None, motion: Motion) -> Inserted:
    """Make one visit; without a plate the background is only moved."""
    warp = Warp(scene, motion, None if plate is None else lay(plate, scene.sheet))
    index = np.moveaxis(np.indices(scene.axial.shape, dtype=np.float32), 0, -1)
    body = warp.body_mm(index)
    source = warp.source_mm(body)
    parts = _parts(warp)
    share = np.zeros(scene.axial.shape)
    for part in parts:
        share = share + part
    graft = share >= 0.5
    right = None if scene.right is None else _outline(scene.right, source, scene) & ~graft
    t1 = None if scene.t1 is None else _image(scene.t1, warp, (body, source), parts, 1)
    return Inserted(
        t2=_volume(_image(scene.t2, warp, (body, source), parts, 0), scene),
        t1=None if t1 is None else _volume(t1, scene),
        share=_back(share, scene),
        graft=_mask(graft, scene),
        left=_mask(_outline(scene.left, source, scene) | graft, scene),
        right=None if right is None else _mask(right, scene),
        warp=warp,
    )


def _volume(axial: NDArray[np.float32], scene: Background) -> Volume:
    return Volume(_back(axial, scene), scene.geometry)


def _mask(axial: NDArray[np.bool_], scene: Background) -> Mask:
    return Mask(_back(axial, scene), scene.geometry)


def _back(array: NDArray[Any], scene: Background) -> NDArray[Any]:
    return np.ascontiguousarray(from_axial(array, scene.geometry))


def _outline(outline: Mask, source: Points, scene: Background) -> NDArray[np.bool_]:
    values = to_axial(outline.array, outline.geometry).astype(np.float32)
    return np.asarray(sampled(values, source, scene) >= 0.5)


def _image(
    channel: Channel,
    warp: Warp,
    places: tuple[Points, Points],
    parts: list[FloatArray],
    number: int,
) -> NDArray[np.float32]:
    """Return one contrast: the moved background, and over it the graft by its blurred share."""
    body, source = places
    array = _moved(channel, warp, body, source, number)
    if warp.laid is None:
        return array
    plate = warp.laid.plate
    blurred = [ndimage.gaussian_filter(p, (_BLUR_PIXELS, _BLUR_PIXELS, 0)) for p in parts]
    ratios = [(plate.ratio, plate.t1_ratio)[number]]
    ratios += [(spot.ratio, spot.t1_ratio)[number] for spot in plate.spots]
    total = sum(blurred, np.zeros(array.shape))
    signal = sum((r * b for r, b in zip(ratios, blurred, strict=True)), np.zeros(array.shape))
    there = total > 0
    rng = np.random.default_rng([plate.seed, warp.motion.seed, 23, number])
    grain = _smoothed_noise(rng, array.shape, _GRAIN_VOXELS, plate.texture)
    noise = _smoothed_noise(rng, array.shape, (0.5, 0.5, 0.0), channel.noise_sd)
    muscle = sampled(channel.level, source[there], warp.scene)
    ours = muscle * signal[there] * (1 + grain[there]) + noise[there] * total[there]
    if not warp.motion.is_still:
        ours = ours * warp.motion.gain_at(body[there])
    array[there] = (1 - total[there]) * array[there] + ours
    return array


def _smoothed_noise(
    rng: np.random.Generator,
    shape: tuple[int, ...],
    width: tuple[float, float, float],
    sd: float,
) -> NDArray[np.float32]:
    noise = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), width)
    return np.asarray(noise * (sd / float(noise.std())))


def _moved(
    channel: Channel, warp: Warp, body: Points, source: Points, number: int
) -> NDArray[np.float32]:
    """Interpolate the background by cubic splines, and give back the noise that this takes."""
    scene, motion = warp.scene, warp.motion
    if motion.is_still and warp.laid is None:
        return channel.array.copy()
    array = np.clip(sampled(channel.array, source, scene, order=3), 0, None)
    if motion.is_still:
        return np.asarray(array, dtype=np.float32)
    loose = warp.looseness(body)
    far = loose > 0
    change = motion.wobble.bowel_brightness * loose[far] * motion.brightness.at(body[far])
    array[far] *= np.exp(change)
    rng = np.random.default_rng([motion.seed, 22, number])
    kept = _noise_kept(source / np.array(scene.axial.spacing_mm, dtype=source.dtype))
    lost = channel.noise_sd * np.sqrt(np.clip(1 - kept, 0, 1))
    array = np.abs(array + lost * rng.standard_normal(array.shape, dtype=np.float32))
    return np.asarray(array * motion.gain_at(body), dtype=np.float32)


def _noise_kept(index: Points) -> Points:
    """Return the share of white noise's variance that cubic spline interpolation leaves."""
    offsets, energy = _spline_energy()
    kept = np.ones(index.shape[:-1], dtype=index.dtype)
    for axis in range(3):
        kept *= np.interp(index[..., axis] % 1.0, offsets, energy).astype(index.dtype)
    return kept


@cache
def _spline_energy() -> tuple[FloatArray, FloatArray]:
    """Return offsets between samples, and the sum of the squared weights that act there."""
    length = 31
    impulse = np.zeros(length)
    impulse[length // 2] = 1.0
    coefficients = ndimage.spline_filter1d(impulse, 3)
    offsets = np.linspace(0, 1, 21)
    places = np.arange(3, length - 3)
    response = [
        ndimage.map_coordinates(coefficients, [places + o], order=3, prefilter=False)
        for o in offsets
    ]
    return offsets, (np.array(response) ** 2).sum(axis=1)


def _parts(warp: Warp) -> list[FloatArray]:
    """Return each part's share of every voxel: the plate, then its spots; empty without one."""
    laid, shape = warp.laid, warp.scene.axial.shape
    if laid is None:
        return []
    result = [np.zeros(shape) for _ in range(1 + len(laid.plate.spots))]
    block = _block(warp, laid)
    if block is None:
        return result
    index = np.moveaxis(np.indices(shape, dtype=np.float64), 0, -1)[block]
    for offset in _offsets():
        at = warp.body_mm(index + offset)
        part = laid.parts(at[..., 0], at[..., 1], at[..., 2])
        for number, values in enumerate(result, start=1):
            values[block] += (part == number) / np.prod(_POINTS)
    return result


def _block(warp: Warp, laid: Laid) -> tuple[slice, slice, slice] | None:
    """Return the voxels that can hold some graft; None when it lies outside the image."""
    index = np.moveaxis(np.indices(warp.scene.axial.shape, dtype=np.float32), 0, -1)
    away = np.abs(warp.body_mm(index) - laid.place_mm(0.0, 0.0).astype(np.float32))
    near = np.argwhere((away <= laid.reach_mm).all(axis=-1))
    if near.size == 0:
        return None
    low, high = near.min(axis=0), near.max(axis=0) + 1
    i, j, k = (slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    return i, j, k


def _offsets() -> FloatArray:
    steps = [(np.arange(n) + 0.5) / n - 0.5 for n in _POINTS]
    return np.stack(np.meshgrid(*steps, indexing="ij"), axis=-1).reshape(-1, 3)
