"""DrawnText: whether the pixels of an image hold lettering, without reading what it says.

Drawn letters share one grey value, which measured tissue does not; they are thin, sharp, of one
height and stand in a line. All four must come together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Frame = NDArray[Any]
_EIGHT = np.ones((3, 3), dtype=bool)
_VALUES_MAX = 16
"""Grey values that are looked at in one frame, the most frequent first."""
_SPIKE = 4.0
"""So many times as frequent as the values beside it is a value that somebody drew with."""
_NEAR, _NEAR_MIN = 0.05, 3
"""Share of the range of values, and grey values at least, in which two are beside each other."""
_BRIGHT_MIN = 0.15
"""Share of the range by which lettering is brighter than the median."""
_PIXELS_MIN = 24
"""Pixels of one value in a word of four letters of the smallest size."""
_LEVELS = (0.5, 0.8)
"""The lower one keeps thin strokes whole, the upper one keeps small letters apart."""
_HEIGHT_MIN_PX, _HEIGHT_MAX_PX = 5, 96
_LETTERS_MIN = 4
_SHARE_MIN = 0.2
"""Share of a letter's pixels that have the very value; the rest is its smoothed edge."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """One connected stroke: its box in pixels."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def height(self) -> int:
        return self.bottom - self.top

    @property
    def width(self) -> int:
        return self.right - self.left


def shows_text(frame: Frame) -> bool:
    """Whether a frame (rows, columns) holds a line of letters brighter than most of the frame.

    The line runs along rows or columns. A frame smaller than a letter holds none.
    """
    for value in _spikes(frame):
        exact = frame == value
        for level in _LEVELS:
            mask = _strokes(frame, value, level)
            if _has_line(mask, exact) or _has_line(mask.T, exact.T):
                return True
    return False


def _spikes(frame: Frame) -> Iterator[float]:
    """Yield the values far above the background that are far more frequent than those beside."""
    values, counts = np.unique(frame.astype(np.float64), return_counts=True)
    spread = values[-1] - values[0]
    bright = values > np.median(frame) + _BRIGHT_MIN * spread
    places = np.flatnonzero(bright & (counts >= _PIXELS_MIN))
    found = [
        int(n) for n in places if counts[n] >= _SPIKE * _beside(values, counts, int(n), spread)
    ]
    for place in sorted(found, key=lambda n: -counts[n])[:_VALUES_MAX]:
        yield float(values[place])


def _beside(
    values: NDArray[np.float64], counts: NDArray[np.intp], place: int, spread: float
) -> float:
    """Return how often the values next to one occur: the median of ten, at least 1."""
    around = np.r_[max(place - 5, 0) : place, place + 1 : min(place + 6, values.size)]
    near = around[np.abs(values[around] - values[place]) <= max(_NEAR * spread, _NEAR_MIN)]
    return max(1.0, float(np.median(counts[near]))) if near.size else 1.0


def _strokes(frame: Frame, value: float, level: float) -> NDArray[np.bool_]:
    """Return what is of the value, or a smoothed edge of it down to a level over the background."""
    dark = float(np.median(frame))
    return np.asarray((frame > dark + level * (value - dark)) & (frame <= value))


def _has_line(mask: NDArray[np.bool_], exact: NDArray[np.bool_]) -> bool:
    pieces = sorted(_letters(mask, exact), key=lambda p: (p.left, p.top))
    for start, first in enumerate(pieces):
        line, last = 1, first
        for piece in pieces[start + 1 :]:
            if _follows(last, piece):
                line, last = line + max(1, round(piece.width / piece.height)), piece
        if line >= _LETTERS_MIN:
            return True
    return False


def _letters(mask: NDArray[np.bool_], exact: NDArray[np.bool_]) -> Iterator[_Piece]:
    labels, _ = ndimage.label(mask, structure=_EIGHT)
    for number, (rows, columns) in enumerate(ndimage.find_objects(labels), start=1):
        piece = _Piece(rows.start, rows.stop, columns.start, columns.stop)
        if not _HEIGHT_MIN_PX <= piece.height <= _HEIGHT_MAX_PX:
            continue
        if piece.width > 8 * piece.height:
            continue
        own = labels[rows, columns] == number
        if (own & exact[rows, columns]).sum() >= _SHARE_MIN * own.sum() and _is_thin(own):
            yield piece


def _is_thin(own: NDArray[np.bool_]) -> bool:
    """Whether a shape consists of strokes: nowhere wider than a third of its height."""
    depth = ndimage.distance_transform_cdt(np.pad(own, 1), metric="chessboard")
    return bool(2 * depth.max() - 1 <= max(3.0, own.shape[0] / 3))


def _follows(last: _Piece, piece: _Piece) -> bool:
    """Whether a piece is the next letter of a line: as high, on one level, not far behind."""
    taller = max(last.height, piece.height)
    as_high = min(last.height, piece.height) >= 0.6 * taller
    level = abs(last.bottom - piece.bottom) <= 0.35 * taller
    gap = piece.left - last.right
    return as_high and level and -0.3 * taller <= gap <= 1.2 * taller
