"""Confidence: how much is answered, and how much of it is wrong, as more confidence is asked for.

Risk against coverage is that of selective classification (El-Yaniv and Wiener, J Mach Learn Res
2010;11:1605-1641), reliability that of binned forecasts (Murphy and Winkler, Appl Stat
1977;26:41-47).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from imaging.findings.status import Status
from imaging.quality import ENDPOINTS
from surveillance.validation.row import Row
from surveillance.validation.statistics import volume_error, wilson95
from surveillance.validation.targets import dice_least

GRAFT = "graft"
QUESTIONS = (GRAFT, *ENDPOINTS)
VOLUME_ERROR_MAX = 0.25
"""A volume farther off than this is wrong, as a share of the true one."""
STEPS, BINS = 20, 10
"""Thresholds lie 1/20 apart; reliability is counted in tenths."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What is answered at one threshold of confidence.

    Parameters
    ----------
    asked
        Visits where an answer is wanted; for an endpoint those whose truth demands one.
    answered
        Those with at least this confidence, for an endpoint not left undecided.
    wrong
        Answered, and not so.
    """

    threshold: float
    asked: int
    answered: int
    wrong: int

    @property
    def coverage(self) -> float | None:
        """Share answered; None where nothing was asked."""
        return self.answered / self.asked if self.asked else None

    @property
    def risk(self) -> float | None:
        """Share of the answers that is wrong; None without an answer."""
        return self.wrong / self.answered if self.answered else None

    @property
    def risk_upper(self) -> float | None:
        """Upper end of the 95 % interval of the risk; None without an answer."""
        interval = wilson95(self.wrong, self.answered)
        return interval[1] if interval else None


@dataclass(frozen=True, slots=True)
class Bin:
    """Visits of about the same confidence: `confidence` is their mean, `right` how many were."""

    low: float
    high: float
    count: int
    confidence: float
    right: int


def graft_wrong(row: Row) -> bool:
    """Whether what is said of the graft is wrong: its outline, its volume, or that it is there.

    An outline below the 10th percentile wanted of its kind of case is; so is one with the volume
    off by more than `VOLUME_ERROR_MAX`, a graft that was missed, and one that was made up.
    """
    if not row.graft_true:
        return row.graft_said
    error = volume_error(row)
    poor = (row.dice or 0.0) < dice_least(row.kind, row.variant)
    return poor or error is None or abs(error) > VOLUME_ERROR_MAX


def risk_by_threshold(rows: Sequence[Row], question: str) -> tuple[Kept, ...]:
    """Return what is answered at each threshold from 0 to 1, for the graft or one endpoint."""
    judged = _judged(rows, question)
    return tuple(_kept(judged, n / STEPS) for n in range(STEPS + 1))


def _kept(judged: Sequence[tuple[float, bool | None]], threshold: float) -> Kept:
    answers = [wrong for sure, wrong in judged if sure >= threshold and wrong is not None]
    return Kept(threshold, len(judged), len(answers), sum(answers))


def _judged(rows: Sequence[Row], question: str) -> list[tuple[float, bool | None]]:
    """Return confidence and whether the answer is wrong, None for none, of each visit asked."""
    if question == GRAFT:
        return [(row.confidence, graft_wrong(row)) for row in rows]
    wrong = partial(_answer_wrong, question=question)
    asked = [row for row in rows if row.answers[question].true != Status.INDETERMINATE]
    return [(row.confidence, wrong(row)) for row in asked]


def _answer_wrong(row: Row, question: str) -> bool | None:
    answer = row.answers[question]
    return None if answer.said == Status.INDETERMINATE else answer.said != answer.true


def reliability(rows: Sequence[Row]) -> tuple[Bin, ...]:
    """Return how often the graft was right in each tenth of confidence; empty tenths left out."""
    binned = ([row for row in rows if _number(row) == n] for n in range(BINS))
    return tuple(_bin(n, here) for n, here in enumerate(binned) if here)


def _number(row: Row) -> int:
    return min(int(row.confidence * BINS), BINS - 1)


def _bin(number: int, rows: Sequence[Row]) -> Bin:
    mean = sum(row.confidence for row in rows) / len(rows)
    right = sum(not graft_wrong(row) for row in rows)
    return Bin(number / BINS, (number + 1) / BINS, len(rows), mean, right)


def calibration_error(bins: Sequence[Bin]) -> float | None:
    """Return the mean distance of confidence from share right, weighted by visits; None of none.

    Expected calibration error (Naeini, Cooper and Hauskrecht, AAAI 2015:2901-2907).
    """
    total = sum(each.count for each in bins)
    if not total:
        return None
    apart = (abs(each.count * each.confidence - each.right) for each in bins)
    return sum(apart) / total
