"""Targets: the measures this program is held to, with what was reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, cast

from imaging.messages import text
from imaging.quality import ENDPOINTS
from surveillance.validation import statistics
from surveillance.validation.case import DEVELOPMENT, HELD_OUT, REAL, SIMULATED
from surveillance.validation.row import Row
from surveillance.validation.run import AUTOMATIC, SEEDED

Measure: TypeAlias = Callable[[Sequence[Row]], float | None]
COLUMNS = ((REAL, AUTOMATIC), (REAL, SEEDED), (SIMULATED, AUTOMATIC))


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

    def __str__(self) -> str:
        if self.least is not None and self.most is not None:
            return f"{self.least:g}–{self.most:g}"
        return f"≥{self.least:g}" if self.least is not None else f"≤{self.most:g}"


Bounds: TypeAlias = tuple[Bound | None, Bound | None, Bound | None]


@dataclass(frozen=True, slots=True)
class Target:
    """One line of the table: a measure and its bound in each column, None where none is set."""

    name: str
    measure: Measure
    bounds: Bounds


@dataclass(frozen=True, slots=True)
class Result:
    """What was reached in one cell, and apart on both sets; None where no row says anything."""

    target: Target
    column: tuple[str, str]
    bound: Bound | None
    value: float | None
    development: float | None
    held_out: float | None
    rows: int

    @property
    def met(self) -> bool | None:
        """Whether the bound was kept; None without a bound or a value."""
        if self.bound is None or self.value is None:
            return None
        return self.bound.met(self.value)


def _least(real: float, seeded: float, simulated: float) -> Bounds:
    return Bound(least=real), Bound(least=seeded), Bound(least=simulated)


def _most(real: float, seeded: float, simulated: float) -> Bounds:
    return Bound(most=real), Bound(most=seeded), Bound(most=simulated)


DICE_LOW: Bounds = _least(0.60, 0.75, 0.80)
"""Wanted of the 10th percentile of graft Dice."""
_WITHIN: Bounds = (Bound(93, 97), Bound(93, 97), Bound(93, 97))
_NONE: Bounds = (None, None, None)


def dice_least(kind: str, variant: str) -> float:
    """Return the Dice below which a graft's outline is called wrong.

    The 10th percentile wanted of that column; where the table sets none (made cases with a seed,
    analytic ones) that of simulated cases, the strictest.
    """
    wanted = dict(zip(COLUMNS, DICE_LOW, strict=True))
    bound = wanted.get((kind, variant)) or wanted[SIMULATED, AUTOMATIC]
    return cast(float, cast(Bound, bound).least)


def _percent(measure: Measure, rows: Sequence[Row]) -> float | None:
    value = measure(rows)
    return None if value is None else 100 * value


def targets() -> tuple[Target, ...]:
    """Return the table's lines, in its order."""
    return (*_outline(), *_ratios(), *_registration(), *_endpoints())


def _outline() -> tuple[Target, ...]:
    dice = statistics.dice_percentile
    error = partial(statistics.median_absolute, of=statistics.volume_error)
    below = partial(
        statistics.median_absolute,
        of=partial(statistics.volume_error, name="subvoxel_volume_ml"),
    )
    return (
        _line("dice_median", partial(dice, percentile=50), _least(0.80, 0.87, 0.90)),
        _line("dice_low", partial(dice, percentile=10), DICE_LOW),
        _line("volume_error", partial(_percent, error), _most(15, 10, 6)),
        _line("volume_ci", _covered("volume_ml"), _NONE),
        _line("subvoxel_error", partial(_percent, below), _NONE),
        _line("subvoxel_ci", _covered("subvoxel_volume_ml"), _NONE),
        _line("change_ci", _covered("volume_change_percent"), _WITHIN),
        _line(
            "centroid",
            partial(statistics.median_absolute, of=lambda r: r.centroid_error_mm),
            _most(2, 1.5, 1),
        ),
        _line("rectus_dice", statistics.rectus_dice, (None, None, Bound(least=0.88))),
        _line("sides_swapped", statistics.sides_swapped, _most(0, 0, 0)),
    )


def _ratios() -> tuple[Target, ...]:
    def error(name: str) -> Measure:
        of = partial(statistics.relative_error, name=name)
        return partial(_percent, partial(statistics.median_absolute, of=of))

    return (
        _line("t2_ratio", error("t2_ratio"), _most(5, 5, 3)),
        _line("t1_ratio", error("t1_ratio"), _most(5, 5, 3)),
        _line("t2_ratio_ci", _covered("t2_ratio"), _NONE),
        _line("t1_ratio_ci", _covered("t1_ratio"), _NONE),
    )


def _registration() -> tuple[Target, ...]:
    mean = partial(statistics.mean, of=lambda r: r.landmark_mean_mm)
    largest = partial(statistics.largest, of=lambda r: r.landmark_max_mm)
    focus = partial(
        statistics.focus_sensitivity, false_per_visit=0.1, diameter_mm=6.0, contrast=1.5
    )
    return (
        _line("landmark_mean", mean, (Bound(most=2), None, Bound(most=1))),
        _line("landmark_max", largest, (Bound(most=5), None, Bound(most=3))),
        _line("focus", focus, _least(0.85, 0.90, 0.95)),
    )


def _endpoints() -> tuple[Target, ...]:
    lines = []
    for endpoint in ENDPOINTS:
        wrong = partial(statistics.wrong_and_sure, endpoint=endpoint)
        answered = partial(statistics.answered, endpoint=endpoint)
        name = text(f"validation.{endpoint}")
        lines += [
            _line("wrong_and_sure", partial(_percent, wrong), _most(1, 1, 1), name),
            _line("answered", partial(_percent, answered), _least(70, 90, 90), name),
        ]
    return tuple(lines)


def _covered(name: str) -> Measure:
    return partial(_percent, partial(statistics.coverage, name=name))


def _line(key: str, measure: Measure, bounds: Bounds, endpoint: str = "") -> Target:
    return Target(text(f"validation.{key}", endpoint=endpoint), measure, bounds)


def results(rows: Sequence[Row]) -> tuple[Result, ...]:
    """Return every cell of the table, line by line."""
    return tuple(
        _result(target, column, bound, [r for r in rows if (r.kind, r.variant) == column])
        for target in targets()
        for column, bound in zip(COLUMNS, target.bounds, strict=True)
    )


def _result(
    target: Target, column: tuple[str, str], bound: Bound | None, cell: Sequence[Row]
) -> Result:
    parts = [[r for r in cell if r.split == split] for split in (DEVELOPMENT, HELD_OUT)]
    value, development, held_out = (
        target.measure(part) if part else None for part in (cell, *parts)
    )
    return Result(target, column, bound, value, development, held_out, len(cell))
