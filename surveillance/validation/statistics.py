"""Statistics: one number from a set of rows; None where no row can say it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias, cast

import numpy as np

from imaging.findings.status import Status
from surveillance.validation.row import Answer, Quantity, Row

Rows: TypeAlias = Sequence[Row]


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


def quantity(row: Row, name: str) -> Quantity:
    """Return one of a row's quantities by its name."""
    return cast(Quantity, getattr(row, name))


def relative_error(row: Row, name: str) -> float | None:
    """Return a quantity's relative error."""
    return quantity(row, name).relative_error


def volume_error(row: Row, name: str = "volume_ml") -> float | None:
    """Return a volume's relative error; a graft that was not found is wrong by all of it."""
    if row.graft_true and not row.graft_said:
        return -1.0
    return relative_error(row, name)


def coverage(rows: Rows, name: str) -> float | None:
    """Return the share of a quantity's intervals that hold the true value."""
    held = [c for row in rows if (c := quantity(row, name).covered) is not None]
    return float(np.mean(held)) if held else None


def rectus_dice(rows: Rows) -> float | None:
    """Return the mean over visits and sides."""
    found = [dice for row in rows for dice in row.rectus_dice if dice is not None]
    return float(np.mean(found)) if found else None


def sides_swapped(rows: Rows) -> float | None:
    """Return how many visits had the right muscle taken for the left."""
    known = [row.sides_swapped for row in rows if row.sides_swapped is not None]
    return float(sum(known)) if known else None


def _percentile(values: Sequence[float], percentile: float) -> float | None:
    return float(np.percentile(values, percentile)) if values else None


def demanded(rows: Rows, endpoint: str) -> list[Answer]:
    """Return the answers of the visits where the truth demands one."""
    found = [row.answers[endpoint] for row in rows]
    return [answer for answer in found if answer.true != Status.INDETERMINATE]


def wrong_and_sure(rows: Rows, endpoint: str) -> float | None:
    """Return the share of decidable visits that got the opposite answer."""
    asked = demanded(rows, endpoint)
    wrong = [a for a in asked if a.said not in {a.true, Status.INDETERMINATE}]
    return len(wrong) / len(asked) if asked else None


def answered(rows: Rows, endpoint: str) -> float | None:
    """Return the share of decidable visits with passed gates that got an answer."""
    asked = [a for a in demanded(rows, endpoint) if a.gates_passed]
    return sum(a.said != Status.INDETERMINATE for a in asked) / len(asked) if asked else None


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
    limit_mm = _operating_point_mm(rows, false_per_visit)
    return float(np.mean([f.score_mm is not None and f.score_mm > limit_mm for f in foci]))


def _operating_point_mm(rows: Rows, false_per_visit: float) -> float:
    false = sorted((mm for r in rows for mm in r.false_foci_mm), reverse=True)
    allowed = int(false_per_visit * len(rows))
    return false[allowed] if len(false) > allowed else 0.0


def wilson95(hits: int, count: int) -> tuple[float, float] | None:
    """Return the 95 % interval of a share (Wilson 1927); None of nothing."""
    if count == 0:
        return None
    z, share = 1.96, hits / count
    middle = share + z**2 / (2 * count)
    half = z * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    scale = 1 + z**2 / count
    return max(0.0, (middle - half) / scale), min(1.0, (middle + half) / scale)
