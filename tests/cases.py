"""Small grafts, muscles and visits that a reader can check by hand."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging.deformation import WallDeformation
from imaging.geometry import Geometry
from imaging.measurement import Measurement, measured
from imaging.measurements.muscle import measure_muscle
from imaging.measurements.shape import measure_shape
from imaging.measurements.signal import measure_signal
from imaging.protocol import Protocol, load_protocol
from imaging.reference import Reference, Side
from imaging.segmentation.masks import Graft, Muscles, Source
from imaging.timepoint import Timepoint
from imaging.transform import identity
from imaging.visit import VisitName
from imaging.volume import Mask, Volume

PROTOCOL: Protocol = load_protocol()
GRID = Geometry(
    np.array([[1.0, 0, 0, -50], [0, 1, 0, -25], [0, 0, 2, -40], [0, 0, 0, 1]]), (100, 50, 41)
)
"""1 x 1 x 2 mm; x from -50 (right) to 49 (left), y -25 to 24, z -40 to 40."""
MUSCLE, NOISE = 100.0, 3.0


def coordinates(grid: Geometry = GRID) -> tuple[NDArray[np.float64], ...]:
    return tuple(np.moveaxis(grid.to_world(np.moveaxis(np.indices(grid.shape), 0, -1)), -1, 0))


def box(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> Mask:
    """Voxels whose centres lie within the closed ranges, mm."""
    at = coordinates()
    inside = [(a >= low) & (a <= high) for a, (low, high) in zip(at, (x, y, z), strict=True)]
    return Mask(np.logical_and.reduce(inside), GRID)


def ball(centre: tuple[float, float, float], radius: float, grid: Geometry = GRID) -> Mask:
    squared = sum((a - c) ** 2 for a, c in zip(coordinates(grid), centre, strict=True))
    return Mask(np.asarray(squared <= radius**2), grid)


def union(*masks: Mask) -> Mask:
    return Mask(np.logical_or.reduce([m.array for m in masks]), masks[0].geometry)


EMPTY = Mask(np.zeros(GRID.shape, dtype=bool), GRID)
PLATE = box((15, 34), (-3, 4), (-10, 10))
"""20 x 8 x 22 mm, in the left rectus."""
LEFT = box((10, 39), (-5, 6), (-40, 40))
RIGHT = box((-39, -10), (-5, 6), (-40, 40))
"""30 x 12 mm muscles."""


def image(
    parts: dict[float, Mask] | None = None, noise: float = NOISE, seed: int = 1, level: float = 1.0
) -> Volume:
    """Muscle everywhere, each part at its ratio to muscle, and Gaussian noise."""
    array = np.full(GRID.shape, MUSCLE)
    for ratio, mask in (parts or {}).items():
        array[mask.array] = ratio * MUSCLE
    array += np.random.default_rng(seed).normal(0, noise, GRID.shape)
    return Volume(level * array, GRID)


def reference_of(volume: Volume, mask: Mask = RIGHT) -> Reference:
    values = volume.array[mask.array]
    median = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - median)))
    side = measured(median)
    return Reference(Side.LEFT, mask, mask, median, spread, side, side, measured(0.0))


def signal_of(volume: Volume, graft: Mask) -> Any:
    reference = reference_of(volume)
    return measure_signal(volume, graft, reference, PROTOCOL)


@cache
def plain_signal(graft: Mask) -> Any:
    """The signal of a graft like muscle; measured once, many visits have it."""
    return signal_of(image(), graft)


def muscles(left: Mask = LEFT, right: Mask = RIGHT, midline_x: float = 0.0) -> Muscles:
    everything = Mask(np.ones(GRID.shape, dtype=bool), GRID)
    midline = np.array([[midline_x, 0.0, z] for z in range(-40, 41, 2)])
    return Muscles(everything, left, right, midline, confidence=1.0)


def ring(log_jacobian: float, displacement_mm: float) -> WallDeformation:
    """A wall round the graft that did this since baseline, found without doubt."""
    numbers = (log_jacobian, displacement_mm, 0.3, 0.2, 0.0)
    return WallDeformation(None, *(measured(number) for number in numbers))


def timepoint(
    name: VisitName = VisitName.M3,
    graft: Mask | None = PLATE,
    *,
    days: int | None = 90,
    confidence: float = 0.9,
    volume: Volume | None = None,
    wall: Muscles | None = None,
    error: Measurement | None = None,
    **changed: Any,
) -> Timepoint:
    """A visit with a plate of 1.0 times muscle unless told otherwise, perfectly registered."""
    found = Graft(graft, Source.AUTOMATIC, confidence)
    outline = graft if graft is not None else EMPTY
    signal = plain_signal(outline) if volume is None else signal_of(volume, outline)
    made = Timepoint(
        name=name,
        label=name.value,
        days=days,
        graft=found,
        shape=measure_shape(outline, PROTOCOL.morphology),
        muscle=measure_muscle(wall if wall is not None else muscles(), found),
        signal=signal,
        signal_uncorrected=signal,
        baseline_from_visit=identity(),
        registration_error_mm=error if error is not None else measured(0.5),
        deformation=ring(0.03, 0.3),
        manufacturer="SIEMENS",
        field_strength_t=3.0,
    )
    return replace(made, **changed)


def baseline(graft: Mask | None = PLATE, **changed: Any) -> Timepoint:
    return timepoint(VisitName.BASELINE, graft, days=0, error=measured(0.0), **changed)
