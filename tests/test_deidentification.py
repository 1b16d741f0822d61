"""De-identification: nothing of the people is left in any byte, all that measuring needs is."""

import json
import tarfile
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from dicom_files import ROOT, another, image, save, series
from hypothesis import given
from hypothesis import strategies as st
from lettering import draw
from pydicom import Dataset, Sequence, dcmread
from pydicom.config import disable_value_validation
from pydicom.datadict import DicomDictionary
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import JPEG2000Lossless

from imaging.description import words_of
from imaging.errors import DeidentificationError, UsageError
from imaging.loaders import find_series
from imaging.protocol import load_protocol
from imaging.visits import arrange
from surveillance.deidentification.dates import plain_time, shifted_date, shifted_date_time
from surveillance.deidentification.deidentify import deidentify
from surveillance.deidentification.key import Key
from surveillance.deidentification.key_file import open_key, save_key
from surveillance.deidentification.plan import Options, check_places, plan
from surveillance.deidentification.vocabulary import (
    cleaned_description,
    cleaned_time_point,
)

PROTOCOL = load_protocol()
SAMPLE = Path(__file__).parents[1] / "sample_dicom/subjects"
KEY = Key(b"\1" * 32)
PASSPHRASE = "correct horse battery"  # noqa: S105
FAMILY, GIVEN, MIDDLE = "Zhangsan", "Meiling", "Xiaohua"
NAME = f"{FAMILY}^{GIVEN}^{MIDDLE}^Frau^Jr=张三^美玲=ㄓㄤ^ㄙㄢ"
RECORD, ACCESSION, NEIGHBOUR = "MRN-77042", "ACC90017", "Nachbarin"
PLANTED = [
    FAMILY, GIVEN, MIDDLE, "张三", "美玲", "ㄓㄤ", "77042", "90017", NEIGHBOUR, "Klinikum",
    "Oberarzt",
    "19700213", "1970-02-13", "13.02.1970", "20260105", "2026-01-05", "05.01.2026",
    "826.0.1.3680043.8.498.77",
]  # fmt: skip
TEXT = f"{NEIGHBOUR} of {FAMILY}, {GIVEN} born 13.02.1970 seen 2026-01-05 {RECORD}"
EQUIPMENT = {
    "Manufacturer", "ManufacturerModelName", "SoftwareVersions", "SequenceName",
    "PulseSequenceName", "TransmitCoilName", "ReceiveCoilName", "TransmitCoilManufacturerName",
    "ReceiveCoilManufacturerName", "ImagedNucleus", "ResonantNucleus", "DeviceSerialNumber",
    "StationName", "GantryID", "DetectorID", "UniqueDeviceIdentifier", "DeviceDescription",
    "PerformedStationName", "ModifyingSystem", "DeviceUID", "ManufacturerDeviceClassUID",
}  # fmt: skip
"""Retain Device Identity: these stay, unless they name the patient."""


def person(**changes):
    """Header of someone who can be found everywhere."""
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "PatientName": NAME,
        "PatientID": RECORD,
        "PatientBirthDate": "19700213",
        "AccessionNumber": ACCESSION,
        "ReferringPhysicianName": "Oberarzt^Otto",
        **changes,
    }


def freed(folder, output, options=None, key=KEY):
    options = options or Options()
    planned = plan([folder], key, options)
    return planned, deidentify(planned, output, options)


def left_in(output):
    """(planted word, file) for each that is found in any byte or name of the output."""
    found = []
    for path in output.rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        haystack = content + str(path.relative_to(output)).encode()
        plain = haystack.lower()
        for word in PLANTED:
            for encoding in ("utf-8", "gb18030", "utf-16-le"):
                if word.lower().encode(encoding, "ignore") in plain:
                    found.append((word, path.name, encoding))
    return found


def test_the_search_itself_finds_what_was_planted(tmp_path):
    """Or the tests below could not fail."""
    ds = image(0, **person(PatientComments=TEXT))
    save(ds, tmp_path / f"{FAMILY}.dcm")
    assert {word for word, *_ in left_in(tmp_path)} >= {FAMILY, "77042", "张三", "19700213"}


VALUES = {
    "AE": "KLINIKUM", "AS": "056Y", "CS": FAMILY.upper(), "LO": TEXT[:64], "LT": TEXT,
    "PN": NAME, "SH": RECORD, "ST": TEXT, "UC": TEXT, "UR": f"http://klinikum.example/{RECORD}",
    "UT": TEXT, "UI": f"{ROOT}77042", "DA": "20260105", "DT": "20260105101500+0800",
    "OB": TEXT.encode(), "UN": TEXT.encode(),
}  # fmt: skip


def every_attribute():
    """A dataset with each attribute of the dictionary that can hold text, all of it planted."""
    ds = Dataset()
    with disable_value_validation():
        _plant(ds)
    return ds


UNPLANTED = {"SpecificCharacterSet", "ConversionType"}
"""The one decides how all others are read, the other stands in pictures of screens: refused."""


def _plant(ds):
    for number, (vr, _, _, _, keyword) in DicomDictionary.items():
        tag = Tag(number)
        if vr not in VALUES or tag.group < 8 or not keyword or keyword in UNPLANTED:
            continue
        value = VALUES[vr]
        if keyword in EQUIPMENT and vr not in {"UI", "DA", "DT"}:
            value = FAMILY if vr != "UI" else value
        ds.add_new(tag, vr, value)


KEPT = ("SOPClassUID", "Modality", "PixelData", "SpecificCharacterSet", "BurnedInAnnotation")


def planted_everywhere():
    ds = image(0)
    own = {element.tag for element in ds} - {Tag("PatientName"), Tag("SeriesDescription")}
    everything = every_attribute()
    for element in everything:
        if element.tag not in own and element.keyword not in KEPT:
            ds[element.tag] = element
    for keyword, value in person().items():
        setattr(ds, keyword, value)
    return ds


def test_no_attribute_of_the_dictionary_lets_anything_through(tmp_path):
    ds = planted_everywhere()
    assert len(ds) > 1500
    save(ds, tmp_path / "in" / f"{FAMILY}_{RECORD}" / f"{GIVEN}.dcm")
    _, done = freed(tmp_path / "in", tmp_path / "out")
    assert (done.written, done.refusals) == (1, ())
    assert left_in(tmp_path / "out") == []


def test_nothing_is_left_in_sequences_at_any_depth(tmp_path):
    inner = every_attribute()
    outer = Dataset()
    outer.ReferencedImageSequence = Sequence([inner])
    outer.PatientComments = TEXT
    ds = image(0, **person())
    for keyword in ("SharedFunctionalGroupsSequence", "ReferencedStudySequence",
                    "OriginalAttributesSequence", "RequestAttributesSequence",
                    "MRTimingAndRelatedParametersSequence"):  # fmt: skip
        setattr(ds, keyword, Sequence([outer]))
    save(ds, tmp_path / "in" / "file")
    _, done = freed(tmp_path / "in", tmp_path / "out")
    assert done.written == 1
    assert left_in(tmp_path / "out") == []
    again = dcmread(next((tmp_path / "out").rglob("*.dcm")))
    item = again.SharedFunctionalGroupsSequence[0].ReferencedImageSequence[0]
    assert item.SOPInstanceUID.startswith("2.25.")


def test_nothing_is_left_in_private_blocks_but_the_safe_numbers(tmp_path):
    ds = image(0, **person())
    safe = ds.private_block(0x2005, "Philips MR Imaging DD 001", create=True)
    safe.add_new(0x0E, "FL", 3.5)
    safe.add_new(0x0D, "LO", FAMILY)  # the safe tag of an intercept, but text in it
    safe.add_new(0x10, "LO", TEXT[:64])
    ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True).add_new(0x10, "OB", TEXT.encode())
    ds.private_block(0x0011, f"{FAMILY} PRIVATE", create=True).add_new(0x01, "UT", TEXT)
    item = Dataset()
    item.private_block(0x0009, "KLINIKUM", create=True).add_new(0x01, "PN", NAME)
    ds.ReferencedImageSequence = Sequence([item])
    save(ds, tmp_path / "in" / "file")
    freed(tmp_path / "in", tmp_path / "out")
    assert left_in(tmp_path / "out") == []
    again = dcmread(next((tmp_path / "out").rglob("*.dcm")))
    private = [element for element in again.iterall() if element.tag.is_private]
    assert [(e.tag, e.value) for e in private] == [
        (Tag(0x2005, 0x0010), "Philips MR Imaging DD 001"),
        (Tag(0x2005, 0x100E), 3.5),
    ]


def test_nothing_is_left_before_the_dataset_or_behind_it(tmp_path):
    ds = image(0, **person())
    ds.preamble = TEXT.encode()[:128].ljust(128, b" ")
    ds.file_meta.SourceApplicationEntityTitle = "KLINIKUM"
    ds.file_meta.PrivateInformationCreatorUID = f"{ROOT}77042"
    ds.file_meta.PrivateInformation = TEXT.encode()
    ds.add_new(Tag(0xFFFC, 0xFFFC), "OB", TEXT.encode())
    ds.add_new(Tag(0x6000, 0x4000), "LT", TEXT)
    ds.add_new(Tag(0x6000, 0x3000), "OB", TEXT.encode())
    ds.add_new(Tag(0x5000, 0x3000), "OB", TEXT.encode())
    save(ds, tmp_path / "in" / "file")
    freed(tmp_path / "in", tmp_path / "out")
    assert left_in(tmp_path / "out") == []
    assert next((tmp_path / "out").rglob("*.dcm")).read_bytes()[:128] == bytes(128)


def test_a_name_in_one_file_is_found_in_the_others_of_the_same_person(tmp_path):
    """The second file has no name of its own, but its scanner was called after the patient."""
    save(image(0, **person()), tmp_path / "in" / "one")
    nameless = person(PatientName="", StationName=f"MR-{FAMILY}", ScanOptions=["FS", "MEILING"])
    save(image(1, **nameless), tmp_path / "in" / "two")
    freed(tmp_path / "in", tmp_path / "out")
    assert left_in(tmp_path / "out") == []
    options = {
        tuple(map(str, [*dcmread(p).ScanOptions])) for p in (tmp_path / "out").rglob("*.dcm")
    }
    assert ("FS", "REMOVED") in options


def test_a_name_in_a_comment_of_a_compressed_image_is_refused(tmp_path):
    ds = image(0, **person(TransferSyntaxUID=JPEG2000Lossless))
    ds.PixelData = encapsulate([b"\xff\x4f\xff\x51 comment: " + FAMILY.encode()])
    ds["PixelData"].VR = "OB"
    save(ds, tmp_path / "in" / "file")
    _, done = freed(tmp_path / "in", tmp_path / "out")
    assert done.written == 0
    assert "compressed image holds a name" in done.refusals[0].message


def test_a_trial_number_with_a_name_in_it_is_refused_when_it_is_to_stay(tmp_path):
    save(image(0, **person(ClinicalTrialSubjectID=f"07-{FAMILY}")), tmp_path / "in" / "file")
    _, done = freed(tmp_path / "in", tmp_path / "out", Options(keep_subject=True))
    assert done.written == 0
    assert "(0012,0040)" in done.refusals[0].message
    _, done = freed(tmp_path / "in", tmp_path / "out")
    assert done.written == 1
    assert left_in(tmp_path / "out") == []


# What stays ----------------------------------------------------------------------------------


def seen(folder):
    """What `inspect` says: (visit, role, description, size) of each series, subject by subject."""
    inventory = find_series([folder], PROTOCOL)
    assert inventory.refusals == ()
    subjects = arrange(inventory.series, PROTOCOL).subjects
    return sorted(
        [
            (visit.label, visit.days_since_baseline, one.role.value, one.info.description,
             one.geometry.shape)
            for visit in subject.visits
            for one in (visit.t2w_fs, visit.t1w_fs, *visit.supporting)
            if one
        ]
        for subject in subjects
    )  # fmt: skip


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Two subjects of the sample, one of them without a trial number, before and after."""
    source = tmp_path_factory.mktemp("in")
    for name in ("C08", "S06"):
        (source / name).symlink_to(SAMPLE / name)
    output = tmp_path_factory.mktemp("out")
    inputs = [SAMPLE / "C08", SAMPLE / "S06"]
    planned = plan(inputs, KEY, Options())
    return inputs, output, planned, deidentify(planned, output, Options())


def test_roles_visits_and_intervals_of_the_sample_are_as_before(sample):
    inputs, output, _, done = sample
    assert (done.people, done.refusals, done.words_lost) == (2, (), ())
    before = sorted(entry for folder in inputs for entry in seen(folder))
    assert seen(output) == before
    assert len(before) == 2


def test_voxels_and_grids_of_the_sample_are_as_before(sample):
    inputs, output, _, _ = sample
    before = {_key(s): s for folder in inputs for s in find_series([folder], PROTOCOL).series}
    after = {_key(s): s for s in find_series([output], PROTOCOL).series}
    uids = {KEY.uid(uid): one for (uid, _), one in before.items()}
    for (uid, part), one in list(after.items())[::3]:
        old = uids[uid]
        assert part == old.info.part
        np.testing.assert_array_equal(one.geometry.affine, old.geometry.affine)
        np.testing.assert_array_equal(one.load().array, old.load().array)


def _key(one):
    return one.info.uid, one.info.part


def test_what_was_done_is_written_into_each_file(sample):
    _, output, _, _ = sample
    ds = dcmread(next(output.rglob("*.dcm")))
    codes = {(c.CodingSchemeDesignator, c.CodeValue) for c in ds.DeidentificationMethodCodeSequence}
    assert codes == {("DCM", c) for c in ("113100", "113105", "113107", "113109", "113111")}
    assert ds.PatientIdentityRemoved == "YES"
    assert ds.LongitudinalTemporalInformationModified == "MODIFIED"
    assert "PS3.15" in str(ds.DeidentificationMethod)


def test_the_same_key_gives_the_same_bytes_and_another_key_nothing_alike(tmp_path):
    series(tmp_path / "in", slices=2, **person())
    outputs = []
    for number, key in enumerate((KEY, KEY, Key(b"\2" * 32))):
        freed(tmp_path / "in", tmp_path / str(number), key=key)
        files = sorted((tmp_path / str(number)).rglob("*.dcm"))
        outputs.append({p.relative_to(tmp_path / str(number)): p.read_bytes() for p in files})
    assert outputs[0] == outputs[1]
    assert outputs[0].keys().isdisjoint(outputs[2])


def test_a_later_delivery_of_the_same_person_fits_the_first(tmp_path):
    """Another Patient ID, tied to the first by the trial's number: the interval is kept."""
    series(tmp_path / "a", slices=3, **person(ClinicalTrialSubjectID="07-001"))
    later = person(
        ClinicalTrialSubjectID="07-001", PatientID="OTHER-9", StudyDate="20260202",
        StudyInstanceUID=f"{ROOT}2.2", **another(2),
    )  # fmt: skip
    series(tmp_path / "b", slices=3, **later)
    first, _ = freed(tmp_path / "a", tmp_path / "out/a")
    freed(tmp_path / "b", tmp_path / "out/b", key=first.key)
    (subject,) = arrange(find_series([tmp_path / "out"], PROTOCOL).series, PROTOCOL).subjects
    assert [(v.label, v.days_since_baseline) for v in subject.visits] == [
        ("BASELINE", 0),
        ("D28", 28),
    ]
    assert subject.visits[0].study_date != date(2026, 1, 5)


def test_uids_are_replaced_by_the_same_ones_wherever_they_are_named(tmp_path):
    reference = Dataset()
    reference.ReferencedSOPInstanceUID = f"{ROOT}1.1"
    reference.ReferencedSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    save(image(0, **person()), tmp_path / "in" / "one")
    referring = image(1, **person(), ReferencedImageSequence=Sequence([reference]))
    save(referring, tmp_path / "in" / "two")
    freed(tmp_path / "in", tmp_path / "out")
    found = {ds.InstanceNumber: ds for ds in map(dcmread, (tmp_path / "out").rglob("*.dcm"))}
    named = found[2].ReferencedImageSequence[0]
    assert named.ReferencedSOPInstanceUID == found[1].SOPInstanceUID
    assert named.ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.4"
    assert found[1].file_meta.MediaStorageSOPInstanceUID == found[1].SOPInstanceUID
    assert found[1].StudyInstanceUID == found[2].StudyInstanceUID


def test_the_trials_number_is_remapped_or_kept_as_asked(tmp_path):
    save(image(0, **person(ClinicalTrialSubjectID="07-001")), tmp_path / "in" / "one")
    freed(tmp_path / "in", tmp_path / "remapped")
    freed(tmp_path / "in", tmp_path / "kept", Options(keep_subject=True))
    remapped, kept = (dcmread(next((tmp_path / n).rglob("*.dcm"))) for n in ("remapped", "kept"))
    assert remapped.ClinicalTrialSubjectID == KEY.subject_id("07-001")
    assert kept.ClinicalTrialSubjectID == "07-001"
    assert "Subject ID retained" in str(kept.DeidentificationMethod)


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        ("Day 28", "Day 28"),
        ("M3", "M3"),
        ("Baseline (post transplantation)", "Baseline (post transplantation)"),
        ("Month 6 after 2026-01-05", "Month 6"),
        ("Unscheduled visit Zhangsan", "Unscheduled visit"),
    ],
)
def test_a_time_point_keeps_its_words_of_a_schedule(stated, kept):
    assert cleaned_time_point(stated) == kept


def test_two_time_points_that_lose_words_stay_two(tmp_path):
    for number, name in enumerate(("Visit Anna", "Visit Otto")):
        changes = person(
            StudyDate=None, ClinicalTrialTimePointID=name, StudyInstanceUID=f"{ROOT}2.{number}"
        )
        save(image(number, **changes), tmp_path / "in" / str(number))
    freed(tmp_path / "in", tmp_path / "out")
    found = [dcmread(path) for path in (tmp_path / "out").rglob("*.dcm")]
    described = {ds.ClinicalTrialTimePointDescription for ds in found}
    assert len(described) == 2
    assert all(text.startswith("Visit ") for text in described)
    assert {ds.ClinicalTrialTimePointID for ds in found} == {""}


def test_a_contrast_agent_that_loses_its_name_is_still_an_agent(tmp_path):
    save(image(0, **person(ContrastBolusAgent="Hausmarke")), tmp_path / "in" / "one")
    freed(tmp_path / "in", tmp_path / "out")
    assert dcmread(next((tmp_path / "out").rglob("*.dcm"))).ContrastBolusAgent == "REMOVED"


def test_codes_of_standard_schemes_stay_and_those_of_the_house_go(tmp_path):
    ds = image(0, **person())
    codes = [("SCT", "818987002", "Abdomen"), ("99KLINIKUM", RECORD, f"Protokoll {FAMILY}")]
    ds.AnatomicRegionSequence = Sequence([])
    for scheme, value, meaning in codes:
        item = Dataset()
        item.CodingSchemeDesignator, item.CodeValue, item.CodeMeaning = scheme, value, meaning
        ds.AnatomicRegionSequence.append(item)
    save(ds, tmp_path / "in" / "one")
    freed(tmp_path / "in", tmp_path / "out")
    assert left_in(tmp_path / "out") == []
    again = dcmread(next((tmp_path / "out").rglob("*.dcm"))).AnatomicRegionSequence
    assert (again[0].CodeValue, again[0].CodeMeaning) == ("818987002", "Abdomen")
    assert (again[1].CodeValue, again[1].CodeMeaning) == ("REMOVED", "REMOVED")


@pytest.mark.parametrize(
    "archive",
    [
        "dcm_qa_enhanced/siemens_xa10_enhanced",
        "ukat_ge_fatsat",
        "prostatex_0218",
    ],
)
def test_real_scanners_files_keep_roles_and_grids(real_data, tmp_path, archive):
    found = sorted(real_data.glob(f"{archive}*/**/*.tar.xz")) or sorted(
        real_data.glob(f"{archive}*.tar.xz")
    )
    with tarfile.open(found[0]) as packed:
        packed.extractall(tmp_path / "in", filter="data")
    freed(tmp_path / "in", tmp_path / "out")
    before, after = (_usable(tmp_path / name) for name in ("in", "out"))
    assert {(KEY.uid(uid), *rest) for uid, *rest in before} == set(after)


def _usable(folder):
    series = find_series([folder], PROTOCOL).series
    return [
        (one.info.uid, one.info.part, one.role, tuple(one.geometry.affine.ravel()))
        for one in series
    ]


def test_descriptions_of_thousands_of_real_series_mean_the_same_afterwards(real_data):
    """Of 4,355 real names two change: both run their words together with others."""
    table = real_data / "series_descriptions" / "idc_mr_series_descriptions.tsv"
    lines = table.read_text(encoding="utf-8").splitlines()[1:]
    names = [line.split("\t")[0] for line in lines]
    changed = [n for n in names if words_of(n) != words_of(cleaned_description(n))]
    assert len(changed) <= 2, changed


@pytest.mark.parametrize(
    "name",
    ["Wei", "Li Na", "Wang", "Jane Doe", "Carter", "Axel", "Inge", "Cornelia", "Fatima", "Mary"],
)
def test_names_are_no_words_of_mri(name):
    assert cleaned_description(f"{name} T2 FS ax {name}") == "T2 FS ax"


# Dates ---------------------------------------------------------------------------------------


@given(st.dates(date(1950, 1, 1), date(2100, 1, 1)), st.integers(0, 500), st.integers(365, 3652))
def test_intervals_between_dates_are_kept(first, apart, shift):
    second = date.fromordinal(first.toordinal() + apart)
    moved = [shifted_date(f"{day:%Y%m%d}", shift) for day in (first, second)]
    days = [date(int(m[:4]), int(m[4:6]), int(m[6:])).toordinal() for m in moved]
    assert days[1] - days[0] == apart
    assert days[0] == first.toordinal() - shift


@pytest.mark.parametrize(
    ("text", "moved"),
    [
        ("20260105", "20250105"),
        ("2026.01.05", "20250105"),
        ("20260230", ""),
        ("2026", ""),
        ("yesterday", ""),
        ("00010101", ""),
    ],
)
def test_a_date_is_moved_or_emptied(text, moved):
    assert shifted_date(text, 365) == moved


def test_times_of_day_stay_and_time_zones_go():
    assert shifted_date_time("20260105101530.25+0800", 365) == "20250105101530.25"
    assert shifted_date_time("202601", 365) == ""
    assert shifted_date_time("20260230", 365) == ""
    assert plain_time("10:15:30") == "101530"
    assert plain_time("at ten") == ""


# People, keys, refusals ----------------------------------------------------------------------


def test_files_of_two_people_in_one_subject_are_refused_whole(tmp_path):
    save(image(0, **person()), tmp_path / "in" / "one")
    save(image(1, **person(PatientBirthDate="19710214")), tmp_path / "in" / "two")
    _, done = freed(tmp_path / "in", tmp_path / "out")
    assert (done.written, done.people) == (0, 0)
    assert "of two people" in done.refusals[0].message
    assert not (tmp_path / "out").exists()


def test_two_people_the_key_knows_are_not_joined_later(tmp_path):
    save(image(0, **person(PatientID="A", ClinicalTrialSubjectID="1")), tmp_path / "a" / "f")
    b = person(PatientID="B", ClinicalTrialSubjectID="2", StudyInstanceUID=f"{ROOT}2.9")
    save(image(1, **b), tmp_path / "b" / "f")
    first, _ = freed(tmp_path / "a", tmp_path / "out")
    second, _ = freed(tmp_path / "b", tmp_path / "out", key=first.key)
    save(image(2, **person(PatientID="A", ClinicalTrialSubjectID="2")), tmp_path / "c" / "f")
    _, done = freed(tmp_path / "c", tmp_path / "out", key=second.key)
    assert "tie together two people" in done.refusals[0].message


@pytest.mark.parametrize(
    "changes",
    [
        {"BurnedInAnnotation": "YES"},
        {"ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]},
        {"ConversionType": "WSD"},
    ],
)
def test_an_image_that_may_show_text_is_refused_until_someone_has_looked(tmp_path, changes):
    save(image(0, **person(**changes)), tmp_path / "in" / "one")
    _, done = freed(tmp_path / "in", tmp_path / "out")
    assert done.written == 0
    assert "burned into the image" in done.refusals[0].message
    _, done = freed(tmp_path / "in", tmp_path / "out", Options(pixels_reviewed=True))
    assert done.written == 1


def test_an_image_with_a_name_drawn_into_it_is_refused_whatever_its_header_says(tmp_path):
    """Of two frames the second has it; the plain image beside it is written."""
    frame = np.random.default_rng(2).integers(0, 60, (96, 128), dtype=np.uint16)
    drawn = draw(frame, "bottom right", 12, False, 900)
    for name, pixels in (("plain", np.stack([frame, frame])), ("drawn", np.stack([frame, drawn]))):
        ds = image(len(name), **person(BurnedInAnnotation="NO"))
        ds.Rows, ds.Columns, ds.NumberOfFrames = 96, 128, 2
        ds.PixelData = pixels.tobytes()
        save(ds, tmp_path / "in" / name)
    ds = image(9, **person())
    ds.PixelData = ds.PixelData[:-40]
    save(ds, tmp_path / "in" / "cut")
    _, done = freed(tmp_path / "in", tmp_path / "out")
    assert done.written == 1
    said = " ".join(refusal.message for refusal in done.refusals)
    assert "lettering is drawn into the image" in said
    assert "cannot be decoded (ValueError)" in said
    _, done = freed(tmp_path / "in", tmp_path / "reviewed", Options(pixels_reviewed=True))
    assert done.written == 3


def test_clean_pixels_are_only_claimed_where_it_is_known(tmp_path):
    for number, (stated, reviewed) in enumerate([(None, False), ("NO", False), (None, True)]):
        source, output = tmp_path / f"in{number}", tmp_path / f"out{number}"
        save(image(0, **person(BurnedInAnnotation=stated)), source / "one")
        freed(source, output, Options(pixels_reviewed=reviewed))
        ds = dcmread(next(output.rglob("*.dcm")))
        codes = {item.CodeValue for item in ds.DeidentificationMethodCodeSequence}
        assert ("113101" in codes) == (stated == "NO" or reviewed)
        assert (ds.get("BurnedInAnnotation") == "NO") == ("113101" in codes)


def test_what_is_no_mr_image_is_named_and_left_out(tmp_path):
    save(image(0, **person()), tmp_path / "in" / "good")
    save(image(1, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.33"), tmp_path / "in" / "report")
    (tmp_path / "in" / "notes.txt").write_text(TEXT * 3)
    content = (tmp_path / "in" / "good").read_bytes()
    damaged = content.replace(b"\x10\x00UI", b"\x10\x00U\xf4", 1)
    (tmp_path / "in" / "damaged").write_bytes(damaged)
    _, done = freed(tmp_path / "in", tmp_path / "out")
    assert done.written == 1
    said = " ".join(refusal.message for refusal in done.refusals)
    assert "is no MR image" in said
    assert "neither DICOM nor NIfTI" in said
    assert len(done.refusals) == 3


def test_a_description_that_loses_meaning_is_said(tmp_path):
    name = "ptrepeat   DWIaxiPMS"  # a real one, whose words run together
    save(image(0, **person(SeriesDescription=name)), tmp_path / "in" / "one")
    _, done = freed(tmp_path / "in", tmp_path / "out")
    assert done.words_lost == (KEY.uid(f"{ROOT}3"),)


def test_the_key_opens_with_its_passphrase_only_and_shows_nothing(tmp_path):
    key, _ = KEY.met(frozenset({RECORD}), frozenset({"07-001"}))
    path = tmp_path / "key"
    save_key(key, path, PASSPHRASE)
    assert open_key(path, PASSPHRASE) == key
    content = path.read_bytes()
    assert RECORD.encode() not in content
    assert key.secret.hex().encode() not in content
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(DeidentificationError, match="passphrase is another one"):
        open_key(path, PASSPHRASE + "!")
    altered = json.loads(content)
    (name,) = altered
    altered[name]["content"] = altered[name]["content"][:-8] + "AAAAAAA="
    path.write_text(json.dumps(altered))
    with pytest.raises(DeidentificationError, match="was altered"):
        open_key(path, PASSPHRASE)
    for nonsense in ("", "{}", "[]", "no json"):
        path.write_text(nonsense)
        with pytest.raises(DeidentificationError, match="cannot be read as a key"):
            open_key(path, PASSPHRASE)


def test_key_images_with_and_images_without_people_stay_apart(tmp_path):
    source = tmp_path / "in"
    source.mkdir()
    with pytest.raises(UsageError, match="among the images"):
        check_places([source], tmp_path / "out", tmp_path / "out" / "key")
    for output in (source / "out", tmp_path):
        with pytest.raises(UsageError, match="must not mix"):
            check_places([source], output, tmp_path.parent / "key")
    with pytest.raises(UsageError, match="does not exist"):
        check_places([tmp_path / "absent"], tmp_path / "out", tmp_path / "key")


def test_the_command_asks_for_nothing_when_the_passphrase_is_given(tmp_path, command, monkeypatch):
    series(tmp_path / "in", slices=3, **person())
    monkeypatch.setenv("GRAFTSITE_KEY_PASSPHRASE", PASSPHRASE)
    arguments = ("deidentify", tmp_path / "in", "--to", tmp_path / "out", "--key", tmp_path / "key")
    said = command(*arguments, expect=0)
    assert "3 images of 1 people" in said.out
    assert RECORD not in said.out + said.err
    assert left_in(tmp_path / "out") == []
    monkeypatch.setenv("GRAFTSITE_KEY_PASSPHRASE", "another one that is long")
    assert "cannot be opened" in command(*arguments, expect=2).err


def test_a_passphrase_from_a_file_and_one_that_is_too_short(tmp_path, command, monkeypatch):
    monkeypatch.delenv("GRAFTSITE_KEY_PASSPHRASE", raising=False)
    series(tmp_path / "in", slices=3, **person())
    (tmp_path / "pass").write_text("short\n")
    arguments = ("deidentify", tmp_path / "in", "--to", tmp_path / "out", "--key", tmp_path / "key")
    said = command(*arguments, "--passphrase-file", tmp_path / "pass", expect=2)
    assert "at least 12 characters" in said.err
    (tmp_path / "pass").write_text(PASSPHRASE + "\n")
    command(*arguments, "--passphrase-file", tmp_path / "pass", expect=0)


def test_some_and_none_have_their_own_exit_codes(tmp_path, command, monkeypatch):
    monkeypatch.setenv("GRAFTSITE_KEY_PASSPHRASE", PASSPHRASE)
    save(image(0, BurnedInAnnotation="YES"), tmp_path / "in" / "one")
    arguments = ("deidentify", tmp_path / "in", "--to", tmp_path / "out", "--key", tmp_path / "key")
    command(*arguments, expect=4)
    assert not (tmp_path / "key").exists()
    save(image(1), tmp_path / "in" / "two")
    command(*arguments, expect=3)


def test_files_that_break_parsers_are_each_named_or_freed(real_data, tmp_path):
    """389 malformed files, each given by itself and all at once: none stops the others."""
    for packed in sorted((real_data / "hostile_dicom").rglob("*.tar.xz")):
        with tarfile.open(packed) as archive:
            archive.extractall(tmp_path / "in", filter="data")
    folder = tmp_path / "in"
    if not folder.exists():
        folder = real_data / "hostile_dicom"
    planned, done = freed(folder, tmp_path / "out")
    assert done.written + len(done.refusals) >= len(planned.work)
    assert done.refusals
    for path in (tmp_path / "out").rglob("*.dcm"):
        assert dcmread(path).PatientIdentityRemoved == "YES"


def test_an_image_without_its_uids_or_in_an_unknown_syntax_is_refused(tmp_path):
    save(image(0, SeriesInstanceUID=None), tmp_path / "in" / "one")
    strange = save(image(1), tmp_path / "in" / "two")
    syntax = b"1.2.840.10008.1.2.1"
    strange.write_bytes(strange.read_bytes().replace(syntax, b"1.2.840.10008.1.2.9"))
    _, done = freed(tmp_path / "in", tmp_path / "out")
    assert done.written == 0
    assert [refusal.code for refusal in done.refusals] == ["header_damaged"] * 2
