"""Put a graft of known shape into a real abdominal T2W-FS image.

The rectus muscles of four CHAOS volumes were outlined by eye on a few slices, on the image at
six times its size: per slice and side a list of (i, back, front) in voxels, medial and lateral
end included; slices between are interpolated. Borders are good to about one pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from imaging.geometry import FloatArray, Geometry, from_ras
from imaging.segmentation.masks import Muscles
from imaging.volume import Mask, Volume

Curve = list[tuple[float, float, float]]

# fmt: off
RIGHT: dict[int, dict[int, Curve]] = {
    1: {3: [(75, 169, 173.5), (95, 171, 176.5), (110, 173, 178.5), (118, 175, 178)],
        5: [(67, 169, 173), (80, 171.5, 178), (100, 171.5, 179.5), (120, 174, 179)],
        7: [(65, 171, 174), (80, 171, 178), (100, 171.5, 179), (117, 172, 179.5)]},
    2: {7: [(60, 186, 191), (80, 189.5, 195), (95, 190.5, 196), (110, 191, 194)],
        9: [(60, 188, 195), (80, 191.5, 198), (95, 193, 199), (107, 193.5, 196.5)],
        11: [(60, 190, 199), (80, 193, 201), (95, 193.5, 201), (108, 195, 199)],
        13: [(70, 193, 199), (85, 195, 203), (100, 196, 203), (115, 199, 203)]},
    3: {3: [(60, 186, 190.5), (80, 186, 192), (100, 186, 192.5), (115, 187.5, 191)],
        5: [(60, 190, 193), (80, 190, 195), (100, 190, 195.5), (117, 191, 194)],
        7: [(63, 192.5, 197), (80, 193, 199), (100, 193, 198.5), (120, 193.5, 197)],
        9: [(80, 196.5, 200), (100, 198, 201.5), (115, 199, 201)],
        13: [(58, 202, 205), (75, 203, 210), (90, 204, 209.5), (105, 205, 209), (117, 206.5, 209)],
        16: [(65, 208, 212), (80, 208, 213), (100, 208, 213), (118, 209, 213)]},
    5: {16: [(60, 172, 176), (80, 173, 178), (100, 174, 179), (118, 175, 180)],
        19: [(60, 171, 175), (80, 175, 178), (100, 178, 182), (118, 178, 182)]},
    8: {5: [(62, 207, 210), (80, 210.5, 214), (97, 212, 216), (112, 212.5, 215)],
        7: [(60, 208, 213), (75, 212, 217), (95, 215.5, 220), (110, 214.5, 218), (119, 214, 216)],
        9: [(56, 209, 213.5), (70, 211.5, 217), (85, 214, 220.5), (97, 215.5, 221.5),
            (110, 215.5, 219.5), (119, 215, 217.5)],
        11: [(56, 210, 216), (70, 214, 220), (85, 217, 222.5), (97, 218, 223), (110, 217, 220.5),
             (120, 216.5, 218.5)],
        13: [(60, 215, 220), (75, 217.5, 223), (90, 219.5, 225), (105, 219.5, 223.5),
             (120, 219, 221)]},
}
LEFT: dict[int, dict[int, Curve]] = {
    1: {3: [(137, 175, 178.5), (147, 172.5, 178), (157, 170.5, 176.5), (165, 170, 174)],
        5: [(137, 175.5, 178.5), (150, 173, 179.5), (165, 171, 179), (180, 170.5, 176.5),
            (190, 169.5, 173)],
        7: [(139, 176, 179.5), (150, 172.5, 179), (165, 171, 178.5), (180, 170.5, 176.5),
            (192, 169.5, 173)]},
    2: {7: [(131, 190, 192.5), (145, 188.5, 193), (160, 185.5, 192), (175, 183.5, 190),
            (190, 181, 186)],
        9: [(133, 193.5, 195.5), (147, 191, 195.5), (160, 188.5, 194.5), (175, 186, 192.5),
            (190, 183.5, 189), (200, 182, 186)],
        11: [(131, 195.5, 197.5), (145, 192.5, 198), (160, 189.5, 196.5), (175, 187.5, 194.5),
             (190, 185.5, 191.5), (200, 184.5, 188.5)],
        13: [(133, 198.5, 200.5), (145, 196, 200), (160, 193, 199), (175, 190, 197),
             (188, 187, 193.5)]},
    3: {3: [(140, 189.5, 192.5), (155, 190, 195), (170, 190.5, 195.5), (185, 191, 195)],
        5: [(142, 191.5, 195), (155, 192, 198.5), (170, 192, 199), (185, 192.5, 198.5),
            (196, 193, 196)],
        7: [(142, 195, 198), (155, 196, 201.5), (170, 196.5, 202), (185, 196, 201),
            (194, 196, 199)],
        9: [(142, 199, 202), (155, 199.5, 204), (170, 199.5, 204.5), (182, 199, 203)],
        13: [(144, 205.5, 208.5), (160, 204, 209), (175, 203.5, 209), (190, 202, 207),
             (197, 201, 204)],
        16: [(142, 210.5, 213.5), (155, 208.5, 213.5), (170, 207.5, 213.5), (183, 206, 211)]},
    5: {16: [(132, 175, 181), (150, 172, 178), (170, 168, 174), (183, 165, 170)],
        19: [(132, 177, 182), (150, 175, 181), (170, 171, 177), (185, 167, 173)]},
    8: {5: [(134, 212.5, 214.5), (145, 213, 217.5), (160, 214.5, 219.5), (175, 213.5, 219),
            (190, 211.5, 216.5), (200, 210, 213)],
        7: [(135, 213, 215), (147, 213.5, 218.5), (160, 215.5, 221), (175, 215, 221),
            (190, 212, 218), (200, 211, 214.5)],
        9: [(135, 214.5, 217), (147, 215, 220.5), (160, 217.5, 223), (175, 216.5, 222.5),
            (190, 213.5, 219), (200, 212, 217)],
        11: [(136, 216.5, 218.5), (147, 217, 222), (160, 219.5, 225.5), (175, 218, 224),
             (188, 215.5, 220.5), (200, 213.5, 219)],
        13: [(136, 219, 220.5), (147, 220, 224), (160, 221.5, 226.5), (172, 220, 226),
             (183, 218.5, 222.5)]},
}
# fmt: on


def chaos(folder: Path, case: int) -> Volume:
    """Load a CHAOS volume by way of nibabel, apart from the program's own loader."""
    image = nib.load(folder / "chaos_t2spir" / f"image_{case}.nii.gz")
    array = np.asanyarray(image.dataobj).astype(np.float32)
    return Volume(array, Geometry(from_ras(image.affine), array.shape))


def _band(curves: dict[int, Curve], shape: tuple[int, int, int]) -> FloatArray:
    """Return (2, ni, nk): back and front border in voxels of j, NaN outside the muscle."""
    ks = sorted(curves)
    columns = np.arange(shape[0], dtype=float)
    band = np.full((2, shape[0], shape[2]), np.nan)
    share = np.linspace(0, 1, 101)
    for k in range(ks[0], ks[-1] + 1):
        above = next(n for n in ks if n >= k)
        below = max(n for n in ks if n <= k)
        t = 0.0 if above == below else (k - below) / (above - below)
        path = (1 - t) * _resampled(curves[below], share) + t * _resampled(curves[above], share)
        for side in (0, 1):
            band[side, :, k] = np.interp(
                columns, path[0], path[1 + side], left=np.nan, right=np.nan
            )
    return band


def _resampled(curve: Curve, share: FloatArray) -> FloatArray:
    i, back, front = np.array(curve).T
    at = i[0] + share * (i[-1] - i[0])
    return np.stack([at, np.interp(at, i, back), np.interp(at, i, front)])


def _filled(band: FloatArray, shape: tuple[int, int, int]) -> NDArray[np.bool_]:
    j = np.arange(shape[1])[None, :, None]
    return np.asarray((j >= band[0][:, None, :]) & (j <= band[1][:, None, :]))


def outlined_muscles(image: Volume, case: int) -> Muscles:
    """Return the muscles of a CHAOS case as outlined by eye."""
    shape, geometry = image.geometry.shape, image.geometry
    body = ndimage.gaussian_filter(image.array, 2) > 0.1 * np.percentile(image.array, 90)
    left, right = (_filled(_band(side[case], shape), shape) for side in (LEFT, RIGHT))
    middle = []
    for k in np.flatnonzero(left.any((0, 1))):
        i = (np.argwhere(left[:, :, k])[:, 0].min() + np.argwhere(right[:, :, k])[:, 0].max()) / 2
        middle.append((i, np.argwhere(left[:, :, k])[:, 1].mean(), k))
    return Muscles(
        Mask(body, geometry), Mask(left, geometry), Mask(right, geometry),
        geometry.to_world(np.array(middle)), 1.0,
    )  # fmt: skip


@dataclass(frozen=True)
class Insertion:
    """A lens-shaped plate that follows the muscle, in mm, and its intensity relative to muscle."""

    width_mm: float
    thickness_mm: float
    height_mm: float
    ratio: float
    lateral: float = 0.5
    """Place across the muscle, 0 medial to 1 lateral."""
    depth: float = 0.5
    """Place between the posterior (0) and anterior (1) border."""
    seed: int = 0


def insert_graft(image: Volume, muscles: Muscles, case: int, graft: Insertion) -> tuple[
    Volume, Mask, FloatArray
]:  # fmt: skip
    """Return the image with the graft in it, its true mask (half a voxel or more), its fraction.

    The graft's share of every voxel comes from 5 x 5 x 5 points of a voxel, and the scanner's blur
    is taken as 0.5 pixel. The muscle under the graft gives the noise and the shading.
    """
    fraction = _fraction(image.geometry, case, graft)
    fraction = ndimage.gaussian_filter(fraction, (0.5, 0.5, 0))
    muscle = muscles.rectus_left.array
    local = _local_level(image.array, muscle)
    noise = image.array - ndimage.gaussian_filter(image.array, (1, 1, 0))
    rng = np.random.default_rng(graft.seed)
    texture = ndimage.gaussian_filter(rng.standard_normal(image.array.shape), (2, 2, 0.5))
    bright = local * graft.ratio * (1 + 0.05 * texture / texture.std()) + noise
    mixed = (1 - fraction) * image.array + fraction * bright
    return Volume(mixed, image.geometry), Mask(fraction >= 0.5, image.geometry), fraction


def _local_level(array: NDArray[np.float32], muscle: NDArray[np.bool_]) -> FloatArray:
    weight = ndimage.gaussian_filter(muscle.astype(float), (8, 8, 0))
    total = ndimage.gaussian_filter(np.where(muscle, array, 0).astype(float), (8, 8, 0))
    return np.asarray(total / np.maximum(weight, 1e-6))


def _fraction(geometry: Geometry, case: int, graft: Insertion, points: int = 5) -> FloatArray:
    band = _band(LEFT[case], geometry.shape)
    spacing = geometry.spacing_mm
    ks = np.flatnonzero(np.isfinite(band[0]).any(0))
    middle_k = (ks[0] + ks[-1]) / 2
    centre = (1 - graft.depth) * band[0] + graft.depth * band[1]
    out = np.zeros(geometry.shape)
    offsets = (np.arange(points) + 0.5) / points - 0.5
    for k in ks:
        i = np.flatnonzero(np.isfinite(centre[:, k]))
        start = i[0] + graft.lateral * (i[-1] - i[0])
        x, y, z = np.meshgrid(offsets, offsets, offsets, indexing="ij")
        for column in i:
            at = np.interp(column + x, i, centre[i, k])
            u = (column + x - start) * spacing[0] / (graft.width_mm / 2)
            w = (k + z - middle_k) * spacing[2] / (graft.height_mm / 2)
            for j in range(int(centre[column, k]) - 16, int(centre[column, k]) + 17):
                v = (j + y - at) * spacing[1] / (graft.thickness_mm / 2)
                out[column, j, k] = (u**2 + v**2 + w**2 <= 1).mean()
    return out
