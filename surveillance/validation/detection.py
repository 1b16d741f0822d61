"""Detection: which foci and how much fat are seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from imaging.findings.status import Status
from imaging.quality import FAT
from surveillance.validation.row import Row

DIAMETERS_MM = ((3.0, 5.0), (5.0, 6.0), (6.0, 8.0), (8.0, 10.0), (10.0, 15.1))
CONTRASTS = ((1.2, 1.5), (1.5, 1.9), (1.9, 2.5), (2.5, 9.9))
Band = tuple[float, float]


@dataclass(frozen=True, slots=True)
class FocusCell:
    """Foci of one size and contrast: how many there were and how many were reported."""

    diameter_mm: Band
    contrast: Band
    count: int
    found: int


def focus_grid(rows: Sequence[Row]) -> tuple[FocusCell, ...]:
    """Return what was found by size and contrast, at the program's own operating point."""
    foci = [f for row in rows for f in row.foci]
    cells = []
    for diameter in DIAMETERS_MM:
        for contrast in CONTRASTS:
            here = [
                f
                for f in foci
                if diameter[0] <= f.diameter_mm < diameter[1]
                and contrast[0] <= f.contrast < contrast[1]
            ]
            hits = sum(f.score_mm is not None for f in here)
            cells.append(FocusCell(diameter, contrast, len(here), hits))
    return tuple(cells)


def froc(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Return (false foci a visit, sensitivity) as the smallest diameter that counts falls.

    Free-response operating characteristic (Chakraborty, Med Phys 1989;16:561-568); the score of
    a focus is the diameter that the program gives it.
    """
    scores = [f.score_mm for row in rows for f in row.foci]
    if not scores:
        return []
    false = np.array([mm for row in rows for mm in row.false_foci_mm])
    hits = np.array([s for s in scores if s is not None])
    limits = sorted({*false.tolist(), *hits.tolist(), 0.0}, reverse=True)
    return [
        (float((false >= limit).sum()) / len(rows), float((hits >= limit).sum()) / len(scores))
        for limit in limits
    ]


@dataclass(frozen=True, slots=True)
class FatLimit:
    """At one suppression ε: the smallest fat fraction from which on all were called not absent.

    None when the largest tried was not. `stated` is the program's own limit, 0.15 / |1 − ε|.
    """

    epsilon: float
    tried: int
    smallest_seen: float | None
    largest_called_absent: float | None
    stated: float


def fat_limits(rows: Sequence[Row], contrast: float) -> tuple[FatLimit, ...]:
    """Return the limits over the grid of suppression; rows of other cases say nothing."""
    asked = [row for row in rows if row.fat_grid is not None]
    epsilons = sorted({row.fat_grid[0] for row in asked if row.fat_grid})
    return tuple(
        _fat_limit([r for r in asked if r.fat_grid and r.fat_grid[0] == e], e, contrast)
        for e in epsilons
    )


def _fat_limit(rows: Sequence[Row], epsilon: float, contrast: float) -> FatLimit:
    said = {row.fat_grid[1]: row.answers[FAT].said for row in rows if row.fat_grid}
    fractions = sorted(said)
    absent = [f for f in fractions if f > 0 and said[f] == Status.FAVORABLE]
    seen = [
        f
        for f in fractions
        if f > 0 and all(said[g] == Status.ADVERSE for g in fractions if g >= f)
    ]
    return FatLimit(
        epsilon,
        len(fractions),
        seen[0] if seen else None,
        absent[-1] if absent else None,
        contrast / abs(1 - epsilon),
    )


def risk_by_coverage(rows: Sequence[Row]) -> list[tuple[float, float]]:
    """Return (share of visits kept, their mean 1 − Dice) as the confidence asked for falls.

    Visits of one confidence are kept or left out together.
    """
    graft = [row for row in rows if row.graft_true]
    confidence = np.array([row.confidence for row in graft])
    loss = np.array([1 - (row.dice or 0.0) for row in graft])
    limits = np.unique(confidence)[::-1]
    kept = [confidence >= limit for limit in limits]
    return [(float(k.mean()), float(loss[k].mean())) for k in kept]
