"""Agreement: how measured volumes agree with true ones and with each other.

Bias and 95 % limits of agreement (Bland and Altman, Lancet 1986;327:307-310) of the volume's
logarithm, given back as percent of the true volume, because its error grows with it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from imaging.measurements.shape import NORMAL_95, REPEATABILITY_95
from surveillance.validation.row import Row

BINS_ML = ((0.0, 3.0), (3.0, 6.0), (6.0, 12.0), (12.0, 30.0), (30.0, math.inf))


@dataclass(frozen=True, slots=True)
class Agreement:
    """Volumes of grafts of one size: percent of the true volume, None for fewer than two."""

    low_ml: float
    high_ml: float | None
    count: int
    bias_percent: float | None
    limits_percent: tuple[float, float] | None


def agreement(rows: Sequence[Row]) -> tuple[Agreement, ...]:
    """Return bias and limits of agreement against graft size, for grafts that were found."""
    return tuple(_agreement(rows, low, high) for low, high in BINS_ML)


def _agreement(rows: Sequence[Row], low: float, high: float) -> Agreement:
    logs = [
        math.log(row.volume_ml.said / row.volume_ml.true)
        for row in rows
        if row.volume_ml.true and row.volume_ml.said and low <= row.volume_ml.true < high
    ]
    top = None if math.isinf(high) else high
    if len(logs) < 2:
        return Agreement(low, top, len(logs), None, None)
    middle, spread = float(np.mean(logs)), NORMAL_95 * float(np.std(logs, ddof=1))
    limits = _percent(middle - spread), _percent(middle + spread)
    return Agreement(low, top, len(logs), _percent(middle), limits)


def _percent(log: float) -> float:
    return 100 * (math.exp(log) - 1)


@dataclass(frozen=True, slots=True)
class Repeatability:
    """What two measurements of an unchanged graft differ by in 95 % of repeats, percent.

    `stated_percent` is the median of what the program itself says (the half width of the
    interval of the change, upward).
    """

    pairs: int
    observed_percent: float | None
    stated_percent: float | None


def repeatability(rows: Sequence[Row]) -> Repeatability:
    """Return the repeatability coefficient from visits whose true volume hardly differs (2 %)."""
    differences, stated = [], []
    for visits in _by_case(rows).values():
        for row, other in pairwise(visits):
            ours, theirs = row.volume_ml, other.volume_ml
            if not (ours.true and theirs.true and ours.said and theirs.said):
                continue
            if abs(ours.true / theirs.true - 1) < 0.02:
                differences.append(math.log(theirs.said / ours.said))
                change = other.volume_change_percent
                if change.ci95 and change.said is not None:
                    stated.append((100 + change.ci95[1]) / (100 + change.said) - 1)
    if not differences:
        return Repeatability(0, None, None)
    # Within-subject standard deviation of paired measurements, then 1.96 √2 of it.
    within = math.sqrt(float(np.mean(np.square(differences))) / 2)
    said = 100 * float(np.median(stated)) if stated else None
    return Repeatability(len(differences), _percent(REPEATABILITY_95 * within), said)


def _by_case(rows: Sequence[Row]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row.case].append(row)
    return found
