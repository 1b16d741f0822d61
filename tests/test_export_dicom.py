"""`graftsite export dicom`: results and images in, objects out, and why some could not be made."""

import shutil
import subprocess

import numpy as np
import pydicom
import pytest
from abdomen import abdomen
from dicom_files import another, image, save
from dicom_results import (
    T1,
    random_outlines,
    record_of,
    series_in,
    visit_dict,
    write_results,
    write_series,
)
from PIL import Image
from test_cli import graftsite
from test_cli import save as save_nifti
from test_dicom_enhanced import ECHO, T2, enhanced
from test_dicom_segmentation import complaints

from imaging.errors import FileError, UsageError
from imaging.loaders.mask_file import load_mask
from imaging.loaders.mask_target import MaskTarget
from imaging.protocol import load_protocol
from imaging.volume import Mask
from surveillance.exports.contract import AssessmentRecord
from surveillance.exports.dicom import export as export_module
from surveillance.exports.dicom.encapsulated_pdf import encapsulated_pdf
from surveillance.exports.dicom.export import Request, export
from surveillance.exports.dicom.instance import Origin
from surveillance.exports.dicom.key_image import key_image
from surveillance.exports.dicom.segmentation import Outlines
from surveillance.exports.dicom.source import source_of

PDF = b"%PDF-1.7\nA report of odd length\n%%EOF"
ALL = ["key_image.dcm", "measurements.dcm", "segmentation.dcm"]


@pytest.fixture
def study(tmp_path):
    """Images of one visit, and the results of an assessment of them."""
    write_series(tmp_path / "images" / "t2")
    write_series(tmp_path / "images" / "t1", number=2, **T1)
    outlines = random_outlines(series_in(tmp_path / "images" / "t2").geometry)
    write_results(tmp_path / "out", record_of(visit_dict()), outlines)
    return tmp_path


def exported(study, **changes):
    values = {
        "results": study / "out",
        "output": study / "dicom",
        "images": (study / "images",),
        "protocol": load_protocol(),
    }
    return list(export(Request(**{**values, **changes})))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_visit_becomes_one_folder_and_every_object_is_in_order(study):
    (done,) = exported(study)
    assert done.problem is None
    assert names(study / "dicom" / "S01" / "BASELINE") == ALL
    for path in done.files:
        assert complaints(path) == []


def test_objects_stay_in_the_study_and_refer_to_each_other(study):
    exported(study)
    folder = study / "dicom" / "S01" / "BASELINE"
    made = {name: pydicom.dcmread(folder / name) for name in ALL}
    assert {ds.StudyInstanceUID for ds in made.values()} == {image(0).StudyInstanceUID}
    assert {ds.PatientID for ds in made.values()} == {"MRN-0042"}
    assert len({ds.SeriesInstanceUID for ds in made.values()}) == 3
    referenced = str(made["measurements.dcm"].CurrentRequestedProcedureEvidenceSequence)
    assert made["segmentation.dcm"].SOPInstanceUID in referenced


def test_a_second_export_writes_the_same_bytes(study):
    (first,) = exported(study)
    contents = [path.read_bytes() for path in first.files]
    (second,) = exported(study, output=study / "again")
    assert [path.read_bytes() for path in second.files] == contents


def test_the_masks_come_back_on_the_exact_grid_of_their_images(study):
    exported(study)
    series = series_in(study / "images" / "t2")
    file = study / "dicom" / "S01" / "BASELINE" / "segmentation.dcm"
    found = load_mask(file, MaskTarget(series.geometry, series.info.uid))
    assert np.array_equal(found.array, random_outlines(series.geometry).graft.array)


def test_a_label_map_is_written_on_request_and_nothing_else_changes(study):
    (plain,) = exported(study)
    (more,) = exported(study, labelmap=True, output=study / "more")
    folder = study / "more" / "S01" / "BASELINE"
    assert pydicom.dcmread(folder / "labelmap.dcm").SegmentationType == "LABELMAP"
    assert complaints(folder / "labelmap.dcm") == []
    assert len(more.files) == 4
    for path in plain.files:
        assert path.read_bytes() == (folder / path.name).read_bytes()


def test_what_an_earlier_export_left_is_removed_when_it_is_no_more(study):
    exported(study)
    shutil.rmtree(study / "out" / "subjects" / "S01" / "BASELINE")
    exported(study)
    assert names(study / "dicom" / "S01" / "BASELINE") == ["measurements.dcm"]


def test_a_picture_refers_to_the_slice_it_shows(study):
    exported(study)
    ds = pydicom.dcmread(study / "dicom" / "S01" / "BASELINE" / "key_image.dcm")
    graft = random_outlines(series_in(study / "images" / "t2").geometry).graft.array
    k = int(graft.sum(axis=(0, 1)).argmax())
    assert ds.SourceImageSequence[0].ReferencedSOPInstanceUID == image(k).SOPInstanceUID
    picture = np.asarray(Image.open(study / "out" / "subjects/S01/BASELINE/overlay.png"))
    assert np.array_equal(ds.pixel_array, picture)


def test_a_visit_without_t1w_fs_and_without_a_graft_is_written_too(study):
    whole = random_outlines(series_in(study / "images" / "t2").geometry)
    nothing = Mask(np.zeros_like(whole.graft.array), whole.graft.geometry)
    visit = visit_dict()
    visit["series"]["t1w_fs"] = None
    outlines = Outlines(nothing, whole.rectus_left, whole.rectus_right)
    write_results(study / "out", record_of(visit), outlines)
    (done,) = exported(study)
    assert [path.name for path in done.files] == ALL
    for path in done.files:
        assert complaints(path) == []


def test_a_picture_of_an_enhanced_image_refers_to_a_frame(tmp_path):
    save(enhanced([(z, z, ECHO) for z in (0, 4, 8)], **T2), tmp_path / "images" / "one")
    series = series_in(tmp_path / "images")
    shown = np.zeros(series.geometry.shape, dtype=np.bool_)
    shown[1, 1, 1] = True
    picture = np.zeros((4, 4, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "overlay.png")
    made = key_image(tmp_path / "overlay.png", source_of(series), Mask(shown, series.geometry), "f")
    assert made.SourceImageSequence[0].ReferencedFrameNumber == 2


def test_reports_are_put_into_the_studies_they_are_about(study):
    subject = study / "out" / "subjects" / "S01"
    (subject / "report.pdf").write_bytes(PDF)
    (subject / "BASELINE" / "report.pdf").write_bytes(PDF)
    exported(study)
    folder = study / "dicom" / "S01" / "BASELINE"
    assert names(folder) == sorted([*ALL, "report.dcm", "subject_report.dcm"])
    for name in ("report.dcm", "subject_report.dcm"):
        assert complaints(folder / name) == []
        ds = pydicom.dcmread(folder / name)
        assert ds.EncapsulatedDocument[: ds.EncapsulatedDocumentLength] == PDF
        assert ds.DocumentTitle == "Graft site report"
    subprocess.run(["/usr/bin/dcm2pdf", folder / "report.dcm", study / "r.pdf"], check=True)
    assert (study / "r.pdf").read_bytes() == PDF


def test_a_report_that_is_no_pdf_is_refused():
    with pytest.raises(FileError) as refused:
        encapsulated_pdf(b"<html>", "report.pdf", "title", Origin(image(0), "f"))
    assert refused.value.code == "export_no_pdf"


def test_results_of_nifti_images_are_refused_and_the_reason_said(study):
    visit = visit_dict()
    visit["series"]["t2w_fs"]["series_uid"] = "S01_t2w_fs.nii.gz"
    visit["series"]["t2w_fs"]["description"] = ""
    record = record_of(visit)
    (study / "out/subjects/S01/assessment.json").write_text(record.model_dump_json())
    (done,) = exported(study)
    assert "was not DICOM (NIfTI has no patient" in done.problem
    assert not (study / "dicom" / "S01").exists()


def test_nifti_images_found_under_their_name_are_refused_too(study):
    t2, _, _, _ = abdomen()
    path = study / "images" / "S09" / "BASELINE" / "t2w_fs.nii.gz"
    save_nifti(t2, path)
    visit = visit_dict()
    found = series_in(study / "images" / "S09")
    visit["series"]["t2w_fs"]["series_uid"] = found.info.uid
    (study / "out/subjects/S01/assessment.json").write_text(record_of(visit).model_dump_json())
    (done,) = exported(study)
    assert "was not DICOM" in done.problem


def test_a_visit_whose_images_are_not_given_does_not_stop_the_others(study):
    lost = visit_dict(folder="M3")
    lost["series"]["t2w_fs"] |= {"series_uid": "1.2.3", "description": "the lost series"}
    record = record_of(lost, visit_dict())
    (study / "out/subjects/S01/assessment.json").write_text(record.model_dump_json())
    first, second = exported(study)
    assert "images of series the lost series are not under" in first.problem
    assert second.problem is None


def test_a_mask_of_other_images_is_refused(study):
    outlines = random_outlines(series_in(study / "images" / "t2").geometry)
    grid = outlines.graft.geometry
    shorter = grid.crop((slice(0, 8), slice(0, 6), slice(0, 3)))
    cut = [
        Mask(m.array[:, :, :3], shorter)
        for m in (outlines.graft, outlines.rectus_left, outlines.rectus_right)
    ]
    write_results(study / "out", record_of(visit_dict()), Outlines(*cut))
    (done,) = exported(study)
    assert "(8, 6, 3) voxels, the T2W-FS image (8, 6, 4)" in done.problem


def test_a_damaged_picture_is_named(study):
    (study / "out/subjects/S01/BASELINE/overlay.png").write_bytes(b"no picture")
    (done,) = exported(study)
    assert "overlay.png cannot be read" in done.problem


def test_a_fault_of_our_own_costs_one_visit_and_debug_shows_it(study, monkeypatch):
    def fails(*_, **__):
        raise ZeroDivisionError

    monkeypatch.setattr(export_module, "visit_objects", fails)
    (done,) = exported(study)
    assert "unexpected fault (ZeroDivisionError)" in done.problem
    with pytest.raises(ZeroDivisionError):
        exported(study, debug=True)


def test_subjects_and_visits_can_be_chosen(study):
    record = record_of(visit_dict(), visit_dict(folder="M3"), subject="S02")
    outlines = random_outlines(series_in(study / "images" / "t2").geometry)
    write_results(study / "out", record, outlines)
    done = exported(study, subjects=("S02",), visits=("M3",))
    assert [(one.subject, one.visit) for one in done] == [("S02", "M3")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"subjects": ("S77",)}, "no_such_subject"),
        ({"visits": ("M12",)}, "export_no_visit"),
        ({"images": ()}, "export_no_images"),
    ],
)
def test_what_is_not_there_is_named(study, changes, code):
    with pytest.raises(UsageError) as refused:
        exported(study, **changes)
    assert refused.value.code == code


def test_folders_that_are_not_there_are_named(study):
    for changes, code in (
        ({"results": study / "images"}, "export_no_results"),
        ({"images": (study / "nowhere",)}, "no_such_input"),
    ):
        with pytest.raises(UsageError) as refused:
            exported(study, **changes)
        assert refused.value.code == code


def test_a_record_of_another_version_is_named(study):
    (study / "out/subjects/S01/assessment.json").write_text("{}")
    with pytest.raises(UsageError) as refused:
        exported(study)
    assert refused.value.code == "export_record"


# --- as a user runs it -----------------------------------------------------------------------


def dicom_of(volume, folder, **changes):
    columns, rows, slices = volume.geometry.shape
    i_mm, j_mm, _ = volume.geometry.spacing_mm
    stored = volume.array.transpose(2, 1, 0).round().astype(np.uint16)
    for k in range(slices):
        values = {name: v(k) if callable(v) else v for name, v in changes.items()}
        place = volume.geometry.to_world((0, 0, k)).tolist()
        values |= {"Rows": rows, "Columns": columns, "PixelSpacing": [j_mm, i_mm]}
        values |= {"ImagePositionPatient": place, "SliceThickness": 6}
        save(image(k, PixelData=stored[k].tobytes(), **values), folder / f"IM{k:04d}")


def test_a_graft_that_was_exported_can_be_given_to_the_next_assessment(tmp_path):
    t2, t1, _, _ = abdomen(graft=True)
    dicom_of(t2, tmp_path / "in" / "t2", ClinicalTrialSubjectID="P01")
    dicom_of(t1, tmp_path / "in" / "t1", **another(2, **T1, ClinicalTrialSubjectID="P01"))
    graftsite("assess", tmp_path / "in", "-o", tmp_path / "one", expect=0)
    arguments = ("--to", tmp_path / "dicom", "--images", tmp_path / "in")
    done = graftsite("export", "dicom", tmp_path / "one", *arguments, expect=0)
    assert done.stdout == f"P01 BASELINE: {', '.join(ALL)}\n"
    segmentation = tmp_path / "dicom/P01/BASELINE/segmentation.dcm"
    drawn = f"BASELINE:{segmentation}#graft"
    graftsite("assess", tmp_path / "in", "-o", tmp_path / "two", "--graft-mask", drawn, expect=0)
    files = [tmp_path / name / "subjects/P01/assessment.json" for name in ("one", "two")]
    one, two = (AssessmentRecord.model_validate_json(f.read_bytes()).visits[0] for f in files)
    assert (one.graft.source, two.graft.source) == ("automatic", "edited")
    assert two.graft.volume_ml == one.graft.volume_ml
    assert two.graft.centroid_lps_mm == one.graft.centroid_lps_mm


def test_exit_codes_tell_some_from_none(study):
    lost = visit_dict(folder="M3")
    lost["series"]["t2w_fs"]["series_uid"] = "1.2.3"
    record = record_of(lost, visit_dict())
    (study / "out/subjects/S01/assessment.json").write_text(record.model_dump_json())
    arguments = ("export", "dicom", study / "out", "--to", study / "dicom")
    some = graftsite(*arguments, "--images", study / "images", expect=3)
    assert "S01 M3: The images of series" in some.stderr
    assert "S01 BASELINE: key_image.dcm" in some.stdout
    graftsite(*arguments, "--images", study / "images", "--visit", "m3", expect=4)
