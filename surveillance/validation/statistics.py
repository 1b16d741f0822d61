"""Statistics: what a set of rows says, measure by measure; None where too few rows can say it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from surveillance.validation.row import Quantity, Row

ADVERSE, FAVORABLE, INDETERMINATE = "adverse", "favorable", "indeterminate"
Rows = Sequence[Row]


def with_graft(rows: Iterable[Row]) -> list[Row]:
    """Return the rows whose visit truly has a graft."""
    return [row for row in rows if row.graft_true]


def dice_percentile(rows: Rows, percentile: float) -> float | None:
    """Return a percentile of graft Dice; a graft that was not found counts 0."""
    return _percentile([row.dice or 0.0 for row in with_graft(rows)], percentile)


def median_absolute(rows: Rows, of: Callable[[Row], float | None]) -> float | None:
    """Return the median of an error's absolute value over the rows that have it."""
    return _percentile([abs(e) for row in rows if (e := of(row)) is not None], 50)


def mean(rows: Rows, of: Callable[[Row], float | None]) -> float | None:
    """Return the mean over the rows that have a value."""
    found = [value for row in rows if (value := of(row)) is not None]
    return float(np.mean(found)) if found else None


def largest(rows: Rows, of: Callable[[Row], float | None]) -> float | None:
    """Return the greatest value; None without any."""
    return max((value for row in rows if (value := of(row)) is not None), default=None)


def coverage(rows: Rows, of: Callable[[Row], Quantity]) -> float | None:
    """Return the share of intervals that hold the true value."""
    held = [covered for row in rows if (covered := of(row).covered) is not None]
    return float(np.mean(held)) if held else None


def _percentile(values: Sequence[float], percentile: float) -> float | None:
    return float(np.percentile(values, percentile)) if values else None


def wrong_and_sure(rows: Rows, endpoint: str) -> float | None:
    """Return the share of decidable visits that got the opposite answer."""
    demanded = [r.answers[endpoint] for r in rows if r.answers[endpoint].true != INDETERMINATE]
    wrong = [a for a in demanded if a.said not in {a.true, INDETERMINATE}]
    return len(wrong) / len(demanded) if demanded else None


def answered(rows: Rows, endpoint: str) -> float | None:
    """Return the share of decidable visits with passed gates that got an answer."""
    demanded = [r.answers[endpoint] for r in rows if r.answers[endpoint].true != INDETERMINATE]
    open_ = [a for a in demanded if a.gates_passed]
    return sum(a.said != INDETERMINATE for a in open_) / len(open_) if open_ else None


def right_among(rows: Rows, endpoint: str, status: str) -> tuple[int, int, int]:
    """Return (right, wrong, abstained) among visits whose true status is `status`."""
    said = [r.answers[endpoint].said for r in rows if r.answers[endpoint].true == status]
    right, abstained = said.count(status), said.count(INDETERMINATE)
    return right, len(said) - right - abstained, abstained


def focus_sensitivity(
    rows: Rows, false_per_visit: float, diameter_mm: float, contrast: float
) -> float | None:
    """Return the share of foci at least so large and bright found at so many false ones a visit.

    The operating point is the smallest reported diameter that keeps false foci within the rate.
    """
    foci = [
        f for r in rows for f in r.foci if f.diameter_mm >= diameter_mm and f.contrast >= contrast
    ]
    if not foci:
        return None
    limit_mm = _operating_point(rows, false_per_visit)
    return float(np.mean([f.score_mm is not None and f.score_mm > limit_mm for f in foci]))


def _operating_point(rows: Rows, false_per_visit: float) -> float:
    false = sorted((mm for r in rows for mm in r.false_foci_mm), reverse=True)
    allowed = int(false_per_visit * len(rows))
    return false[allowed] if len(false) > allowed else 0.0


def froc(rows: Rows) -> list[tuple[float, float]]:
    """Return (false foci a visit, sensitivity) as the smallest counted diameter falls."""
    foci = [f.score_mm for r in rows for f in r.foci]
    if not foci:
        return []
    false = [mm for r in rows for mm in r.false_foci_mm]
    limits = sorted({*false, *(s for s in foci if s is not None), 0.0}, reverse=True)
    return [
        (
            sum(mm >= limit for mm in false) / len(rows),
            sum(s is not None and s >= limit for s in foci) / len(foci),
        )
        for limit in limits
    ]


def risk_by_coverage(rows: Rows) -> list[tuple[float, float]]:
    """Return (share of visits kept, mean 1 − Dice of those) as the confidence asked for falls."""
    scored = sorted(((r.confidence, 1 - (r.dice or 0.0)) for r in with_graft(rows)), reverse=True)
    losses = [loss for _, loss in scored]
    return [(n / len(losses), float(np.mean(losses[:n]))) for n in range(1, len(losses) + 1)]
