"""Measurement: a value, or the reason there is none; never both, never a sentinel."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number with its unit-bearing name kept by whoever holds it.

    Parameters
    ----------
    value
        The number, finite; None when it could not be measured.
    reason
        Why there is no value, a sentence from the catalogue; None when there is one.
    ci95
        95 % confidence interval (low, high), None when not estimated.
    """

    value: float | None
    reason: str | None = None
    ci95: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError("a measurement has a value or a reason, not both and not neither")
        if self.value is not None and not math.isfinite(self.value):
            raise ValueError("a measurement is finite; say missing(reason) instead")

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return self.value is not None


def measured(value: float, ci95: tuple[float, float] | None = None) -> Measurement:
    """Return a measurement that succeeded."""
    interval = None if ci95 is None else (float(ci95[0]), float(ci95[1]))
    return Measurement(float(value), None, interval)


def widened(measurement: Measurement, low: float, high: float) -> Measurement:
    """Return a measurement whose interval holds two more values; a missing one stays missing."""
    if measurement.value is None:
        return measurement
    ends = measurement.ci95 or (measurement.value, measurement.value)
    return measured(measurement.value, (min(low, *ends), max(high, *ends)))


def missing(reason: str) -> Measurement:
    """Return a measurement that could not be made, and why."""
    return Measurement(None, reason)
