"""The `graftsite` command as a user runs it: real processes, exit codes, files, clear lines."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from abdomen import abdomen
from dicom_files import ROOT, another, series
from jsonschema import Draft202012Validator

from imaging.geometry import to_ras

GRAFTSITE = Path(sys.executable).with_name("graftsite")
INTERVALS_AND_PLACES = ("_ci95_ml", "_lps_mm", "ci95", "repeatability_percent")
"""Null together with the number they belong to, which has the entry."""
CT = "1.2.840.10008.5.1.4.1.1.2"
GRAFT_CENTRE = "30,-69,21"
"""LPS mm, inside the lens of the analytic abdomen."""


def graftsite(*arguments, expect):
    done = subprocess.run(
        [GRAFTSITE, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == expect, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


def save(volume, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nib.Nifti1Image(np.asarray(volume.array), to_ras(volume.geometry.affine))
    nib.save(image, path)


@pytest.fixture(scope="module")
def person(tmp_path_factory):
    """One subject with a graft, baseline and day 28, as NIfTI."""
    folder = tmp_path_factory.mktemp("in")
    t2, t1, _, _ = abdomen(graft=True)
    for visit in ("BASELINE", "D28"):
        save(t2, folder / "P01" / visit / "t2w_fs.nii.gz")
        save(t1, folder / "P01" / visit / "t1w_fs.nii.gz")
    return folder


@pytest.fixture(scope="module")
def assessed(person, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    done = graftsite("assess", person, "--output", out, expect=0)
    return out, done


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_files_of_the_contract_are_there_and_nothing_half_written(assessed):
    out, _ = assessed
    found = {str(p.relative_to(out)) for p in out.rglob("*") if p.is_file()}
    masks = {
        f"subjects/P01/{visit}/{name}"
        for visit in ("BASELINE", "D28")
        for name in (
            "graft.nii.gz",
            "rectus_left.nii.gz",
            "rectus_right.nii.gz",
            "overlay.png",
        )
    }
    tables = {"cohort.csv", "errors.csv", "run.json", "subjects/P01/assessment.json"}
    assert found == masks | tables


def test_the_record_obeys_the_schema_that_the_program_publishes(assessed):
    schema = json.loads(graftsite("schema", expect=0).stdout)
    Draft202012Validator.check_schema(schema)
    record = json.loads((assessed[0] / "subjects/P01/assessment.json").read_text())
    Draft202012Validator(schema).validate(record)
    assert [visit["visit"] for visit in record["visits"]] == ["BASELINE", "D28"]


def test_a_number_that_is_null_has_a_quality_entry_that_names_it(assessed):
    record = json.loads((assessed[0] / "subjects/P01/assessment.json").read_text())
    for visit in record["visits"]:
        said = " ".join(entry["message"] for entry in visit["quality"])
        for block in ("graft", "t2", "t1", "change"):
            for name, value in (visit[block] or {}).items():
                if value is None and not name.endswith(
                    ("_ci95_ml", "_lps_mm", "ci95", "repeatability_percent")
                ):
                    assert f"{block}.{name}" in said or f"{block}:" in said, f"{block}.{name}"


def test_masks_are_binary_and_lie_on_the_grid_of_the_t2w_fs(assessed, person):
    t2 = nib.load(person / "P01/D28/t2w_fs.nii.gz")
    for name in ("graft", "rectus_left", "rectus_right"):
        mask = nib.load(assessed[0] / f"subjects/P01/D28/{name}.nii.gz")
        assert mask.shape == t2.shape
        assert mask.get_data_dtype() == np.uint8
        assert set(np.unique(np.asarray(mask.dataobj))) <= {0, 1}
        np.testing.assert_allclose(mask.affine, t2.affine, atol=1e-4)


def test_cohort_csv_has_one_row_a_visit_with_the_numbers_of_the_record(assessed):
    record = json.loads((assessed[0] / "subjects/P01/assessment.json").read_text())
    table = rows(assessed[0] / "cohort.csv")
    assert [(r["subject"], r["visit"]) for r in table] == [("P01", "BASELINE"), ("P01", "D28")]
    for row, visit in zip(table, record["visits"], strict=True):
        assert float(row["graft.confidence"]) == visit["graft"]["confidence"]
        volume = visit["graft"]["volume_ml"]
        assert row["graft.volume_ml"] == ("" if volume is None else repr(volume))


def test_the_summary_names_every_visit_and_says_what_it_is_not(assessed):
    _, done = assessed
    assert "BASELINE" in done.stdout
    assert "D28" in done.stdout
    assert "A radiologist's read stands above" in done.stdout


def test_a_second_run_assesses_nothing_again_and_writes_the_same_bytes(assessed, person):
    out, _ = assessed
    path = out / "subjects/P01/assessment.json"
    before, when = path.read_bytes(), path.stat().st_mtime_ns
    graftsite("assess", person, "--output", out, expect=0)
    assert path.read_bytes() == before
    assert path.stat().st_mtime_ns == when


def test_two_workers_write_the_same_bytes_as_one(assessed, person, tmp_path):
    graftsite("assess", person, "--output", tmp_path, "--jobs", "2", expect=0)
    for name in ("subjects/P01/assessment.json", "cohort.csv", "subjects/P01/D28/graft.nii.gz"):
        assert (tmp_path / name).read_bytes() == (assessed[0] / name).read_bytes()


def test_json_on_stdout_is_the_records_and_nothing_else(assessed, person):
    done = graftsite("assess", person, "--output", assessed[0], "--json", expect=0)
    summary = json.loads(done.stdout)
    assert [record["subject"] for record in summary["subjects"]] == ["P01"]
    assert summary["failed_subjects"] == []


def test_quiet_prints_nothing(assessed, person):
    done = graftsite("assess", person, "--output", assessed[0], "--quiet", expect=0)
    assert done.stdout == ""


def test_a_seed_point_is_used_and_said(person, tmp_path):
    seed = f"BASELINE:{GRAFT_CENTRE}"
    graftsite("assess", person, "--output", tmp_path, "--seed-point", seed, expect=0)
    record = json.loads((tmp_path / "subjects/P01/assessment.json").read_text())
    assert [v["graft"]["source"] for v in record["visits"]] == ["seeded", "automatic"]


def test_a_mask_of_a_reader_is_used_as_it_is(person, tmp_path):
    t2, *_ = abdomen(graft=True)
    x, y, z = (round(i) for i in t2.geometry.to_index([30.0, -69.0, 21.0]))
    array = np.zeros(t2.geometry.shape, np.uint8)
    array[x - 5 : x + 5, y - 2 : y + 2, z - 1 : z + 2] = 1
    drawn = tmp_path / "drawn.nii.gz"
    nib.save(nib.Nifti1Image(array, to_ras(t2.geometry.affine)), drawn)
    out = tmp_path / "out"
    graftsite("assess", person, "--output", out, "--graft-mask", f"D28:{drawn}", expect=0)
    record = json.loads((out / "subjects/P01/assessment.json").read_text())
    graft = record["visits"][1]["graft"]
    assert graft["source"] == "edited"
    assert graft["voxel_volume_ml"] == pytest.approx(10 * 4 * 3 * 1.5 * 1.5 * 6 / 1000)


@pytest.mark.parametrize(
    ("point", "why"),
    [
        ("-30,-69,21", "patient's right"),
        ("0,-300,21", "outside the T2W-FS image"),
        ("120,-88,21", "outside the body"),
    ],
)
def test_a_seed_where_no_graft_can_be_stops_the_subject_with_the_reason(
    person, tmp_path, point, why
):
    seed = f"BASELINE:{point}"
    done = graftsite("assess", person, "-o", tmp_path, "--seed-point", seed, expect=4)
    assert why in done.stderr
    assert why in rows(tmp_path / "errors.csv")[0]["message"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--seed-point", "BASELINE"),
        ("--seed-point", "BASELINE:1,2"),
        ("--seed-point", "BASELINE:1,2,x"),
        ("--graft-mask", "BASELINE:nowhere.nii.gz"),
        ("--subject", "P99"),
        ("--protocol", "nowhere.toml"),
        ("--jobs", "0"),
        ("--no-such-option",),
        ("--graft-mask", "M3:one.nii", "--graft-mask", "M3:two.nii"),
    ],
    ids=" ".join,
)
def test_an_option_that_is_wrong_is_a_usage_error(person, tmp_path, arguments):
    done = graftsite("assess", person, "--output", tmp_path, *arguments, expect=2)
    assert done.stderr


def test_a_seed_for_a_visit_that_is_not_there_names_those_that_are(person, tmp_path):
    seed = f"M3:{GRAFT_CENTRE}"
    done = graftsite("assess", person, "-o", tmp_path, "--seed-point", seed, expect=4)
    assert "BASELINE, D28" in done.stderr


def test_an_input_that_does_not_exist_is_a_usage_error(tmp_path):
    done = graftsite("assess", tmp_path / "nowhere", "-o", tmp_path / "out", expect=2)
    assert "does not exist" in done.stderr


def text_file(folder):
    (folder / "IM0001").write_text("not an image")


def empty_folder(folder):
    (folder / "nothing").mkdir()


def ct_series(folder):
    series(folder, slices=3, **another(21, Modality="CT", SOPClassUID=CT))


def truncated_file(folder):
    for path in series(folder, **another(22)):
        path.write_bytes(path.read_bytes()[:-20])


def zip_bomb(folder):
    with zipfile.ZipFile(folder / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", b"\0" * 50_000_000)


def two_slices(folder):
    series(folder, slices=2, **another(23))


def study_of_two_patients(folder):
    two = {"PatientID": lambda k: f"MRN-{k // 4}", "PatientSex": lambda k: "FM"[k // 4]}
    series(folder, slices=8, **another(24, StudyInstanceUID=f"{ROOT}2.24", **two))


BROKEN = {
    text_file: "neither DICOM nor NIfTI",
    empty_folder: "holds no files",
    ct_series: "no MR image",
    truncated_file: "truncated",
    zip_bomb: "ZIP bomb",
    two_slices: "2 slices",
    study_of_two_patients: "more than one patient",
}


@pytest.mark.parametrize("make", BROKEN, ids=lambda make: make.__name__)
def test_broken_input_alone_gets_its_line_and_exit_code_4(tmp_path, make):
    (tmp_path / "in").mkdir()
    make(tmp_path / "in")
    done = graftsite("assess", tmp_path / "in", "-o", tmp_path / "out", expect=4)
    messages = [row["message"] for row in rows(tmp_path / "out" / "errors.csv")]
    assert any(BROKEN[make] in message for message in messages)
    assert all(message in done.stderr for message in messages)


def test_beside_all_that_is_broken_a_good_subject_is_still_assessed(person, tmp_path):
    for make in BROKEN:
        folder = tmp_path / "in" / make.__name__
        folder.mkdir(parents=True)
        make(folder)
    done = graftsite("assess", person, tmp_path / "in", "-o", tmp_path / "out", expect=3)
    assert (tmp_path / "out/subjects/P01/assessment.json").exists()
    said = " ".join(row["message"] for row in rows(tmp_path / "out/errors.csv"))
    # An empty folder among full ones hides nothing, so only one given by itself has a line.
    expected = [words for make, words in BROKEN.items() if make is not empty_folder]
    assert [words for words in expected if words not in said] == []
    assert "MRN" not in done.stdout + done.stderr + said


def test_a_broken_series_that_no_endpoint_needs_does_not_stop_its_subject(tmp_path):
    t2, _, _, _ = abdomen(graft=True)
    save(t2, tmp_path / "in/P01/BASELINE/t2w_fs.nii.gz")
    (tmp_path / "in/P01/BASELINE/t1w.nii.gz").write_bytes(b"broken")
    graftsite("assess", tmp_path / "in", "-o", tmp_path / "out", expect=0)
    assert len(rows(tmp_path / "out/errors.csv")) == 1


def test_a_result_folder_that_cannot_be_written_is_one_clear_line(person, tmp_path):
    (tmp_path / "out").write_text("I am a file")
    done = graftsite("assess", person, "-o", tmp_path / "out", expect=2)
    assert "could not be written" in done.stderr


def test_an_interrupt_keeps_what_is_finished_and_the_next_run_goes_on(tmp_path):
    t2, _, _, _ = abdomen(graft=True)
    for number in range(6):
        save(t2, tmp_path / f"in/P{number:02d}/BASELINE/t2w_fs.nii.gz")
    out = tmp_path / "out"
    # A shell that runs its job in the background has told it to ignore interrupts.
    heard = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        [GRAFTSITE, "assess", tmp_path / "in", "-o", out, "--quiet"], start_new_session=True
    )
    signal.signal(signal.SIGINT, heard)
    while not list(out.glob("subjects/*/assessment.json")) and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) == 130
    finished = {p: p.stat().st_mtime_ns for p in out.glob("subjects/*/assessment.json")}
    assert 0 < len(finished) < 6
    graftsite("assess", tmp_path / "in", "-o", out, expect=0)
    assert len(rows(out / "cohort.csv")) == 6
    assert all(path.stat().st_mtime_ns == when for path, when in finished.items())


def test_inspect_shows_each_series_with_role_and_evidence_and_writes_nothing(tmp_path):
    series(tmp_path / "in", slices=4)
    series(tmp_path / "in", slices=3, start=11, **another(2, SeriesDescription="localizer"))
    before = sorted(tmp_path.rglob("*"))
    done = graftsite("inspect", tmp_path / "in", expect=0)
    assert "T2W-FS" in done.stdout
    assert "LOCALIZER" in done.stdout
    assert sorted(tmp_path.rglob("*")) == before


def test_inspect_of_nothing_usable_says_so(tmp_path):
    text_file(tmp_path)
    done = graftsite("inspect", tmp_path, expect=4)
    assert "neither DICOM nor NIfTI" in done.stdout + done.stderr


def test_a_series_whose_pixels_end_early_is_in_errors_csv_with_its_visit(person, tmp_path):
    shutil.copytree(person, tmp_path / "in")
    broken = tmp_path / "in/P01/D28/t2w_fs.nii.gz"
    broken.write_bytes(broken.read_bytes()[:-2000])
    graftsite("assess", tmp_path / "in", "-o", tmp_path / "out", expect=0)
    (row,) = rows(tmp_path / "out/errors.csv")
    assert row["subject"] == "P01"
    assert "t2w_fs.nii.gz" in row["message"]


def test_a_subject_without_any_t2w_fs_was_not_assessed(tmp_path):
    _, t1, _, _ = abdomen(graft=True)
    save(t1, tmp_path / "in/P01/BASELINE/t1w_fs.nii.gz")
    graftsite("assess", tmp_path / "in", "-o", tmp_path / "out", expect=4)
    record = json.loads((tmp_path / "out/subjects/P01/assessment.json").read_text())
    assert record["visits"][0]["graft"]["present"] is None
    assert record["visits"][0]["graft"]["confidence"] is None


def test_a_worker_that_dies_costs_its_subject_and_not_the_run(tmp_path):
    t2, _, _, _ = abdomen(graft=True)
    for number in range(4):
        save(t2, tmp_path / f"in/P{number:02d}/BASELINE/t2w_fs.nii.gz")
    process = subprocess.Popen(
        [GRAFTSITE, "assess", tmp_path / "in", "-o", tmp_path / "out", "--jobs", "2"],
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (workers := _workers_of(process.pid)) and process.poll() is None:
        time.sleep(0.05)
    os.kill(workers[0], signal.SIGKILL)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 3
    assert "Traceback" not in said
    assert "died" in said
    (row,) = rows(tmp_path / "out/errors.csv")
    assert row["code"] == "worker_died"
    others = {row["subject"] for row in rows(tmp_path / "out/cohort.csv")}
    assert others == {"P00", "P01", "P02", "P03"} - {row["subject"]}


def _workers_of(pid):
    """Worker processes, without the helper that tracks shared resources."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    commands = {int(c): Path(f"/proc/{c}/cmdline").read_bytes() for c in children}
    return [child for child, command in commands.items() if b"spawn_main" in command]


def test_inspect_of_a_path_that_is_not_there_is_a_usage_error(tmp_path):
    assert "does not exist" in graftsite("inspect", tmp_path / "nowhere", expect=2).stderr


def test_debug_shows_the_traceback(tmp_path):
    done = subprocess.run(
        [GRAFTSITE, "inspect", tmp_path / "nowhere", "--debug"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "Traceback" in done.stderr
