"""Published worked examples, each with its source; the numbers are printed there."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_room import BASELINE, block
from test_worklist import changed

from imaging.measurement import measured
from readers import adjudication, assigning, reading, signing, worklist
from readers import masks as mask_versions
from readers.agreement.continuous import bland_altman, icc
from readers.agreement.nominal import (
    cohen,
    counted,
    crossed,
    fleiss,
    gwet_ac1,
    krippendorff_alpha,
    percent_agreement,
    with_interval,
)
from readers.agreement.performance import disputes, performance
from readers.agreement.ratings import ratings
from readers.agreement.report import masks, report
from readers.errors import ForbiddenError

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


def test_icc_intervals_of_shrout_and_fleiss_are_those_of_r_s_psych():
    # R package psych, `ICC(sf)`, the same six targets: lower and upper bounds.
    published = {
        "1,1": (-0.133, 0.72), "2,1": (0.019, 0.76), "3,1": (0.342, 0.95),
        "1,k": (-0.884, 0.91), "2,k": (0.071, 0.93), "3,k": (0.676, 0.99),
    }  # fmt: skip
    for form, bounds in published.items():
        assert icc(SHROUT_FLEISS, form).ci95 == pytest.approx(bounds, abs=6e-3)


def test_icc_of_equal_raters_is_one_and_of_a_shifted_one_below_it_in_agreement_only():
    same, shifted = [[1, 1], [2, 2], [4, 4]], [[1, 3], [2, 4], [4, 6]]
    for form in ("1,1", "2,1", "3,1", "2,k"):
        assert icc(same, form).value == pytest.approx(1)
        assert icc(same, form).ci95 is None
    assert icc(shifted, "3,1").value == pytest.approx(1)
    assert icc(shifted, "2,1").value < 0.7


@pytest.mark.parametrize("sizes", [[[1, 2]], [[1], [2]], [[3, 3], [3, 3]], [[1, 2], [2, 1]], []])
def test_icc_says_why_where_there_is_none(sizes):
    assert icc(sizes).reason is not None


def test_limits_of_agreement_need_two_pairs():
    assert bland_altman([1.0], [2.0]).bias.reason is not None
    assert bland_altman([], []).units == 0
    assert bland_altman([1.0, 2.0], [2.0, 3.0]).bias == measured(-1.0)


def test_cohen_s_kappa_of_a_table_worked_by_hand():
    # 20 + 15 of 50 agree; chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5; kappa = (0.7 - 0.5) / 0.5.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    first, second = zip(*pairs, strict=True)
    found = cohen(crossed(first, second, ["y", "n"]))
    assert found.value == pytest.approx(0.4)
    # Asymptotic standard error of Fleiss, Cohen & Everitt (1969), as R's psych and vcd have it.
    assert found.ci95 == pytest.approx((0.15, 0.65), abs=0.01)
    counts = counted(pairs, ["y", "n"])
    assert percent_agreement(counts) == pytest.approx(0.7)


def test_the_interval_of_kappa_ends_at_1():
    few = cohen(np.array([[3.0, 0.0], [1.0, 2.0]]))
    assert few.value == pytest.approx(2 / 3)  # 5 of 6 agree, 0.5 by chance
    assert few.ci95[1] == 1.0


def test_kappa_of_one_category_or_of_nothing_is_not_defined_and_says_so():
    assert "All ratings are the same" in cohen(np.array([[9.0, 0.0], [0.0, 0.0]])).reason
    assert "No visit was rated twice" in cohen(np.zeros((2, 2))).reason
    same = counted([("a", "a")] * 5, ["a", "b"])
    for coefficient in (fleiss, krippendorff_alpha):
        assert "All ratings are the same" in with_interval(coefficient, same, 100, 1).reason
    perfect = with_interval(gwet_ac1, same, 100, 1)
    assert (perfect.value, perfect.ci95) == (1, None)  # five visits without spread prove nothing
    constant = cohen(np.array([[4.0, 1.0], [0.0, 0.0]]))
    assert (constant.value, constant.ci95) == (0, None)
    alone = counted([("a", None)], ["a", "b"])
    assert "No visit was rated twice" in with_interval(percent_agreement, alone, 100, 1).reason


def test_an_interval_is_the_same_for_the_same_seed_and_holds_the_value():
    pairs = [("a", "a")] * 30 + [("a", "b")] * 6 + [("b", "b")] * 10
    counts = counted(pairs, ["a", "b", "c"])
    first = with_interval(krippendorff_alpha, counts, 500, 7)
    assert first == with_interval(krippendorff_alpha, counts, 500, 7)
    assert first != with_interval(krippendorff_alpha, counts, 500, 8)
    assert first.ci95[0] < first.value < first.ci95[1]
    # A draw without any unit that was rated twice has no agreement to tell, and is left out.
    lonely = counted([("a", "b"), *[("a", None)] * 5], ["a", "b"])
    assert with_interval(percent_agreement, lonely, 50, 1).value == 0
    one = counted([("a", "b")], ["a", "b"])
    assert with_interval(percent_agreement, one, 1, 1).ci95 is None


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from("abc")] * 3), min_size=2, max_size=20))
def test_agreement_never_exceeds_one_and_does_not_hang_on_who_is_called_first(units):
    counts = counted(units, "abc")
    turned = counted([tuple(reversed(u)) for u in units], "abc")
    for coefficient in (percent_agreement, gwet_ac1, krippendorff_alpha):
        found = with_interval(coefficient, counts, 2, 1)
        assert found.value is None or found.value <= 1 + 1e-12
        assert found.value == with_interval(coefficient, turned, 2, 1).value
    if all(len(set(u)) == 1 for u in units):
        assert percent_agreement(counts) == 1


def test_alpha_is_fleiss_kappa_up_to_the_size_of_the_sample():
    # Without missing ratings alpha = 1 - (1 - 1/N)(1 - kappa), N ratings (Krippendorff 2004).
    units = [("a", "a"), ("a", "b"), ("b", "b"), ("c", "c"), ("a", "c"), ("b", "b")]
    counts = counted(units, "abc")
    kappa, ratings = fleiss(counts), counts.sum()
    expected = 1 - (1 - 1 / ratings) * (1 - kappa)
    assert krippendorff_alpha(counts) == pytest.approx(expected)


# --- figures of a whole store ---------------------------------------------------------------


def read_case(room, case, answers, minutes=1.0):
    """Let both readers read a baseline; return nothing."""
    room.case(case, ("BASELINE",))
    room.assign(case)
    for name, given_ in answers.items():
        item = next(i for i in worklist.of_reader(room.store, room.people[name]) if not i.started)
        read = reading.open_read(room.store, room.people[name], item.id, "BASELINE")
        read = reading.save_draft(
            room.store, room.people[name], read.id, revision=read.revision, answers=given_,
            spent_s=60 * minutes,
        )  # fmt: skip
        signing.lock(room.store, room.people[name], read.id, read.revision, room.pen(name))


NOT_ISO = BASELINE | {"isointense": "no"}


def five_cases(room):
    """Four agree, in the fifth reader 2 sees fat; the adjudicator sides with reader 1."""
    for n in range(4):
        size = {"diameter_mm": 20.0 + 5 * n}
        read_case(room, f"S0{n}", {
            "reader1": BASELINE | size,
            "reader2": BASELINE | {"diameter_mm": size["diameter_mm"] + 2.0},
        }, minutes=n + 1)  # fmt: skip
    read_case(room, "S04", {"reader1": BASELINE, "reader2": NOT_ISO})
    (dispute,) = adjudication.open_items(room.store, room.judge)
    pair = adjudication.view(room.store, room.judge, dispute.id)
    mine = "first" if pair.first.content.answers["isointense"] == "yes" else "second"
    pen = room.pen("judge", "isointense")
    adjudication.decide(room.store, room.judge, dispute.id, mine, pen)


def test_the_report_of_five_cases_worked_by_hand(room):
    five_cases(room)
    found = report(room.store, room.coordinator, draws=50)
    fat = next(n for n in found.between if n.name == "fat_absence")
    assert fat.pairs == 5
    assert fat.percent.value == pytest.approx(0.8)
    # Wilson 1927, 4 of 5: (0.8 + z²/10 ± z √(0.16/5 + z²/100)) / (1 + z²/5), z = 1.96
    assert fat.percent.ci95 == pytest.approx((0.376, 0.964), abs=1e-3)
    iso = next(n for n in found.between if n.name == "isointense")
    assert iso.percent.value == pytest.approx(0.8)
    one, two = found.performance
    assert (one.reader, one.visits) == ("reader1", 5)
    assert one.adjudication_rate.value == two.adjudication_rate.value == pytest.approx(0.2)
    assert one.disagreement_index.value == 0
    assert two.disagreement_index.value == pytest.approx(0.2)
    assert one.read_minutes.value == 2.0
    assert one.read_minutes.ci95 == (1.0, 3.0)
    assert [(p.first, p.last) for p in one.drift] == [(1, 5)]
    assert one.drift[0].agreement.value == pytest.approx(0.8)
    size = next(s for s in found.between_sizes if s.name == "diameter_mm")
    assert (size.pairs, size.limits.bias.value) == (4, pytest.approx(-2))
    assert size.limits.sd.value == pytest.approx(0, abs=1e-9)
    assert size.icc.value > 0.9
    machine = next(n for n in found.machine["reader2"] if n.name == "fat_absence")
    assert machine.percent.value == pytest.approx(0.8)
    # Reader 1 measured 20, 25, 30 and 35 mm, the machine 30 each time.
    long, thick = found.machine_sizes["reader1"]
    assert (long.pairs, long.limits.bias.value) == (4, pytest.approx(-2.5))
    assert thick.pairs == 0
    assert found == report(room.store, room.coordinator, draws=50)


def test_a_third_reading_counts_against_both_readers(sqlite_room):
    read_case(sqlite_room, "S01", {"reader1": BASELINE, "reader2": NOT_ISO})
    (dispute,) = adjudication.open_items(sqlite_room.store, sqlite_room.judge)
    third = signing.Given(BASELINE | {"isointense": "not_evaluable"})
    pen = sqlite_room.pen("judge", "cannot be told")
    adjudication.decide(sqlite_room.store, sqlite_room.judge, dispute.id, "third", pen, third)
    found = report(sqlite_room.store, sqlite_room.coordinator, draws=2)
    assert [p.disagreement_index.value for p in found.performance] == [1, 1]


def test_an_open_dispute_counts_for_the_rate_and_against_nobody(sqlite_room):
    read_case(sqlite_room, "S01", {"reader1": BASELINE, "reader2": NOT_ISO})
    found = report(sqlite_room.store, sqlite_room.coordinator, draws=2)
    assert [p.adjudication_rate.value for p in found.performance] == [1, 1]
    assert [p.disagreement_index.value for p in found.performance] == [0, 0]


def test_a_reader_s_re_reads_are_compared_with_the_own_first_reads(sqlite_room):
    paradigm = changed(rereads={"fraction": 1.0, "washout_days": 0})
    sqlite_room.case("S01", ("BASELINE",))
    sqlite_room.assign("S01", ("reader1",), paradigm)
    sqlite_room.lock("reader1", BASELINE | {"diameter_mm": 20.0})
    assigning.plan_rereads(sqlite_room.store, sqlite_room.coordinator)
    again = next(
        i for i in worklist.of_reader(sqlite_room.store, sqlite_room.reader1) if not i.started
    )
    sqlite_room.lock("reader1", NOT_ISO | {"diameter_mm": 22.0}, item=again)
    found = report(sqlite_room.store, sqlite_room.coordinator, draws=2)
    fat = next(n for n in found.within["reader1"] if n.name == "fat_absence")
    assert (fat.pairs, fat.percent.value) == (1, 0)
    assert found.within_sizes["reader1"][0].pairs == 1
    assert found.between[0].pairs == 0
    assert found.performance[0].visits == 1


def test_changes_of_mind_are_counted_and_change_no_other_figure(sqlite_room):
    read_case(sqlite_room, "S01", {"reader1": BASELINE, "reader2": BASELINE})
    before = report(sqlite_room.store, sqlite_room.coordinator, draws=2)
    reading.machine_values(sqlite_room.store, sqlite_room.reader1, 1)
    pen = sqlite_room.pen("reader1", "the machine")
    signing.change_mind(sqlite_room.store, sqlite_room.reader1, 1, signing.Given(NOT_ISO), pen)
    after = report(sqlite_room.store, sqlite_room.coordinator, draws=2)
    assert after.between == before.between
    assert after.performance[0].changed_mind.value == 1
    assert before.performance[0].changed_mind.value == 0


def test_an_empty_store_has_reasons_instead_of_figures(sqlite_room):
    found = report(sqlite_room.store, sqlite_room.coordinator, draws=2)
    assert all(n.percent.reason for n in found.between)
    assert found.performance == ()
    assert masks(sqlite_room.store, sqlite_room.coordinator) == ()


def test_readers_never_see_how_they_agree(sqlite_room):
    for name in ("reader1", "judge"):
        with pytest.raises(ForbiddenError):
            report(sqlite_room.store, sqlite_room.people[name])
        with pytest.raises(ForbiddenError):
            masks(sqlite_room.store, sqlite_room.people[name])


def test_outlines_of_two_readers_are_compared_by_dice_and_surface_distance(sqlite_room):
    sqlite_room.case("S01", ("BASELINE",))
    sqlite_room.assign("S01")
    for name, mask in (("reader1", block(2, 8)), ("reader2", block(2, 8))):
        read = sqlite_room.draft(name, BASELINE)
        mask_versions.keep(sqlite_room.store, sqlite_room.people[name], read.id, mask, "seeded")
        sqlite_room.lock(name, BASELINE)
    (found,) = masks(sqlite_room.store, sqlite_room.coordinator)
    assert (found.case_id, found.visit) == ("S01", "BASELINE")
    assert found.overlap.dice == 1
    assert found.volumes_ml == pytest.approx((6**3 * 4 / 1000,) * 2)
    assert found.overlap.hausdorff95_mm == 0


def test_a_visit_one_of_them_did_not_outline_is_left_out(sqlite_room):
    sqlite_room.case("S01", ("BASELINE",))
    sqlite_room.assign("S01")
    for name in ("reader1", "reader2"):
        read = sqlite_room.draft(name, BASELINE)
        if name == "reader1":
            mask_versions.keep(sqlite_room.store, sqlite_room.reader1, read.id, block(), "seeded")
        sqlite_room.lock(name, BASELINE)
    assert masks(sqlite_room.store, sqlite_room.coordinator) == ()


def test_drift_is_told_in_blocks_of_reads(sqlite_room):
    five_cases(sqlite_room)
    with sqlite_room.store.reading() as connection:
        rated, found = ratings(connection), disputes(connection)
    points = performance("reader1", rated, found, drift_reads=2).drift
    assert [(p.first, p.last, p.agreement.value) for p in points] == [
        (1, 2, 1.0), (3, 4, 1.0), (5, 5, 0.0)
    ]  # fmt: skip
    nobody = performance("nobody", rated, found)
    assert nobody.read_minutes.reason == "No visit was read."
