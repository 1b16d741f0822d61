"""What must not change a finding does not, through the whole program; what must, does."""

import random
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from abdomen import abdomen

from imaging.assessment import assess
from imaging.geometry import to_ras
from imaging.guidance import Guidance
from imaging.loaders import find_series
from imaging.protocol import load_protocol
from surveillance.batch import find_subjects
from surveillance.exports.record import record_of

PROTOCOL = load_protocol()
SAMPLE = Path(__file__).parents[1] / "sample_dicom" / "subjects" / "S07"
MUSCLE_ALIKE = 0.05
"""The muscle's ends are less sharp: padding moved its volume by 2.7 %, nothing that is judged."""
NUMBERS_ALIKE = 0.02
"""Resampling on another grid moves a number by rounding and by ties between equal voxels."""


def as_it_is(array, affine):
    return array, affine


def turned(array, affine):
    """The same image with two axes reversed and two exchanged, and the affine that says so."""
    i, _, k = array.shape
    stored = np.array([[0, -1, 0, i - 1], [1, 0, 0, 0], [0, 0, -1, k - 1], [0, 0, 0, 1.0]])
    # stored index (a, b, c) holds what was at (i-1-b, a, k-1-c).
    return np.ascontiguousarray(array[::-1, :, ::-1].swapaxes(0, 1)), affine @ stored


def scaled(array, affine):
    return array * 7.5, affine


def padded(array, affine):
    moved = affine.copy()
    moved[:3, 3] -= affine[:3, :3] @ [16, 12, 0]
    return np.pad(array, ((16, 8), (12, 4), (0, 0))), moved


def exchanged(array, affine):
    """Left and right of the patient really exchanged: the voxels, and not the affine."""
    return np.ascontiguousarray(array[::-1]), affine


def saved(folder, change, subject="P01"):
    t2, t1, _, _ = abdomen(graft=True)
    for visit in ("BASELINE", "D28"):
        for name, volume in (("t2w_fs", t2), ("t1w_fs", t1)):
            array, affine = change(np.asarray(volume.array), volume.geometry.affine)
            path = folder / subject / visit / f"{name}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            nib.save(nib.Nifti1Image(array, to_ras(affine)), path)
    return folder


def visits_of(folder):
    (subject,), refusals = find_subjects((folder,), PROTOCOL)
    assert refusals == ()
    record = record_of(assess(subject, PROTOCOL, Guidance()), "")
    return [visit.model_dump() for visit in record.visits]


def decided(visit):
    findings = {name: block["status"] for name, block in visit["findings"].items()}
    seen = visit["graft"]["present"], visit["t2"]["pattern"], visit["t1"]["fat"]
    codes = sorted(entry["code"] for entry in visit["quality"])
    return findings, visit["surveillance_flag"]["level"], seen, codes


def numbers(visit):
    return [
        visit["graft"]["volume_ml"],
        visit["graft"]["max_diameter_mm"],
        visit["graft"]["centroid_lps_mm"][0],
        visit["t2"]["graft_to_muscle_ratio"],
        visit["t1"]["graft_to_muscle_ratio"],
    ]


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    return visits_of(saved(tmp_path_factory.mktemp("before"), as_it_is))


@pytest.mark.parametrize("change", [turned, scaled, padded])
def test_the_same_anatomy_stored_otherwise_has_the_same_findings(before, tmp_path, change):
    after = visits_of(saved(tmp_path, change))
    assert [decided(visit) for visit in after] == [decided(visit) for visit in before]
    for old, new in zip(before, after, strict=True):
        assert numbers(new) == pytest.approx(numbers(old), rel=NUMBERS_ALIKE)
        muscle = old["muscle"]["volume_right_ml"]
        assert new["muscle"]["volume_right_ml"] == pytest.approx(muscle, rel=MUSCLE_ALIKE)


def test_another_name_of_the_subject_and_its_files_changes_nothing_else(before, tmp_path):
    saved(tmp_path / "a", as_it_is)
    for file in (tmp_path / "a").rglob("*.nii.gz"):
        target = tmp_path / "b" / "Q77" / file.parent.name / file.name.replace("w_fs", "_FS")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
    after = visits_of(tmp_path / "b")
    named = ("series", "notes")
    assert [{k: v for k, v in visit.items() if k not in named} for visit in after] == [
        {k: v for k, v in visit.items() if k not in named} for visit in before
    ]


def test_left_and_right_really_exchanged_are_not_the_same_patient(before, tmp_path):
    after = visits_of(saved(tmp_path, exchanged))
    assert all(visit["graft"]["present"] for visit in before)
    assert not any(visit["graft"]["present"] for visit in after)


def test_dicom_files_under_shuffled_names_are_the_same_series(tmp_path):
    files = sorted(path for path in SAMPLE.rglob("*") if path.is_file())
    random.Random(7).shuffle(files)  # noqa: S311 - an order, not a secret
    for number, file in enumerate(files):
        shutil.copy(file, tmp_path / f"{number:05d}")
    found = [find_series((folder,), PROTOCOL).series for folder in (SAMPLE, tmp_path)]
    assert [one.info.uid for one in found[0]] == [one.info.uid for one in found[1]]
    for one, other in zip(*found, strict=True):
        assert (one.role, one.geometry.shape) == (other.role, other.geometry.shape)
        np.testing.assert_array_equal(one.geometry.affine, other.geometry.affine)
        np.testing.assert_array_equal(one.load().array, other.load().array)
