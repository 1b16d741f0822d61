"""Bits: a mask as it travels, one bit a voxel, and back, bit for bit.

Voxels are counted with i fastest, then j, then k; the first voxel is the lowest bit of the first
byte; bits past the last voxel are 0. A CRC-32 of the bytes tells two masks of one grid apart.
"""

from __future__ import annotations

import zlib

import numpy as np

from imaging.errors import MaskError
from imaging.geometry import Geometry
from imaging.volume import Mask


def packed(mask: Mask) -> bytes:
    """Return the bits of a mask, ceil(voxels / 8) bytes."""
    flat = np.zeros(mask.array.size, np.uint8)
    # A mask is sparse: placing what is inside is faster than turning the whole array round.
    i, j, k = np.unravel_index(np.flatnonzero(mask.array), mask.array.shape)
    flat[np.ravel_multi_index((i, j, k), mask.array.shape, order="F")] = 1
    return np.packbits(flat, bitorder="little").tobytes()


def inflated(deflated: bytes, geometry: Geometry) -> Mask:
    """Return the mask of a zlib stream of bits, never unfolding more than the grid can hold.

    Raises
    ------
    MaskError
        Not a whole zlib stream, one of another size, or bits past the last voxel.
    """
    voxels = int(np.prod(geometry.shape))
    wanted = -(-voxels // 8)
    stream = zlib.decompressobj()
    try:
        bits = stream.decompress(deflated, wanted + 1)
    except zlib.error as error:
        raise MaskError("mask_message_damaged") from error
    if len(bits) != wanted:
        got = len(bits) if len(bits) < wanted else f"more than {wanted}"
        raise MaskError("mask_message_size", got=got, wanted=wanted)
    flat = np.unpackbits(np.frombuffer(bits, np.uint8), bitorder="little")
    if not stream.eof or stream.unused_data or flat[voxels:].any():
        raise MaskError("mask_message_damaged")
    return Mask(flat[:voxels].reshape(geometry.shape, order="F").astype(np.bool_), geometry)
