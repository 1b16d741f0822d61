"""Surveillance flag: each way to red and amber, and what green says."""

from dataclasses import replace

import pytest
from cases import PROTOCOL, baseline, timepoint

from imaging.change import Change, measure_change
from imaging.findings.evidence import Finding, Reason, Status, plain
from imaging.findings.surveillance import Level, SurveillanceFlag, surveillance_flag
from imaging.measurement import measured, missing
from imaging.timepoint import Timepoint


def finding(status: Status = Status.FAVORABLE, *signs: str) -> Finding:
    return Finding(status, (Reason(f"said {status}"),), frozenset(signs))


GOOD, BAD = finding(), finding(Status.ADVERSE)
OPEN = finding(Status.INDETERMINATE)
NOT_YET = Finding(Status.INDETERMINATE, (plain("baseline"),))


def flag(
    *findings: Finding,
    visit: Timepoint | None = None,
    change: Change | None = None,
    node: float | None = None,
) -> SurveillanceFlag:
    return surveillance_flag(
        visit or timepoint(),
        findings,
        change,
        PROTOCOL.surveillance,
        ("fat from 21 % on",),
        node,
    )


def test_green_names_its_limits_and_never_says_that_there_is_no_teratoma() -> None:
    found = flag(GOOD, GOOD, GOOD)
    assert found.level is Level.GREEN
    assert [r.sentence for r in found.reasons] == [
        "no MRI sign above the stated detection limits",
        "fat from 21 % on",
    ]


@pytest.mark.parametrize("sign", ["nodular", "plate_to_ball"])
def test_growth_with_a_nodule_or_a_ball_is_red(sign: str) -> None:
    assert flag(finding(Status.ADVERSE, "growth"), finding(Status.ADVERSE, sign), GOOD).level is (
        Level.RED
    )


@pytest.mark.parametrize("sign", ["mass_like", "fat_confirmed"])
def test_a_mass_or_confirmed_fat_is_red_alone(sign: str) -> None:
    assert flag(GOOD, finding(Status.ADVERSE, sign), GOOD).level is Level.RED


@pytest.mark.parametrize("sign", ["growth", "nodular", "plate_to_ball", "new_focus"])
def test_growth_or_a_nodule_alone_is_amber(sign: str) -> None:
    assert flag(finding(Status.ADVERSE, sign), GOOD, GOOD).level is Level.AMBER


@pytest.mark.parametrize(("node", "level"), [(10.0, Level.RED), (9.9, Level.GREEN)])
def test_a_new_node_of_10_mm_is_red(node: float, level: Level) -> None:
    assert flag(GOOD, GOOD, GOOD, node=node).level is level


def test_one_adverse_endpoint_is_amber_with_its_first_reason() -> None:
    found = flag(GOOD, GOOD, BAD)
    assert found.level is Level.AMBER
    assert found.reasons[0].sentence == "said adverse"


def test_one_undecided_endpoint_is_green_and_two_are_amber() -> None:
    assert flag(GOOD, GOOD, OPEN).level is Level.GREEN
    assert flag(GOOD, OPEN, OPEN).level is Level.AMBER


def test_at_baseline_the_two_that_compare_do_not_count() -> None:
    assert flag(NOT_YET, NOT_YET, GOOD, visit=baseline()).level is Level.GREEN
    assert flag(NOT_YET, NOT_YET, BAD, visit=baseline()).level is Level.AMBER


def test_a_baseline_at_which_nothing_was_judged_has_no_level() -> None:
    found = flag(NOT_YET, NOT_YET, OPEN, visit=baseline())
    assert found.level is None
    assert found.reasons[0].sentence == "no endpoint could be judged"


def growing(percent: float, days: float | None) -> Change:
    change = measure_change(timepoint(), baseline())
    time = missing("unknown") if days is None else measured(days)
    size = replace(
        change.size,
        volume_percent=measured(percent, (percent - 5, percent + 5)),
        volume_repeatability_percent=(-10.0, 10.0),
        doubling_time_days=time,
    )
    return replace(change, size=size)


@pytest.mark.parametrize(
    ("percent", "days", "level"),
    [
        (15.0, 60.0, Level.AMBER),
        (15.0, 90.0, Level.GREEN),
        (8.0, 60.0, Level.GREEN),
        (15.0, None, Level.GREEN),
    ],
)
def test_fast_growth_beyond_repeatability_is_amber(
    percent: float, days: float | None, level: Level
) -> None:
    assert flag(GOOD, GOOD, GOOD, change=growing(percent, days)).level is level


def test_a_certain_sign_behind_a_closed_gate_does_not_count() -> None:
    assert flag(OPEN, GOOD, GOOD).level is Level.GREEN
