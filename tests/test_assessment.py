"""The whole flow on one subject: what is missing, broken or exchanged is found out and said."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from abdomen import SLICE_MM, abdomen

from imaging.assessment import assess
from imaging.errors import SeriesError, UsageError
from imaging.findings.evidence import Status
from imaging.guidance import Guidance
from imaging.loaders import find_series
from imaging.protocol import load_protocol
from imaging.quality import ENDPOINTS, FAT, MORPHOLOGY, SIGNAL
from imaging.series import Identity, Role, RoleDecision, Series, SeriesInfo
from imaging.visit import Subject, Visit, VisitName
from imaging.visits import arrange
from imaging.volume import Volume
from surveillance.batch import problems_of
from surveillance.exports.record import record_of

PROTOCOL = load_protocol()
SAMPLE = Path(__file__).parents[1] / "sample_dicom" / "subjects"


def series(volume, role, **info):
    said = SeriesInfo("1.2.3", "made for a test", Identity("P01"), "memory", **info)
    return Series(said, volume.geometry, RoleDecision(role, ()), (), lambda: volume)


def visit(name, day, t2=None, t1=None):
    return Visit(name, name.value, None, day, t2, t1)


@pytest.fixture(scope="module")
def images():
    t2, t1, _, _ = abdomen(graft=True)
    return t2, t1


@pytest.fixture(scope="module")
def both(images):
    t2, t1 = images
    return series(t2, Role.T2W_FS), series(t1, Role.T1W_FS)


def statuses(assessed):
    return {name: finding.status for name, finding in assessed.findings.items()}


def codes(assessed):
    return {entry.code for entry in assessed.timepoint.quality}


def test_a_missing_t1w_fs_leaves_the_rest_complete(both):
    subject = Subject("P01", (visit(VisitName.BASELINE, 0, both[0]),))
    (only,) = assess(subject, PROTOCOL).visits
    assert "SERIES_MISSING" in codes(only)
    assert only.findings[FAT].status is Status.INDETERMINATE
    assert only.anatomy.t2.reference is not None


def test_what_could_not_have_been_seen_is_said_for_the_slices_there_are(both):
    subject = Subject("P01", (visit(VisitName.BASELINE, 0, *both),))
    assessment = assess(subject, PROTOCOL)
    anatomy = assessment.visits[0].anatomy
    assert anatomy.t2w_fs.geometry.spacing_mm[2] == pytest.approx(SLICE_MM)
    over_graft = anatomy.t2.signal.focus_limit.value
    focus, fat = record_of(assessment, "f").visits[0].detection_limits
    assert f"or {over_graft:.2f} times the graft" in focus
    # A ball of 5 mm that lies between two slices fills 2.5 mm of either.
    diluted = anatomy.t2.signal.nodule_limit.value
    between = 1 + (diluted - 1) * SLICE_MM / min(2.5, SLICE_MM)
    assert f"between two slices must be {between:.2f} times" in focus
    assert "fat" in fat


def test_without_t2w_fs_nothing_is_made_up(both):
    subject = Subject("P01", (visit(VisitName.BASELINE, 0, None, both[1]),))
    assessment = assess(subject, PROTOCOL)
    assert set(statuses(assessment.visits[0]).values()) == {Status.INDETERMINATE}
    block = record_of(assessment, "f").visits[0]
    assert block.graft.present is None
    assert block.graft.volume_ml is None
    assert any(q.code == "SERIES_MISSING" for q in block.quality)


def damaged():
    raise SeriesError("slices_few", series="t2", file="IM0001", slices=2, limit=3)


def test_a_series_whose_pixels_are_damaged_is_said_and_the_other_visit_is_assessed(both):
    broken = replace(both[0], pixels=damaged)
    subject = Subject(
        "P01",
        (visit(VisitName.BASELINE, 0, *both), visit(VisitName.D28, 28, broken, both[1])),
    )
    baseline, later = assess(subject, PROTOCOL).visits
    assert "SERIES_UNREADABLE" in codes(later)
    assert set(statuses(later).values()) == {Status.INDETERMINATE}
    assert baseline.anatomy.graft.present


def test_a_damaged_series_that_no_endpoint_needs_is_left_out_with_a_warning(both):
    def damaged():
        raise SeriesError("slices_few", series="t1", file="IM0001", slices=2, limit=3)

    extra = replace(both[1], decision=RoleDecision(Role.T1W, ()), pixels=damaged)
    whole = visit(VisitName.BASELINE, 0, *both)
    assessed = [
        assess(Subject("P01", (v,)), PROTOCOL).visits[0]
        for v in (whole, replace(whole, supporting=(extra,)))
    ]
    assert "SUPPORTING_UNREADABLE" in codes(assessed[1])
    assert statuses(assessed[0]) == statuses(assessed[1])


def test_without_a_baseline_nothing_is_compared(both):
    subject = Subject("P01", (visit(VisitName.D28, 28, *both),))
    (only,) = assess(subject, PROTOCOL).visits
    assert only.change is None
    assert only.findings[MORPHOLOGY].status is Status.INDETERMINATE
    assert "baseline" in only.findings[MORPHOLOGY].reasons[0].sentence


def test_a_follow_up_without_its_baseline_cannot_say_that_the_graft_is_gone():
    t2, t1, _, _ = abdomen(graft=False)
    later = visit(VisitName.M6, 182, series(t2, Role.T2W_FS), series(t1, Role.T1W_FS))
    (only,) = assess(Subject("P01", (later,)), PROTOCOL).visits
    assert not only.anatomy.graft.present
    assert only.anatomy.graft.confidence == 0
    assert "NEEDS_READER" in codes(only)


def test_at_baseline_the_longitudinal_findings_say_baseline(both):
    subject = Subject("P01", (visit(VisitName.BASELINE, 0, *both),))
    (only,) = assess(subject, PROTOCOL).visits
    for endpoint in (MORPHOLOGY, SIGNAL):
        assert only.findings[endpoint].status is Status.INDETERMINATE
        assert only.findings[endpoint].reasons[0].sentence.startswith("baseline")


def test_another_vendor_than_at_baseline_allows_no_statement_on_signal(images):
    t2, t1 = images
    first = visit(
        VisitName.BASELINE,
        0,
        series(t2, Role.T2W_FS, manufacturer="SIEMENS"),
        series(t1, Role.T1W_FS),
    )
    second = visit(
        VisitName.D28,
        28,
        series(t2, Role.T2W_FS, manufacturer="Philips Medical Systems"),
        series(t1, Role.T1W_FS),
    )
    later = assess(Subject("P01", (first, second)), PROTOCOL).visits[1]
    assert "SCANNER_CHANGED" in codes(later)
    assert later.findings[SIGNAL].status is Status.INDETERMINATE
    assert later.change.ratio_percent.value is None


def test_an_unchanged_visit_registers_to_itself_and_has_not_changed(both):
    subject = Subject("P01", (visit(VisitName.BASELINE, 0, *both), visit(VisitName.D28, 28, *both)))
    later = assess(subject, PROTOCOL).visits[1]
    assert later.anatomy.registration.success
    np.testing.assert_allclose(
        later.anatomy.registration.moving_from_fixed.matrix, np.eye(4), atol=0.01
    )
    assert abs(later.change.size.volume_percent.value) < 10


def test_a_record_is_the_same_in_one_thread_and_in_many(both):
    later = (visit(VisitName.D28, 28, *both), visit(VisitName.M3, 91, *both))
    unread = replace(both[0], pixels=damaged)
    subject = Subject(
        "P01", (visit(VisitName.BASELINE, 0, *both), *later, visit(VisitName.M6, 182, unread))
    )
    one, many = (record_of(assess(subject, PROTOCOL, None, n), "f" * 64) for n in (1, 4))
    assert one.model_dump_json() == many.model_dump_json()
    assert [block.graft.present for block in one.visits] == [True, True, True, None]


def test_the_record_tells_the_wide_interval_of_a_ratio(both):
    assessment = assess(Subject("P01", (visit(VisitName.BASELINE, 0, *both),)), PROTOCOL)
    anatomy, block = assessment.visits[0].anatomy, record_of(assessment, "f").visits[0]
    for measures, said in ((anatomy.t2.signal, block.t2), (anatomy.t1.fat, block.t1)):
        assert said.ratio_ci95 == measures.told_ratio.ci95
        (low, high), (least, most) = measures.ratio.ci95, measures.told_ratio.ci95
        assert least < low < high < most


def test_guidance_for_a_visit_that_is_not_there_is_refused_with_those_that_are(both):
    subject = Subject("P01", (visit(VisitName.BASELINE, 0, *both),))
    with pytest.raises(UsageError, match="it has BASELINE"):
        assess(subject, PROTOCOL, Guidance(seeds={"M3": ((0.0, 0.0, 0.0),)}))


@pytest.fixture(scope="module")
def sampled():
    def load(name):
        found = arrange(find_series([SAMPLE / name], PROTOCOL).series, PROTOCOL)
        return found.subjects[0]

    return load


def flipped(one):
    """The same series with the patient's left and right exchanged in the pixels alone."""
    volume = one.load()
    axis, _ = volume.geometry.axis_toward(0)
    mirrored = Volume(np.flip(volume.array, axis), volume.geometry)
    return replace(one, pixels=lambda: mirrored)


def test_a_follow_up_mirrored_against_its_baseline_is_a_hard_stop_without_numbers(sampled):
    first, second, *_ = sampled("S05").visits
    second = replace(second, t2w_fs=flipped(second.t2w_fs), t1w_fs=flipped(second.t1w_fs))
    assessment = assess(Subject("S05", (first, second)), PROTOCOL)
    later = assessment.visits[1]
    assert "LATERALITY_MIRRORED" in codes(later)
    assert set(statuses(later).values()) == {Status.INDETERMINATE}
    record = record_of(assessment, "f")
    assert [p.code for p in problems_of(record)] == ["laterality_mirrored"]
    block = record.visits[1]
    assert block.graft.volume_ml is None
    assert block.muscle.thickness_left_mm is None
    assert block.t2.graft_to_muscle_ratio is None
    assert block.t1.graft_to_muscle_ratio is None


def test_a_follow_up_of_another_patient_is_found_out(sampled):
    first, other = sampled("S05").visits[0], sampled("C08").visits[1]
    assessment = assess(Subject("S05", (first, other)), PROTOCOL)
    later = assessment.visits[1]
    assert "REGISTRATION_FAILED" in codes(later)
    assert {p.code for p in problems_of(record_of(assessment, "f"))} == {"registration_failed"}
    for endpoint in (MORPHOLOGY, SIGNAL):
        assert later.findings[endpoint].status is Status.INDETERMINATE


@pytest.mark.parametrize("case", [1, 2, 3, 5, 8])
def test_a_real_abdomen_without_a_graft_gives_no_confident_one(real_data, tmp_path, case):
    """CHAOS T2-SPIR: an absence may be sure, a graft may not, and no endpoint is answered."""
    folder = tmp_path / f"C{case}" / "BASELINE"
    folder.mkdir(parents=True)
    shutil.copy(real_data / f"chaos_t2spir/image_{case}.nii.gz", folder / "t2w_fs.nii.gz")
    (subject,) = arrange(find_series([tmp_path], PROTOCOL).series, PROTOCOL).subjects
    (only,) = assess(subject, PROTOCOL).visits
    graft = only.anatomy.graft
    assert not graft.present or graft.confidence < PROTOCOL.quality.confidence_min
    assert set(statuses(only).values()) == {Status.INDETERMINATE}


def test_the_endpoints_are_named_as_in_the_contract(both):
    subject = Subject("P01", (visit(VisitName.BASELINE, 0, *both),))
    assert set(assess(subject, PROTOCOL).visits[0].findings) == set(ENDPOINTS)
