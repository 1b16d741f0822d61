"""What a header from outside holds reaches our objects legible, cut, and unchanged else."""

import json

import pydicom
import pytest
from dicom_files import image, save
from dicom_results import random_outlines, series_in, write_series
from pydicom.dataset import Dataset
from test_dicom_segmentation import complaints, exported

from surveillance.exports.dicom.header import legible, patient_and_study

HOSTILE = "<script>alert(1)</script>\x1b[2J\x00\nend"


def header_of(tmp_path, **values):
    """Return what is taken over of a header, as it is read from a file."""
    file = save(image(0, SpecificCharacterSet="ISO_IR 192", **values), tmp_path / "one")
    return patient_and_study(pydicom.dcmread(file))


def test_a_plain_header_is_taken_over_as_it_is(tmp_path):
    header = header_of(tmp_path, StudyTime="093000.5", PatientAge="055Y", PatientWeight=70.5)
    assert (header.PatientName, header.PatientID) == ("Doe^Jane", "MRN-0042")
    assert (header.PatientBirthDate, header.PatientSex) == ("19700101", "F")
    assert (header.StudyDate, header.StudyTime) == ("20260105", "093000.5")
    assert (header.PatientAge, header.PatientWeight) == ("055Y", 70.5)
    assert header.AccessionNumber == ""


def test_nothing_the_source_lacks_is_made_up(tmp_path):
    header = header_of(tmp_path, **dict.fromkeys(("PatientID", "PatientName", "StudyDate")))
    assert [header.PatientID, header.PatientName, header.StudyDate] == ["", "", ""]
    assert not any(element.keyword.startswith("ClinicalTrial") for element in header)


@pytest.mark.parametrize(("written", "taken"), [("0930", "0930"), ("256000", ""), ("noon", "")])
@pytest.mark.filterwarnings("ignore:Invalid value for VR TM")
def test_a_time_that_is_none_is_left_empty(tmp_path, written, taken):
    assert header_of(tmp_path, StudyTime=written).StudyTime == taken


def test_markup_stays_text_and_control_characters_are_replaced():
    assert legible("<b>bold</b> & more", 64) == "<b>bold</b> & more"
    assert legible("a\x1b[31mred\x00", 64) == "a�[31mred�"
    assert legible("one\\two", 64) == "one/two"


def test_ten_kilobytes_are_cut_and_say_so():
    cut = legible("x" * 10_240, 64)
    assert len(cut) == 64
    assert cut.endswith("xxx...")


def test_a_character_is_never_cut_in_two():
    assert legible("小" * 30, 64) == "小" * 20 + "..."


@pytest.mark.filterwarnings("ignore")  # pydicom remarks on each of these values when they are set
def test_hostile_values_give_objects_without_an_error(tmp_path):
    write_series(
        tmp_path / "images",
        SpecificCharacterSet="ISO_IR 192",
        PatientName=HOSTILE + "x" * 10_240,
        PatientID=HOSTILE,
        PatientBirthDate="1970-13-45",
        PatientSex="<",
        StudyTime="99:99",
        StudyID=HOSTILE * 10,
        AccessionNumber="y" * 10_240,
        StudyDescription=HOSTILE,
        ClinicalTrialSubjectID="王小明 <i>" + "z" * 10_240,
        LongitudinalTemporalEventType="not a code string!",
    )
    series = series_in(tmp_path / "images")
    file, _ = exported(series, random_outlines(series.geometry), tmp_path)
    assert complaints(file) == []
    ds = pydicom.dcmread(file)
    assert str(ds.PatientName).startswith("<script>alert(1)</script>�[2J")
    assert len(str(ds.PatientName).encode()) <= 64
    assert len(ds.AccessionNumber) == 16
    assert (ds.PatientBirthDate, ds.PatientSex, ds.StudyTime) == ("", "", "")
    assert ds.ClinicalTrialSubjectID.startswith("王小明 <i>z")
    assert ds.ClinicalTrialSponsorName == "UNKNOWN"
    assert "\x1b" not in json.dumps(ds.to_json_dict(), ensure_ascii=False)


def test_a_trial_without_a_subject_says_unknown_where_dicom_demands_a_value(tmp_path):
    header = header_of(tmp_path, ClinicalTrialProtocolID="NCT07276568")
    assert header.ClinicalTrialSubjectReadingID == "UNKNOWN"
    assert header.ClinicalTrialProtocolID == "NCT07276568"
    only_time = header_of(tmp_path, ClinicalTrialTimePointDescription="after a month")
    assert only_time.ClinicalTrialTimePointID == ""
    assert "ClinicalTrialSponsorName" not in only_time


def test_how_the_source_was_deidentified_is_taken_over(tmp_path):
    method = Dataset()
    method.CodeValue, method.CodingSchemeDesignator = "113100", "DCM"
    method.CodeMeaning = "Basic Application Confidentiality Profile"
    header = header_of(
        tmp_path,
        PatientIdentityRemoved="YES",
        DeidentificationMethod=["first", "second"],
        DeidentificationMethodCodeSequence=[method],
    )
    assert list(header.DeidentificationMethod) == ["first", "second"]
    assert header.DeidentificationMethodCodeSequence[0].CodeValue == "113100"
    unsaid = header_of(tmp_path, PatientIdentityRemoved="YES")
    assert unsaid.DeidentificationMethod == "UNKNOWN"
