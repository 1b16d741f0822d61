"""More confidence asked for answers less and should be less wrong; the bench counts both."""

import csv
import json
from dataclasses import replace

import pytest
from bench_rows import IND, A, F, row

from imaging.protocol import load_protocol
from imaging.quality import ENDPOINTS, MORPHOLOGY
from surveillance.validation.confidence import (
    GRAFT,
    QUESTIONS,
    calibration_error,
    graft_wrong,
    reliability,
    risk_by_threshold,
)
from surveillance.validation.row import Quantity
from surveillance.validation.run import AUTOMATIC, SEEDED
from surveillance.validation.summary import as_json, summarise
from surveillance.validation.tables import answered, risk_csv
from surveillance.validation.targets import dice_least

PROTOCOL = load_protocol()


def test_a_dice_is_poor_below_the_tenth_percentile_wanted_of_its_kind():
    wanted = [dice_least(*cell) for cell in (
        ("real", AUTOMATIC), ("real", SEEDED), ("simulated", AUTOMATIC), ("simulated", SEEDED),
        ("analytic", AUTOMATIC),
    )]  # fmt: skip
    assert wanted == [0.60, 0.75, 0.80, 0.80, 0.80]


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"dice": 0.60}, False),
        ({"dice": 0.59}, True),
        ({"dice": 0.74, "variant": SEEDED}, True),
        ({"true": 10.0, "said": 12.5}, False),
        ({"true": 10.0, "said": 12.6}, True),
        ({"true": 10.0, "said": 7.4}, True),
        ({"dice": None, "said": None, "ci95": None}, True),
        ({"dice": None, "graft_true": False, "true": 0.0}, True),
        ({"dice": None, "graft_true": False, "true": 0.0, "said": None}, False),
    ],
)
def test_a_graft_is_wrong_by_outline_by_volume_or_by_being_there(given, wrong):
    assert graft_wrong(row(**given)) is wrong


def four():
    """Two good grafts (0.9, 0.6), a poor one that is hardly sure, and one that is sure of it."""
    poor = {"dice": 0.2}
    return [row(confidence=0.9), row(confidence=0.6), row(confidence=0.1, **poor),
            row(confidence=0.9, **poor)]  # fmt: skip


def test_risk_and_coverage_of_four_grafts():
    kept = {k.threshold: k for k in risk_by_threshold(four(), GRAFT)}
    counted = {t: (kept[t].answered, kept[t].wrong) for t in (0.0, 0.1, 0.15, 0.6, 0.65, 0.95)}
    assert counted == {
        0.0: (4, 2), 0.1: (4, 2), 0.15: (3, 1), 0.6: (3, 1), 0.65: (2, 1), 0.95: (0, 0),
    }  # fmt: skip
    assert (kept[0.65].coverage, kept[0.65].risk) == (0.5, 0.5)
    assert (kept[0.95].coverage, kept[0.95].risk, kept[0.95].risk_upper) == (0.0, None, None)


def test_the_upper_limit_of_the_risk_is_wilsons():
    """0 of 100 wrong: 3.7 %, as tabulated by Brown, Cai and DasGupta 2001."""
    kept = risk_by_threshold([row()] * 100, GRAFT)[0]
    assert kept.risk == 0.0
    assert kept.risk_upper == pytest.approx(0.037, abs=5e-4)


def test_an_endpoint_is_asked_where_the_truth_decides_and_undecided_is_no_answer():
    sure = {"confidence": 0.9}
    rows = [row(answers=a, **sure) for a in ((A, A), (A, F), (F, IND), (IND, A))]
    rows.append(row(answers=(F, A), confidence=0.3))
    low, high = (risk_by_threshold(rows, MORPHOLOGY)[n] for n in (0, 10))
    assert (low.asked, low.answered, low.wrong) == (4, 3, 2)
    assert (high.asked, high.answered, high.wrong) == (4, 2, 1)
    assert risk_by_threshold([row()], MORPHOLOGY)[0].coverage is None


def test_reliability_counts_each_tenth_and_certainty_lies_in_the_last():
    rows = [row(confidence=0.72), row(confidence=0.78, dice=0.1), row(confidence=1.0)]
    found = reliability(rows)
    assert [(b.low, b.high, b.count, b.right) for b in found] == [(0.7, 0.8, 2, 1), (0.9, 1, 1, 1)]
    assert found[0].confidence == pytest.approx(0.75)


def test_calibration_error_weighs_each_tenth_by_its_visits():
    """Two visits 0.25 too sure, one just sure enough: (2 × 0.25 + 0) / 3."""
    rows = [row(confidence=0.72), row(confidence=0.78, dice=0.1), row(confidence=1.0)]
    assert calibration_error(reliability(rows)) == pytest.approx(0.5 / 3)
    assert calibration_error(()) is None


def test_summary_and_tables_say_the_same_numbers():
    rows = [replace(r, volume_change_percent=Quantity(None)) for r in four()]
    summary = summarise(rows, PROTOCOL)
    section = json.loads(json.dumps(as_json(summary), allow_nan=False))["sections"][0]
    assert set(section["risk_by_threshold"]) == {GRAFT, *ENDPOINTS}
    half = section["risk_by_threshold"][GRAFT][10]
    assert (half["threshold"], half["answered"], half["wrong"]) == (0.5, 3, 1)
    assert half["risk"] == pytest.approx(1 / 3, abs=1e-5)
    assert section["reliability"][-1]["count"] == 2
    assert section["calibration_error"] == pytest.approx((2 * 0.4 + 0.4 + 0.1) / 4)
    read = list(csv.DictReader(risk_csv(summary.sections).splitlines()))
    assert len(read) == 21 * len(QUESTIONS)
    assert [read[19][name] for name in ("threshold", "answered", "risk")] == ["0.95", "0", ""]
    (line,) = answered(summary.sections, (0.5,))
    assert line[2:5] == ("0.5", "3 / 4 (75 %)", "1 / 3 (33 %)")
