"""Normalisation: the slow brightness change of surface coils, estimated and divided out."""

from __future__ import annotations

import math

import numpy as np
import SimpleITK as sitk

from imaging.bias_field import BiasField, bias_field
from imaging.interop import array_of, to_sitk
from imaging.volume import Mask, Volume

_WORKING_SPACING_MM = 12.0
_VOXELS_MIN = 8


def correct_bias(volume: Volume, body: Mask) -> Volume:
    """Divide out the bias field found by N4 (Tustison 2010, IEEE TMI 29:1310).

    The field is found on an image shrunk to voxels of 12 mm or a little more, where coil shading
    loses nothing, and evaluated on every voxel. The mean inside the body is kept, so intensities
    stay in their range; the same numbers come out at any number of threads.

    Parameters
    ----------
    volume
        The image as acquired.
    body
        The patient, on the same grid; the field is fitted inside it only.

    Returns
    -------
    Volume on the same grid; `volume` itself when the body is empty or has no positive voxel.
    """
    usable = body.array & (volume.array > 0)
    if not usable.any():
        return volume
    field = _field(volume, Mask(usable, body.geometry)).logarithm(volume.geometry.shape)
    flat = volume.array * np.exp(-field)
    gain = volume.array[usable].mean(dtype=np.float64) / flat[usable].mean(dtype=np.float64)
    flat *= np.float32(gain)
    return Volume(flat, volume.geometry)


def _field(volume: Volume, usable: Mask) -> BiasField:
    factors = [math.ceil(_WORKING_SPACING_MM / mm) for mm in volume.geometry.spacing_mm]
    factors = [
        min(f, max(1, n // _VOXELS_MIN))
        for f, n in zip(factors, volume.geometry.shape, strict=True)
    ]
    # Block means rather than every n-th voxel: less noise in the histogram that N4 sharpens.
    image = array_of(sitk.BinShrink(to_sitk(volume), factors)).astype(np.float64)
    share = sitk.BinShrink(sitk.Cast(to_sitk(usable), sitk.sitkFloat32), factors)
    return bias_field(image, array_of(share >= 0.5).astype(np.bool_) & (image > 0))
