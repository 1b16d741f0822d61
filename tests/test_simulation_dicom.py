"""Simulated DICOM: readable, repeatable, placed rightly, and silent about the truth."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from imaging.simulation import (
    Dialect,
    GraftState,
    Nodule,
    Scanner,
    Scenario,
    SimulatedSubject,
    VisitPlan,
    committed_set,
    simulate,
    truth_as_json,
    write_dicom,
)
from imaging.visit import VisitName

SAMPLE = Path(__file__).parents[1] / "sample_dicom"
GRID = Scanner(
    matrix=(136, 128), pixel_mm=2.4, slices=5, slice_spacing_mm=14.0, t1_slices=5, t1_slice_mm=14.0,
    oblique_deg=6.0,
)  # fmt: skip
GRAFT = GraftState(8.0, lateral_mm=33.0, nodules=(Nodule((0.0, 0.0), 9.0),))
PLANS = (
    VisitPlan(VisitName.BASELINE, 0, GRAFT, has_t1w=True),
    VisitPlan(VisitName.M3, 91, GRAFT, has_t1w_fs=False),
)


@pytest.fixture(scope="module")
def subject() -> SimulatedSubject:
    return simulate(Scenario("T01", PLANS, scanner=GRID, stature=0.85, seed=9))


def series(folder: Path, visit: int, number: int) -> list[Dataset]:
    files = sorted((folder / f"visit{visit}" / f"series{number:02d}").iterdir())
    return [pydicom.dcmread(f) for f in files]


@pytest.mark.parametrize("syntax", ["explicit", "deflated", "rle", "jpeg2000"])
def test_classic_pixels_and_positions_are_those_of_the_volume(
    subject: SimulatedSubject, tmp_path: Path, syntax: str
) -> None:
    write_dicom(subject, tmp_path, Dialect(transfer_syntax=syntax))
    truth = subject.visits[0].t2w_fs
    slices = series(tmp_path, 1, 4)
    for k, dataset in enumerate(slices):
        assert np.array_equal(dataset.pixel_array.T, truth.array[:, :, k])
        place = truth.geometry.to_world([0, 0, k])
        assert np.allclose(dataset.ImagePositionPatient, place, atol=1e-5)
    directions = np.array(slices[0].ImageOrientationPatient).reshape(2, 3).T
    assert np.allclose(directions, truth.geometry.directions[:, :2], atol=1e-6)


def test_the_rescale_slope_gives_the_values_back(subject: SimulatedSubject, tmp_path: Path) -> None:
    write_dicom(subject, tmp_path, Dialect(rescale_slope=0.5, transfer_syntax="explicit"))
    dataset = series(tmp_path, 1, 4)[2]
    values = dataset.pixel_array.T * float(dataset.RescaleSlope)
    assert np.array_equal(values, subject.visits[0].t2w_fs.array[:, :, 2])


def test_an_enhanced_file_holds_all_slices_with_their_positions(
    subject: SimulatedSubject, tmp_path: Path
) -> None:
    write_dicom(subject, tmp_path, Dialect(enhanced=True))
    (dataset,) = series(tmp_path, 1, 4)
    truth = subject.visits[0].t2w_fs
    assert np.array_equal(dataset.pixel_array.transpose(2, 1, 0), truth.array)
    for k, frame in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        place = frame.PlanePositionSequence[0].ImagePositionPatient
        assert np.allclose(place, truth.geometry.to_world([0, 0, k]), atol=1e-5)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    assert shared.MRModifierSequence[0].SpectrallySelectedSuppression == "FAT"


def test_two_runs_write_identical_bytes(subject: SimulatedSubject, tmp_path: Path) -> None:
    for dialect in (Dialect(), Dialect(enhanced=True, transfer_syntax="rle")):
        one = write_dicom(subject, tmp_path / "one", dialect)
        two = write_dicom(subject, tmp_path / "two", dialect)
        assert [f.read_bytes() for f in one] == [f.read_bytes() for f in two]


def test_instance_uids_are_unique_and_series_share_the_visits_frame(
    subject: SimulatedSubject, tmp_path: Path
) -> None:
    files = write_dicom(subject, tmp_path, Dialect(extra_series=(1,)))
    datasets = [pydicom.dcmread(f, stop_before_pixels=True) for f in files]
    assert len({d.SOPInstanceUID for d in datasets}) == len(datasets)
    assert len({d.FrameOfReferenceUID for d in datasets}) == len(subject.visits)
    assert {"localizer", "T2_TSE_MPR"} <= {d.SeriesDescription for d in datasets}


def test_dates_and_trial_attributes_are_there_only_when_the_dialect_says_so(
    subject: SimulatedSubject, tmp_path: Path
) -> None:
    write_dicom(subject, tmp_path / "trial", Dialect(dates=False))
    write_dicom(subject, tmp_path / "dates", Dialect(clinical_trial=False))
    trial, dates = series(tmp_path / "trial", 2, 4)[0], series(tmp_path / "dates", 2, 4)[0]
    assert (trial.ClinicalTrialTimePointID, trial.StudyDate) == ("M3", "")
    assert trial.LongitudinalTemporalOffsetFromEvent == 91.0
    assert "ClinicalTrialSubjectID" not in dates
    assert dates.StudyDate == "20260406"  # 5 January 2026 and 91 days


def test_stir_has_an_inversion_time_and_no_fat_saturation_option(tmp_path: Path) -> None:
    plans = (VisitPlan(VisitName.BASELINE, 0, GRAFT, has_t1w_fs=False),)
    stir = Scenario("T02", plans, scanner=replace(GRID, stir=True), seed=9)
    for enhanced in (False, True):
        write_dicom(simulate(stir), tmp_path / str(enhanced), Dialect(enhanced=enhanced))
    classic = series(tmp_path / "False", 1, 4)[0]
    assert (classic.InversionTime, classic.ScanOptions) == (220.0, "")
    modifier = series(tmp_path / "True", 1, 4)[0].SharedFunctionalGroupsSequence[0]
    assert modifier.MRModifierSequence[0].InversionRecovery == "YES"


def numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from numbers(item)
    elif isinstance(value, float):
        yield value


def attributes(dataset: Dataset) -> Iterator[str]:
    for element in dataset.iterall():
        if element.VR not in {"SQ", "OB", "OW", "UI"}:
            yield from str(element.value).strip("[]").replace("'", "").split(", ")


def test_no_truth_is_written_into_any_attribute(subject: SimulatedSubject, tmp_path: Path) -> None:
    known = numbers(truth_as_json(subject))
    # Cosines near 1 are in every orientation; they tell nothing.
    secret = {f"{n:.5f}" for n in known if abs(n - round(n, 1)) > 1e-3}
    words = {"graft", "nodule", "adverse", "favorable", "truth", "growing", "stable"}
    for dialect in (Dialect(), Dialect(enhanced=True)):
        for file in write_dicom(subject, tmp_path, dialect):
            dataset = pydicom.dcmread(file)
            assert not list(dataset.group_dataset(0x0009)), "private attributes"
            for value in attributes(dataset):
                assert not any(word in value.lower() for word in words)
                try:
                    assert f"{float(value):.5f}" not in secret
                except ValueError:
                    continue


def test_the_committed_images_are_what_the_generator_makes(tmp_path: Path) -> None:
    """Another processor's cosines differ in the last bit: a pixel in ten thousand may, a little."""
    sample = next(s for s in committed_set() if s.scenario.name == "S10")
    scenario = replace(sample.scenario, visits=sample.scenario.visits[:1])
    for made in write_dicom(simulate(scenario), tmp_path, sample.dialect):
        kept = SAMPLE / "subjects" / "S10" / made.relative_to(tmp_path)
        ours, theirs = pydicom.dcmread(made), pydicom.dcmread(kept)
        images = [ds.pixel_array.astype(float) for ds in (ours, theirs)]
        apart = np.abs(images[0] - images[1])
        assert np.mean(apart > 0) <= 1e-4
        assert apart.max() <= 0.01 * images[1].max()
        del ours.PixelData, theirs.PixelData
        assert (ours.file_meta, ours) == (theirs.file_meta, theirs)


def test_each_committed_subject_has_its_truth_beside_and_all_fit_in_25_mb() -> None:
    files = [f for f in (SAMPLE / "subjects").rglob("*") if f.is_file()]
    assert sum(f.stat().st_size for f in files) <= 25_000_000
    for sample in committed_set():
        name = sample.scenario.name
        truth = json.loads((SAMPLE / "truth" / f"{name}.json").read_text(encoding="utf-8"))
        assert [v["visit"] for v in truth["visits"]] == [p.name for p in sample.scenario.visits]
        assert (SAMPLE / "subjects" / name).is_dir()
