"""Contrast: a drawn wall turned into log intensities as a scanner might show it.

Levels are relative to muscle and drawn over wide ranges (domain randomisation, Billot et al.,
Med Image Anal 2023;86:102789), because sequences, coils and fat suppression differ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from training.tissue import Array, Drawn, Grid, Tissue, wave

SUB_SLICES, SUB_DEPTHS = 2, 2


def _log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def t2_levels(rng: np.random.Generator) -> Array:
    """Return a level for each tissue on T2W-FS."""
    u = _log_uniform
    fat = u(rng, 0.2, 1.8)
    level = np.zeros(len(Tissue), np.float32)
    level[Tissue.AIR] = u(rng, 0.003, 0.05)
    level[Tissue.SKIN] = u(rng, 0.4, 2.5)
    level[Tissue.FAT] = fat
    level[Tissue.MUSCLE] = 1.0
    level[Tissue.LATERAL] = u(rng, 0.8, 1.3)
    level[Tissue.FIBROUS] = u(rng, 0.15, 0.9)
    level[Tissue.DEEP_FAT] = fat * u(rng, 0.6, 1.6)
    level[Tissue.INNER_FAT] = fat * u(rng, 0.5, 2.0)
    level[Tissue.LIVER] = u(rng, 0.6, 1.6)
    level[Tissue.FLUID] = u(rng, 2.5, 10)
    level[Tissue.CONTENT] = u(rng, 0.5, 4)
    level[Tissue.GAS] = u(rng, 0.05, 0.4)
    level[Tissue.BOWEL_WALL] = u(rng, 0.6, 2.5)
    level[Tissue.VESSEL] = u(rng, 0.3, 5)
    level[Tissue.GRAFT] = u(rng, 0.85, 4.0)
    level[Tissue.NODULE] = level[Tissue.GRAFT] * u(rng, 1.3, 3.0)
    level[Tissue.FOCUS] = level[Tissue.GRAFT] * u(rng, 0.3, 0.9)
    return level


def t1_levels(rng: np.random.Generator) -> Array:
    """Return a level for each tissue on T1W-FS."""
    u = _log_uniform
    fat = u(rng, 0.15, 0.75)
    level = np.zeros(len(Tissue), np.float32)
    level[Tissue.AIR] = u(rng, 0.003, 0.05)
    level[Tissue.SKIN] = u(rng, 0.5, 1.5)
    level[Tissue.FAT] = fat
    level[Tissue.MUSCLE] = 1.0
    level[Tissue.LATERAL] = u(rng, 0.85, 1.2)
    level[Tissue.FIBROUS] = u(rng, 0.2, 0.8)
    level[Tissue.DEEP_FAT] = fat * u(rng, 0.7, 1.4)
    level[Tissue.INNER_FAT] = fat * u(rng, 0.7, 1.4)
    level[Tissue.LIVER] = u(rng, 0.9, 1.9)
    level[Tissue.FLUID] = u(rng, 0.15, 0.9)
    level[Tissue.CONTENT] = u(rng, 0.3, 2.0)
    level[Tissue.GAS] = u(rng, 0.05, 0.3)
    level[Tissue.BOWEL_WALL] = u(rng, 0.6, 1.4)
    level[Tissue.VESSEL] = u(rng, 0.3, 2.5)
    level[Tissue.GRAFT] = u(rng, 0.75, 1.7)
    level[Tissue.NODULE] = u(rng, 0.7, 1.8)
    level[Tissue.FOCUS] = u(rng, 0.2, 1.0)
    return level


def acquired(rng: np.random.Generator, drawn: Drawn, grid: Grid, level: Array) -> Array:
    """Return log intensities (slices, along, depth) on the coarse grid of the network."""
    shown = level[drawn.tissue]
    a, z = grid.along[None, :], grid.z[:, None]
    shown = shown * _failure(rng, drawn, grid, level)
    tendon = 1 - rng.uniform(0.1, 0.7) * drawn.intersection[..., None]
    shown = np.where(drawn.tissue == Tissue.MUSCLE, shown * tendon, shown)
    shown = shown * (1 + _grain(rng, shown.shape))
    shown = shown * np.where(_is_deep()[drawn.tissue], _clutter(rng, shown.shape), np.float32(1))
    shade = wave(rng, a, z, 150, 500, 0.15)[..., None] - rng.uniform(0, 0.02) * grid.depth
    sides = 1 + 0.5 * rng.normal(0, 0.3) * np.tanh(grid.along / 25)
    shown = shown * np.exp(shade) * np.clip(sides, 0.4, 1.6)[None, :, None]
    shown = shown * np.exp(rng.normal(0, 0.12, (grid.z.size // SUB_SLICES, 1, 1))).repeat(
        SUB_SLICES, axis=0
    )
    return _detected(rng, shown)


def _failure(rng: np.random.Generator, drawn: Drawn, grid: Grid, level: Array) -> Array:
    """How much brighter fat is where its suppression fails, or darker where it overdoes."""
    a, z = grid.along[None, :], grid.z[:, None]
    field = wave(rng, a, z, 60, 250, rng.choice((0.1, 0.3, 0.6)))
    if rng.random() < 0.5:
        centre, width = rng.uniform(-110, 110), rng.uniform(15, 60)
        field = field + rng.uniform(0, 1.8) * np.exp(-(((a - centre) / width) ** 2))
    fat = _is_fat()[drawn.tissue]
    limit = np.float32(np.log(5.0 / max(float(level[Tissue.FAT]), 0.05)))
    return np.where(fat, np.exp(np.clip(field, -1.2, limit))[..., None], np.float32(1))


def _is_fat() -> NDArray[np.bool_]:
    kinds = np.zeros(len(Tissue), np.bool_)
    kinds[[Tissue.FAT, Tissue.INNER_FAT, Tissue.DEEP_FAT]] = True
    return kinds


def _grain(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Unevenness of tissue: streaks of fat in muscle, folds of bowel."""
    noise = rng.standard_normal((shape[0], shape[1] // 2, shape[2] // 4)).astype(np.float32)
    noise = ndimage.gaussian_filter(noise, (0.7, rng.uniform(0.5, 2.5), rng.uniform(0.3, 1.2)))
    noise = noise.repeat(2, axis=1).repeat(4, axis=2)[:, : shape[1], : shape[2]]
    return np.clip(noise / max(float(noise.std()), 1e-6) * rng.uniform(0.02, 0.18), -0.7, 0.7)


def _is_deep() -> NDArray[np.bool_]:
    kinds = np.zeros(len(Tissue), np.bool_)
    kinds[[Tissue.DEEP_FAT, Tissue.CONTENT, Tissue.BOWEL_WALL]] = True
    return kinds


def _clutter(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Return how uneven it is behind the wall: folds, vessels, mesentery, 4 to 20 mm wide."""
    noise = rng.standard_normal((shape[0], shape[1], shape[2] // 4)).astype(np.float32)
    along, deep = rng.uniform(1.0, 5.0), rng.uniform(1.0, 4.0)
    noise = ndimage.gaussian_filter(noise, (1.0, along, deep)).repeat(4, axis=2)
    strength = rng.uniform(0.0, 0.6)
    return np.exp(np.clip(strength * noise / max(float(noise.std()), 1e-6), -1.5, 1.5))


def _detected(rng: np.random.Generator, shown: Array) -> Array:
    pixel = rng.uniform(0.8, 2.0)
    blur = pixel * rng.uniform(0.35, 0.6)
    image = ndimage.gaussian_filter(shown, (0, blur / 4.0, blur / 0.5))
    image = image.reshape(-1, SUB_SLICES, image.shape[1], image.shape[2]).mean(axis=1)
    image = image.reshape(*image.shape[:2], -1, SUB_DEPTHS).mean(axis=3)
    if rng.random() < 0.3:
        shift = int(rng.integers(4, 20))
        image = image + rng.uniform(0, 0.08) * np.roll(image, shift, axis=2)
    sd = _log_uniform(rng, 0.015, 0.15)
    noise = rng.standard_normal((2, *image.shape)).astype(np.float32)
    noise = ndimage.gaussian_filter(noise, (0, 0, pixel / 4, pixel / 2))
    noise *= sd / max(float(noise.std()), 1e-6)
    return np.hypot(image + noise[0], noise[1])


def log_level(image: Array) -> Array:
    """Return log intensity relative to the image's own median, as the program computes it."""
    covered = image[image > 0]
    middle = float(np.median(covered)) if covered.size else 1.0
    return np.log(np.clip(image, 0, None) / middle + 0.05).astype(np.float32)
