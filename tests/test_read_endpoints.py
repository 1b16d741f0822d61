"""A reader's answers give the machine's three words, by the same definitions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_room import BASELINE, FOCUS, LARGER, PROTOCOL, STABLE

from imaging.findings.status import Status
from imaging.quality import FAT, MORPHOLOGY, SIGNAL
from readers.form import load_form
from readers.parsing import parse_answers

FORM = load_form("1")
AT_BASELINE = frozenset({"baseline", "in_order"})
EARLY = frozenset({"follow_up", "early", "in_order"})
LATE = frozenset({"follow_up", "late", "in_order"})
ANY_ORDER = frozenset({"follow_up", "late", "any_order"})


def status(endpoint, answers, tags=LATE):
    return str(FORM.endpoint(endpoint, parse_answers(FORM, answers), tags, PROTOCOL)[0])


def focus(mm, since):
    return {"foci": [FOCUS | {"diameter_mm": mm, "since": since}], "pattern": "stippled"}


def test_the_endpoints_are_called_as_the_machine_calls_them():
    assert set(FORM.endpoints) == {MORPHOLOGY, SIGNAL, FAT}
    assert {rule.status for rules in FORM.endpoints.values() for rule in rules} == set(Status)


def test_a_stable_graft_is_favorable_in_all_three():
    assert [status(e, STABLE) for e in (MORPHOLOGY, SIGNAL, FAT)] == ["favorable"] * 3


def test_at_baseline_only_fat_is_judged():
    assert status(MORPHOLOGY, BASELINE, AT_BASELINE) == "indeterminate"
    assert status(SIGNAL, BASELINE, AT_BASELINE) == "indeterminate"
    assert status(FAT, BASELINE, AT_BASELINE) == "favorable"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"size_versus_baseline": "smaller", "size_versus_nadir": "stable"}, "favorable"),
        ({"size_versus_nadir": "larger"}, "adverse"),
        ({"size_versus_baseline": "larger", "size_versus_nadir": "not_evaluable"}, "adverse"),
        ({"location_versus_baseline": "changed"}, "adverse"),
        ({"mass_effect": ["bulge"]}, "indeterminate"),
        ({"mass_effect": ["bulge", "midline"]}, "adverse"),
        ({"mass_effect": ["not_evaluable"]}, "indeterminate"),
        ({"shape_versus_baseline": "changed"}, "indeterminate"),
        ({"shape_versus_baseline": "plate_to_ball"}, "indeterminate"),
        ({"size_versus_baseline": "not_evaluable"}, "indeterminate"),
        ({"size_versus_nadir": "not_evaluable"}, "indeterminate"),
        ({"graft_seen": "no"}, "indeterminate"),
        ({"graft_seen": "no", "mass_effect": ["bulge", "midline"]}, "adverse"),
        ({"graft_seen": "not_evaluable"}, "indeterminate"),
    ],
)
def test_morphology_is_growth_migration_or_two_signs_of_mass_effect(change, expected):
    assert status(MORPHOLOGY, STABLE | change) == expected


def test_where_the_nadir_is_not_asked_the_baseline_alone_can_be_favorable():
    answers = {k: v for k, v in STABLE.items() if k != "size_versus_nadir"}
    assert status(MORPHOLOGY, answers, ANY_ORDER) == "favorable"
    assert status(MORPHOLOGY, answers, LATE) == "indeterminate"


@pytest.mark.parametrize(
    ("change", "early", "late"),
    [
        ({"signal_change": "resolving"}, "favorable", "favorable"),
        ({"pattern": "stippled"}, "favorable", "favorable"),
        (focus(5.0, "new"), "indeterminate", "adverse"),
        (focus(4.0, "new"), "indeterminate", "indeterminate"),
        (focus(4.0, "grown"), "indeterminate", "adverse"),
        (focus(4.0, "unchanged"), "favorable", "favorable"),
        (focus(4.0, "not_evaluable"), "indeterminate", "indeterminate"),
        (focus(10.0, "new"), "adverse", "adverse"),
        ({"signal_change": "new_or_evolving"}, "indeterminate", "adverse"),
        ({"pattern": "nodular"}, "indeterminate", "indeterminate"),
        ({"pattern": "mass_like"}, "indeterminate", "indeterminate"),
        ({"pattern": "mass_like", "signal_change": "new_or_evolving"}, "adverse", "adverse"),
        ({"pattern": "not_evaluable"}, "indeterminate", "indeterminate"),
        ({"signal_change": "not_evaluable"}, "indeterminate", "indeterminate"),
        ({"t2w_fs_quality": "not_evaluable"}, "indeterminate", "indeterminate"),
        ({"graft_seen": "no"}, "indeterminate", "indeterminate"),
        ({"graft_seen": "no"} | focus(6.0, "new"), "indeterminate", "adverse"),
    ],
)
def test_signal_is_new_grown_or_mass_like_high_signal_and_lenient_in_the_early_days(
    change, early, late
):
    assert status(SIGNAL, STABLE | change, EARLY) == early
    assert status(SIGNAL, STABLE | change, LATE) == late


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, "favorable"),
        ({"isointense": "no"}, "adverse"),
        ({"isointense": "no", "fat": "bright_not_fat"}, "adverse"),
        ({"fat": "possible"}, "indeterminate"),
        ({"fat": "confirmed"}, "adverse"),
        ({"fat": "not_evaluable"}, "indeterminate"),
        ({"isointense": "not_evaluable"}, "indeterminate"),
        ({"t1w_fs_quality": "not_acquired", "isointense": "not_evaluable"}, "indeterminate"),
        ({"t1w_fs_quality": "not_evaluable", "fat": "confirmed"}, "adverse"),
        ({"graft_seen": "no"}, "indeterminate"),
    ],
)
def test_fat_is_absent_only_where_the_region_is_isointense_and_without_fat(change, expected):
    for tags in (AT_BASELINE, EARLY, LATE):
        assert status(FAT, STABLE | change, tags) == expected


def test_an_answer_that_was_hidden_again_decides_nothing():
    # The size was answered, then the graft called not seen: the size is not asked any more.
    assert status(MORPHOLOGY, LARGER | {"graft_seen": "not_evaluable"}) == "indeterminate"


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        q.id: st.sampled_from([o.id for o in q.options])
        for q in FORM.questions
        if q.kind == "choice"
    },
)


@settings(max_examples=60, deadline=None)
@given(OPTIONS, st.sampled_from([AT_BASELINE, EARLY, LATE, ANY_ORDER]))
def test_any_answers_at_any_visit_have_an_answer_favorable_only_with_a_graft_seen(answers, tags):
    for endpoint in FORM.endpoints:
        found = status(endpoint, answers, tags)
        if found == "favorable":
            assert answers.get("graft_seen") == "yes"
            assert tags != AT_BASELINE or endpoint == FAT
