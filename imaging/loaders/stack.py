"""Stack: parallel frames to one regular grid, from orientation and position alone.

Slices are ordered by their position along the normal, never by number, name or
SliceLocation. Nothing is repaired: a gap, an uneven distance or a sideways shift refuses the
stack with the value found.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from imaging.errors import SeriesError
from imaging.geometry import FloatArray, Geometry
from imaging.loaders.frame import Frame
from imaging.protocol import SeriesLimits


def stack(frames: Sequence[Frame], limits: SeriesLimits) -> tuple[Geometry, tuple[Frame, ...]]:
    """Return the grid of parallel frames, and the frames in its order.

    Parameters
    ----------
    frames
        At least one; all of one orientation, matrix and pixel spacing.

    Raises
    ------
    SeriesError
        Absent or absurd position, orientation or spacing; a single slice; two slices at one
        position; a missing slice; uneven distances; a tilted (sheared) stack.
    """
    first = frames[0]
    along_row, along_column = _axes(first, limits)
    row_mm, column_mm = _spacing(first)
    positions = np.array([_position(frame) for frame in frames])
    depth = positions @ np.cross(along_row, along_column)
    order = np.argsort(depth, kind="stable")
    ordered = tuple(frames[k] for k in order)
    if len(ordered) < 2:
        raise SeriesError("slices_few", series=label(first), file=first.file, slices=1, limit=2)
    _check_distances(ordered, depth[order], limits)
    step = _step(ordered, positions[order], limits)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = along_row * column_mm, along_column * row_mm
    affine[:3, 2], affine[:3, 3] = step, positions[order][0]
    shape = (first.columns, first.rows, len(ordered))
    return Geometry(affine, shape, first.frame_of_reference), ordered


def label(frame: Frame) -> str:
    """Return the series as the user knows it: its description, else its UID."""
    return frame.info.description or frame.info.uid


def _axes(frame: Frame, limits: SeriesLimits) -> tuple[FloatArray, FloatArray]:
    if frame.orientation is None:
        raise _absent(frame, "ImageOrientationPatient")
    row, column = np.array(frame.orientation, dtype=np.float64).reshape(2, 3)
    lengths = np.array([np.linalg.norm(row), np.linalg.norm(column)])
    off = max(float(np.abs(lengths - 1).max()), abs(float(row @ column)))
    if off > limits.orientation_tolerance:
        raise SeriesError(
            "orientation_invalid", series=label(frame), file=frame.file, value=frame.orientation
        )
    return row / lengths[0], column / lengths[1]


def _spacing(frame: Frame) -> tuple[float, float]:
    if frame.spacing_mm is None or min(frame.spacing_mm) <= 0:
        raise _absent(frame, "PixelSpacing")
    return frame.spacing_mm[0], frame.spacing_mm[1]


def _position(frame: Frame) -> tuple[float, ...]:
    if frame.position_mm is None:
        raise _absent(frame, "ImagePositionPatient")
    return frame.position_mm


def _absent(frame: Frame, attribute: str) -> SeriesError:
    return SeriesError("place_absent", series=label(frame), file=frame.file, attribute=attribute)


def _check_distances(frames: Sequence[Frame], depth: FloatArray, limits: SeriesLimits) -> None:
    distances = np.diff(depth)
    k = int(np.argmin(distances))
    if distances[k] < limits.position_tolerance_mm:
        raise SeriesError(
            "positions_duplicate",
            series=label(frames[k]),
            file=frames[k + 1].file,
            other=frames[k].file,
            position=round(float(depth[k]), 3),
        )
    usual = float(np.median(distances))
    if len(distances) % 2 == 0:  # the lower of the two middle ones: a real distance
        usual = float(np.sort(distances)[len(distances) // 2 - 1])
    k = int(np.argmax(np.abs(distances - usual)))
    tolerance = max(limits.position_tolerance_mm, limits.gap_tolerance_fraction * usual)
    if abs(distances[k] - usual) <= tolerance:
        return
    multiple = distances[k] / usual
    whole = round(multiple) >= 2 and abs(multiple - round(multiple)) * usual <= tolerance
    raise SeriesError(
        "slices_missing" if whole else "slices_uneven",
        series=label(frames[k]),
        file=frames[k].file,
        other=frames[k + 1].file,
        distance=round(float(distances[k]), 3),
        usual=round(usual, 3),
    )


def _step(frames: Sequence[Frame], positions: FloatArray, limits: SeriesLimits) -> FloatArray:
    """Return the vector from one slice to the next; the stack must not be sheared."""
    step = (positions[-1] - positions[0]) / (len(positions) - 1)
    normal = np.cross(*_axes(frames[0], limits))
    sideways = np.diff(positions, axis=0)
    sideways = np.linalg.norm(sideways - np.outer(sideways @ normal, normal), axis=1)
    distance = float(step @ normal)
    k = int(np.argmax(sideways))
    tilt = float(np.degrees(np.arctan2(sideways[k], distance)))
    if tilt > limits.tilt_max_deg and sideways[k] > limits.position_tolerance_mm:
        raise SeriesError(
            "stack_sheared",
            series=label(frames[k]),
            file=frames[k + 1].file,
            tilt=round(tilt, 2),
            limit=limits.tilt_max_deg,
        )
    return np.asarray(step)
