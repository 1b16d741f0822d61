"""Nominal: agreement on answers without an order, corrected for chance in four ways.

Ratings are one row a unit (a visit), one column a rater; None is a missing rating. Units with
fewer than two ratings tell nothing of agreement. Every coefficient is 1 for perfect agreement and
0 for what chance gives by its own model of chance:

- Cohen (1960): two raters, each with habits of their own;
- Fleiss (1971): any number of raters, one common distribution, no missing ratings;
- Gwet's AC1 (2008; with missing ratings: Handbook of Inter-Rater Reliability, 4th ed. 2014):
  chance only where a rating is uncertain, so it does not collapse when nearly all answers are one;
- Krippendorff's alpha (2011, "Computing Krippendorff's Alpha-Reliability"): small samples and
  missing ratings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from statsmodels.stats.inter_rater import cohens_kappa, fleiss_kappa
from statsmodels.stats.proportion import proportion_confint

from imaging.geometry import FloatArray
from imaging.measurement import Measurement, measured, missing
from imaging.messages import text

Ratings = Sequence[Sequence[str | None]]
Coefficient = Callable[[FloatArray], float]
SMALLEST_ERROR = 1e-9
"""A standard error below it is rounding: the raters gave nothing to estimate it from."""


def counted(ratings: Ratings, categories: Sequence[str]) -> FloatArray:
    """Return how many raters gave each unit each category: (units, categories)."""
    place = {category: k for k, category in enumerate(categories)}
    counts = np.zeros((len(ratings), len(categories)))
    for unit, row in enumerate(ratings):
        for rating in row:
            if rating is not None:
                counts[unit, place[rating]] += 1
    return counts


def percent_agreement(counts: FloatArray) -> float:
    """Return the share of pairs of raters that agree, averaged over units with a pair."""
    raters = counts.sum(axis=1)
    paired = counts[raters > 1]
    each = (paired * (paired - 1)).sum(axis=1) / (raters[raters > 1] * (raters[raters > 1] - 1))
    return float(each.mean())


def fleiss(counts: FloatArray) -> float:
    """Return Fleiss' kappa of the units that all raters rated."""
    raters = counts.sum(axis=1)
    complete = counts[raters == raters.max()]
    return float(fleiss_kappa(complete, method="fleiss"))


def gwet_ac1(counts: FloatArray) -> float:
    """Return Gwet's AC1 over all given categories, used or not."""
    rated = counts[counts.sum(axis=1) > 0]
    share = (rated / rated.sum(axis=1, keepdims=True)).mean(axis=0)
    chance = float((share * (1 - share)).sum() / (len(share) - 1))
    return (percent_agreement(counts) - chance) / (1 - chance)


def krippendorff_alpha(counts: FloatArray) -> float:
    """Return Krippendorff's alpha for nominal data, by the coincidence matrix."""
    raters = counts.sum(axis=1)
    paired, raters = counts[raters > 1], raters[raters > 1]
    weighted = paired / (raters - 1)[:, np.newaxis]
    coincidence = weighted.T @ paired - np.diag(weighted.sum(axis=0))
    totals = coincidence.sum(axis=0)
    pairable = totals.sum()
    observed = pairable - np.trace(coincidence)
    expected = (pairable**2 - (totals**2).sum()) / (pairable - 1)
    return float(1 - observed / expected)


def cohen(table: FloatArray) -> Measurement:
    """Return Cohen's kappa of a square table of two raters, with its asymptotic 95 % interval."""
    used = (table.sum(axis=0) > 0) | (table.sum(axis=1) > 0)
    if table.sum() == 0:
        return missing(text("agreement.no_pairs"))
    if used.sum() < 2:
        return missing(text("agreement.one_category"))
    with np.errstate(invalid="ignore", divide="ignore"):  # its test statistic, which is not used
        result = cohens_kappa(table)
    if result.std_kappa < SMALLEST_ERROR:
        return measured(float(result.kappa))  # no spread is no certainty
    # The asymptotic interval does not know that no kappa exceeds 1.
    upper = min(float(result.kappa_upp), 1.0)
    return measured(float(result.kappa), (float(result.kappa_low), upper))


def share(count: int, total: int) -> Measurement:
    """Return a share with its 95 % Wilson interval; missing of nothing."""
    if total == 0:
        return missing(text("agreement.no_pairs"))
    low, high = proportion_confint(count, total, method="wilson")
    return measured(count / total, (float(low), float(high)))


def crossed(first: Sequence[str], second: Sequence[str], categories: Sequence[str]) -> FloatArray:
    """Return the table of two raters' answers to the same units: rows first, columns second."""
    place = {category: k for k, category in enumerate(categories)}
    table = np.zeros((len(categories), len(categories)))
    for one, other in zip(first, second, strict=True):
        table[place[one], place[other]] += 1
    return table


def with_interval(
    coefficient: Coefficient, counts: FloatArray, draws: int, seed: int
) -> Measurement:
    """Return a coefficient and its 95 % percentile interval from units drawn with replacement.

    A draw in which the coefficient is not defined (one category only) is left out; draws that are
    all alike give no interval, because a small sample without spread is not certainty. Missing with
    a reason when there are no pairs or chance alone gives perfect agreement.
    """
    pairs = counts[counts.sum(axis=1) > 1]
    if not len(pairs):
        return missing(text("agreement.no_pairs"))
    value = _defined(coefficient, counts)
    if value is None:
        return missing(text("agreement.one_category"))
    drawn = _drawn(coefficient, counts, draws, seed)
    if len(drawn) < 2 or np.ptp(drawn) < SMALLEST_ERROR:
        return measured(value)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return measured(value, (float(low), float(high)))


def _drawn(
    coefficient: Coefficient, counts: FloatArray, draws: int, seed: int
) -> NDArray[np.float64]:
    generator = np.random.default_rng(seed)
    units = generator.integers(len(counts), size=(draws, len(counts)))
    values = (_defined(coefficient, counts[chosen]) for chosen in units)
    return np.array([value for value in values if value is not None])


def _defined(coefficient: Coefficient, counts: FloatArray) -> float | None:
    if not (counts.sum(axis=1) > 1).any():
        return None
    with np.errstate(invalid="ignore", divide="ignore"):
        value = coefficient(counts)
    return value if np.isfinite(value) else None
