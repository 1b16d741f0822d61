"""Published worked examples, each with its source; the numbers are printed there."""

import numpy as np
import pytest

from readers.agreement.continuous import bland_altman, icc
from readers.agreement.nominal import (
    cohen,
    counted,
    crossed,
    fleiss,
    gwet_ac1,
    krippendorff_alpha,
    percent_agreement,
)

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", example C: 12 units, four
# observers, missing values. The same ratings are Gwet's example of missing ratings (irrCAC's
# cac.raw4raters, Handbook of Inter-Rater Reliability).
KRIPPENDORFF = np.array(
    [
        list("123321412..."),
        list("1233224125.3"),
        list(".3332342251."),
        list("12332441251."),
    ]
).T
RATINGS = [[None if r == "." else r for r in row] for row in KRIPPENDORFF]
FOUR_OBSERVERS = counted(RATINGS, list("12345"))


def test_alpha_of_krippendorffs_four_observers():
    assert krippendorff_alpha(FOUR_OBSERVERS) == pytest.approx(0.743, abs=5e-4)


def test_alpha_of_krippendorffs_two_observers_with_binary_data():
    # Krippendorff 2011, example A: ten units.
    meg, owen = list("0100000010"), list("1110010000")
    counts = counted(list(zip(meg, owen, strict=True)), ["0", "1"])
    assert krippendorff_alpha(counts) == pytest.approx(0.095, abs=5e-4)


def test_ac1_of_gwets_four_raters_with_missing_ratings():
    assert percent_agreement(FOUR_OBSERVERS) == pytest.approx(0.8181818)
    assert gwet_ac1(FOUR_OBSERVERS) == pytest.approx(0.77544, abs=5e-6)


def test_ac1_does_not_collapse_where_kappa_does():
    # Gwet 2002, "Kappa statistic is not satisfactory": 118, 5, 2 and 0 of 125.
    pairs = [("+", "+")] * 118 + [("+", "-")] * 5 + [("-", "+")] * 2
    first, second = zip(*pairs, strict=True)
    assert gwet_ac1(counted(pairs, ["+", "-"])) == pytest.approx(0.9408, abs=5e-5)
    assert cohen(crossed(first, second, ["+", "-"])).value == pytest.approx(-0.0234, abs=5e-5)


def test_kappa_of_fleiss_ten_subjects_and_fourteen_raters():
    # https://en.wikipedia.org/wiki/Fleiss%27_kappa, worked example: 0.210
    counts = np.array(
        [
            [0, 0, 0, 0, 14],
            [0, 2, 6, 4, 2],
            [0, 0, 3, 5, 6],
            [0, 3, 9, 2, 0],
            [2, 2, 8, 1, 1],
            [7, 7, 0, 0, 0],
            [3, 2, 6, 3, 0],
            [2, 5, 3, 2, 2],
            [6, 5, 2, 1, 0],
            [0, 2, 2, 3, 7],
        ],
        dtype=float,
    )
    assert fleiss(counts) == pytest.approx(0.210, abs=5e-4)


SHROUT_FLEISS = [
    [9, 2, 5, 8],
    [6, 1, 3, 2],
    [8, 4, 6, 8],
    [7, 1, 2, 6],
    [10, 5, 6, 9],
    [6, 2, 4, 7],
]


@pytest.mark.parametrize(
    ("form", "published"),
    [("1,1", 0.17), ("2,1", 0.29), ("3,1", 0.71), ("1,k", 0.44), ("2,k", 0.62), ("3,k", 0.91)],
)
def test_icc_of_shrout_and_fleiss_six_targets_and_four_judges(form, published):
    assert icc(SHROUT_FLEISS, form).value == pytest.approx(published, abs=5e-3)


# Bland & Altman 1986, Lancet i:307-310, table 1, first measurements: l/min.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_limits_of_agreement_of_bland_and_altmans_peak_flow_meters():
    limits = bland_altman(WRIGHT, MINI)
    assert limits.units == 17
    assert limits.bias.value == pytest.approx(-2.1, abs=0.05)
    assert limits.sd.value == pytest.approx(38.8, abs=0.05)
    assert limits.lower.value == pytest.approx(-79.7, abs=0.1)
    assert limits.upper.value == pytest.approx(75.5, abs=0.1)
    assert limits.bias.ci95 == pytest.approx((-22.0, 17.8), abs=0.1)
    assert limits.lower.ci95 == pytest.approx((-114.3, -45.1), abs=0.5)
    assert limits.upper.ci95 == pytest.approx((40.9, 110.1), abs=0.5)
