"""Many subjects: a fault met in one is one row, and the rest go on."""

import nibabel as nib
import numpy as np
import pytest
from abdomen import abdomen

from imaging.geometry import to_ras
from imaging.guidance import Guidance
from imaging.protocol import load_protocol
from surveillance import batch
from surveillance.exports.cohort_csv import save_errors


class Silent:
    def begin(self, subjects):
        pass

    def finished_one(self, subject):
        pass


@pytest.fixture
def request_of(tmp_path):
    t2, _, _, _ = abdomen(graft=True)
    for name in ("P01", "P02"):
        path = tmp_path / "in" / name / "BASELINE" / "t2w_fs.nii.gz"
        path.parent.mkdir(parents=True)
        nib.save(nib.Nifti1Image(np.asarray(t2.array), to_ras(t2.geometry.affine)), path)

    def make(**changes):
        values = {
            "inputs": (tmp_path / "in",),
            "output": tmp_path / "out",
            "protocol": load_protocol(),
            "subjects": (),
            "guidance": Guidance(),
            "jobs": 1,
            "debug": False,
        }
        return batch.Request(**{**values, **changes})

    return make


@pytest.fixture
def faulty(monkeypatch):
    """A bug of ours that only subject P01 meets."""
    real = batch.assess

    def assess(subject, *others):
        if subject.id == "P01":
            raise ZeroDivisionError
        return real(subject, *others)

    monkeypatch.setattr(batch, "assess", assess)


@pytest.mark.usefixtures("faulty")
def test_an_unexpected_fault_is_one_row_and_the_other_subject_is_complete(request_of):
    outcome = batch.run(request_of(), Silent())
    assert [r.subject for r in outcome.records] == ["P02"]
    assert outcome.failed_subjects == ("P01",)
    (problem,) = outcome.problems
    assert (problem.subject, problem.code) == ("P01", "subject_failed")
    assert "--debug" in problem.message


@pytest.mark.usefixtures("faulty")
def test_debug_shows_the_fault_itself(request_of):
    with pytest.raises(ZeroDivisionError):
        batch.run(request_of(debug=True), Silent())


def test_a_seed_point_among_several_subjects_must_say_whose_it_is(request_of):
    seed = Guidance(seeds={"BASELINE": ((30.0, -69.0, 21.0),)})
    with pytest.raises(batch.UsageError, match="Add --subject"):
        batch.run(request_of(guidance=seed), Silent())


def test_a_cell_that_a_spreadsheet_would_run_is_made_text(tmp_path):
    row = {"subject": "S01", "visit": "", "series": "", "code": "x", "message": "=HYPERLINK(1)"}
    save_errors([row], tmp_path / "errors.csv")
    assert ",'=HYPERLINK(1)" in (tmp_path / "errors.csv").read_text()


def test_half_a_mask_that_a_killed_run_left_is_gone_when_the_subject_is_done(request_of, tmp_path):
    half = tmp_path / "out" / "subjects" / "P01" / "BASELINE" / ".partial-x.nii.gz"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"half")
    batch.run(request_of(subjects=("P01",)), Silent())
    names = {path.name for path in half.parent.iterdir()}
    assert names == {"graft.nii.gz", "rectus_left.nii.gz", "rectus_right.nii.gz", "overlay.png"}
