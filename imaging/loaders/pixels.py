"""Pixels: from stored bytes to one float32 volume, rescaled frame by frame."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import gdcm
import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import generate_frames
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import JPEG2000, UID, ExplicitVRBigEndian, JPEG2000Lossless, RLELossless
from rle.utils import decode_pixel_data

from imaging.concurrency import cores
from imaging.errors import FileError, SeriesError
from imaging.geometry import Geometry
from imaging.loaders.dicom_file import content
from imaging.loaders.frame import Frame
from imaging.loaders.pixel_data import PixelData
from imaging.loaders.quiet import quiet
from imaging.loaders.remarks import remarks
from imaging.messages import text
from imaging.volume import Volume

Stored = NDArray[Any]

_LOG = logging.getLogger(__name__)
_SLOW = (JPEG2000Lossless, JPEG2000)
"""Decoding takes most of the time here, and its decoder lets other threads run meanwhile."""
_THREADS_MAX = 4

gdcm.Trace.WarningOff()  # its remarks go to the terminal; what fails comes back as an error
gdcm.Trace.ErrorOff()


@dataclass(frozen=True, slots=True, eq=False)
class StackPixels:
    """The pixels of one ordered stack, decoded when called; can travel to another process."""

    frames: tuple[Frame, ...]
    geometry: Geometry

    def __call__(self) -> Volume:
        """Decode all frames.

        Raises
        ------
        FileError
            A file is unreadable, truncated or not decodable.
        SeriesError
            A rescaled value is not finite.
        """
        columns, rows, slices = self.geometry.shape
        array = np.empty((slices, rows, columns), dtype=np.float32)
        groups = _by_file(self.frames)
        with quiet():
            if self.frames[0].pixels.transfer_syntax in _SLOW:
                with ThreadPoolExecutor(min(_THREADS_MAX, cores())) as pool:
                    list(pool.map(lambda group: self._decode(group[0], group[1], array), groups))
            else:
                for data, wanted in groups:
                    self._decode(data, wanted, array)
        if not np.isfinite(array).all():
            raise SeriesError("values_not_finite", file=self.frames[0].file)
        array.setflags(write=False)
        return Volume(array.transpose(2, 1, 0), self.geometry)

    def _decode(self, data: PixelData, wanted: list[int], array: NDArray[np.float32]) -> None:
        """Fill the slices that lie in one file."""
        with np.errstate(over="ignore"):  # what overflows float32 is refused afterwards
            decoded = stored_frames(data, [self.frames[k].index for k in wanted])
            for k, stored in zip(wanted, decoded, strict=True):
                _rescale(self.frames[k], stored, array[k])


def _by_file(frames: Sequence[Frame]) -> Iterable[tuple[PixelData, list[int]]]:
    """Group slice numbers by the file that holds them: each file is opened once."""
    groups: dict[str, tuple[PixelData, list[int]]] = {}
    for k, frame in enumerate(frames):
        groups.setdefault(frame.file, (frame.pixels, []))[1].append(k)
    return groups.values()


def _rescale(frame: Frame, stored: Stored, into: NDArray[np.float32]) -> None:
    row, column = frame.tile
    tile = stored[row : row + frame.rows, column : column + frame.columns]
    if (frame.slope, frame.intercept) == (1.0, 0.0):
        into[:] = tile
    else:
        into[:] = tile * frame.slope + frame.intercept


def stored_frames(data: PixelData, indices: Sequence[int]) -> Iterator[Stored]:
    """Yield the stored values (rows, columns) of the frames asked for."""
    return _native(data, indices) if data.native else _compressed(data, indices)


def _remarks(data: PixelData) -> AbstractContextManager[set[str]]:
    """Catch what libjpeg says; the decoders of JPEG 2000 and RLE say nothing, and need not wait."""
    silent = (*_SLOW, RLELossless)
    return nullcontext(set()) if data.transfer_syntax in silent else remarks()


def _native(data: PixelData, indices: Sequence[int]) -> Iterator[Stored]:
    order = ">" if data.transfer_syntax == ExplicitVRBigEndian else "<"
    kind = np.dtype(f"{order}{'i' if data.layout.signed else 'u'}{data.layout.bits_allocated // 8}")
    with content(data.file) as stream:
        for index in indices:
            stream.seek(data.offset + index * data.layout.frame_bytes)
            raw = stream.read(data.layout.frame_bytes)
            if len(raw) < data.layout.frame_bytes:
                raise FileError(
                    "pixels_truncated",
                    file=data.file.name,
                    expected=data.layout.frame_bytes,
                    found=len(raw),
                )
            frame = np.frombuffer(raw, kind).reshape(data.layout.rows, data.layout.columns)
            yield _only_stored_bits(frame, data)


def _only_stored_bits(frame: Stored, data: PixelData) -> Stored:
    """Drop what lies above the stored bits: old scanners keep graphics there."""
    spare = data.layout.bits_allocated - data.layout.bits_stored
    if not spare:
        return frame
    if data.layout.signed:
        return (frame << spare) >> spare
    return np.asarray(frame & (2**data.layout.bits_stored - 1), frame.dtype)


def _stated(data: PixelData) -> dict[str, Any]:
    """Return what a decoder must know; the header was read already and is not parsed again."""
    layout = data.layout
    return {
        "pixel_keyword": "PixelData",
        "rows": layout.rows,
        "columns": layout.columns,
        "number_of_frames": layout.frames,
        "bits_allocated": layout.bits_allocated,
        "bits_stored": layout.bits_stored,
        "pixel_representation": int(layout.signed),
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
    }


def _by_plug_in(data: PixelData, encoded: bytes, indices: Sequence[int]) -> Iterator[Stored]:
    decoder = get_decoder(UID(data.transfer_syntax))
    for frame, _ in decoder.iter_array(encoded, indices=indices, raw=True, **_stated(data)):
        yield frame


def _run_lengths(data: PixelData, encoded: bytes, indices: Sequence[int]) -> Iterator[Stored]:
    """Decode RLE by its own decoder: to look for one takes longer than a slice."""
    layout = data.layout
    size: dict[str, Any] = {
        "rows": layout.rows,
        "columns": layout.columns,
        "bits_allocated": layout.bits_allocated,
    }
    kind = f"<{'i' if layout.signed else 'u'}{layout.bits_allocated // 8}"
    wanted = set(indices)
    frames = {
        number: np.frombuffer(decode_pixel_data(frame, version=2, **size), kind)
        for number, frame in enumerate(generate_frames(encoded, number_of_frames=layout.frames))
        if number in wanted
    }
    for index in indices:
        yield frames[index].reshape(layout.rows, layout.columns)


def _compressed(data: PixelData, indices: Sequence[int]) -> Iterator[Stored]:
    try:
        with _remarks(data) as said, data.file.open() as stream:
            stream.seek(data.offset)
            decode = _run_lengths if data.transfer_syntax == RLELossless else _by_plug_in
            frames = list(decode(data, stream.read(), indices))
    except BaseException as error:  # each decoder raises its own kinds, one written in Rust panics
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        raise FileError(
            "pixels_undecodable",
            file=data.file.name,
            syntax=data.transfer_syntax,
            detail=type(error).__name__,
        ) from error
    for remark in sorted(said):
        _LOG.warning(text("error.pixels_doubtful", file=data.file.name, remark=remark))
    for frame in frames:
        yield _only_stored_bits(frame, data)
