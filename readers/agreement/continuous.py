"""Continuous: agreement of two or more raters' sizes: ICC and the limits of agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from imaging.geometry import FloatArray
from imaging.measurement import Measurement, measured, missing
from imaging.messages import text

Form = Literal["1,1", "2,1", "3,1", "1,k", "2,k", "3,k"]
LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class _Squares:
    """Mean squares of units (n) by raters (k): between units, raters, within, residual."""

    n: int
    k: int
    units: float
    raters: float
    within: float
    error: float


def icc(sizes: ArrayLike, form: Form = "2,1") -> Measurement:
    """Return an intraclass correlation (Shrout & Fleiss 1979), with its 95 % interval.

    Parameters
    ----------
    sizes
        (units, raters), no missing value.
    form
        1: raters differ from unit to unit; 2: raters drawn from many, absolute agreement; 3: these
        raters only, consistency. 1 or k: of one rater, or of the mean of all.

    Returns
    -------
    Missing with fewer than two units or raters, or without any difference between values.
    """
    values = np.asarray(sizes, dtype=np.float64)
    if values.ndim != 2 or min(values.shape) < 2:
        return missing(text("agreement.few_units"))
    if np.ptp(values) == 0:
        return missing(text("agreement.no_spread"))
    squares = _squares(values)
    single = _single(squares, form[0])
    if single is None:
        return missing(text("agreement.no_spread"))
    value, low, high = single
    if form.endswith("k"):
        value, low, high = (_of_mean(v, squares.k) for v in (value, low, high))
    # Raters who never differ, or by a constant only, leave nothing to estimate an interval from.
    return measured(value, (low, high) if low < high else None)


def _squares(values: FloatArray) -> _Squares:
    n, k = values.shape
    mean, by_unit, by_rater = values.mean(), values.mean(axis=1), values.mean(axis=0)
    units = k * ((by_unit - mean) ** 2).sum() / (n - 1)
    raters = n * ((by_rater - mean) ** 2).sum() / (k - 1)
    within_sum = ((values - by_unit[:, np.newaxis]) ** 2).sum()
    error = (within_sum - raters * (k - 1)) / ((n - 1) * (k - 1))
    return _Squares(
        n, k, float(units), float(raters), float(within_sum / (n * (k - 1))), max(float(error), 0.0)
    )


def _single(s: _Squares, kind: str) -> tuple[float, float, float] | None:
    """Return one rater's ICC with its interval (Shrout & Fleiss 1979; 2: Fleiss & Shrout 1978)."""
    if kind == "1":
        return _by_f(s.units, s.within, s.k, s.n - 1, s.n * (s.k - 1))
    if kind == "3":
        return _by_f(s.units, s.error, s.k, s.n - 1, (s.n - 1) * (s.k - 1))
    spread = s.units + (s.k - 1) * s.error + s.k * (s.raters - s.error) / s.n
    if spread <= 0:
        return None
    value = (s.units - s.error) / spread
    return (value, *_agreement_interval(s, value))


def _by_f(
    units: float, rest: float, k: int, df_units: int, df_rest: int
) -> tuple[float, float, float]:
    if rest == 0:
        return 1.0, 1.0, 1.0
    ratio, tail = units / rest, 1 - (1 - LEVEL) / 2
    low = ratio / stats.f.ppf(tail, df_units, df_rest)
    high = ratio * stats.f.ppf(tail, df_rest, df_units)
    value, lower, upper = ((f - 1) / (f + k - 1) for f in (ratio, float(low), float(high)))
    return value, lower, upper


def _agreement_interval(s: _Squares, value: float) -> tuple[float, float]:
    if s.error == 0 and s.raters == 0:
        return value, value
    n, k, tail = s.n, s.k, 1 - (1 - LEVEL) / 2
    rater_ratio = s.raters / s.error if s.error else np.inf
    if not np.isfinite(rater_ratio):
        return value, value
    a = k * value * rater_ratio + n * (1 + (k - 1) * value) - k * value
    b = (k * value * rater_ratio) ** 2 / (k - 1)
    b += (n * (1 + (k - 1) * value) - k * value) ** 2 / ((n - 1) * (k - 1))
    freedom = a**2 / b
    upper = stats.f.ppf(tail, n - 1, freedom)
    lower = stats.f.ppf(tail, freedom, n - 1)
    rest = k * s.raters + (k * n - k - n) * s.error
    low = n * (s.units - upper * s.error) / (upper * rest + n * s.units)
    high = n * (lower * s.units - s.error) / (rest + n * lower * s.units)
    return float(low), float(high)


def _of_mean(value: float, k: int) -> float:
    """Return the reliability of a mean of k raters (Spearman-Brown)."""
    return k * value / (1 + (k - 1) * value)


@dataclass(frozen=True, slots=True)
class LimitsOfAgreement:
    """Bland & Altman (1986): mean difference and where 95 % of differences lie, each with CI."""

    units: int
    bias: Measurement
    sd: Measurement
    lower: Measurement
    upper: Measurement


def bland_altman(first: ArrayLike, second: ArrayLike) -> LimitsOfAgreement:
    """Return bias (first minus second) and limits of agreement; missing below two pairs.

    The limits' standard error is sqrt(3 / n) SD, as in the paper.
    """
    difference = np.asarray(first, dtype=np.float64) - np.asarray(second, dtype=np.float64)
    n = len(difference)
    if n < 2:
        none = missing(text("agreement.few_units"))
        return LimitsOfAgreement(n, none, none, none, none)
    bias, sd = float(difference.mean()), float(difference.std(ddof=1))
    t = float(stats.t.ppf(1 - (1 - LEVEL) / 2, n - 1))

    def around(value: float, error: float) -> Measurement:
        return measured(value, (value - t * error, value + t * error) if sd > 0 else None)

    reach, limit_error = 2 * sd, sd * float(np.sqrt(3 / n))
    return LimitsOfAgreement(
        n,
        around(bias, sd / float(np.sqrt(n))),
        measured(sd),
        around(bias - reach, limit_error),
        around(bias + reach, limit_error),
    )
