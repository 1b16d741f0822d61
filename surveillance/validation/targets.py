"""Targets: the measures this program is held to, with what was reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from imaging.quality import ENDPOINTS
from surveillance.validation import statistics
from surveillance.validation.case import REAL, SIMULATED
from surveillance.validation.row import Row
from surveillance.validation.run import AUTOMATIC, SEEDED

Measure = Callable[[Sequence[Row]], float | None]
COLUMNS = ((REAL, AUTOMATIC), (REAL, SEEDED), (SIMULATED, AUTOMATIC))
_DASH = None


@dataclass(frozen=True, slots=True)
class Bound:
    """At least `least`, at most `most`; in the measure's own unit."""

    least: float | None = None
    most: float | None = None

    def met(self, value: float) -> bool:
        """Whether a value lies within."""
        return (self.least is None or value >= self.least) and (
            self.most is None or value <= self.most
        )


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the table: a measure and its bound in each column, None where none is set."""

    name: str
    unit: str
    measure: Measure
    bounds: tuple[Bound | None, Bound | None, Bound | None]


@dataclass(frozen=True, slots=True)
class Result:
    """What was reached in one cell; `met` is None without a bound or a value."""

    target: Target
    kind: str
    variant: str
    bound: Bound | None
    value: float | None
    rows: int

    @property
    def met(self) -> bool | None:
        """Whether the bound was kept."""
        if self.bound is None or self.value is None:
            return None
        return self.bound.met(self.value)


def _least(*values: float) -> tuple[Bound, ...]:
    return tuple(Bound(least=v) for v in values)


def _most(*values: float) -> tuple[Bound, ...]:
    return tuple(Bound(most=v) for v in values)


def _percent(measure: Measure) -> Measure:
    def scaled(rows: Sequence[Row]) -> float | None:
        value = measure(rows)
        return None if value is None else 100 * value

    return scaled


def _volume_error(row: Row) -> float | None:
    return row.volume_ml.relative_error


def _swaps(rows: Sequence[Row]) -> float | None:
    known = [row.sides_swapped for row in rows if row.sides_swapped is not None]
    return float(sum(known)) if known else None


def _rectus(rows: Sequence[Row]) -> float | None:
    dice = [d for row in rows for d in row.rectus_dice if d is not None]
    return sum(dice) / len(dice) if dice else None


def targets() -> tuple[Target, ...]:
    """Return the table's lines, in its order."""
    within = (Bound(93, 97),) * 3
    endpoint_lines = [
        line
        for endpoint in ENDPOINTS
        for line in (
            Target(
                f"{endpoint}: wrong and sure",
                "%",
                _percent(partial(statistics.wrong_and_sure, endpoint=endpoint)),
                _most(1, 1, 1),  # type: ignore[arg-type]
            ),
            Target(
                f"{endpoint}: answered where gates pass",
                "%",
                _percent(partial(statistics.answered, endpoint=endpoint)),
                _least(70, 90, 90),  # type: ignore[arg-type]
            ),
        )
    ]
    lines = [
        Target(
            "graft Dice, median",
            "",
            partial(statistics.dice_percentile, percentile=50),
            _least(0.80, 0.87, 0.90),
        ),
        Target(
            "graft Dice, 10th percentile",
            "",
            partial(statistics.dice_percentile, percentile=10),
            _least(0.60, 0.75, 0.80),
        ),
        Target(
            "volume, absolute error, median",
            "%",
            _percent(partial(statistics.median_absolute, of=_volume_error)),
            _most(15, 10, 6),
        ),
        Target(
            "volume inside its 95 % CI",
            "%",
            _percent(partial(statistics.coverage, of=lambda r: r.volume_ml)),
            within,
        ),
        Target(
            "volume change inside its 95 % CI",
            "%",
            _percent(partial(statistics.coverage, of=lambda r: r.volume_change_percent)),
            within,
        ),
        Target(
            "centroid error, median",
            "mm",
            partial(statistics.median_absolute, of=lambda r: r.centroid_error_mm),
            _most(2, 1.5, 1),
        ),
        Target("rectus Dice, mean of both sides", "", _rectus, (None, None, Bound(least=0.88))),
        Target("right rectus taken for left", "cases", _swaps, _most(0, 0, 0)),
        Target(
            "T2 ratio, absolute error, median",
            "%",
            _percent(partial(statistics.median_absolute, of=lambda r: r.t2_ratio.relative_error)),
            _most(5, 5, 3),
        ),
        Target(
            "T1 ratio, absolute error, median",
            "%",
            _percent(partial(statistics.median_absolute, of=lambda r: r.t1_ratio.relative_error)),
            _most(5, 5, 3),
        ),
        Target(
            "T2 ratio inside its 95 % CI",
            "%",
            _percent(partial(statistics.coverage, of=lambda r: r.t2_ratio)),
            (None, None, None),
        ),
        Target(
            "registration at landmarks, mean",
            "mm",
            partial(statistics.mean, of=lambda r: r.landmark_mean_mm),
            (Bound(most=2), None, Bound(most=1)),
        ),
        Target(
            "registration at landmarks, largest",
            "mm",
            partial(statistics.largest, of=lambda r: r.landmark_max_mm),
            (Bound(most=5), None, Bound(most=3)),
        ),
        Target(
            "new focus ≥6 mm at ≥1.5×: sensitivity at ≤0.1 false a visit",
            "",
            partial(
                statistics.focus_sensitivity, false_per_visit=0.1, diameter_mm=6.0, contrast=1.5
            ),
            _least(0.85, 0.90, 0.95),
        ),
    ]
    return (*lines, *endpoint_lines)  # type: ignore[arg-type]


def results(rows: Sequence[Row], split: str | None = None) -> tuple[Result, ...]:
    """Return every cell of the table, line by line; `split` restricts to one set of cases."""
    found = []
    for target in targets():
        for (kind, variant), bound in zip(COLUMNS, target.bounds, strict=True):
            cell = [
                r
                for r in rows
                if r.kind == kind and r.variant == variant and split in {None, r.split}
            ]
            found.append(
                Result(
                    target, kind, variant, bound, target.measure(cell) if cell else None, len(cell)
                )
            )
    return tuple(found)
