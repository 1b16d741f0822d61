"""Subjects and visits: trial words first, then dates; never two people in one subject."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging.geometry import Geometry
from imaging.protocol import load_protocol
from imaging.schedule import days_in, visit_named, visit_of_text
from imaging.series import Identity, Role, RoleDecision, Series, SeriesInfo
from imaging.visit import VisitName
from imaging.visits import arrange
from imaging.volume import Volume

PROTOCOL = load_protocol()
WINDOWS = PROTOCOL.visits
FIRST = date(2026, 1, 5)
NUMBERS = count(1)


def geometry(slices=10, spacing=4.0, coronal=False, frame=None):
    affine = np.diag([1.0, 1.0, spacing, 1.0])
    if coronal:
        affine[:3, :3] = affine[:3, :3][:, [0, 2, 1]]
        affine[:3, 1], affine[:3, 2] = [0, 0, -1], [0, spacing, 0]
    return Geometry(affine, (4, 4, slices), frame)


def one(role=Role.T2W_FS, day=0, grid=None, info=None, **identity):
    """Return a series of role `role`, acquired `day` days after FIRST."""
    who = {
        "subject": "S01", "patient": "P-1", "birth": "B-1", "sex": "F",
        "study_uid": f"study-{day}", "study_date": FIRST + timedelta(days=day or 0),
    }  # fmt: skip
    number = next(NUMBERS)
    grid = grid or geometry()
    about = SeriesInfo(
        f"uid-{number:05d}", f"series {number}", Identity(**{**who, **identity}), "x"
    )
    about = replace(about, **(info or {}))
    voxels = Volume(np.zeros(grid.shape, np.float32), grid)
    return Series(
        about, grid, RoleDecision(role, ("because",)), (f"file-{number}",), lambda: voxels
    )


def undated(**identity):
    return one(study_date=None, **identity)


def visits(series):
    arrangement = arrange(series, PROTOCOL)
    assert arrangement.refusals == ()
    (subject,) = arrangement.subjects
    return subject.visits


def labels(series):
    return [v.label for v in visits(series)]


def test_the_first_date_is_the_baseline_and_windows_name_the_others():
    found = visits([one(day=d) for d in (365, 0, 91, 28, 182)])
    assert [v.label for v in found] == ["BASELINE", "D28", "M3", "M6", "M12"]
    assert [v.days_since_baseline for v in found] == [0, 28, 91, 182, 365]


@pytest.mark.parametrize(
    ("day", "name"),
    [(18, "D28"), (38, "D28"), (17, "UNSCHEDULED"), (39, "UNSCHEDULED"), (60, "UNSCHEDULED"),
     (70, "M3"), (112, "M3"), (113, "UNSCHEDULED"), (410, "M12"), (411, "UNSCHEDULED")],
)  # fmt: skip
def test_what_fits_no_window_is_unscheduled(day, name):
    assert labels([one(), one(day=day)]) == ["BASELINE", name]


def test_two_unscheduled_visits_have_labels_of_their_own():
    assert labels([one(), one(day=50), one(day=60)]) == ["BASELINE", "UNSCHEDULED", "UNSCHEDULED-2"]


def test_of_two_studies_in_one_window_the_nearer_keeps_the_name_and_the_other_says_so():
    found = visits([one(), one(day=30), one(day=36)])
    assert [(v.label, v.days_since_baseline) for v in found] == [
        ("BASELINE", 0), ("D28", 30), ("UNSCHEDULED", 36),
    ]  # fmt: skip
    assert "nearer to the due day of D28" in found[2].notes[0]


def test_one_time_point_stated_months_apart_is_two_visits():
    found = visits([one(time_point="BASELINE"), one(day=182, time_point="BASELINE")])
    assert [(v.label, v.study_date) for v in found] == [
        ("BASELINE", FIRST), ("UNSCHEDULED", FIRST + timedelta(days=182)),
    ]  # fmt: skip


def test_a_missing_visit_and_a_missing_t1_leave_the_rest_complete():
    found = visits([one(), one(Role.T1W_FS), one(day=182)])
    assert [v.label for v in found] == ["BASELINE", "M6"]
    assert found[0].t1w_fs is not None
    assert found[1].t1w_fs is None


def test_t2_and_t1_of_one_visit_may_have_different_frames_of_reference():
    (visit,) = visits([one(grid=geometry(frame="1")), one(Role.T1W_FS, grid=geometry(frame="2"))])
    assert visit.t2w_fs.geometry.frame_of_reference != visit.t1w_fs.geometry.frame_of_reference


def test_two_studies_of_one_day_are_one_visit():
    (visit,) = visits([one(study_uid="a"), one(Role.T1W_FS, study_uid="b")])
    assert visit.t2w_fs and visit.t1w_fs


def test_time_points_outrank_dates():
    series = [
        one(day=0, time_point="Month 3"),
        one(day=40, time_point="M6"),
        one(day=-90, time_point="BL"),
    ]
    assert labels(series) == ["BASELINE", "M3", "M6"]


def test_days_from_the_event_outrank_dates():
    found = visits([one(days_from_event=0.0), one(day=90, days_from_event=29.0)])
    assert [v.label for v in found] == ["BASELINE", "D28"]


def test_without_dates_time_points_give_the_order():
    found = visits(
        [undated(time_point=t, study_uid=t) for t in ("Month 12", "Day 28", "Screening")]
    )
    assert [v.label for v in found] == ["BASELINE", "D28", "M12"]
    assert [v.study_date for v in found] == [None, None, None]
    assert [v.days_since_baseline for v in found] == [0, None, None]


def test_without_dates_days_from_the_event_give_the_order_and_the_days():
    found = visits([undated(days_from_event=d, study_uid=str(d)) for d in (95.0, 1.0, 30.0)])
    assert [v.label for v in found] == ["BASELINE", "D28", "M3"]
    assert [v.days_since_baseline for v in found] == [0, 29, 94]


def test_a_first_session_as_late_as_the_first_follow_up_is_no_baseline():
    found = visits([undated(days_from_event=d, study_uid=str(d)) for d in (28.0, 50.0)])
    assert [(v.label, v.days_since_baseline) for v in found] == [
        ("D28", None),
        ("UNSCHEDULED", None),
    ]


def test_one_study_without_date_or_time_point_is_the_baseline():
    (visit,) = visits([undated(study_uid="a")])
    assert (visit.label, visit.days_since_baseline) == ("BASELINE", 0)


def test_several_studies_without_date_or_time_point_are_refused():
    arrangement = arrange([undated(study_uid="a"), undated(study_uid="b")], PROTOCOL)
    assert arrangement.subjects == ()
    assert [r.code for r in arrangement.refusals] == ["visit_order_unknown"]


def test_two_days_of_one_time_point_are_one_visit_and_said():
    found = visits([one(time_point="BASELINE"), one(Role.T1W_FS, day=2, time_point="BASELINE")])
    assert [v.label for v in found] == ["BASELINE"]
    assert found[0].t2w_fs and found[0].t1w_fs
    assert "joined" in found[0].notes[0]


def test_when_the_stated_baseline_is_missing_no_other_visit_becomes_it():
    found = visits([one(day=28, time_point="Day 28"), one(day=91)])
    assert [(v.label, v.days_since_baseline) for v in found] == [
        ("D28", None),
        ("UNSCHEDULED", None),
    ]


def test_a_study_before_the_stated_baseline_is_unscheduled():
    found = visits([one(day=-20), one(day=0, time_point="baseline")])
    assert [(v.label, v.days_since_baseline) for v in found] == [
        ("UNSCHEDULED", -20),
        ("BASELINE", 0),
    ]


def test_a_visit_without_an_endpoint_series_is_refused_with_what_was_found():
    arrangement = arrange([one(), one(Role.LOCALIZER, day=28), one(Role.T2W, day=28)], PROTOCOL)
    assert [v.label for v in arrangement.subjects[0].visits] == ["BASELINE"]
    (refusal,) = arrangement.refusals
    assert refusal.code == "visit_without_endpoint"
    assert "LOCALIZER, T2W" in refusal.message
    assert len(refusal.files) == 2


def test_a_subject_whose_only_visit_has_no_endpoint_series_is_no_subject():
    arrangement = arrange([one(Role.DWI)], PROTOCOL)
    assert arrangement.subjects == ()
    assert len(arrangement.refusals) == 1


def test_series_that_no_endpoint_needs_do_not_matter():
    assert labels([one(), one(Role.LOCALIZER), one(Role.OTHER), one(Role.DERIVED)]) == ["BASELINE"]


def test_axial_is_chosen_before_coronal_and_the_rule_is_reported():
    coronal, axial = one(grid=geometry(slices=40, coronal=True)), one()
    (visit,) = visits([coronal, axial])
    assert visit.t2w_fs is axial
    assert "2 series could be T2W-FS" in visit.notes[0]
    assert axial.info.description in visit.notes[0]


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ({"grid": geometry(slices=20)}, {"grid": geometry(slices=10)}),
        ({"grid": geometry(20, 2.0)}, {"grid": geometry(10, 4.0)}),
        ({"info": {"echo_time_ms": 4.6}}, {"info": {"echo_time_ms": 9.2}}),
        ({"info": {"acquisition_time": "1015"}}, {"info": {"acquisition_time": "1005"}}),
    ],
    ids=["longer coverage", "thinner slices", "shorter echo", "later"],
)
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_axial_candidates_one_rule_chooses(better, worse, turned):
    good, bad = one(**better), one(**worse)
    (visit,) = visits([bad, good] if turned else [good, bad])
    assert visit.t2w_fs is good


def test_dixon_parts_and_unsuppressed_t1_support_the_fat_answer():
    roles = [Role.T1W, Role.DIXON_FAT, Role.DIXON_IN_PHASE, Role.DIXON_OPPOSED_PHASE]
    (visit,) = visits([one(), *(one(role) for role in roles), one(Role.T2W)])
    assert {s.role for s in visit.supporting} == set(roles)


def test_two_patients_in_one_folder_are_two_subjects():
    arrangement = arrange([one(), one(subject="S02", patient="P-2", study_uid="z")], PROTOCOL)
    assert [s.id for s in arrangement.subjects] == ["S01", "S02"]


@pytest.mark.parametrize("different", [{"birth": "B-2"}, {"sex": "M"}])
def test_one_trial_subject_holding_two_people_is_refused_whole(different):
    other = one(subject="S02", patient="P-9", study_uid="z")
    arrangement = arrange([one(), one(day=28, patient="P-2", **different), other], PROTOCOL)
    assert [s.id for s in arrangement.subjects] == ["S02"]
    (refusal,) = arrangement.refusals
    assert refusal.code == "patient_mismatch"
    assert refusal.subject == "S01"
    assert len(refusal.files) == 2


def test_a_follow_up_with_another_patient_id_of_the_same_person_is_a_note():
    found = visits([one(), one(day=28, patient="P-2")])
    assert [v.label for v in found] == ["BASELINE", "D28"]
    assert all("2 different Patient IDs" in v.notes[-1] for v in found)


@pytest.mark.parametrize("known", [True, False])
def test_one_study_with_two_patient_ids_needs_equal_birth_date_and_sex(known):
    more = {} if known else {"birth": None}
    pair = [one(subject="P-1", **more), one(Role.T1W_FS, subject="P-2", patient="P-2", **more)]
    arrangement = arrange(pair, PROTOCOL)
    if known:
        assert [s.id for s in arrangement.subjects] == ["P-1"]
        assert arrangement.subjects[0].visits[0].t1w_fs is not None
    else:
        assert arrangement.subjects == ()
        assert [r.code for r in arrangement.refusals] == ["patient_mismatch"]


def test_no_series_give_no_subjects():
    assert arrange([], PROTOCOL).subjects == ()


@given(st.permutations([0, 5, 28, 33, 91, 182, 400]))
def test_the_order_of_the_series_changes_nothing(days):
    assert labels([one(day=d) for d in days]) == [
        "BASELINE", "UNSCHEDULED", "D28", "UNSCHEDULED-2", "M3", "M6", "M12",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Day 28", "D28"), ("D28", "D28"), ("D028", "D28"), ("28 days", "D28"), ("Week 4", "D28"),
        ("M3", "M3"), ("Month 3", "M3"), ("3 months", "M3"), ("12W", "M3"), ("MONTH_06", "M6"),
        ("M12", "M12"), ("Year 1", "M12"), ("1 yr", "M12"), ("Baseline", "BASELINE"),
        ("Screening/Baseline", "BASELINE"), ("Day 0", "BASELINE"), ("Unscheduled 2", "UNSCHEDULED"),
        ("T3 | Month 6 MRI", "M6"), ("Month 9", "UNSCHEDULED"), ("V2", None), ("", None),
    ],
)  # fmt: skip
def test_free_texts_name_their_visit(text, name):
    assert visit_of_text(text, WINDOWS) == (name and VisitName(name))


def test_a_name_is_a_time_point_only_as_a_whole():
    assert visit_named("M12") and visit_named("day-28") and not visit_named("M12 scanner")
    assert days_in("no time") is None
